//! The texts that editors have open.
