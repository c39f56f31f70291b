//! Reports: of the device model, kept with the station as its variables, and others, recorded as events. Who waits for a report
//! gets it with the last part.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::gateway::answer::{Call, Handled, newcomers, notices};
use crate::gateway::commands::variables;
use crate::gateway::station_connection::Effect;
use crate::sites::stations::{self, Spot};
use ocpp::CallError;
use ocpp::v2::*;

/// Keeps a part of a report of the device model.
pub(super) async fn notify_report(call: Call<'_>, request: notify_report::Request) -> Handled<notify_report::Response> {
    let data = request.report_data.unwrap_or_default();
    let effects = welcome_connectors(call, &data).await?;
    let part: Map<String, Value> = data.into_iter().map(entry).collect();
    let (organization, station, moment) = (call.connection.organization, call.connection.station, call.moment());
    let part = Value::Object(part);
    let stored = part.clone();
    let kept = call
        .gateway
        .context
        .db
        .write(move |conn| stations::keep_variables(conn, organization, station, &stored, &moment));
    kept.await?;
    let is_last = !request.tbc.unwrap_or(false);
    call.state.reports.take_in(request.request_id, vec![part], is_last);
    Ok((notify_report::Response {}, effects))
}

/// Takes in the connectors that a part of a report names.
async fn welcome_connectors(call: Call<'_>, data: &[ReportData]) -> Result<Vec<Effect>, CallError> {
    let of_connectors = data.iter().filter(|one| one.component.name.as_str() == "Connector");
    let places = of_connectors.filter_map(|one| {
        let evse = one.component.evse.as_ref()?;
        Some((evse.id, evse.connector_id?))
    });
    let places: BTreeSet<(u32, u32)> = places.collect();
    let mut effects = Vec::new();
    for (evse, connector) in places {
        let spot = Spot::Evse(evse, Some(connector));
        effects.extend(newcomers::welcome(call, spot).await?);
    }
    Ok(effects)
}

/// Passes a part of any other report on, and records it as an event.
pub(super) async fn other_report(call: Call<'_>, incoming: Incoming) -> Handled<String> {
    let action = incoming.action();
    let (number, to_be_continued, parts) = match incoming {
        Incoming::NotifyMonitoringReport(it) => {
            let monitors = it.monitor.unwrap_or_default();
            (it.request_id, it.tbc, list(&monitors))
        }
        Incoming::NotifyDisplayMessages(it) => {
            let messages = it.message_info.unwrap_or_default();
            (it.request_id, it.tbc, list(&messages))
        }
        Incoming::NotifyCustomerInformation(it) => (it.request_id.into(), it.tbc, vec![json!(it.data)]),
        Incoming::ReportChargingProfiles(it) => {
            let part = json!({
                "evseId": it.evse_id, "chargingLimitSource": it.charging_limit_source,
                "chargingProfile": it.charging_profile,
            });
            (it.request_id, it.tbc, vec![part])
        }
        Incoming::ReportDERControl(it) => {
            let (number, tbc) = (it.request_id, it.tbc);
            let mut part = json!(it);
            if let Some(fields) = part.as_object_mut() {
                fields.retain(|name, _| !matches!(name.as_str(), "requestId" | "tbc"));
            }
            (number, tbc, vec![part])
        }
        _ => return notices::notice(call, action).await,
    };
    let is_last = !to_be_continued.unwrap_or(false);
    call.state.reports.take_in(number, parts, is_last);
    notices::notice(call, action).await
}

fn list<T: serde::Serialize>(items: &[T]) -> Vec<Value> {
    items.iter().map(|item| json!(item)).collect()
}

/// The key of a variable, and what is known of it.
fn entry(data: ReportData) -> (String, Value) {
    let mut known = Map::new();
    for attribute in data.variable_attribute {
        let value = attribute.value.map(String::from);
        match attribute.r#type {
            None | Some(AttributeKind::Actual) => {
                let fixed = attribute.mutability == Some(Mutability::ReadOnly);
                known.insert("value".to_owned(), json!(value));
                known.insert("readonly".to_owned(), json!(fixed));
            }
            Some(other) => {
                known.insert(other.as_str().to_owned(), json!(value));
            }
        }
    }
    if let Some(kind) = data.variable_characteristics {
        known.insert("characteristics".to_owned(), json!(kind));
    }
    (variables::key(&data.component, &data.variable), known.into())
}
