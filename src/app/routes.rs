//! Every slice's routes under `/v1.1`, and the document they make.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, OnceLock};

use actix_web::http::Method;
use actix_web::{App, HttpRequest, HttpResponse, ResponseError, web};
use serde::Deserialize;
use serde::de::IgnoredAny;
use utoipa::OpenApi;
use utoipa_actix_web::{AppExt, scope};

use super::overview;
use super::pages::settings;
use crate::http::docs::BearerScheme;
use crate::http::error::Problem;
use crate::http::routing::ServiceConfig;
use crate::http::{ApiError, Code};
use crate::{
    balancing, charging::driver, charging::reservations, charging::sessions, cluster, control::acceptance,
    control::actions, control::profiles, control::provisioning, control::templates, events, gateway, home::portal,
    home::priority_charges, load::assets, load::groups, market::networks, market::offers, notify::realtime,
    notify::webhooks, panel::operators, people::organizations, people::tokens, people::users, sites::locations,
    sites::rates, sites::stations,
};

/// The path every endpoint starts with.
pub const BASE: &str = "/v1.1";

/// The path of operators' accounts, which has an auth guard of its own.
pub const ACCOUNT: &str = "/v1.1/account";

/// The path of what pages ask before anybody has logged in.
pub const PAGES: &str = "/v1.1/pages";

/// The path of an organization's logo, which pages show before anybody has logged in.
pub const LOGO: &str = "/v1.1/organizations/{id}/logo";

/// The path of the portal, which has an auth guard of its own.
pub const PORTAL: &str = "/v1.1/portal";

/// The path of what drivers do without a key.
pub const DRIVER: &str = "/v1.1/driver";

/// Every slice, but for the portal and drivers.
const SLICES: [fn(&mut ServiceConfig<'_, '_>); 28] = [
    overview::routes,
    organizations::routes,
    locations::routes,
    stations::routes,
    actions::routes,
    rates::routes,
    networks::routes,
    offers::routes,
    sessions::routes,
    reservations::routes,
    profiles::routes,
    templates::routes,
    provisioning::routes,
    acceptance::routes,
    groups::routes,
    priority_charges::routes,
    assets::routes,
    users::routes,
    portal::operator_routes,
    operators::routes,
    events::audit::routes,
    tokens::routes,
    balancing::routes,
    gateway::api::routes,
    events::routes,
    realtime::routes,
    webhooks::routes,
    cluster::api::routes,
];

/// Adds every slice, but for the portal.
pub fn slices(config: &mut ServiceConfig<'_, '_>) {
    for slice in SLICES {
        slice(config);
    }
}

/// Adds what home users may ask: of the portal itself, and of what their cars do.
pub fn portal(config: &mut ServiceConfig<'_, '_>) {
    portal::portal_routes(config);
    sessions::portal_routes(config);
    balancing::portal_routes(config);
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Evenwatt",
        description = "Shares a limited grid connection between electric cars. The API is eDRV-shaped: a client \
            written for eDRV v1.1 works after changing its base URL and key. Conventions: [docs/API-DESIGN.md](/docs/API-DESIGN.md).",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    security(("bearer" = [])),
    components(schemas(Problem)),
    modifiers(&BearerScheme),
    tags(
        (name = "overview", description = "How everything is doing"),
        (name = "organization", description = "The caller's own organization"),
        (name = "organizations", description = "All organizations of this installation, for those who administer it"),
        (name = "api keys", description = "Keys of integrators"),
        (name = "locations", description = "Places with charge stations"),
        (name = "chargestations", description = "Charge stations and commands to them"),
        (name = "evses", description = "The parts of a station that serve one car each"),
        (name = "connectors", description = "Cables and sockets"),
        (name = "users", description = "Drivers"),
        (name = "home users", description = "Who may log in to the portal, and which group is whose"),
        (name = "pages", description = "What the web pages show before anybody has logged in"),
        (name = "portal", description = "For home users: logging in, their groups, exclusion times and priority charges"),
        (name = "accounts", description = "For operators: logging in to the panel, passwords, the second factor"),
        (name = "audit", description = "Who changed what people set up"),
        (name = "operators", description = "Who works at the panel, and what they may do"),
        (name = "driver", description = "For drivers, without a key: stations, prices, charging with a card's number or by a login"),
        (name = "tokens", description = "RFID cards and virtual tokens"),
        (name = "rates", description = "What charging costs, and when"),
        (name = "evse networks", description = "EVSEs in groups that share their prices"),
        (name = "service offers", description = "What the EVSEs of a network cost roaming partners"),
        (name = "sessions", description = "Charging sessions"),
        (name = "reservations", description = "Connectors that are kept for somebody"),
        (name = "charging profiles", description = "Schedules of limits that are attached to EVSEs"),
        (name = "configuration templates", description = "Settings that stations get when they connect"),
        (name = "actions", description = "Commands that were sent to stations"),
        (name = "load management", description = "Groups of stations that share a limited connection"),
        (name = "assets", description = "Smart meters, producers, consumers and batteries, and what they measure"),
        (name = "events", description = "What changed, in order"),
        (name = "webhooks", description = "Where events are sent to, and how that went"),
        (name = "nodes", description = "The processes of this installation, and which one leads"),
    )
)]
struct Document;

