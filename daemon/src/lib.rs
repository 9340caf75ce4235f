//! pilotfish's daemon. In reading order; `daemon/ARCHITECTURE.md` is the map.

// The heart: who holds sessions, what a session is, and the loop of one turn.
pub mod hub;
pub mod session;
pub mod turn;

// What a turn is made of.
pub mod cx;
pub mod ground;
pub mod model;
pub mod policy;
pub mod prompt;
pub mod sandbox;
pub mod tool;

// Where things live.
pub mod desktop;
pub mod documents;
pub mod journal;
pub mod review;
pub mod workspace;

// The edge: JSON-RPC, argv and configuration stop here.
pub mod cli;
pub mod config;
pub mod door;
pub mod trace;

// The base.
pub mod clock;
pub mod path;
pub mod text;

#[cfg(test)]
mod testing;
