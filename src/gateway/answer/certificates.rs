//! A station asks for a certificate: signed where an authority is configured, for names that mean this station and no other.

use serde_json::json;

use super::{Call, Handled};
use crate::events::{Change, EventKind};
use crate::gateway::authority::NotSigned;
use crate::gateway::station_connection::Effect;
use crate::sites::stations;
use crate::sites::stations::link::StationCommand;
use crate::store::StoreResult;

/// Signs a request (PEM), which may have a number; answers whether it was, and sends the certificate after the answer.
pub async fn sign(call: Call<'_>, request: &str, number: Option<i64>) -> Handled<bool> {
    let (organization, id) = (call.connection.organization, call.connection.station);
    let read = call.gateway.context.db.read(move |conn| {
        let station = stations::find_station(conn, organization, id)?;
        stations::certificate_names(conn, &station)
    });
    let names = read.await?;
    let signed = match &call.gateway.authority {
        Some(authority) => authority.sign(request, (id, &names), call.now).map_err(|why: NotSigned| why.to_string()),
        None => Err("no certificate authority is configured".to_owned()),
    };
    let (kind, why) = match &signed {
        Ok(_) => (EventKind::StationCertificateSigned, None),
        Err(why) => (EventKind::StationCertificateRefused, Some(why.clone())),
    };
    let moment = call.moment();
    let stored = call.gateway.context.db.write(move |conn| -> StoreResult<()> {
        Change::new(conn, organization, &moment).record_at(id, kind, &json!({"chargestation": id, "reason": why}))
    });
    stored.await?;
    Ok(match signed {
        Ok(chain) => (true, vec![Effect::Ask(StationCommand::CertificateSigned { chain, request: number })]),
        Err(why) => {
            tracing::info!(station = %id, why, "a certificate request was refused");
            (false, Vec::new())
        }
    })
}
