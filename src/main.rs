//! The `evenwatt` program: everything it can do is in `evenwatt::app::cli`.

use std::process::ExitCode;

fn main() -> ExitCode {
    evenwatt::app::cli::run()
}
