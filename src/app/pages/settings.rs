//! From the section `[pages]` to what pages are given: their Content-Security-Policy, and `GET /v1.1/pages/config`.

use actix_web::http::header::HeaderValue;
use actix_web::{HttpResponse, get, web};
use anyhow::{Context as _, Result, anyhow, bail};
use serde::Serialize;

use crate::app::Config;
use crate::app::routes::ACCOUNT;
use crate::charging::driver::DriverAccess;
use crate::http::docs::OpenErrors;
use crate::http::envelope::{Reply, reply};
use crate::http::routing::ServiceConfig;
use crate::http::{ApiResult, Ctx};
use crate::panel::operators::ProviderSettings;
use crate::people::organizations::{self, PublicOrganization, SupportContact};
use crate::store::StoreResult;

/// What pages are headed with where nothing else is known.
const NAME: &str = "Evenwatt";

/// How the pages are served.
#[derive(Debug, Clone)]
pub(in crate::app) struct Settings {
    /// The Content-Security-Policy of the shells.
    pub(super) policy: HeaderValue,
    name: Option<String>,
    tiles: Option<Tiles>,
    providers: Vec<LoginProvider>,
}

/// Who operators may log in by, beside a password.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
struct LoginProvider {
    /// Its id in the configuration.
    #[schema(example = "keycloak")]
    id: String,
    /// What stands on the button.
    #[schema(example = "Keycloak")]
    name: String,
    /// Where the button leads to.
    #[schema(example = "/v1.1/account/oidc/keycloak")]
    url: String,
}

/// How operators log in.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct LoginWays {
    /// By e-mail address and password: always true.
    #[schema(example = true)]
    password: bool,
    /// By OpenID Connect: the providers of the configuration.
    oidc: Vec<LoginProvider>,
}

/// Where the tiles of maps come from.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
struct Tiles {
    /// The address of a tile, with `{z}`, `{x}` and `{y}`.
    #[schema(example = "https://tile.openstreetmap.org/{z}/{x}/{y}.png")]
    url: String,
    /// Who is to be named on the map, as HTML.
    #[schema(example = "© OpenStreetMap contributors")]
    attribution: String,
}

impl Settings {
    /// Reads the section; a wrong address of tiles stops the start.
    pub(in crate::app) fn read(config: &Config) -> Result<Self> {
        let pages = &config.pages;
        let tiles = Some(&pages.tiles_url).filter(|url| !url.is_empty());
        let host = tiles.map(|url| host_of(url).with_context(|| format!("pages.tiles_url = \"{url}\""))).transpose()?;
        let pictures = host.map_or_else(String::new, |host| format!(" {host}"));
        let policy = format!(
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:{pictures}; \
             connect-src 'self'; font-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
        );
        let providers = config.login_providers().map_err(|error| anyhow!(error))?.into_iter();
        Ok(Self {
            providers: providers
                .map(|ProviderSettings { id, name, .. }| LoginProvider {
                    url: format!("{ACCOUNT}/oidc/{id}"),
                    id,
                    name,
                })
                .collect(),
            policy: HeaderValue::try_from(policy)?,
            name: Some(pages.name.clone()).filter(|name| !name.is_empty()),
            tiles: tiles.map(|url| Tiles { url: url.clone(), attribution: pages.tiles_attribution.clone() }),
        })
    }
}

/// The scheme and host of a template such as `https://{s}.tile.example.org/{z}/{x}/{y}.png`, as a policy names them.
fn host_of(url: &str) -> Result<String> {
    for part in ["{z}", "{x}", "{y}"] {
        if !url.contains(part) {
            bail!("{part} is missing");
        }
    }
    let (scheme, rest) = url.split_once("://").context("must begin with https:// or http://")?;
    let host = rest.split('/').next().unwrap_or_default().replace("{s}", "*");
    let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | ':' | '*' | '[' | ']');
    if !matches!(scheme, "https" | "http") || host.is_empty() || !host.chars().all(plain) {
        bail!("must be https:// or http:// and the name of a host, which may begin with {{s}}");
    }
    Ok(format!("{scheme}://{host}"))
}

/// What pages show before anybody has logged in.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct PagesConfig {
    /// What pages are headed with: `pages.name` of the configuration, or the organization's name where there is only one.
    #[schema(example = "Evenwatt")]
    name: String,
    /// Where the tiles of maps come from; null: maps have none.
    tiles: Option<Tiles>,
    /// How operators log in at the panel.
    login: LoginWays,
    /// Whether drivers can log in, by a link that is sent to their e-mail address.
    driver_login: bool,
    /// Where the organization's logo is, on this server; null where it has none, or there are several organizations.
    #[schema(example = "/v1.1/organizations/650000000000000000000001/logo?v=9f86d081884c7d65")]
    logo: Option<String>,
    /// Whom drivers and home users ask for help; null where nobody is named, or there are several organizations.
    support_contact: Option<SupportContact>,
}

/// What the server is called where no organization is meant.
pub(in crate::app) fn name_of(config: &Config) -> String {
    let named = Some(&config.pages.name).filter(|name| !name.is_empty());
    named.cloned().unwrap_or_else(|| NAME.to_owned())
}

/// Adds the endpoint below `/v1.1/pages`.
pub(in crate::app) fn routes(config: &mut ServiceConfig) {
    config.service(get_pages_config);
}

/// Says what pages show before a login.
///
/// It needs no key: the name to head pages with, the tiles of maps, how operators log in, whether drivers can, and of a server with one
/// organization its logo and support contact.
#[utoipa::path(tag = "pages", security(()), responses((status = OK, body = Reply<PagesConfig>), OpenErrors))]
#[get("/config")]
async fn get_pages_config(
    ctx: Ctx,
    settings: web::Data<Settings>,
    driver: web::Data<DriverAccess>,
) -> ApiResult<HttpResponse> {
    let read = ctx.db.read(|conn| -> StoreResult<_> {
        let sole = organizations::sole_organization(conn)?;
        sole.map(|id| organizations::find_organization(conn, id)).transpose()
    });
    let sole = read.await?.map(PublicOrganization::from);
    let own_name = sole.as_ref().map(|organization| organization.name.clone());
    let config = PagesConfig {
        name: settings.name.clone().or(own_name).unwrap_or_else(|| NAME.to_owned()),
        tiles: settings.tiles.clone(),
        login: LoginWays { password: true, oidc: settings.providers.clone() },
        driver_login: driver.has_logins(),
        logo: sole.as_ref().and_then(|organization| organization.logo.clone()),
        support_contact: sole.and_then(|organization| organization.support_contact),
    };
    Ok(reply(actix_web::http::StatusCode::OK, "Found", config))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_names_the_host_of_the_tiles() {
        for (url, host) in [
            ("https://tile.openstreetmap.org/{z}/{x}/{y}.png", "https://tile.openstreetmap.org"),
            ("https://{s}.tile.example.org:8443/a/{z}/{x}/{y}.png?key=1", "https://*.tile.example.org:8443"),
            ("http://127.0.0.1:9000/{z}/{x}/{y}", "http://127.0.0.1:9000"),
        ] {
            assert_eq!(host_of(url).expect("a host"), host);
        }
        for wrong in [
            "https://tile.example.org/{z}/{x}.png",
            "tile.example.org/{z}/{x}/{y}",
            "ftp://tile.example.org/{z}/{x}/{y}",
            "https:///{z}/{x}/{y}",
            "https://a b; script-src *//{z}/{x}/{y}",
            "https://user@tile.example.org/{z}/{x}/{y}",
        ] {
            assert!(host_of(wrong).is_err(), "{wrong}");
        }
    }
}
