//! What shares a grid connection: load-management groups with their members, and assets such as meters and batteries.

pub mod assets;
pub mod groups;
