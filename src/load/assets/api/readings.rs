//! Readings of assets: pushed one by one or many at once, and read back.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, get, post, web};
use serde_json::Value;

use super::{missing, notify};
use crate::filters;
use crate::http::caller::{ReadAssets, WriteAssets};
use crate::http::docs::{OneErrors, WriteErrors};
use crate::http::envelope::{Reply, reply};
use crate::http::fields::{Field, Path, wrong};
use crate::http::list::ListReply;
use crate::http::query::Format;
use crate::http::routing::ServiceConfig;
use crate::http::{ApiError, ApiResult, Body, Caller, Code, Ctx, Faults, PathId, Query, csv};
use crate::load::assets::model::new_reading::NewReading;
use crate::load::assets::model::reading::ReadingView;
use crate::load::assets::model::view::Receipt;
use crate::load::assets::readings::{self, Span};
use crate::load::assets::signals::{AssetChange, AssetSignals};
use crate::load::assets::store::{self, Stretch};
use kernel::page::LARGEST_PAGE;
use kernel::*;

/// Readings that one request may bring: a quarter of an hour at one a second.
const MOST_AT_ONCE: usize = 1_000;
/// What is shown when nobody says from when.
const USUAL_STRETCH: Duration = Duration::from_secs(24 * 3_600);
/// Spans that one stretch may have.
const MOST_SPANS: i64 = 10_000;

/// Adds these endpoints.
pub(super) fn routes(config: &mut ServiceConfig) {
    config.service(create_asset_readings).service(list_asset_readings);
}

/// One reading, an array of them, or an object with such an array.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NewReadings {
    /// Each as it came: a bad one does not spoil the others.
    values: Vec<Value>,
    /// The field they are in; none where the body is one reading.
    listed: Option<Listed>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Listed {
    Inside,
    Bare,
}

/// How the body is described.
#[derive(utoipa::ToSchema)]
#[serde(untagged)]
#[schema(example = json!({"readings": [
    {"power": 12.5, "energy": 1_204_500},
    {"at": "2026-05-01T08:30:00Z", "current": [16.2, 15.8, 17.1], "voltage": 231}
]}))]
#[expect(dead_code, reason = "only its documentation is used")]
enum NewReadingsBody {
    /// Several readings.
    Inside {
        /// The readings, at most 1000.
        readings: Vec<NewReading>,
    },
    /// The same.
    Bare(Vec<NewReading>),
    /// One reading.
    One(NewReading),
}

impl Field for NewReadings {
    fn read(value: &Value, at: Path<'_>, faults: &mut Faults) -> Option<Self> {
        let must = format!("1 to {MOST_AT_ONCE} readings");
        let list = |list: &Value, at: Path<'_>, listed, faults: &mut Faults| match list {
            Value::Array(values) if (1..=MOST_AT_ONCE).contains(&values.len()) => {
                Some(Self { values: values.clone(), listed: Some(listed) })
            }
            _ => wrong(at, faults, &must),
        };
        match value {
            Value::Array(_) => list(value, at, Listed::Bare, faults),
            Value::Object(fields) => match fields.get("readings") {
                Some(inner) => {
                    crate::http::fields::object(value, &["readings"], at, faults)?;
                    list(inner, Path::Field(&at, "readings"), Listed::Inside, faults)
                }
                None => Some(Self { values: vec![value.clone()], listed: None }),
            },
            _ => wrong(at, faults, "a reading, or an array of them"),
        }
    }
}

impl NewReadings {
    /// The error when not one of them was good: every fault with its path in the body.
    fn refused(&self, receipt: Receipt) -> ApiError {
        let mut faults = Faults::default();
        for rejection in receipt.rejected {
            let inside = Path::Field(&Path::Root, "readings");
            let list = match self.listed {
                Some(Listed::Inside) => inside,
                Some(Listed::Bare) | None => Path::Root,
            };
            let element = Path::Element(&list, rejection.index);
            let reading = if self.listed.is_some() { element } else { Path::Root };
            let (code, message) = (rejection.code, rejection.message);
            if rejection.field.is_empty() {
                faults.add(reading, &code, message);
            } else {
                faults.add(Path::Field(&reading, &rejection.field), &code, message);
            }
        }
        ApiError::faulty(Code::InvalidBody, faults)
    }
}

/// Pushes readings of an asset: one, or up to 1000 as an array or as `readings`. Each is judged by itself: those that
/// are good are stored (201), those that are known already are left (200), those that are wrong come back with the
/// reason; where none is good the answer is 422. What no hardware gives is wrong: more than five times the largest rating known
/// there (the asset's `static_power` and `fallback_power`, `maximum_capacity` and `feeder_rating` of its group and of those above),
/// where that is more than 100 kW; without a group, more than 10 MW. Until a good reading comes, `refused_reading` of the asset
/// shows it. `warnings` say what is odd about those that were stored. Positive power means drawing for smart meters of a site or a building,
/// for consumers and others, and giving for producers, batteries and meters of production.
#[utoipa::path(tag = "assets", params(("id" = AssetId, Path, description = "The asset")),
    request_body = NewReadingsBody, responses(
        (status = CREATED, body = Reply<Receipt>, description = "Some or all were stored"),
        (status = OK, body = Reply<Receipt>, description = "They were known already"), WriteErrors))]
