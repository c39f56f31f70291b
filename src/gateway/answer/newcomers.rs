//! Connectors that nobody set up: created where the operator allows it, before what is said of them is recorded.

use super::{Call, Effect};
use crate::http::ApiResult;
use crate::load::groups;
use crate::people::organizations::UnknownConnectors;
use crate::sites::stations::link::{SignalKind, Stray};
use crate::sites::stations::{self, Spot};
use kernel::ConnectorId;
use ocpp::CallError;

/// Creates the connector at a spot where there is none and the operator allows it; it joins the group of its station where all
/// others there are members. What balancing had reserved for it is released then.
pub async fn welcome(call: Call<'_>, spot: Spot) -> Result<Vec<Effect>, CallError> {
    let known = call.connection.connector(call.gateway, |layout| spot.find(layout));
    if known.await?.is_some() {
        return Ok(Vec::new());
    }
    let (owner, moment) = ((call.connection.organization, call.connection.station), call.moment());
    let db = &call.gateway.context.db;
    let policy = db.read(move |conn| stations::unknown_connectors(conn, owner.1));
    if policy.await? != UnknownConnectors::Create {
        return Ok(Vec::new());
    }
    let made = db.write(move |conn| -> ApiResult<Vec<i32>> {
        let made = stations::create_reported(conn, &moment, owner, spot)?;
        let ids: Vec<ConnectorId> = made.iter().map(|one| one.id).collect();
        groups::take_in(conn, &moment, owner, &ids)?;
        Ok(made.iter().map(|one| one.number).collect())
    });
    let made = match made.await {
        Ok(made) => made,
        Err(error) => {
            tracing::warn!(%error, station = %owner.1, "a connector that a station reports could not be created");
            Vec::new()
        }
    };
    if made.is_empty() {
        return Ok(Vec::new());
    }
    let deviations = made
        .iter()
        .map(|number| format!("connector {number} was created as it was reported: its rating is to be checked"));
    call.connection.note(call.gateway, deviations.collect()).await;
    Ok(vec![Effect::Notify(SignalKind::Reconfigured), Effect::Notify(SignalKind::Stray(spot.number(), Stray::Free))])
}
