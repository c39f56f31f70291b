//! What is known of a station while it is connected: shared by its connection's task and by those who command it.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use super::clock::StationClock;
use super::costs::Costs;
use super::limit_strategy::LimitStrategy;
use super::reports::Reports;
use super::stops::Stops;
use crate::sites::stations::{LimitCapabilities, Registration, Station, limit_capabilities};
use kernel::Protocol;
use kernel::Timestamp;

/// What a connection shares with those who use it.
#[derive(Debug)]
pub struct State {
    pub(super) version: Protocol,
    pub(super) last_seen_micros: AtomicI64,
    pub(super) reported_seen_micros: AtomicI64,
    registration: Mutex<Option<Registration>>,
    /// Messages that the station was asked for since its last boot.
    triggered: Mutex<BTreeSet<String>>,
    limit_strategy: Mutex<LimitStrategy>,
    clock: Mutex<StationClock>,
    /// The reports that are waited for.
    pub reports: Reports,
    /// What was sent as the cost of transactions.
    pub costs: Costs,
    /// Which transactions it was asked to stop at their target.
    pub stops: Stops,
}

impl State {
    pub(super) fn new(version: Protocol, known: Known) -> Self {
        Self {
            version,
            last_seen_micros: AtomicI64::default(),
            reported_seen_micros: AtomicI64::default(),
            registration: Mutex::default(),
            triggered: Mutex::default(),
            limit_strategy: Mutex::new(LimitStrategy::new(known.capabilities, &known.limit_variants)),
            clock: Mutex::new(StationClock::remembered(known.clock_offset_seconds)),
            reports: Reports::default(),
            costs: Costs::default(),
            stops: Stops::default(),
        }
    }
    /// Notes that the station said something.
    pub fn seen(&self, now: Timestamp) {
        self.last_seen_micros.store(now.micros(), Ordering::Relaxed);
    }
    /// Notes what its boot was answered.
    pub fn registered(&self, registration: Registration) {
        *self.registration.lock().unwrap_or_else(PoisonError::into_inner) = Some(registration);
        self.triggered().clear();
    }
    /// The registration because of which a call is refused: one that is pending only lets through what the station was asked
    /// for (OCPP 2: B02.FR.02 and B02.FR.09; 1.6 leaves it open), one that is rejected nothing (B03.FR.07).
    pub fn refuses(&self, action: &str) -> Option<Registration> {
        let registration = self.registration()?;
        let refused = match registration {
            Registration::Accepted => false,
            Registration::Rejected => true,
            Registration::Pending => {
                self.version != Protocol::V16 && action != "NotifyReport" && !self.triggered().contains(action)
            }
        };
        (refused && action != "BootNotification").then_some(registration)
    }
    pub(super) fn triggered(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.triggered.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// What its boot was answered in this connection.
    pub fn registration(&self) -> Option<Registration> {
        *self.registration.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// The station's clock.
    pub fn clock(&self) -> MutexGuard<'_, StationClock> {
        self.clock.lock().unwrap_or_else(PoisonError::into_inner)
    }
    pub(super) fn limit_strategy(&self) -> MutexGuard<'_, LimitStrategy> {
        self.limit_strategy.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What was known of a station before it connected.
#[derive(Debug, Clone)]
pub struct Known {
    /// How it wants limits to be said.
    pub capabilities: LimitCapabilities,
    /// How far its clock was ahead.
    pub clock_offset_seconds: Option<i64>,
    /// In which variants it took limits.
    pub limit_variants: Value,
}

impl Known {
    /// What is stored of it.
    pub fn of(station: &Station) -> Self {
        Self {
            capabilities: limit_capabilities(station),
            clock_offset_seconds: station.clock_offset_seconds,
            limit_variants: station.limit_variants.0.clone(),
        }
    }
}
