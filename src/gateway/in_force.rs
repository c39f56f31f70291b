//! The live limits that stations took, for questions of what a car may draw. What counts is the ledger of balancing; this is
//! only what was last said and agreed to.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::sites::stations::link::{Enforced, LimitPurpose, SetLimit, StationCommand};
use kernel::{StationId, Watts};

/// Power by which amps that were rounded for the wire may be above a limit.
const ROUNDING: Watts = Watts(50);

/// The live limits of all connectors; cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct InForce(Arc<Mutex<HashMap<(StationId, i32), SetLimit>>>);

impl InForce {
    fn lock(&self) -> MutexGuard<'_, HashMap<(StationId, i32), SetLimit>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a station agreed to a command, where that is a live limit.
    pub fn agreed(&self, station: StationId, command: &StationCommand) {
        if let StationCommand::SetLimit(limit) = command
            && limit.purpose == LimitPurpose::Live
        {
            self.lock().insert((station, limit.connector), limit.clone());
        }
    }

    /// Whether a draw at a connector is above its limit; no where none is known.
    pub fn is_exceeded_by(&self, station: StationId, connector: i32, draw: Enforced) -> bool {
        self.lock().get(&(station, connector)).is_some_and(|limit| exceeds(limit, draw))
    }
}

fn exceeds(limit: &SetLimit, draw: Enforced) -> bool {
    let power = match draw {
        Enforced::Power(power) => power,
        Enforced::Current(current) => current.to_power(limit.voltage, limit.phases),
    };
    power > limit.limit + ROUNDING
}
