//! Query strings: the parameters every list has, a resource's own filters, and nothing unknown.

use std::collections::BTreeMap;

use actix_web::dev::Payload;
use actix_web::http::header::ACCEPT;
use actix_web::{FromRequest, HttpRequest};
use serde::Deserialize;

use super::codes::Code;
use super::error::{ApiError, ApiResult, Faults};
use super::reach::Reach;
use kernel::page::{Cursor, DEFAULT_PAGE, LARGEST_PAGE};
use kernel::*;

/// Reads parameters one by one and remembers which were asked for.
#[derive(Debug)]
pub struct QueryReader {
    given: BTreeMap<String, String>,
    known: Vec<&'static str>,
    faults: Faults,
}

/// A value that a parameter can be turned into.
pub trait Parameter: Sized {
    /// What a person should have written.
    fn expectation() -> String;
    /// Reads it.
    fn from_parameter(text: &str) -> Option<Self>;
}

macro_rules! parsed_parameters {
    ($($type:ty: $expectation:literal),* $(,)?) => {$(
        impl Parameter for $type {
            fn expectation() -> String { $expectation.to_owned() }
            fn from_parameter(text: &str) -> Option<Self> { text.parse().ok() }
        }
    )*};
}

parsed_parameters! {
    String: "a text",
    u32: "a whole number",
    i64: "a whole number",
    f64: "a number",
    RawId: "an id of 24 hexadecimal characters",
    OrganizationId: "an id of 24 hexadecimal characters",
    LocationId: "an id of 24 hexadecimal characters",
    StationId: "an id of 24 hexadecimal characters",
    EvseId: "an id of 24 hexadecimal characters",
    ConnectorId: "an id of 24 hexadecimal characters",
    UserId: "an id of 24 hexadecimal characters",
    TokenId: "an id of 24 hexadecimal characters",
    SessionId: "an id of 24 hexadecimal characters",
    GroupId: "an id of 24 hexadecimal characters",
    AssetId: "an id of 24 hexadecimal characters",
    ReservationId: "an id of 24 hexadecimal characters",
    ChargingProfileId: "an id of 24 hexadecimal characters",
    TemplateId: "an id of 24 hexadecimal characters",
    RateId: "an id of 24 hexadecimal characters",
    RateScheduleId: "an id of 24 hexadecimal characters",
    EvseNetworkId: "an id of 24 hexadecimal characters",
    EvseGroupId: "an id of 24 hexadecimal characters",
    ServiceOfferId: "an id of 24 hexadecimal characters",
    Cursor: "the next_after of a page of the same list",
    Timestamp: "a date and time like 2026-05-01T08:30:00Z",
}

impl Parameter for bool {
    fn expectation() -> String {
        "true or false".to_owned()
    }
    fn from_parameter(text: &str) -> Option<Self> {
        match text {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        }
    }
}

impl QueryReader {
    fn new(query: &str) -> ApiResult<Self> {
        let pairs = serde_urlencoded_pairs(query)?;
        Ok(Self { given: pairs, known: Vec::new(), faults: Faults::default() })
    }

    /// The value of a parameter, where it was given and can be read.
    pub fn optional<T: Parameter>(&mut self, name: &'static str) -> Option<T> {
        self.known.push(name);
        let text = self.given.remove(name)?;
        if text.contains('\0') {
            self.faults.add(name, "invalid", "must not contain NUL");
            return None;
        }
        let value = T::from_parameter(&text);
        if value.is_none() {
            self.faults.add(name, "invalid", format!("must be {}", T::expectation()));
        }
        value
    }

    /// Notes a fault of a parameter that was read.
    pub fn fault(&mut self, name: &str, message: impl Into<String>) {
        self.faults.add(name, "out_of_range", message);
    }

    fn finish(mut self) -> ApiResult<()> {
        for name in self.given.keys() {
            let message = format!("is unknown; known parameters are {}", self.known.join(", "));
            self.faults.add(name, "unknown", message);
        }
        if self.faults.is_empty() { Ok(()) } else { Err(ApiError::faulty(Code::InvalidQuery, self.faults)) }
    }
}

