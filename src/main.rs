//! The `ready` program.

fn main() -> std::process::ExitCode {
    readiness::cli::main()
}
