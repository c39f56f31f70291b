//! The stored copy of a station's configuration, where a value was pushed to it.

use diesel::prelude::*;
use serde_json::{Value, json};

use super::stations::find_station;
use crate::store::schema::chargestations;
use crate::store::{Conn, StoreError, StoreResult};
use kernel::credentials::is_secret;
use kernel::{OrganizationId, StationId, Timestamp};

/// Stores values that a station took, each with the time it was set; what a key is besides stays as it was read.
pub fn keep_pushed(
    conn: &mut Conn,
    (organization, id): (OrganizationId, StationId),
    taken: &[(String, String)],
    now: Timestamp,
) -> StoreResult<()> {
    let mut shown = taken.iter().filter(|(key, _)| !is_secret(key)).peekable();
    if shown.peek().is_none() {
        return Ok(());
    }
    let mut station = match find_station(conn, organization, id) {
        Err(StoreError::NotFound) => return Ok(()), // deleted meanwhile
        other => other?,
    };
    let mut variables = station.variables.0.as_object().cloned().unwrap_or_default();
    let mut values = station.configuration.0.as_object().cloned().unwrap_or_default();
    for (key, value) in shown {
        let known = variables.get(key).and_then(Value::as_object);
        let mut entry = known.cloned().unwrap_or_default();
        entry.insert("value".to_owned(), json!(value));
        entry.entry("readonly").or_insert(json!(false));
        entry.insert("setAt".to_owned(), json!(now));
        variables.insert(key.clone(), entry.into());
        values.insert(key.clone(), json!(value));
    }
    station.variables.0 = variables.into();
    station.configuration.0 = values.into();
    diesel::update(chargestations::table.find(id))
        .set((chargestations::configuration.eq(station.configuration), chargestations::variables.eq(station.variables)))
        .execute(conn)?;
    Ok(())
}
