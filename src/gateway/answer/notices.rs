//! Notices about firmware, diagnostics, logs, security and the like: recorded as events, answered with nothing.

use serde_json::{Value, json};

use super::{Call, Handled};
use crate::events::{Change, EventKind};
use crate::store::StoreResult;
use kernel::credentials::hide_credentials;
use ocpp::CallError;

/// Records a notice as an event with the station's own words.
pub async fn notice(call: Call<'_>, action: &str) -> Handled<String> {
    record(call, action).await?;
    Ok(("{}".to_owned(), Vec::new()))
}

/// Records what the station said as an event.
pub async fn record(call: Call<'_>, action: &str) -> Result<(), CallError> {
    let kind = kind_of(action);
    let (organization, station, moment) = (call.connection.organization, call.connection.station, call.moment());
    let mut said: Value = serde_json::from_str(call.payload.get()).unwrap_or_default();
    hide_credentials(&mut said);
    let data = json!({"chargestation": station, "message": action, "payload": said});
    let stored = call.gateway.context.db.write(move |conn| -> StoreResult<()> {
        Change::new(conn, organization, &moment).record_at(station, kind, &data)
    });
    Ok(stored.await?)
}

fn kind_of(action: &str) -> EventKind {
    match action {
        "DiagnosticsStatusNotification" => EventKind::StationDiagnosticsStatusUpdated,
        "FirmwareStatusNotification" | "SignedFirmwareStatusNotification" | "PublishFirmwareStatusNotification" => {
            EventKind::StationFirmwareStatusUpdated
        }
        "LogStatusNotification" => EventKind::StationLogStatusUpdated,
        "SecurityEventNotification" => EventKind::StationSecurityEvent,
        _ => EventKind::StationNotified,
    }
}