fn serde_urlencoded_pairs(query: &str) -> ApiResult<BTreeMap<String, String>> {
    #[derive(Deserialize)]
    #[serde(transparent)]
    struct Pairs(Vec<(String, String)>);
    let Pairs(pairs) = actix_web::web::Query::<Pairs>::from_query(query)
        .map_err(|error| ApiError::new(Code::InvalidQuery, format!("The query string cannot be read: {error}")))?
        .into_inner();
    Ok(pairs.into_iter().collect())
}

/// A set of parameters.
pub trait FromQuery: Sized {
    /// Whether the rows that it filters have a place: only such lists know `near` and GeoJSON.
    const HAS_PLACES: bool = false;
    /// Reads them.
    fn from_query(reader: &mut QueryReader) -> Self;
}

impl FromQuery for () {
    fn from_query(_: &mut QueryReader) -> Self {}
}

/// Declares the filters of a resource, every one optional; `[has_places]` after the name where its rows have a place.
#[macro_export]
macro_rules! filters {
    ($(#[$meta:meta])* $vis:vis struct $name:ident $([$places:ident])? { $($(#[$field_meta:meta])* pub $field:ident $(as $json:literal)? : $type:ty),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Default, utoipa::IntoParams)]
        #[into_params(parameter_in = Query)]
        $vis struct $name { $($(#[$field_meta])* $(#[param(rename = $json)])? #[param(required = false)] pub $field: Option<$type>),* }
        impl $crate::http::query::FromQuery for $name {
            $($crate::filters!(@$places);)?
            fn from_query(reader: &mut $crate::http::query::QueryReader) -> Self {
                Self { $($field: reader.optional($crate::input!(@name $field $($json)?))),* }
            }
        }
    };
    (@has_places) => { const HAS_PLACES: bool = true; };
}

/// The parameters of an endpoint that is no list.
#[derive(Debug, Clone)]
pub struct Query<T>(pub T);

impl<T: FromQuery> FromRequest for Query<T> {
    type Error = ApiError;
    type Future = std::future::Ready<ApiResult<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        std::future::ready(read(request))
    }
}

fn read<T: FromQuery>(request: &HttpRequest) -> ApiResult<Query<T>> {
    let mut reader = QueryReader::new(request.query_string())?;
    let value = T::from_query(&mut reader);
    reader.finish()?;
    Ok(Query(value))
}

crate::spelled! {
    /// Which end of a list comes first.
    pub enum SortOrder {
        /// Smallest, oldest or first in the alphabet first.
        Ascending = "asc",
        /// Largest, newest or last in the alphabet first.
        Descending = "desc",
    }
}

crate::spelled! {
    /// The form of a list.
    pub enum Format {
        /// The envelope.
        Json = "json",
        /// Comma-separated values.
        Csv = "csv",
        /// A GeoJSON FeatureCollection.
        GeoJson = "geojson",
    }
}

/// A place to measure distances from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Near {
    /// Degrees.
    pub longitude: f64,
    /// Degrees.
    pub latitude: f64,
    /// Only what is at most this far away.
    pub radius_km: Option<f64>,
    /// Add driving distances.
    pub driving: bool,
}

/// What every list accepts besides its own filters.
#[derive(Debug, Clone)]
pub struct ListQuery<F> {
    /// Which page.
    pub page: PageRequest,
    /// False: the whole list, in pages of the largest size.
    pub paginate: bool,
    /// Field to sort by.
    pub sort_by: String,
    /// Which end first.
    pub sort_order: SortOrder,
    /// Only rows created at or after this.
    pub created_from: Option<Timestamp>,
    /// Only rows created at or before this.
    pub created_to: Option<Timestamp>,
    /// Only rows changed at or after this.
    pub updated_from: Option<Timestamp>,
    /// Only rows changed at or before this.
    pub updated_to: Option<Timestamp>,
    /// Only rows after this one.
    pub after: Option<Cursor>,
    /// Whether the rows are to be counted.
    pub counts: bool,
    /// Only rows that contain this text.
    pub search: Option<String>,
    /// The form of the answer.
    pub format: Format,
    /// Measure distances from here.
    pub near: Option<Near>,
    /// Only what the caller may reach.
    pub reach: Reach,
    /// The resource's own filters.
    pub filter: F,
}

impl<F> ListQuery<F> {
    /// The first page, as large as can be, of what the filter lets through.
    pub fn first(filter: F, sort_by: &str) -> Self {
        Self {
            page: PageRequest { number: 1, size: LARGEST_PAGE },
            paginate: true,
            sort_by: sort_by.to_owned(),
            sort_order: SortOrder::Ascending,
            created_from: None,
            created_to: None,
            updated_from: None,
            updated_to: None,
            after: None,
            counts: true,
            search: None,
            format: Format::Json,
            near: None,
            reach: Reach::default(),
            filter,
        }
    }

    /// Rows to pass over: none after a cursor.
    pub fn offset(&self) -> i64 {
        self.after.map_or_else(|| self.page.offset(), |_| 0)
    }

    /// Whether its order is one that cursors know: rows keep their places, or move to the end.
    pub fn has_cursors(&self) -> bool {
        matches!(self.sort_by.as_str(), "createdAt" | "updatedAt")
    }

    /// Whether the smallest comes first.
    pub fn ascending(&self) -> bool {
        self.sort_order == SortOrder::Ascending
    }

    /// The same query of a list with other filters.
    pub fn with_filter<G>(&self, filter: G) -> ListQuery<G> {
        ListQuery {
            page: self.page,
            paginate: self.paginate,
            sort_by: self.sort_by.clone(),
            sort_order: self.sort_order,
            created_from: self.created_from,
            created_to: self.created_to,
            updated_from: self.updated_from,
            updated_to: self.updated_to,
            after: self.after,
            counts: self.counts,
            search: self.search.clone(),
            format: self.format,
            near: self.near,
            reach: self.reach.clone(),
            filter,
        }
    }
}

impl<F: FromQuery> FromRequest for ListQuery<F> {
    type Error = ApiError;
    type Future = std::future::Ready<ApiResult<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        std::future::ready(list_query(request))
    }
}

fn list_query<F: FromQuery>(request: &HttpRequest) -> ApiResult<ListQuery<F>> {
    let mut reader = QueryReader::new(request.query_string())?;
    let paginate = reader.optional("paginate_enabled").unwrap_or(true);
    let size = reader.optional::<u32>("paginate_limit").unwrap_or(if paginate { DEFAULT_PAGE } else { LARGEST_PAGE });
    let page = reader.optional::<u32>("paginate_page");
    let number = page.unwrap_or(1);
    let after: Option<Cursor> = reader.optional("after");
    if after.is_some() && page.is_some() {
        reader.fault("after", "goes without paginate_page");
    }
    if !(1..=LARGEST_PAGE).contains(&size) {
        reader.fault("paginate_limit", format!("must be between 1 and {LARGEST_PAGE}"));
    }
    if number == 0 {
        reader.fault("paginate_page", "pages count from 1");
    }
    let format = reader.optional("format").unwrap_or_else(|| format_of(request));
    if format == Format::GeoJson && !F::HAS_PLACES {
        return Err(ApiError::new(Code::NotAcceptable, "These rows have no place; ask for json or csv"));
    }
    let near = F::HAS_PLACES.then(|| near(&mut reader)).flatten();
    let query = ListQuery {
        page: PageRequest { number: number.max(1), size: size.clamp(1, LARGEST_PAGE) },
        paginate,
        sort_by: reader.optional("sort_by").unwrap_or_else(|| "createdAt".to_owned()),
        sort_order: reader.optional("sort_order").unwrap_or(SortOrder::Descending),
        created_from: reader.optional("createdAt[$gte]"),
        created_to: reader.optional("createdAt[$lte]"),
        updated_from: reader.optional("updatedAt[$gte]"),
        updated_to: reader.optional("updatedAt[$lte]"),
        after,
        counts: true,
        search: reader.optional::<String>("search").filter(|text| !text.trim().is_empty()),
        format,
        near,
        reach: Reach::of(request),
        filter: F::from_query(&mut reader),
    };
    if query.after.is_some() && !query.has_cursors() {
        reader.fault("after", "needs sort_by createdAt or updatedAt");
    }
    if query.after.is_some() && query.near.is_some() {
        reader.fault("after", "goes without near");
    }
    reader.finish()?;
    Ok(query)
}

fn format_of(request: &HttpRequest) -> Format {
    let accept = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accept.starts_with("text/csv") {
        Format::Csv
    } else if accept.starts_with("application/geo+json") {
        Format::GeoJson
    } else {
        Format::Json
    }
}

/// Reads `near` and `radius_km`, of a list that measures no driving distances.
pub fn read_near(reader: &mut QueryReader) -> Option<Near> {
    near_of(reader, None)
}

fn near(reader: &mut QueryReader) -> Option<Near> {
    let driving: Option<bool> = reader.optional("driving");
    near_of(reader, driving)
}

fn near_of(reader: &mut QueryReader, driving: Option<bool>) -> Option<Near> {
    let text: Option<String> = reader.optional("near");
    let radius_km: Option<f64> = reader.optional("radius_km");
    if radius_km.is_some_and(|radius| radius.is_nan() || radius <= 0.0) {
        reader.fault("radius_km", "must be more than 0");
    }
    let Some(text) = text else {
        if driving == Some(true) {
            reader.fault("driving", "needs near=lng,lat");
        }
        if radius_km.is_some() {
            reader.fault("radius_km", "needs near=lng,lat");
        }
        return None;
    };
    let parts: Option<(f64, f64)> = text
        .split_once(',')
        .and_then(|(lng, lat)| Some((lng.trim().parse().ok()?, lat.trim().parse().ok()?)))
        .filter(|(lng, lat): &(f64, f64)| lng.abs() <= 180.0 && lat.abs() <= 90.0);
    match parts {
        Some((longitude, latitude)) => Some(Near { longitude, latitude, radius_km, driving: driving == Some(true) }),
        None => {
            reader.fault("near", "must be longitude,latitude in degrees, such as 4.89,52.37");
            None
        }
    }
}

/// The same parameters for the OpenAPI document.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only its documentation is used; ListQuery reads the parameters")]
pub struct ListParameters {
    /// False answers the whole list (in pages of 1000 rows for JSON).
    #[param(required = false, default = true)]
    paginate_enabled: bool,
    /// Rows a page.
    #[param(required = false, default = 20, minimum = 1, maximum = 1000)]
    paginate_limit: u32,
    /// Which page, from 1.
    #[param(required = false, default = 1, minimum = 1)]
    paginate_page: u32,
    /// Goes on after a page: its `next_after`, without `paginate_page`. However deep, it takes the same time, and neither repeats
    /// nor misses rows while others arrive. With `sort_by` `createdAt` or `updatedAt`.
    #[param(required = false, example = "1777000000123456-650000000000000000000001")]
    after: String,
    /// Field to sort by.
    #[param(required = false, default = "createdAt")]
    sort_by: String,
    /// Which end comes first.
    #[param(required = false, inline, default = "desc")]
    sort_order: SortOrder,
    /// Created at or after.
    #[param(required = false, rename = "createdAt[$gte]", format = DateTime)]
    created_from: String,
    /// Created at or before.
    #[param(required = false, rename = "createdAt[$lte]", format = DateTime)]
    created_to: String,
    /// Changed at or after.
    #[param(required = false, rename = "updatedAt[$gte]", format = DateTime)]
    updated_from: String,
    /// Changed at or before.
    #[param(required = false, rename = "updatedAt[$lte]", format = DateTime)]
    updated_to: String,
    /// Case-insensitive search over what a person would type.
    #[param(required = false)]
    search: String,
    /// The form of the answer; `Accept: text/csv` does the same.
    #[param(required = false, inline, default = "json")]
    format: Format,
}

/// Parameters of lists with places.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only its documentation is used; ListQuery reads the parameters")]
pub struct PlaceParameters {
    /// `longitude,latitude`: adds `distance_km` and sorts by it.
    #[param(required = false, pattern = r"^-?\d+(\.\d+)?,-?\d+(\.\d+)?$", example = "4.89,52.37")]
    near: String,
    /// Only what is at most this far from `near`.
    #[param(required = false, exclusive_minimum = 0.0)]
    radius_km: f64,
    /// Adds `driving_km` from the routing server, or null and `driving_reason`; with `near`.
    #[param(required = false, default = false)]
    driving: bool,
}
