//! Refused connections, as events: at most one a minute of each station or address, with a count, whatever floods come.
//!
//! The first of a kind is reported at once; those that follow within a minute are counted, and reported together after it.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::attempts::Owner;
use super::dependencies::GatewayDependencies;
use crate::events::{Change, EventKind};
use crate::people::organizations;
use crate::store::{Conn, StoreError, StoreResult};
use kernel::{Moment, OrganizationId, StationId, Timestamp};

/// How often one kind of incident at one station or address is reported.
const REPORTED_EVERY: Duration = Duration::from_secs(60);
/// How often it is looked what there is to report.
const LOOK_EVERY: Duration = Duration::from_secs(5);
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
    /// The endpoint that was named, where that says more than the station.
    pub endpoint: Option<String>,
}

/// An event that is to be recorded.
#[derive(Debug, Clone)]
pub struct Report {
    incident: Incident,
    seen: Seen,
    count: u64,
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
    fn note(&self, incident: Incident, seen: Seen, now: Timestamp) -> Option<Report> {
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
        (entry.count, entry.seen) = (entry.count.saturating_add(1), seen);
        entry.report(incident, now)
    }

    /// What was counted more than a minute ago; forgets what is over.
    fn due(&self, now: Timestamp) -> Vec<Report> {
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

/// Notes an incident, and reports it unless one was reported within the last minute.
pub fn note(gateway: &GatewayDependencies, incident: Incident, seen: Seen) {
    let kind = match incident {
        Incident::Replaced(_) => "replaced",
        Incident::Unproven(_) => "unproven",
        Incident::Unknown(_) => "unknown",
    };
    metrics::counter!("evenwatt_ocpp_incidents_total", "kind" => kind).increment(1);
    let now = gateway.context.clock.now();
    if let Some(report) = gateway.refusals.note(incident, seen, now) {
        let gateway = gateway.clone();
        tokio::spawn(async move { record(&gateway, vec![report]).await });
    }
}

/// Reports what was counted, again and again, until the handle is aborted.
pub fn keep_reporting(gateway: GatewayDependencies) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut ticks = gateway.context.clock.ticks(LOOK_EVERY);
        loop {
            ticks.tick().await;
            let due = gateway.refusals.due(gateway.context.clock.now());
            if !due.is_empty() {
                record(&gateway, due).await;
            }
        }
    })
}

async fn record(gateway: &GatewayDependencies, reports: Vec<Report>) {
    for Report { incident, seen, count } in &reports {
        let Seen { address, endpoint } = seen;
        tracing::warn!(?incident, %address, ?endpoint, count, "a connection of a station was refused or replaced");
    }
    let moment = gateway.context.moment();
    let stored =
        gateway.context.db.write(move |conn| reports.iter().try_for_each(|report| report.record(conn, &moment)));
    if let Err(error) = stored.await {
        tracing::error!(%error, "refused connections of stations could not be recorded");
    }
}

impl Report {
    fn record(&self, conn: &mut Conn, moment: &Moment) -> StoreResult<()> {
        let (seen, count) = (&self.seen, self.count);
        let of_station = |conn: &mut Conn, kind, (organization, station): Owner| {
            let data = json!({"chargestation": station, "address": seen.address, "count": count});
            record_event(conn, moment, kind, (organization, Some(station)), &data)
        };
        match self.incident {
            Incident::Replaced(owner) => of_station(conn, EventKind::StationReplaced, owner),
            Incident::Unproven(owner) => of_station(conn, EventKind::StationUnproven, owner),
            Incident::Unknown(address) => {
                // Where several organizations share the server, an endpoint that is nobody's concerns none more than others.
                let Some(organization) = organizations::sole_organization(conn)? else {
                    return Ok(());
                };
                let data = json!({"endpoint": seen.endpoint, "address": address, "count": count});
                record_event(conn, moment, EventKind::StationUnknown, (organization, None), &data)
            }
        }
    }
}

fn record_event(
    conn: &mut Conn,
    moment: &Moment,
    kind: EventKind,
    (organization, station): (OrganizationId, Option<StationId>),
    data: &Value,
) -> StoreResult<()> {
    match Change::new(conn, organization, moment).record_at(station, kind, data) {
        Err(StoreError::NotFound) => Ok(()), // deleted meanwhile
        other => other,
    }
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
