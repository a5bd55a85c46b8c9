//! The `agentos-run` binary; everything is in the library.

fn main() -> std::process::ExitCode {
    agentos_run::cli::main()
}
