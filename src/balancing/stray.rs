//! A connector that draws and is not steered: what is remembered of it.

use serde::{Deserialize, Serialize};

use super::meter::{A_CAR, Hardware, Meter};
use kernel::*;

/// A connector that draws and is not steered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stray {
    pub station: StationId,
    /// Its number at its station; none where it is set up, but no member.
    pub number: Option<u32>,
    /// A car may draw there, as its station says.
    pub occupied: bool,
    pub meter: Meter,
}

impl Stray {
    /// What to reserve for it: what it shows, or all that it can where it only says that it charges.
    pub(super) fn draws(&self, rating: Watts) -> Watts {
        let hardware = Hardware::unknown(rating);
        let proven = self.meter.proves(self.meter.idle_since(), hardware).map(|proof| proof.least);
        match self.meter.draw.max(proven) {
            Some(draw) if draw > A_CAR => draw,
            Some(_) if self.meter.draw.is_some() => Watts::ZERO,
            _ if self.occupied => rating,
            _ => Watts::ZERO,
        }
    }
}
