//! What was odd about the energy of a session, each kind once.

use serde::{Deserialize, Serialize};

/// Something that whoever checks a bill should know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EnergyDeviation {
    /// Registers claim more than the plug can have given; what was too much is not billed.
    EnergyBounded,
    /// A register was lower than before, by little; that counts as nothing.
    RegisterFell,
    /// A register began again near zero in the session and went on from there.
    RegisterRestarted,
    /// A register went on from quite another value; the step between counts as nothing.
    RegisterMoved,
    /// One value was far from those before and after it, and does not count.
    RegisterSpiked,
    /// A value is negative or beyond any register, and does not count.
    RegisterRefused,
    /// The register at the start was not the one that readings show; they show the start.
    StartNotRead,
    /// The register at the stop does not go with the readings; they show the end.
    StopNotRead,
    /// Power over time proves far more than the register counted, as where kWh are labelled Wh.
    RegisterBelowPower,
    /// The station's times are over thirty days back or ahead of their receipt, which stands in for them.
    TimeNotBelieved,
}

impl EnergyDeviation {
    /// How the API spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EnergyBounded => "energy_bounded",
            Self::RegisterFell => "register_fell",
            Self::RegisterRestarted => "register_restarted",
            Self::RegisterMoved => "register_moved",
            Self::RegisterSpiked => "register_spiked",
            Self::RegisterRefused => "register_refused",
            Self::StartNotRead => "start_not_read",
            Self::StopNotRead => "stop_not_read",
            Self::RegisterBelowPower => "register_below_power",
            Self::TimeNotBelieved => "time_not_believed",
        }
    }
}
