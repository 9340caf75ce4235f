//! Pure functions over texts: finding and replacing lines, patches, differences, positions, excerpts.
//!
//! Nothing here reads files, waits, or decides what may be changed; every function takes any text without panicking.

pub mod edit;
pub mod excerpt;
pub mod hunks;
pub mod patch;
pub mod position;
pub mod problem;
pub mod shape;
pub mod shown;

pub(crate) mod indent;
pub(crate) mod locate;
pub(crate) mod nearest;
pub(crate) mod splice;
