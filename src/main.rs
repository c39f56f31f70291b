//! The `evenwatt` program.
fn main() {}
