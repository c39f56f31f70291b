//! The `evenwatt` program: everything it can do is in `evenwatt::cli`.

use std::process::ExitCode;

fn main() -> ExitCode {
    evenwatt::cli::run()
}
