//! Charging at home: the portal of home users, and charges that go before the exclusion times of a group.

pub mod portal;
pub mod priority_charges;
