//! pilotfish: the program.
fn main() {}
