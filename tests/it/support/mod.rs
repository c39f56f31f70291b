//! What every test uses: a server with a store of its own, and a client that reads like a story.

mod app;
mod client;
mod keeper;
mod mail;
mod pki;
mod queries;
mod raw;
mod station;
mod store;
mod watchdog;

pub use app::{TestApp, TestStation, after_commits, configuration, eventually, when};
pub use client::{Answer, Client};
pub use keeper::Keeper;
pub use mail::{MailServer, secret_of};
pub use pki::{Pki, certificate_request};
pub use queries::Queries;
pub use raw::RawSocket;
pub use station::FakeStation;
pub use store::TestStore;

/// All days, as the hours of offers name them.
pub const WEEK: [&str; 7] = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"];
