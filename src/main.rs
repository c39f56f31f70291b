//! The `evenwatt` program: everything it can do is in `evenwatt::cli`.

use std::process::ExitCode;

/// See docs/BENCHMARKS.md: half as much time as in the allocator of the C library, which is slow to free what another thread made.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    evenwatt::cli::run()
}
