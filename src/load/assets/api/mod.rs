//! The endpoints of assets and of their readings.

use super::model::asset::Asset;
use super::signals::{AssetChange, AssetSignal, AssetSignals};
use crate::http::ApiError;
use crate::http::routing::ServiceConfig;
use crate::store::StoreError;
use kernel::GroupId;

mod assets;
mod readings;

/// Adds the endpoints of this slice.
pub fn routes(config: &mut ServiceConfig) {
    config.configure(assets::routes).configure(readings::routes);
}

fn missing(error: StoreError) -> ApiError {
    ApiError::missing(error, "asset")
}

/// Notifies balancing about the group of an asset, and the one it left.
fn notify(signals: &AssetSignals, asset: &Asset, left: Option<GroupId>, change: AssetChange) {
    let left = left.filter(|left| asset.group_id != Some(*left));
    for group in asset.group_id.into_iter().chain(left) {
        signals.notify(AssetSignal { organization: asset.organization_id, group, asset: asset.id, change });
    }
}
