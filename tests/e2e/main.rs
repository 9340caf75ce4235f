//! The end-to-end tests, a module for each user story.

mod acp;
mod door;
mod durable;
mod exec;
mod sandbox;
mod shared;
mod turn;
