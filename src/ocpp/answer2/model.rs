//! Reports of the device model: kept with the station as its variables.

use serde_json::{Map, Value, json};

use crate::ocpp::answer::{Call, Handled};
use crate::ocpp::command2::variables;
use crate::ocpp::reports::Values;
use crate::ocpp::v2::*;
use crate::stations;

/// Keeps a part of a report; who waits for the whole one gets it with the last part.
pub(super) async fn notify_report(
    call: Call<'_>,
    request: notify_report::Request,
) -> Handled<notify_report::Response> {
    let data = request.report_data.unwrap_or_default();
    let part: Values = data.into_iter().map(entry).collect();
    let (organization, station, now) = (call.peer.organization, call.peer.station, call.now);
    let stored = Value::Object(part.clone());
    let kept = call
        .gateway
        .context
        .db
        .write(move |conn| stations::keep_variables(conn, organization, station, &stored, now));
    kept.await?;
    let is_last = !request.tbc.unwrap_or(false);
    call.state
        .reports
        .take_in(request.request_id, &part, is_last);
    Ok((notify_report::Response {}, Vec::new()))
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
    (
        variables::key(&data.component, &data.variable),
        known.into(),
    )
}