#[post("/assets/{id}/readings")]
async fn create_asset_readings(
    caller: Caller<WriteAssets>,
    ctx: Ctx,
    signals: web::Data<AssetSignals>,
    PathId(id): PathId<AssetId>,
    Body(new): Body<NewReadings>,
) -> ApiResult<HttpResponse> {
    let (organization, moment) = (caller.organization(), ctx.moment());
    let values = new.values.clone();
    let recorded = ctx.db.write(move |conn| {
        let asset = store::find(conn, organization, id).map_err(missing)?;
        readings::record(conn, &moment, asset, &values)
    });
    let recorded = recorded.await?;
    if recorded.receipt.accepted + recorded.receipt.duplicates == 0 {
        return Err(new.refused(recorded.receipt));
    }
    if recorded.newer {
        notify(&signals, &recorded.asset, None, AssetChange::Read);
    }
    let (status, message) = match recorded.receipt.accepted {
        0 => (StatusCode::OK, "Known already"),
        _ => (StatusCode::CREATED, "Stored"),
    };
    Ok(reply(status, message, recorded.receipt))
}

filters! {
    /// Which readings.
    pub(crate) struct ReadingsQuery {
        /// From when; 24 hours before `to` when absent.
        pub from: Timestamp,
        /// Until when, not included; now and everything ahead of it when absent.
        pub to: Timestamp,
        /// Joins the readings of so many seconds into one row with mean, minimum and maximum of power.
        #[param(minimum = 1)]
        pub resolution: u32,
        /// Rows a page.
        #[param(minimum = 1, maximum = 1000, default = 1000)]
        pub paginate_limit: u32,
        /// Which page, from 1.
        #[param(minimum = 1, default = 1)]
        pub paginate_page: u32,
        /// The form of the answer: json or csv.
        #[param(inline, default = "json")]
        pub format: Format,
    }
}

/// Lists readings of an asset, the newest last.
#[utoipa::path(tag = "assets", params(("id" = AssetId, Path, description = "The asset"), ReadingsQuery),
    responses((status = OK, body = ListReply<ReadingView>), OneErrors,
        (status = 406, description = "Readings have no place to show as GeoJSON", body = crate::http::error::Problem)))]
#[get("/assets/{id}/readings")]
async fn list_asset_readings(
    caller: Caller<ReadAssets>,
    ctx: Ctx,
    PathId(id): PathId<AssetId>,
    Query(query): Query<ReadingsQuery>,
) -> ApiResult<HttpResponse> {
    let organization = caller.organization();
    let (stretch, span, page) = asked(&query, ctx.clock.now())?;
    if query.format == Some(Format::GeoJson) {
        let message = "Readings have no place; ask for json or csv";
        return Err(ApiError::new(Code::NotAcceptable, message));
    }
    let read = ctx.db.read(move |conn| {
        store::find(conn, organization, id).map_err(missing)?;
        match span {
            Some(span) => readings::spans(conn, id, stretch, span, page),
            None => Ok(store::readings(conn, id, stretch, page)?.map(ReadingView::from)),
        }
    });
    let rows = read.await?;
    if query.format != Some(Format::Csv) {
        return Ok(HttpResponse::Ok().json(ListReply::from(rows)));
    }
    let rows: Vec<Value> = rows.rows.into_iter().map(|row| serde_json::to_value(row).unwrap_or_default()).collect();
    let columns = csv::header::<ReadingView>(&rows);
    let records = rows.iter().map(|row| csv::record(&columns, row));
    Ok(HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8")
        .insert_header(("Content-Disposition", "attachment; filename=\"export.csv\""))
        .body(csv::write(std::iter::once(columns.clone()).chain(records))))
}

/// What a query asks for; every fault at once.
fn asked(query: &ReadingsQuery, now: Timestamp) -> ApiResult<(Stretch, Option<Span>, PageRequest)> {
    let mut faults = Faults::default();
    // A meter whose clock runs ahead is not left out.
    let to = query.to.unwrap_or(now + USUAL_STRETCH + Duration::from_secs(1));
    let from = query.from.unwrap_or_else(|| query.to.unwrap_or(now) - USUAL_STRETCH);
    if from >= to {
        faults.add("from", "out_of_range", "must be before `to`");
    }
    let seconds = query.resolution.map(i64::from);
    if seconds.is_some_and(|seconds| to.seconds_since(from) / seconds.max(1) > MOST_SPANS) || seconds == Some(0) {
        let message = format!("must leave at most {MOST_SPANS} spans between `from` and `to`");
        faults.add("resolution", "out_of_range", message);
    }
    let size = query.paginate_limit.unwrap_or(LARGEST_PAGE);
    if !(1..=LARGEST_PAGE).contains(&size) {
        let message = format!("must be between 1 and {LARGEST_PAGE}");
        faults.add("paginate_limit", "out_of_range", message);
    }
    let number = query.paginate_page.unwrap_or(1);
    if number == 0 {
        faults.add("paginate_page", "out_of_range", "pages count from 1");
    }
    if !faults.is_empty() {
        return Err(ApiError::faulty(Code::InvalidQuery, faults));
    }
    let span = seconds.map(|seconds| Span { seconds });
    Ok((Stretch { from, to }, span, PageRequest { number, size }))
}
