//! The end-to-end tests, a module for each user story.

mod acp;
mod acp_clients;
mod door;
mod durable;
mod exec;
mod frames;
mod hostile;
mod output;
mod policy;
mod provider;
mod sandbox;
mod secrets;
mod shared;
mod soak;
mod turn;
