//! Lists: one call makes of a slice's query function into JSON with paging, streamed CSV, or GeoJSON.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::web::Bytes;
use diesel::RunQueryDsl;
use diesel::backend::Backend;
use diesel::query_builder::{AstPass, Query, QueryFragment};
use diesel::sql_types::BigInt;
use serde::Serialize;
use serde_json::Value;

use super::codes::Code;
use super::error::{ApiError, ApiResult, Faults};
use super::query::{Format, ListQuery, Near};
use super::{Context, csv, geo};
use crate::store::Conn;
use kernel::page::{Cursor, LARGEST_PAGE, MOST_COUNTED, Total};
use kernel::{Page, PageRequest, Timestamp};

/// Rows that are looked at for a search by distance.
const MOST_PLACES: u32 = 20_000;
/// Rows that a list without paging returns as JSON; CSV streams all of them.
const LONGEST_LIST: u32 = 10_000;

/// The envelope of a list, with eDRV's paging fields.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListReply<T> {
    /// Always true.
    #[schema(example = true)]
    pub ok: bool,
    /// What happened.
    #[schema(example = "Found")]
    pub message: String,
    /// The rows of this page.
    pub result: Vec<T>,
    /// Rows in the whole list; of more than 10,000 only those up to this page, see `totalIsExact`.
    pub total_docs: u64,
    /// Whether all rows were counted.
    pub total_is_exact: bool,
    /// Rows a page.
    pub limit: u32,
    /// This page, from 1.
    pub page: u32,
    /// Pages in the whole list.
    pub total_pages: u64,
    /// Whether a page comes before.
    pub has_prev_page: bool,
    /// Whether a page comes after.
    pub has_next_page: bool,
    /// The page before.
    pub prev_page: Option<u32>,
    /// The page after.
    pub next_page: Option<u32>,
    /// The number of this page's first row, from 1; after a cursor from there.
    pub paging_counter: u64,
    /// Pass this as `after` to go on; null where nothing follows, and in other orders than `createdAt` and `updatedAt`.
    #[serde(rename = "next_after")]
    #[schema(example = "1777000000123456-650000000000000000000001")]
    pub next_after: Option<String>,
}

impl<T> From<Page<T>> for ListReply<T> {
    fn from(page: Page<T>) -> Self {
        let PageRequest { number, size } = page.request;
        let Total { rows, is_exact, has_next, next } = page.total;
        let before = u64::from(number - 1) * u64::from(size);
        // Of a list that was not counted to its end, what is seen of it.
        let seen = before + page.rows.len() as u64 + u64::from(has_next);
        let rows = if is_exact { rows } else { rows.max(seen) };
        let total_pages = rows.div_ceil(u64::from(size.max(1))).max(1);
        // Before a page beyond the end comes the last one.
        let last = u32::try_from(total_pages).unwrap_or(u32::MAX);
        Self {
            ok: true,
            message: "Found".to_owned(),
            total_docs: rows,
            total_is_exact: is_exact,
            limit: size,
            page: number,
            total_pages,
            has_prev_page: number > 1,
            has_next_page: has_next,
            prev_page: (number > 1).then(|| last.min(number - 1)),
            next_page: has_next.then(|| number + 1),
            paging_counter: before + 1,
            next_after: next.map(|cursor| cursor.to_string()),
            result: page.rows,
        }
    }
}

/// Answers a list. `fetch` runs the slice's query for one page.
pub async fn respond<F, V, Q>(context: &Context, query: ListQuery<F>, fetch: Q) -> ApiResult<HttpResponse>
where
    F: Clone + Send + Sync + 'static,
    V: Serialize + utoipa::ToSchema + Send + 'static,
    Q: Fn(&mut Conn, &ListQuery<F>) -> ApiResult<Page<V>> + Send + Sync + 'static,
{
    let lister = Lister { context: context.clone(), query, fetch: Arc::new(fetch) };
    match lister.query.format {
        Format::Csv => lister.csv().await,
        Format::Json => lister.json().await,
        Format::GeoJson => {
            let page = lister.page().await?;
            Ok(HttpResponse::Ok().content_type("application/geo+json").json(geo::feature_collection(page.rows)))
        }
    }
}

struct Lister<F, Q> {
    context: Context,
    query: ListQuery<F>,
    fetch: Arc<Q>,
}

