//! What a session costs: pure, exact decimals, no clock, no store.
//!
//! A [`Tariff`] is the one form that eDRV rates and schedules, service offers and OCPI tariffs are turned into. A
//! [`Timeline`] is what happened. [`cost()`] cuts the timeline wherever a price may change (by wall clock, energy or
//! duration), asks for every piece which component applies, and adds up. Sums are rounded to the currency's minor unit
//! once, and the lines share that rounding, so that they always add up to the total.

mod cost;
mod pieces;
mod tariff;
#[cfg(test)]
mod tests;
mod timeline;
mod wall_clock;

pub use cost::{Cost, Line, cost};
pub use tariff::{Component, Conditions, Counted, Element, Kind, Selection, Tariff, Unit, Window};
pub use timeline::{Point, Stretch, Timeline};
pub use wall_clock::wall_clock;
