//! How a connector is doing.

use super::{Call, Effect};
use crate::charging::sessions::{self, ChargingState, Session};
use crate::events::EventKind;
use crate::gateway::station_connection::record_station_event;
use crate::sites::stations::link::{SignalKind, Stray};
use crate::sites::stations::{self, Connector, ConnectorStatus, Layout};
use crate::store::{Conn, StoreResult};
use kernel::Protocol;
use kernel::{ConnectorId, Moment, OrganizationId, StationId, Timestamp};
use ocpp::CallError;

/// How a connector is doing, as its station says.
pub struct Report {
    /// How.
    pub status: ConnectorStatus,
    /// What is wrong, in OCPP's words.
    pub error: Option<String>,
    /// Since when.
    pub at: Timestamp,
    /// Whether it says that no transaction runs there.
    pub is_idle: bool,
}

/// Records how the connector that `find` finds is doing, and ends what its station forgot there; none where there is no such
/// connector. `read` makes the report of what is known of it.
pub async fn record(
    call: Call<'_>,
    find: impl Fn(&Layout) -> Option<ConnectorId> + Send + 'static,
    read: impl Fn(&mut Conn, &Connector) -> StoreResult<Report> + Send + 'static,
) -> Result<Option<Vec<Effect>>, CallError> {
    let owner = (call.connection.organization, call.connection.station);
    let moment = call.moment();
    let base = call.gateway.context.websocket_url.clone();
    let names_transactions = call.connection.version != Protocol::V16;
    let stored =
        call.gateway.context.db.write_to_memory(move |conn| -> StoreResult<Option<(ConnectorId, Vec<Effect>)>> {
            let Some(id) = find(&stations::layout(conn, owner.1)?) else {
                return Ok(None);
            };
            let connector = stations::find_connector(conn, owner.0, id)?;
            let report = read(conn, &connector)?;
            let of_before = match (report.is_idle, names_transactions) {
                (true, _) => sessions::end_ghosts(conn, &moment, &connector, report.status)?
                    .into_iter()
                    .map(|over| Effect::Notify(SignalKind::SessionEnded(connector.id, over.id)))
                    .collect(),
                (false, true) => sessions::of_before_boot(conn, &connector)?.into_iter().filter_map(verify).collect(),
                (false, false) => Vec::new(),
            };
            if let Some(state) = charging_state(report.status)
                && let Some(session) = sessions::open_session_on(conn, connector.id)?
            {
                sessions::note_state(conn, &moment, session, state, report.at)?;
            }
            note(conn, &moment, owner, &base, &connector, report)?;
            Ok(Some((connector.id, of_before)))
        });
    let Some((connector, mut effects)) = stored.await? else {
        return Ok(None);
    };
    effects.push(Effect::Notify(SignalKind::Status(connector)));
    Ok(Some(effects))
}

/// Whether its transaction goes on is for the station to say.
fn verify(session: Session) -> Option<Effect> {
    Some(Effect::Verify { session: session.id, name: session.transaction_name? })
}

/// Notes how a connector is doing, and reports it where that is news.
pub fn note(
    conn: &mut Conn,
    moment: &Moment,
    owner: (OrganizationId, StationId),
    base: &str,
    connector: &Connector,
    report: Report,
) -> StoreResult<()> {
    let Report { status, error, at, .. } = report;
    let instants = (at, moment.now);
    stations::set_connector_status(conn, connector, (status, error.as_deref()), instants)?;
    if connector.status != status || connector.error_code != error {
        let kind = EventKind::StationConnectorStatusUpdated;
        record_station_event(conn, moment, owner, kind, base)?;
    }
    Ok(())
}

/// What a status says of a connector that is not set up: who is charging may draw; a fault says nothing.
pub fn stray(number: u32, status: ConnectorStatus) -> Option<Effect> {
    let doing = match status {
        ConnectorStatus::Charging | ConnectorStatus::SuspendedEv | ConnectorStatus::SuspendedEvse => Stray::Occupied,
        ConnectorStatus::Faulted => return None,
        _ => Stray::Free,
    };
    Some(Effect::Notify(SignalKind::Stray(number, doing)))
}

fn charging_state(status: ConnectorStatus) -> Option<ChargingState> {
    match status {
        ConnectorStatus::Charging => Some(ChargingState::Charging),
        ConnectorStatus::SuspendedEvse => Some(ChargingState::SuspendedEvse),
        ConnectorStatus::SuspendedEv => Some(ChargingState::SuspendedEv),
        ConnectorStatus::Preparing => Some(ChargingState::Connected),
        _ => None,
    }
}
