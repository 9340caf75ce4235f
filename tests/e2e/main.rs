//! The end-to-end tests, a module for each user story.

mod acp;
mod acp_clients;
mod acp_files;
mod approvals;
mod checkpoints;
mod documents;
mod door;
mod durable;
mod editors;
mod exec;
mod files;
mod frames;
mod granted;
mod harmless;
mod hostile;
mod output;
mod plain;
mod policy;
mod provider;
mod sandbox;
mod secrets;
mod shared;
mod soak;
mod stale;
mod toolchains;
mod turn;
