//! Pure functions over texts.
