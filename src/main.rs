//! The `gamops` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    gamops::cli::main()
}
