//! What an asset is, what it measures, and how clients see both.

pub mod asset;
pub mod clock;
pub mod new_reading;
pub mod peaks;
pub mod plausible;
pub mod reading;
pub mod signs;
pub mod view;