impl<F, V, Q> Lister<F, Q>
where
    F: Clone + Send + Sync + 'static,
    V: Serialize + utoipa::ToSchema + Send + 'static,
    Q: Fn(&mut Conn, &ListQuery<F>) -> ApiResult<Page<V>> + Send + Sync + 'static,
{
    /// What is made of rows, on the threads of the store: this one serves stations too.
    async fn read<T: Send + 'static>(
        &self,
        step: Step,
        form: impl FnOnce(Page<Value>) -> T + Send + 'static,
    ) -> ApiResult<T> {
        let (fetch, mut query) = (Arc::clone(&self.fetch), self.query.clone());
        (query.page, query.after, query.counts) = (step.page, step.after, step.counts);
        let read = self.context.db.read(move |conn| {
            let page = fetch(conn, &query)?;
            let page = page.map(|row| serde_json::to_value(row).unwrap_or_default());
            ApiResult::Ok(form(page))
        });
        read.await
    }

    /// Rows as JSON.
    async fn fetch(&self, step: Step) -> ApiResult<Page<Value>> {
        self.read(step, |page| page).await
    }

    /// A page with eDRV's envelope.
    async fn json(&self) -> ApiResult<HttpResponse> {
        if self.query.near.is_some() || !self.query.paginate {
            return Ok(HttpResponse::Ok().json(ListReply::from(self.page().await?)));
        }
        let written = |page| serde_json::to_vec(&ListReply::from(page)).unwrap_or_default();
        let bytes = self.read(Step::of(&self.query), written).await?;
        Ok(HttpResponse::Ok().content_type("application/json").body(bytes))
    }

    async fn page(&self) -> ApiResult<Page<Value>> {
        match (self.query.near, self.query.paginate) {
            (Some(near), _) => self.nearest(near).await,
            (None, true) => self.fetch(Step::of(&self.query)).await,
            (None, false) => {
                let rows = self.all(LONGEST_LIST).await?;
                let request = PageRequest { number: 1, size: LONGEST_LIST };
                let total = Total::counted(rows.len() as u64, request);
                Ok(Page { rows, total, request })
            }
        }
    }

    async fn all(&self, most: u32) -> ApiResult<Vec<Value>> {
        let mut rows = Vec::new();
        let mut step = Some(Step::whole(&self.query));
        while let Some(now) = step.filter(|_| rows.len() < most as usize) {
            let page = self.fetch(now).await?;
            step = now.next(&page);
            rows.extend(page.rows);
        }
        Ok(rows)
    }

    /// The page of rows sorted by distance, each with `distance_km`.
    async fn nearest(&self, near: Near) -> ApiResult<Page<Value>> {
        let mut measured: Vec<(f64, Value)> = Vec::new();
        for mut row in self.all(MOST_PLACES).await? {
            let Some((longitude, latitude)) = geo::place_of(&row) else {
                continue;
            };
            let distance = geo::distance_km(near, longitude, latitude);
            if near.radius_km.is_none_or(|radius| distance <= radius) {
                if let Value::Object(fields) = &mut row {
                    fields.insert("distance_km".to_owned(), distance.into());
                }
                measured.push((distance, row));
            }
        }
        measured.sort_by(|(left, _), (right, _)| left.total_cmp(right));
        let request = self.query.page;
        let total = Total::counted(measured.len() as u64, request);
        let skip = usize::try_from(request.offset()).unwrap_or(usize::MAX);
        let mut rows: Vec<Value> =
            measured.into_iter().skip(skip).take(request.size as usize).map(|(_, row)| row).collect();
        if near.driving {
            self.add_driving(near, &mut rows).await;
        }
        Ok(Page { rows, total, request })
    }

    /// Adds `driving_km` to each row, or null and the reason.
    async fn add_driving(&self, near: Near, rows: &mut [Value]) {
        let places: Vec<_> = rows.iter().filter_map(geo::place_of).collect();
        let from = (near.longitude, near.latitude);
        let distances = self.context.routing.distances(from, &places).await;
        for (row, driving) in rows.iter_mut().zip(distances) {
            if let Value::Object(fields) = row {
                fields.insert("driving_km".to_owned(), driving.ok().into());
                fields.insert("driving_reason".to_owned(), driving.err().into());
            }
        }
    }

    /// One page as CSV, or with `paginate_enabled=false` the whole list, streamed page by page.
    async fn csv(self) -> ApiResult<HttpResponse> {
        let whole = !self.query.paginate;
        let start = match (self.query.near, whole) {
            (Some(_), _) => Start::of::<V>(self.page().await?, None),
            (None, false) => {
                let step = Step::of(&self.query);
                self.read(step, |page| Start::of::<V>(page, None)).await?
            }
            (None, true) => {
                let step = Step::whole(&self.query);
                let start = move |page| Start::of::<V>(page, Some(step));
                self.read(step, start).await?
            }
        };
        let Start { columns, head, next } = start;
        let rest = futures_util::stream::unfold((self, next), move |(lister, next)| {
            let columns = Arc::clone(&columns);
            async move {
                let step = next?;
                let records = move |page| (csv_of(&columns, &page), step.next(&page));
                match lister.read(step, records).await {
                    Ok((bytes, next)) => Some((Ok(bytes), (lister, next))),
                    Err(error) => Some((Err(error), (lister, None))),
                }
            }
        });
        let start = futures_util::stream::iter([Ok::<_, ApiError>(head)]);
        Ok(HttpResponse::Ok()
            .content_type("text/csv; charset=utf-8")
            .insert_header(("Content-Disposition", "attachment; filename=\"export.csv\""))
            .streaming(futures_util::StreamExt::chain(start, Box::pin(rest))))
    }
}

