//! What meters signed: kept byte for byte, so that a bill can be proven with the meter's own key.

use std::collections::HashSet;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, get};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::energy_report::{SessionReport, SignedData, SignedReport};
use super::readings::Sample;
use super::store;
use crate::http::caller::ReadSessions;
use crate::http::docs::OneErrors;
use crate::http::envelope::{Reply, reply};
use crate::http::routing::ServiceConfig;
use crate::http::{ApiError, ApiResult, Caller, Ctx, PathId};
use crate::store::schema::meter_evidence;
use crate::store::{Conn, StoreResult};
use kernel::*;

/// A value that a meter signed, as its station sent it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Why it was taken, in OCPP's words.
    pub context: String,
    /// What was measured, in OCPP's words, where that was sent.
    pub measurand: Option<String>,
    /// Where, in OCPP's words.
    pub location: Option<String>,
    /// How the data is encoded: `OCMF`, `EDL`, …; 1.6 does not say.
    pub encoding: Option<String>,
    /// With what it was signed; 1.6 does not say.
    pub signing_method: Option<String>,
    /// The key to check it with, where the station sent it.
    pub public_key: Option<String>,
    /// The signed data.
    pub signed_data: String,
}

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = meter_evidence)]
struct Row {
    id: EvidenceId,
    organization_id: OrganizationId,
    chargestation_id: StationId,
    connector_id: Option<ConnectorId>,
    session_id: Option<SessionId>,
    #[diesel(column_name = told_at)]
    station_time: Timestamp,
    received_at: Timestamp,
    context: String,
    measurand: Option<String>,
    location: Option<String>,
    encoding: Option<String>,
    signing_method: Option<String>,
    public_key: Option<String>,
    signed_data: String,
}

/// Whose evidence it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source {
    pub(super) organization: OrganizationId,
    pub(super) station: StationId,
    pub(super) connector: Option<ConnectorId>,
    pub(super) session: Option<SessionId>,
}

/// Stores what is signed in a sample, once.
pub(super) fn keep(conn: &mut Conn, moment: &Moment, source: Source, sample: &Sample) -> StoreResult<()> {
    for evidence in &sample.evidence {
        let known: i64 = meter_evidence::table
            .filter(meter_evidence::chargestation_id.eq(source.station))
            .filter(meter_evidence::told_at.eq(sample.station_time))
            .filter(meter_evidence::context.eq(&evidence.context))
            .filter(meter_evidence::signed_data.eq(&evidence.signed_data))
            .count()
            .get_result(conn)?;
        if known > 0 {
            continue;
        }
        let evidence = evidence.clone();
        let row = Row {
            id: moment.id(),
            organization_id: source.organization,
            chargestation_id: source.station,
            connector_id: source.connector,
            session_id: source.session,
            station_time: sample.station_time,
            received_at: moment.now,
            context: evidence.context,
            measurand: evidence.measurand,
            location: evidence.location,
            encoding: evidence.encoding,
            signing_method: evidence.signing_method,
            public_key: evidence.public_key,
            signed_data: evidence.signed_data,
        };
        diesel::insert_into(meter_evidence::table).values(&row).execute(conn)?;
    }
    Ok(())
}

/// The times, by the station's clock, of what is signed of a session.
pub(super) fn times_of(conn: &mut Conn, session: SessionId) -> StoreResult<HashSet<Timestamp>> {
    let own = meter_evidence::table.filter(meter_evidence::session_id.eq(session));
    let times: Vec<Timestamp> = own.select(meter_evidence::told_at).load(conn)?;
    Ok(times.into_iter().collect())
}

/// A signed value of a session, as its meter wrote it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub(super) struct EvidenceView {
    /// Its id.
    #[serde(rename = "_id")]
    pub id: EvidenceId,
    /// When it was measured, by the station's own clock, which may be wrong.
    pub timestamp: Timestamp,
    /// When it was received, by ours.
    pub received_at: Timestamp,
    /// Why it was taken, in OCPP's words: `Transaction.Begin`, `Transaction.End`, `Sample.Periodic`, …
    #[schema(example = "Transaction.End")]
    pub context: String,
    /// What was measured, in OCPP's words; null means `Energy.Active.Import.Register`.
    pub measurand: Option<String>,
    /// Where it was measured, in OCPP's words; null means `Outlet`.
    pub location: Option<String>,
    /// How OCPP marks it: always `SignedData`.
    #[schema(example = "SignedData")]
    pub format: &'static str,
    /// How the data is encoded, in the station's words; null where it does not say (OCPP 1.6), and the data says it.
    #[schema(example = "OCMF")]
    pub encoding: Option<String>,
    /// With what it was signed, in the station's words.
    pub signing_method: Option<String>,
    /// The key to check it with, where the station sent it.
    pub public_key: Option<String>,
    /// The signed data, byte for byte.
    pub signed_data: String,
}

impl From<Row> for EvidenceView {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            timestamp: row.station_time,
            received_at: row.received_at,
            context: row.context,
            measurand: row.measurand,
            location: row.location,
            format: "SignedData",
            encoding: row.encoding,
            signing_method: row.signing_method,
            public_key: row.public_key,
            signed_data: row.signed_data,
        }
    }
}

/// Signed values that one answer contains at most: a week at one a minute.
const MOST_EVIDENCE: i64 = 10_080;

/// What was signed in a session, in the order in which it was received.
pub(super) fn of_session(conn: &mut Conn, session: SessionId) -> StoreResult<Vec<EvidenceView>> {
    let rows: Vec<Row> = meter_evidence::table
        .filter(meter_evidence::session_id.eq(session))
        .order((meter_evidence::received_at, meter_evidence::id))
        .limit(MOST_EVIDENCE)
        .select(Row::as_select())
        .load(conn)?;
    Ok(rows.into_iter().map(EvidenceView::from).collect())
}

/// Signed values as parts of readings, each with the station's time.
pub(super) fn in_reports(conn: &mut Conn, session: SessionId) -> StoreResult<Vec<SessionReport>> {
    let report = |evidence: EvidenceView| {
        let signed_data = SignedData { value: evidence.signed_data, unit: evidence.encoding };
        let EvidenceView { timestamp, context, .. } = evidence;
        SessionReport::Signed(SignedReport { timestamp, context, signed_data })
    };
    Ok(of_session(conn, session)?.into_iter().map(report).collect())
}

/// Adds the endpoint.
pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(list_session_evidence);
}

/// Lists what meters signed in a session (OCMF, EDL and other formats), in the order of receipt: what a bill is proven
/// with. The data is as the station sent it, byte for byte, with the number of the card in it: so the API key needs the scope
/// `read:tokens` besides `read:sessions`.
#[utoipa::path(tag = "sessions", params(("id" = SessionId, Path, description = "The session")),
    responses((status = OK, body = Reply<Vec<EvidenceView>>), OneErrors))]
#[get("/sessions/{id}/evidence")]
async fn list_session_evidence(
    caller: Caller<ReadSessions>,
    ctx: Ctx,
    PathId(id): PathId<SessionId>,
) -> ApiResult<HttpResponse> {
    caller.must_see_cards("What meters signed")?;
    let organization = caller.organization();
    let read = ctx.db.read(move |conn| {
        store::find(conn, organization, id)?;
        of_session(conn, id)
    });
    let evidence = read.await.map_err(|error| ApiError::missing(error, "session"))?;
    Ok(reply(StatusCode::OK, "Found", evidence))
}
