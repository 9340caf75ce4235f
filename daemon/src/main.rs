//! pilotfish: the program. What it does is told in `cli`.

fn main() -> std::process::ExitCode {
    pilotfish::cli::main()
}