/// The beginning of a CSV, and the query that goes on.
struct Start {
    columns: Arc<Vec<String>>,
    head: Bytes,
    next: Option<Step>,
}

impl Start {
    /// Of the first page; `step` is the query that found it, where others follow.
    fn of<V: utoipa::ToSchema>(page: Page<Value>, step: Option<Step>) -> Self {
        let columns = csv::header::<V>(&page.rows);
        let mut head = csv::write(std::iter::once(columns.clone()));
        head.extend(csv_of(&columns, &page));
        Self { columns: Arc::new(columns), head: head.into(), next: step.and_then(|step| step.next(&page)) }
    }
}

fn csv_of(columns: &[String], page: &Page<Value>) -> Bytes {
    csv::write(page.rows.iter().map(|row| csv::record(columns, row))).into()
}

/// One query of a list that takes several.
#[derive(Clone, Copy)]
struct Step {
    page: PageRequest,
    after: Option<Cursor>,
    counts: bool,
}

impl Step {
    /// What was asked for.
    fn of<F>(query: &ListQuery<F>) -> Self {
        Self { page: query.page, after: query.after, counts: true }
    }

    /// The first of all rows.
    fn whole<F>(query: &ListQuery<F>) -> Self {
        let page = PageRequest { number: 1, size: LARGEST_PAGE };
        Self { page, counts: false, ..Self::of(query) }
    }

    /// What follows a page: after its cursor, where its order has some.
    fn next<V>(self, found: &Page<V>) -> Option<Self> {
        let next = match found.total.next {
            Some(cursor) => Self { after: Some(cursor), ..self },
            None => Self { page: self.page.next(), ..self },
        };
        found.has_next().then_some(next)
    }
}

/// Counts the rows of a query, which is limited.
#[derive(Debug, Clone, Copy, diesel::query_builder::QueryId)]
pub struct Counted<T>(pub T);

impl<T: Query> Query for Counted<T> {
    type SqlType = BigInt;
}

impl<T> RunQueryDsl<Conn> for Counted<T> {}

impl<DB: Backend, T: QueryFragment<DB>> QueryFragment<DB> for Counted<T> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> diesel::QueryResult<()> {
        out.push_sql("SELECT COUNT(*) FROM (");
        self.0.walk_ast(out.reborrow())?;
        out.push_sql(") AS counted");
        Ok(())
    }
}

/// What is known of a list beyond a page: `edge` is the page's last row and the one after it, where that was asked.
pub fn total<F>(query: &ListQuery<F>, counted: Option<i64>, edge: &[(Timestamp, Timestamp, String)]) -> Total {
    let (page, counted) = (query.page, counted.and_then(|rows| u64::try_from(rows).ok()));
    if let Some(rows) = counted.filter(|rows| *rows <= MOST_COUNTED && query.after.is_none()) {
        let next = edge.first().and_then(|last| cursor(query, last));
        let total = Total::counted(rows, page);
        return Total { next: next.filter(|_| total.has_next), ..total };
    }
    let has_next = edge.len() > 1;
    let next = edge.first().and_then(|last| cursor(query, last));
    Total {
        rows: counted.map_or(MOST_COUNTED, |rows| rows.min(MOST_COUNTED)),
        is_exact: counted.is_some_and(|rows| rows <= MOST_COUNTED),
        has_next,
        next: next.filter(|_| has_next),
    }
}

fn cursor<F>(query: &ListQuery<F>, (created, updated, id): &(Timestamp, Timestamp, String)) -> Option<Cursor> {
    let at = match query.sort_by.as_str() {
        "createdAt" => *created,
        "updatedAt" => *updated,
        _ => return None,
    };
    Some(Cursor { at, id: id.parse().ok()? })
}

