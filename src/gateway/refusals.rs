//! Refused connections, as events: at most one a minute of each station or address, with a count, whatever floods come.
//!
//! The first of a kind is reported at once; those that follow within a minute are counted, and reported together after it.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::access::Owner;
use kernel::Timestamp;

/// How often one kind of incident at one station or address is reported.
const REPORTED_EVERY: Duration = Duration::from_secs(60);
/// Addresses that are reported each by itself; all others are reported together.
const MOST_ADDRESSES: usize = 100;

/// What happened when somebody connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Incident {
    /// A connection of a station replaced another one.
    Replaced(Owner),
    /// Somebody did not prove to be this station.
    Unproven(Owner),
    /// Somebody at this address, or at many, named a station that does not exist.
    Unknown(Option<IpAddr>),
}

/// The last of its kind.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Where it came from.
    pub address: IpAddr,
    /// The endpoint that was named last, where that says more than the station and is known to be nobody's secret.
    pub endpoint: Option<String>,
}

/// An event that is to be recorded.
#[derive(Debug, Clone)]
pub struct Report {
    pub(super) incident: Incident,
    pub(super) seen: Seen,
    pub(super) count: u64,
}

#[derive(Debug)]
struct Entry {
    reported_at: Timestamp,
    /// How many there were since.
    count: u64,
    seen: Seen,
}

impl Entry {
    fn report(&mut self, incident: Incident, now: Timestamp) -> Option<Report> {
        if self.count == 0 || now.since(self.reported_at) < REPORTED_EVERY {
            return None;
        }
        self.reported_at = now;
        Some(Report { incident, seen: self.seen.clone(), count: std::mem::take(&mut self.count) })
    }
}

/// What happened lately.
#[derive(Debug, Default)]
pub struct Refusals(Mutex<HashMap<Incident, Entry>>);

impl Refusals {
    fn lock(&self) -> MutexGuard<'_, HashMap<Incident, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts something; answers what is to be reported now.
    pub(super) fn note(&self, incident: Incident, seen: Seen, now: Timestamp) -> Option<Report> {
        let mut entries = self.lock();
        let is_new = !entries.contains_key(&incident);
        let incident = match incident {
            Incident::Unknown(Some(_)) if is_new && addresses(&entries) >= MOST_ADDRESSES => Incident::Unknown(None),
            other => other,
        };
        let entry = entries.entry(incident).or_insert(Entry {
            reported_at: now - REPORTED_EVERY,
            count: 0,
            seen: seen.clone(),
        });
        let named = seen.endpoint.or_else(|| entry.seen.endpoint.take());
        (entry.count, entry.seen) = (entry.count.saturating_add(1), Seen { endpoint: named, ..seen });
        entry.report(incident, now)
    }

    /// What was counted more than a minute ago; forgets what is over.
    pub(super) fn due(&self, now: Timestamp) -> Vec<Report> {
        let mut entries = self.lock();
        entries.retain(|_, entry| entry.count > 0 || now.since(entry.reported_at) < REPORTED_EVERY);
        let due = entries.iter_mut();
        due.filter_map(|(incident, entry)| entry.report(*incident, now)).collect()
    }
}

fn addresses(entries: &HashMap<Incident, Entry>) -> usize {
    let is_address = |incident: &&Incident| matches!(incident, Incident::Unknown(_));
    entries.keys().filter(is_address).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(1_777_000_000 + seconds)
    }

    fn seen(address: IpAddr) -> Seen {
        Seen { address, endpoint: Some("cp-1".to_owned()) }
    }

    #[test]
    fn the_first_is_reported_at_once_and_the_rest_of_a_minute_together() {
        let (refusals, address) = (Refusals::default(), IpAddr::from([192, 0, 2, 1]));
        let unknown = Incident::Unknown(Some(address));
        let note = |seconds| {
            let report = refusals.note(unknown, seen(address), at(seconds));
            report.map(|report| report.count)
        };
        assert_eq!(note(0), Some(1));
        assert_eq!((note(1), note(59)), (None, None));
        assert!(refusals.due(at(59)).is_empty());
        let due = refusals.due(at(60));
        assert_eq!(due.iter().map(|report| report.count).collect::<Vec<_>>(), [2]);
        assert_eq!((note(61), note(119)), (None, None));
        assert_eq!(note(120), Some(3));
        assert!(refusals.due(at(400)).is_empty());
        assert!(refusals.lock().is_empty(), "it is over");
    }

    #[test]
    fn many_addresses_are_reported_together() {
        let refusals = Refusals::default();
        let mut reported = 0;
        for number in 0..1_000_u32 {
            let address = IpAddr::V4(number.into());
            let unknown = Incident::Unknown(Some(address));
            reported += u32::from(refusals.note(unknown, seen(address), at(0)).is_some());
        }
        assert_eq!(reported, 101);
        let counts: Vec<u64> = refusals.due(at(60)).iter().map(|one| one.count).collect();
        assert_eq!(counts, [899]);
    }
}
