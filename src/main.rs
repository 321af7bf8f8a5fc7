//! The program: everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    argo_attest::cli::main(std::env::args_os())
}
