//! The end-to-end tests, a module for each user story.

mod door;
mod exec;
mod sandbox;
mod shared;
mod soak;
mod turn;
