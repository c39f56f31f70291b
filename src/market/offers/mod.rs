//! Service offers: what the EVSEs of a network cost roaming partners (Hubject: next-generation pricing).
//!
//! An offer is a draft until it is published; then it never changes. A price update makes a new version that takes over
//! at its date. Time alone makes an offer pending, active, and expired or cancelled. What it says is in `content`, what
//! must hold before it is published in `check`, and how partners write it in `oicp` and `ocpi`.

mod api;
mod check;
mod content;
mod exchange;
mod life;
mod model;
mod ocpi;
mod oicp;
mod partner;
mod prices;
mod store;

pub use api::routes;
pub use life::record_changes;
pub use model::ServiceOffer;
pub use prices::{Priced, tariff_of};
pub use store::{count_of_network, showing};
