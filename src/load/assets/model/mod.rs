//! What an asset is, what it measures, and how clients see both.

pub(super) mod asset;
pub(super) mod clock;
pub(super) mod new_reading;
pub(super) mod peaks;
pub(super) mod plausible;
pub(super) mod reading;
pub(super) mod signs;
pub(super) mod view;
