//! Makes edits of the migrations visible to the macro that embeds them.
fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
