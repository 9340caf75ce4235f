//! What the tests share. Owns stand-ins for the world around the daemon; never a decision of the daemon's own.

pub mod client;
pub mod daemon;
