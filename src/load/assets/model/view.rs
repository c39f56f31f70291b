//! An asset and its readings as clients see them.

use serde::Serialize;

use super::asset::{Asset, AssetComputed, AssetView};
use super::reading::{Measured, ReadingView};
use crate::sites::locations::Location;
use kernel::*;

impl AssetView {
    /// The view of an asset at its location, as things are at `now`.
    pub fn new(mut asset: Asset, location: &Location, now: Timestamp) -> Self {
        let stale = asset.is_stale(now);
        let coordinates = asset.own_coordinates().unwrap_or(location.coordinates);
        let measured = std::mem::take(&mut asset.measured);
        let clock_offset_seconds = measured.clock_offset_seconds();
        let Measured { latest, latest_at, interval_seconds, refused, .. } = measured;
        let computed = AssetComputed {
            coordinates,
            latest_reading: latest.map(|reading| ReadingView::from(reading.0)),
            refused_reading: refused.map(|refused| refused.0),
            latest_at,
            age_seconds: latest_at.map(|at| now.seconds_since(at)),
            stale,
            interval_seconds,
            clock_offset_seconds,
        };
        Self::of(asset, computed)
    }
}

/// What became of readings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub(crate) struct Receipt {
    /// How many were stored.
    #[schema(example = 1)]
    pub accepted: usize,
    /// How many were known already, and are not stored twice.
    #[schema(example = 0)]
    pub duplicates: usize,
    /// Those that were refused, each with its reason.
    pub rejected: Vec<Rejection>,
    /// What is odd about those that were stored.
    pub warnings: Vec<ReadingWarning>,
}

/// What is odd about a reading that was stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub(crate) struct ReadingWarning {
    /// Which one, from 0.
    pub index: usize,
    /// Which of its fields.
    pub field: String,
    /// `unsigned`: its currents had no sign and were taken as negative, as its power is. `below_zero`: it says that more
    /// power is fed in than what is known to produce there, and only that counts.
    pub code: String,
    /// What a person needs to put it right.
    pub message: String,
}

/// Why a reading was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub(crate) struct Rejection {
    /// Which one, from 0.
    pub index: usize,
    /// Which of its fields.
    pub field: String,
    /// What kind of fault: `required`, `invalid`, `unknown`, `out_of_range`, or `conflict` where another reading has
    /// this time.
    pub code: String,
    /// What a person needs to put it right.
    pub message: String,
}