/// The OpenAPI document as it is committed, which is what the server serves: making it takes tens of megabytes.
pub const COMMITTED: &str = include_str!("../../openapi/openapi.json");

/// The OpenAPI document, put together from the code; a test holds the committed one to it.
pub fn openapi() -> &'static utoipa::openapi::OpenApi {
    static DOCUMENT: LazyLock<utoipa::openapi::OpenApi> = LazyLock::new(document);
    &DOCUMENT
}

fn document() -> utoipa::openapi::OpenApi {
    let (_, mut document) = App::new()
        .into_utoipa_app()
        .openapi(Document::openapi())
        .service(
            scope::scope(ACCOUNT).configure(|config| operators::account_routes(&mut ServiceConfig::Document(config))),
        )
        .service(scope::scope(PORTAL).configure(|config| portal(&mut ServiceConfig::Document(config))))
        .service(scope::scope(DRIVER).configure(|config| driver::routes(&mut ServiceConfig::Document(config))))
        .service(scope::scope(PAGES).configure(|config| settings::routes(&mut ServiceConfig::Document(config))))
        .service(
            scope::scope(LOGO).configure(|config| organizations::open_routes(&mut ServiceConfig::Document(config))),
        )
        .service(scope::scope(BASE).configure(|config| slices(&mut ServiceConfig::Document(config))))
        .split_for_parts();
    document.info.version = env!("CARGO_PKG_VERSION").to_owned();
    crate::http::document::finish(&mut document);
    events::docs::describe(&mut document);
    document
}

/// Methods that paths have.
const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/// What the table needs of the document.
#[derive(Deserialize)]
struct Paths {
    paths: BTreeMap<String, BTreeMap<String, IgnoredAny>>,
}

/// Which methods each path has, so that a wrong method is distinguished from an unknown path.
#[derive(Debug, Default)]
pub struct RouteTable {
    methods: BTreeMap<String, Vec<&'static str>>,
}

impl RouteTable {
    /// The table of the committed document, which is read once a process.
    pub fn committed() -> serde_json::Result<Arc<Self>> {
        static TABLE: OnceLock<Arc<RouteTable>> = OnceLock::new();
        if let Some(table) = TABLE.get() {
            return Ok(Arc::clone(table));
        }
        let table = Arc::new(Self::of(COMMITTED)?);
        Ok(Arc::clone(TABLE.get_or_init(|| table)))
    }

    fn of(document: &str) -> serde_json::Result<Self> {
        let Paths { paths } = serde_json::from_str(document)?;
        let known = |item: &BTreeMap<String, IgnoredAny>| {
            let methods = METHODS.into_iter();
            methods.filter(|method| item.contains_key(&method.to_lowercase())).collect()
        };
        let methods = paths.iter().map(|(path, item)| (path.clone(), known(item)));
        Ok(Self { methods: methods.collect() })
    }

    fn methods_of(&self, path: &str) -> Vec<&'static str> {
        let segments: Vec<&str> = path.trim_end_matches('/').split('/').collect();
        let fits = |pattern: &str| {
            let pattern: Vec<&str> = pattern.split('/').collect();
            pattern.len() == segments.len()
                && pattern.iter().zip(&segments).all(|(part, segment)| part.starts_with('{') || part == segment)
        };
        let mut methods: Vec<_> =
            self.methods.iter().filter(|(pattern, _)| fits(pattern)).flat_map(|(_, methods)| methods.clone()).collect();
        methods.sort_unstable();
        methods.dedup();
        methods
    }
}

/// What is answered where no route fits.
pub async fn nowhere(request: HttpRequest, table: web::Data<RouteTable>) -> HttpResponse {
    let methods = table.methods_of(request.path());
    if methods.is_empty() || methods.contains(&request.method().as_str()) {
        return ApiError::new(Code::NotFound, format!("There is nothing at {}", request.path())).error_response();
    }
    let allowed = methods.join(", ");
    let sentence = format!("{} has {allowed}, not {}", request.path(), request.method());
    let mut response = ApiError::new(Code::MethodNotAllowed, sentence).error_response();
    if let Ok(value) = allowed.parse() {
        response.headers_mut().insert(actix_web::http::header::ALLOW, value);
    }
    if *request.method() == Method::OPTIONS {
        *response.status_mut() = actix_web::http::StatusCode::NO_CONTENT;
    }
    response
}
