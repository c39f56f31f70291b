//! What a clock on the wall shows, which is what the hours of a price are about.

use chrono::{Datelike, Timelike};

use kernel::{TimeZone, Timestamp};

/// Day of the week (Sunday is 0) and second of the day, as a clock in the zone shows them.
pub fn wall_clock(at: Timestamp, zone: TimeZone) -> (u32, u32) {
    let local = at.to_chrono().with_timezone(&zone.0);
    (local.weekday().num_days_from_sunday(), local.num_seconds_from_midnight())
}
