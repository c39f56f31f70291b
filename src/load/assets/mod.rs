//! Assets: what else draws or gives power at a place (Tridens): smart meters, producers, consumers, batteries.
//!
//! Integrators push readings; the latest one is kept with the asset, which is stale when none came for three times the
//! usual spacing. [`contribution`] says what an asset adds to the load, also while its data is stale; balancing decides
//! what to make of it. [`AssetSignals`] notifies it when to look again.

mod api;
mod model;
mod power;
mod readings;
pub mod retention;
mod signals;
mod store;

pub use api::routes;
#[cfg(test)]
pub use model::asset::NewAsset;
pub use model::asset::{Asset, AssetType, AssetView, MeterScope, VoltageType};
pub use model::peaks::Peaks;
pub use model::plausible::{is_below_zero, sent_below_zero};
pub use model::reading::Reading;
pub use model::reading::RefusedReading;
pub use power::{Basis, Contribution, contribution};
pub use signals::{AssetChange, AssetSignal, AssetSignals};
pub use store::{
    assets_of_groups, count_assets, count_at, count_of_group, find as find_asset, locations_of, save_peaks,
};
