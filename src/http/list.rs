//! Lists: one call turns a slice's query function into JSON with paging, streamed CSV, or GeoJSON.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::web::Bytes;
use serde::Serialize;
use serde_json::Value;

use super::codes::Code;
use super::error::{ApiError, ApiResult, Faults};
use super::query::{Format, ListQuery, Near};
use super::{Context, csv, geo};
use crate::db::Conn;
use crate::kernel::page::LARGEST_PAGE;
use crate::kernel::{Page, PageRequest};

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
    /// Rows in the whole list.
    pub total_docs: u64,
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
    /// The number of this page's first row, from 1.
    pub paging_counter: u64,
}

impl<T> From<Page<T>> for ListReply<T> {
    fn from(page: Page<T>) -> Self {
        let PageRequest { number, size } = page.request;
        Self {
            ok: true,
            message: "Found".to_owned(),
            total_docs: page.total,
            limit: size,
            page: number,
            total_pages: page.total_pages(),
            has_prev_page: number > 1,
            has_next_page: page.has_next(),
            prev_page: (number > 1).then(|| number - 1),
            next_page: page.has_next().then(|| number + 1),
            paging_counter: u64::from(number - 1) * u64::from(size) + 1,
            result: page.rows,
        }
    }
}

/// Answers a list. `fetch` runs the slice's query for one page.
pub async fn respond<F, V, Q>(
    context: &Context,
    query: ListQuery<F>,
    fetch: Q,
) -> ApiResult<HttpResponse>
where
    F: Clone + Send + Sync + 'static,
    V: Serialize + Send + 'static,
    Q: Fn(&mut Conn, &ListQuery<F>) -> ApiResult<Page<V>> + Send + Sync + 'static,
{
    let lister = Lister {
        context: context.clone(),
        query,
        fetch: Arc::new(fetch),
    };
    match lister.query.format {
        Format::Csv => lister.csv().await,
        Format::Json => Ok(HttpResponse::Ok().json(ListReply::from(lister.page().await?))),
        Format::GeoJson => {
            let page = lister.page().await?;
            if page
                .rows
                .first()
                .is_some_and(|row| row.get("coordinates").is_none())
            {
                return Err(ApiError::new(
                    Code::NotAcceptable,
                    "These rows have no place; ask for json or csv",
                ));
            }
            Ok(HttpResponse::Ok()
                .content_type("application/geo+json")
                .json(geo::feature_collection(page.rows)))
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
    V: Serialize + Send + 'static,
    Q: Fn(&mut Conn, &ListQuery<F>) -> ApiResult<Page<V>> + Send + Sync + 'static,
{
    async fn fetch(&self, page: PageRequest) -> ApiResult<Page<Value>> {
        let (fetch, mut query) = (Arc::clone(&self.fetch), self.query.clone());
        query.page = page;
        let page = self
            .context
            .db
            .read(move |conn| fetch(conn, &query))
            .await?;
        Ok(page.map(|row| serde_json::to_value(row).unwrap_or_default()))
    }

    async fn page(&self) -> ApiResult<Page<Value>> {
        match (self.query.near, self.query.paginate) {
            (Some(near), _) => self.nearest(near).await,
            (None, true) => self.fetch(self.query.page).await,
            (None, false) => {
                let rows = self.all(LONGEST_LIST).await?;
                let total = rows.len() as u64;
                Ok(Page {
                    rows,
                    total,
                    request: PageRequest {
                        number: 1,
                        size: LONGEST_LIST,
                    },
                })
            }
        }
    }

    async fn all(&self, most: u32) -> ApiResult<Vec<Value>> {
        let mut rows = Vec::new();
        let mut request = PageRequest {
            number: 1,
            size: LARGEST_PAGE,
        };
        loop {
            let page = self.fetch(request).await?;
            let more = page.has_next();
            rows.extend(page.rows);
            if !more || rows.len() >= most as usize {
                return Ok(rows);
            }
            request = request.next();
        }
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
        let total = measured.len() as u64;
        let request = self.query.page;
        let skip = usize::try_from(request.offset()).unwrap_or(usize::MAX);
        let mut rows: Vec<Value> = measured
            .into_iter()
            .skip(skip)
            .take(request.size as usize)
            .map(|(_, row)| row)
            .collect();
        if near.driving {
            self.add_driving(near, &mut rows).await;
        }
        Ok(Page {
            rows,
            total,
            request,
        })
    }

    /// Adds `driving_km` to each row, or null and the reason.
    async fn add_driving(&self, near: Near, rows: &mut [Value]) {
        let places: Vec<_> = rows.iter().filter_map(geo::place_of).collect();
        let from = (near.longitude, near.latitude);
        let distances = self.context.roads.distances(from, &places).await;
        for (row, driving) in rows.iter_mut().zip(distances) {
            if let Value::Object(fields) = row {
                fields.insert("driving_km".to_owned(), driving.ok().into());
                fields.insert("driving_reason".to_owned(), driving.err().into());
            }
        }
    }

    /// One page as CSV, or with `paginate_enabled=false` the whole list, streamed page by page.
    async fn csv(self) -> ApiResult<HttpResponse> {
        let whole = !self.query.paginate && self.query.near.is_none();
        let first = if whole {
            self.fetch(PageRequest {
                number: 1,
                size: LARGEST_PAGE,
            })
            .await?
        } else {
            self.page().await?
        };
        let columns = Arc::new(csv::header(&first.rows));
        let mut head = csv::write(std::iter::once(columns.to_vec()));
        head.extend(csv::write(
            first.rows.iter().map(|row| csv::record(&columns, row)),
        ));
        let following = (whole && first.has_next()).then(|| first.request.next());
        let rest = futures_util::stream::unfold(
            (self, columns, following),
            |(lister, columns, next)| async move {
                let request = next?;
                let chunk = lister.fetch(request).await.map(|page| {
                    let bytes = csv::write(page.rows.iter().map(|row| csv::record(&columns, row)));
                    (Bytes::from(bytes), page.has_next().then(|| request.next()))
                });
                match chunk {
                    Ok((bytes, next)) => Some((Ok(bytes), (lister, columns, next))),
                    Err(error) => Some((Err(error), (lister, columns, None))),
                }
            },
        );
        let start = futures_util::stream::iter([Ok::<_, ApiError>(Bytes::from(head))]);
        Ok(HttpResponse::Ok()
            .content_type("text/csv; charset=utf-8")
            .insert_header(("Content-Disposition", "attachment; filename=\"export.csv\""))
            .streaming(futures_util::StreamExt::chain(start, Box::pin(rest))))
    }
}

/// Loads one page: the rows of a filtered query, within the list's dates, sorted by one of the named columns.
#[macro_export]
macro_rules! fetch_page {
    ($conn:expr, $query:expr, $table:ident, $filtered:expr, { $($name:literal => $column:expr),* $(,)? }) => {{
        let query = $query;
        let filtered = || {
            let mut rows = $filtered.filter($crate::db::limit::in_time());
            if let Some(at) = query.created_from { rows = rows.filter($table::created_at.ge(at)); }
            if let Some(at) = query.created_to { rows = rows.filter($table::created_at.le(at)); }
            if let Some(at) = query.updated_from { rows = rows.filter($table::updated_at.ge(at)); }
            if let Some(at) = query.updated_to { rows = rows.filter($table::updated_at.le(at)); }
            rows
        };
        let sorted = match (query.sort_by.as_str(), query.ascending()) {
            ("createdAt", true) => filtered().order(($table::created_at.asc(), $table::id.asc())),
            ("createdAt", false) => filtered().order(($table::created_at.desc(), $table::id.desc())),
            ("updatedAt", true) => filtered().order(($table::updated_at.asc(), $table::id.asc())),
            ("updatedAt", false) => filtered().order(($table::updated_at.desc(), $table::id.desc())),
            $(($name, true) => filtered().order(($column.asc(), $table::id.asc())),
            ($name, false) => filtered().order(($column.desc(), $table::id.desc())),)*
            _ => return Err($crate::http::list::unknown_sort(&["createdAt", "updatedAt" $(, $name)*])),
        };
        let total: i64 = filtered().count().get_result($conn)?;
        let rows = sorted.limit(query.page.limit()).offset(query.page.offset());
        (rows, u64::try_from(total).unwrap_or_default())
    }};
}

/// The error of a `sort_by` that the resource does not have.
pub fn unknown_sort(fields: &[&str]) -> ApiError {
    let mut faults = Faults::default();
    faults.add(
        "sort_by",
        "invalid",
        format!("must be one of {}", fields.join(", ")),
    );
    ApiError::faulty(Code::InvalidQuery, faults)
}
