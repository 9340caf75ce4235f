//! What the end-to-end tests and the bench stand on.

pub mod fake_model;
