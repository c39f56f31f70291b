//! Who owns and who charges: organizations with their API keys, drivers, and the tokens they hold to a reader.

pub mod organizations;
pub mod tokens;
pub mod users;
