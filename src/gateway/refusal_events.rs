//! Refused connections as events of the stations' organizations: each when it is noted, or together with those that follow.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::access::Owner;
use super::dependencies::GatewayDependencies;
use super::refusals::{Incident, Report, Seen};
use crate::events::{Change, EventKind};
use crate::people::organizations;
use crate::store::cause::{self, Cause, ServerPart};
use crate::store::{Conn, StoreError, StoreResult};
use kernel::{Moment, OrganizationId, StationId};

/// How often it is looked what there is to report.
const LOOK_EVERY: Duration = Duration::from_secs(5);

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
    if let Err(error) = cause::with(Cause::Server(ServerPart::AccessControl), stored).await {
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
