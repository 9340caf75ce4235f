//! The end-to-end tests, a module for each user story.

mod door;
mod exec;
mod frames;
mod output;
mod provider;
mod sandbox;
mod secrets;
mod turn;