/// Loads one page: the rows of a filtered query, within the list's dates, sorted by one of the named columns, and what is known
/// of the whole list: rows are counted up to [`MOST_COUNTED`].
#[macro_export]
macro_rules! fetch_page {
    ($conn:expr, $query:expr, $table:ident, $filtered:expr, { $($name:literal => $column:expr),* $(,)? }) => {{
        let query = $query;
        let known = &["createdAt", "updatedAt" $(, $name)*];
        if !known.contains(&query.sort_by.as_str()) {
            return Err($crate::http::list::unknown_sort(known));
        }
        let filtered = || {
            let mut rows = $filtered.filter($crate::store::limit::in_time());
            if let Some(at) = query.created_from { rows = rows.filter($table::created_at.ge(at)); }
            if let Some(at) = query.created_to { rows = rows.filter($table::created_at.le(at)); }
            if let Some(at) = query.updated_from { rows = rows.filter($table::updated_at.ge(at)); }
            if let Some(at) = query.updated_to { rows = rows.filter($table::updated_at.le(at)); }
            rows
        };
        let counted: Option<i64> = if query.counts {
            let most = i64::try_from(::kernel::page::MOST_COUNTED).unwrap_or(i64::MAX);
            let rows = filtered().select($table::id).limit(most + 1);
            Some($crate::http::list::Counted(rows).get_result($conn)?)
        } else {
            None
        };
        // Few rows that a search found are sorted by themselves: an index of times would look at all others too.
        let are_few = query.search.is_some()
            && counted.is_some_and(|rows| rows <= i64::try_from(::kernel::page::MOST_COUNTED).unwrap_or(i64::MAX));
        let sorted = || {
            let mut rows = filtered();
            if let Some(after) = query.after {
                let (at, id) = (after.at, after.id.to_string());
                rows = match (query.sort_by.as_str(), query.ascending()) {
                    ("updatedAt", true) => rows.filter($table::updated_at.ge(at).and($table::updated_at.gt(at).or($table::id.gt(id)))),
                    ("updatedAt", false) => rows.filter($table::updated_at.le(at).and($table::updated_at.lt(at).or($table::id.lt(id)))),
                    (_, true) => rows.filter($table::created_at.ge(at).and($table::created_at.gt(at).or($table::id.gt(id)))),
                    (_, false) => rows.filter($table::created_at.le(at).and($table::created_at.lt(at).or($table::id.lt(id)))),
                };
            }
            match (query.sort_by.as_str(), query.ascending()) {
                ("updatedAt", true) if are_few => rows.order(($crate::store::query::apart($table::updated_at, $table::updated_at).asc(), $table::id.asc())),
                ("updatedAt", false) if are_few => rows.order(($crate::store::query::apart($table::updated_at, $table::updated_at).desc(), $table::id.desc())),
                ("createdAt", true) if are_few => rows.order(($crate::store::query::apart($table::created_at, $table::created_at).asc(), $table::id.asc())),
                ("createdAt", false) if are_few => rows.order(($crate::store::query::apart($table::created_at, $table::created_at).desc(), $table::id.desc())),
                ("updatedAt", true) => rows.order(($table::updated_at.asc(), $table::id.asc())),
                ("updatedAt", false) => rows.order(($table::updated_at.desc(), $table::id.desc())),
                $(($name, true) => rows.order(($column.asc(), $table::id.asc())),
                ($name, false) => rows.order(($column.desc(), $table::id.desc())),)*
                (_, true) => rows.order(($table::created_at.asc(), $table::id.asc())),
                (_, false) => rows.order(($table::created_at.desc(), $table::id.desc())),
            }
        };
        let (offset, limit) = (query.offset(), query.page.limit());
        let ends_here = query.after.is_none() && counted.is_some_and(|rows| rows <= offset + limit);
        let edge: Vec<(::kernel::Timestamp, ::kernel::Timestamp, String)> = if ends_here {
            Vec::new()
        } else {
            let edge = sorted().select(($table::created_at, $table::updated_at, $table::id));
            edge.offset(offset + limit - 1).limit(2).load($conn)?
        };
        let rows = sorted().limit(limit).offset(offset);
        (rows, $crate::http::list::total(query, counted, &edge))
    }};
}

/// The error of a `sort_by` that the resource does not have.
pub fn unknown_sort(fields: &[&str]) -> ApiError {
    let mut faults = Faults::default();
    faults.add("sort_by", "invalid", format!("must be one of {}", fields.join(", ")));
    ApiError::faulty(Code::InvalidQuery, faults)
}
