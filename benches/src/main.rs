//! The command: see `README.md`.

use std::process::ExitCode;

fn main() -> ExitCode {
    rawipc_benches::run()
}
