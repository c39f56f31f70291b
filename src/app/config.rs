//! Configuration: the embedded `default.toml`, then a file, then the environment. A wrong value stops the start with
//! a sentence that names it.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use toml::{Table, Value};

use super::environment::{Given, is_of_kubernetes};
use crate::balancing;
use crate::charging::sessions;
use crate::http::{ProxyHeader, TrustedProxies};
use crate::store::connection::Synchronous;
use crate::store::{StoreSettings, StoreUrl};
use kernel::Timestamp;

/// A shorter key could be guessed from what it signs or seals.
const SHORTEST_KEY: usize = 32;

/// The documented defaults.
pub const DEFAULTS: &str = include_str!("default.toml");

/// Everything that can be configured; the fields are documented in `default.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub http: Http,
    pub store: Store,
    pub cluster: Cluster,
    pub ocpp: Ocpp,
    pub sessions: Sessions,
    pub tls: Tls,
    pub balancing: Balancing,
    pub panel: Panel,
    pub oidc: BTreeMap<String, LoginProvider>,
    pub pages: Pages,
    pub portal: Portal,
    pub driver: Driver,
    pub mail: Mail,
    pub routing: Routing,
    pub retention: Retention,
    pub webhooks: Webhooks,
    pub log: Log,
}

/// Section `[http]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Http {
    pub listen: String,
    pub metrics_listen: String,
    pub public_url: String,
    pub workers: usize,
    pub body_limit: usize,
    pub rate_per_second: NonZeroU32,
    pub rate_burst: NonZeroU32,
    pub trusted_proxies: Vec<String>,
    pub proxy_header: ProxyHeader,
    pub cors_origins: Vec<String>,
    pub unread_seconds: NonZeroU32,
    pub stop_seconds: u64,
}

/// Section `[store]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Store {
    pub url: String,
    pub readers: usize,
    pub station_readers: usize,
    pub query_seconds: NonZeroU32,
    pub writers: usize,
    pub queue: usize,
    pub synchronous: String,
}

/// Section `[cluster]`.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cluster {
    pub node: String,
    pub listen: String,
    pub address: String,
    pub secret: String,
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cluster({} at {})", self.node, self.listen)
    }
}

impl Cluster {
    /// Whether this process is one of several.
    pub const fn is_on(&self) -> bool {
        !self.node.is_empty()
    }

    fn check(&self, store: &StoreUrl) -> Result<(), String> {
        if !self.is_on() {
            return Ok(());
        }
        let is_name = self.node.len() <= 64 && self.node.chars().all(|c| c.is_ascii_graphic());
        if !is_name {
            return Err("cluster.node must have at most 64 letters, digits and signs, and no space".to_owned());
        }
        if matches!(store, StoreUrl::Sqlite(_)) {
            return Err("cluster.node is set, but a cluster needs PostgreSQL; SQLite has one process".to_owned());
        }
        if self.listen.is_empty() {
            return Err("cluster.listen must be an address for the other nodes, such as 10.0.0.5:9480".to_owned());
        }
        if self.secret.len() < SHORTEST_KEY {
            return Err(format!("cluster.secret must have at least {SHORTEST_KEY} characters"));
        }
        let authority = self.address.strip_prefix("http://");
        let is_url = authority.is_some_and(|authority| !authority.is_empty() && !authority.contains('/'));
        if !self.address.is_empty() && !is_url {
            return Err(format!("cluster.address is \"{}\", but must be like http://10.0.0.5:9480", self.address));
        }
        Ok(())
    }
}

/// Section `[ocpp]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ocpp {
    pub heartbeat_seconds: u32,
    pub ping_seconds: NonZeroU32,
    pub pong_seconds: NonZeroU32,
    pub call_seconds: NonZeroU32,
    pub settle_seconds: u64,
    pub hours_seconds: NonZeroU32,
    pub recorded_messages: usize,
    pub message_bytes: usize,
    pub messages_per_second: NonZeroU32,
    pub messages_burst: NonZeroU32,
    pub connects_per_minute: NonZeroU32,
    pub connects_burst: NonZeroU32,
    pub handshakes_per_second: NonZeroU32,
    pub flood_seconds: u64,
    pub compress: bool,
    pub version_without_header: String,
}

/// Section `[sessions]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sessions {
    pub stop_offline_minutes: u32,
    pub offline_hours: u32,
}

impl Sessions {
    /// How long stations that cannot be asked are waited for, by a server that runs since this instant.
    pub fn patience(&self, up_since: Timestamp) -> sessions::Patience {
        let minutes = |minutes: u32| Duration::from_secs(u64::from(minutes) * 60);
        let hours = Some(self.offline_hours).filter(|hours| *hours > 0);
        sessions::Patience {
            stop_after: minutes(self.stop_offline_minutes),
            end_after: hours.map(|hours| minutes(hours.saturating_mul(60))),
            up_since,
        }
    }
}

/// Section `[tls]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    pub listen: String,
    pub certificate: PathBuf,
    pub key: PathBuf,
    pub client_ca: PathBuf,
    pub sign_certificate: PathBuf,
    pub sign_key: PathBuf,
}

/// Section `[balancing]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Balancing {
    pub tick_seconds: NonZeroU32,
    pub limit_seconds: NonZeroU32,
    pub settle_milliseconds: u64,
    pub plans_kept: u32,
}

impl Balancing {
    /// The balancer's settings.
    pub fn settings(&self) -> balancing::Settings {
        let Self { tick_seconds, limit_seconds, settle_milliseconds, plans_kept } = *self;
        balancing::Settings::new(tick_seconds, limit_seconds, settle_milliseconds, plans_kept)
    }
}

/// Section `[panel]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Panel {
    pub url: String,
    pub secret_key: String,
    pub login_hours: NonZeroU32,
    pub login_days: NonZeroU32,
    pub invitation_hours: NonZeroU32,
    pub reset_minutes: NonZeroU32,
    pub rate_per_second: NonZeroU32,
    pub rate_burst: NonZeroU32,
}

/// The section whose parts are sections themselves, each by an id that is chosen.
const PROVIDERS: &str = "oidc";

/// Section `[oidc.<id>]`.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoginProvider {
    pub name: String,
    pub issuer: String,
    pub client_id: String,
    pub client_secret: String,
    pub scopes: String,
}

impl fmt::Debug for LoginProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LoginProvider({})", self.issuer)
    }
}

/// The options of a provider with their defaults.
fn provider_defaults() -> Table {
    let options =
        [("name", ""), ("issuer", ""), ("client_id", ""), ("client_secret", ""), ("scopes", "openid email profile")];
    options.into_iter().map(|(option, default)| (option.to_owned(), Value::from(default))).collect()
}

/// The options of the provider with this id, whether it was named before or not.
fn options_of<'a>(providers: &'a mut Table, id: &str) -> Option<&'a mut Table> {
    providers.entry(id).or_insert_with(|| Value::Table(provider_defaults())).as_table_mut()
}

/// Section `[pages]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pages {
    pub name: String,
    pub tiles_url: String,
    pub tiles_attribution: String,
}

/// Section `[portal]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Portal {
    pub url: String,
    pub signing_key: String,
    pub access_minutes: NonZeroU32,
    pub login_days: NonZeroU32,
    pub invitation_hours: NonZeroU32,
    pub reset_minutes: NonZeroU32,
    pub rate_per_second: NonZeroU32,
    pub rate_burst: NonZeroU32,
}

/// Section `[driver]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Driver {
    pub enabled: bool,
    pub rate_per_second: NonZeroU32,
    pub rate_burst: NonZeroU32,
}

/// Section `[mail]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mail {
    pub host: String,
    pub port: u16,
    pub security: String,
    pub user: String,
    pub password: String,
    pub from: String,
    pub authority: PathBuf,
}

/// Section `[routing]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Routing {
    pub url: String,
}

/// Section `[retention]`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    pub readings_full_days: u32,
    pub readings_days: NonZeroU32,
    pub transaction_events_days: NonZeroU32,
    pub evidence_days: NonZeroU32,
    pub orphans_days: NonZeroU32,
    pub sessions_days: NonZeroU32,
    pub actions_days: NonZeroU32,
    pub reservations_days: NonZeroU32,
    pub priority_charges_days: NonZeroU32,
    pub statuses_days: NonZeroU32,
    pub plans_days: NonZeroU32,
    pub load_history_days: NonZeroU32,
    pub asset_readings_days: NonZeroU32,
    pub asset_quarters_days: NonZeroU32,
    pub events_days: NonZeroU32,
    pub audit_days: NonZeroU32,
    pub deliveries_days: NonZeroU32,
}

/// Section `[webhooks]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhooks {
    pub secret_key: String,
    pub allow_private: bool,
    pub allow_http: bool,
    pub patience_seconds: NonZeroU32,
}

/// Section `[log]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    pub filter: String,
    pub format: String,
}

impl Config {
    /// Reads the defaults, `file` where there is one, and the variables.
    pub fn load(file: Option<&Path>, variables: impl IntoIterator<Item = (String, String)>) -> Result<Self, String> {
        let mut table: Table = DEFAULTS.parse().map_err(|error| format!("default.toml: {error}"))?;
        if let Some(path) = file {
            let shown = path.display();
            let text = std::fs::read_to_string(path).map_err(|error| format!("{shown} cannot be read: {error}"))?;
            let given: Table = text.parse().map_err(|error| format!("{shown} is not TOML: {error}"))?;
            overlay(&mut table, given, &shown.to_string())?;
        }
        let mut given = Given::default();
        for (name, text) in variables {
            if !is_of_kubernetes(&name, &text) {
                apply_variable(&mut table, &mut given, &name, &text)?;
            }
        }
        let config: Self = table.try_into().map_err(|error| format!("configuration: {}", one_line(&error)))?;
        config.cluster.check(&config.store_settings()?.url)?;
        config.trusted_proxies()?;
        config.login_providers()?;
        if !matches!(config.log.format.as_str(), "text" | "json") {
            return Err(format!("log.format is \"{}\", but must be text or json", config.log.format));
        }
        Ok(config)
    }

    /// The proxies that are believed.
    pub fn trusted_proxies(&self) -> Result<TrustedProxies, String> {
        let proxies = TrustedProxies::read(&self.http.trusted_proxies, self.http.proxy_header);
        proxies.map_err(|error| format!("http.trusted_proxies: {error}"))
    }

    /// The store's settings.
    pub fn store_settings(&self) -> Result<StoreSettings, String> {
        let Store { url, readers, station_readers, query_seconds, writers, queue, synchronous } = &self.store;
        let url: StoreUrl = url.parse().map_err(|error| format!("store.url: {error}"))?;
        let synchronous = match synchronous.as_str() {
            "full" => Synchronous::Full,
            "normal" => Synchronous::Normal,
            other => {
                return Err(format!("store.synchronous is \"{other}\", but must be full or normal"));
            }
        };
        if *queue == 0 {
            return Err("store.queue is 0, but must be at least 1".to_owned());
        }
        Ok(StoreSettings {
            readers: *readers,
            station_readers: *station_readers,
            query_limit: Duration::from_secs(u64::from(query_seconds.get())),
            writers: *writers,
            queue: *queue,
            synchronous,
            ..StoreSettings::new(url)
        })
    }
}

/// Refuses a key that is too short; an empty one means that there is none.
pub(super) fn check_key(name: &str, key: &str) -> anyhow::Result<()> {
    if !key.is_empty() && key.len() < SHORTEST_KEY {
        anyhow::bail!("{name} must have at least {SHORTEST_KEY} characters");
    }
    Ok(())
}

fn one_line(error: &toml::de::Error) -> String {
    error.message().replace('\n', " ")
}

fn overlay(table: &mut Table, given: Table, source: &str) -> Result<(), String> {
    for (section, options) in given {
        let Some(Value::Table(known)) = table.get_mut(&section) else {
            return Err(format!("{source}: there is no section [{section}]"));
        };
        let Value::Table(options) = options else {
            return Err(format!("{source}: {section} must be a section"));
        };
        if section != PROVIDERS {
            overlay_options(known, options, &section, source)?;
            continue;
        }
        for (id, options) in options {
            let section = format!("{section}.{id}");
            match (options_of(known, &id), options) {
                (Some(known), Value::Table(options)) => overlay_options(known, options, &section, source)?,
                _ => return Err(format!("{source}: {section} must be a section")),
            }
        }
    }
    Ok(())
}

fn overlay_options(known: &mut Table, given: Table, section: &str, source: &str) -> Result<(), String> {
    let mut set = Given::default();
    for (option, value) in given {
        let name = format!("{section}.{option}");
        let unknown = || format!("{source}: there is no option {section}.{option}");
        if let Some(default) = known.get(&option) {
            // Said here, where the value, perhaps a secret, is not repeated.
            if default.is_str() && !value.is_str() {
                return Err(format!("{source}: {name} must be a text"));
            }
            set.note(&name, &name, &value).map_err(|error| format!("{source}: {error}"))?;
            known.insert(option, value);
        } else {
            let named = of_file(known, &option).ok_or_else(unknown)?.to_owned();
            let path = value.as_str().ok_or_else(|| format!("{source}: {name} must be the path of a file"))?;
            let read = Value::String(read_line(path, &name)?);
            let option = format!("{section}.{named}");
            set.note(&option, &name, &read).map_err(|error| format!("{source}: {error}"))?;
            known.insert(named, read);
        }
    }
    Ok(())
}

/// The text option whose value is in the file that this option names: `signing_key` of `signing_key_file`.
fn of_file<'a>(known: &Table, option: &'a str) -> Option<&'a str> {
    let named = option.strip_suffix("_file")?;
    known.get(named)?.is_str().then_some(named)
}

/// What is in a file, such as a secret that a container is given, without the end of its line.
fn read_line(path: &str, option: &str) -> Result<String, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{option}: {path} cannot be read: {error}"))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

fn apply_variable(table: &mut Table, given: &mut Given, name: &str, text: &str) -> Result<(), String> {
    let path = match name {
        "DATABASE_URL" => "STORE_URL",
        _ => match name.strip_prefix("EVENWATT_") {
            Some("CONFIG" | "API_KEY" | "PAGES") | None => return Ok(()),
            Some(path) => path,
        },
    };
    let unknown = || format!("the environment variable {name} names no option");
    let (section, option) = path.split_once('_').ok_or_else(unknown)?;
    let (mut section, mut option) = (section.to_lowercase(), option.to_lowercase());
    let mut options = table.get_mut(&section).and_then(Value::as_table_mut);
    if section == PROVIDERS {
        let (id, of_provider) = option.split_once('_').ok_or_else(unknown)?;
        options = options.and_then(|providers| options_of(providers, id));
        section = format!("{section}.{id}");
        option = of_provider.to_owned();
    }
    let options = options.ok_or_else(unknown)?;
    if let Some(named) = of_file(options, &option).map(str::to_owned) {
        let read = Value::String(read_line(text, name)?);
        given.note(&format!("{section}.{named}"), name, &read)?;
        options.insert(named, read);
        return Ok(());
    }
    let slot = options.get_mut(&option).ok_or_else(unknown)?;
    let value = match slot {
        Value::Integer(_) => {
            Value::Integer(text.parse().map_err(|_| format!("{name} is \"{text}\", but must be a whole number"))?)
        }
        Value::Boolean(_) => {
            Value::Boolean(text.parse().map_err(|_| format!("{name} is \"{text}\", but must be true or false"))?)
        }
        Value::Array(_) => {
            Value::Array(text.split(',').filter(|one| !one.is_empty()).map(|one| one.trim().into()).collect())
        }
        _ => Value::String(text.to_owned()),
    };
    given.note(&format!("{section}.{option}"), name, &value)?;
    *slot = value;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(variables: &[(&str, &str)]) -> Result<Config, String> {
        Config::load(None, variables.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())))
    }

    #[test]
    fn the_defaults_are_complete() {
        let config = load(&[]).expect("valid");
        assert_eq!(config.http.listen, "127.0.0.1:8080");
    }

    #[test]
    fn an_option_that_two_names_set_to_different_values_is_refused_by_both_names() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("secret");
        std::fs::write(&file, "sqlite://b.db\n").expect("written");
        let file = file.to_str().expect("UTF-8");
        let store = |url, other, name| load(&[("DATABASE_URL", url), (name, other)]);
        for (name, other, same) in
            [("EVENWATT_STORE_URL", "sqlite://a.db", "sqlite://b.db"), ("EVENWATT_STORE_URL_FILE", file, file)]
        {
            let error = store("sqlite://c.db", other, name).expect_err("two stores");
            assert_eq!(error, format!("DATABASE_URL and {name} set store.url to different values; set one of them"));
            assert_eq!(store("sqlite://b.db", same, name).expect("the same").store.url, "sqlite://b.db");
        }
        let both = [("EVENWATT_PORTAL_SIGNING_KEY", "one"), ("EVENWATT_PORTAL_SIGNING_KEY_FILE", file)];
        let error = load(&both).expect_err("two keys");
        assert!(error.contains("EVENWATT_PORTAL_SIGNING_KEY and EVENWATT_PORTAL_SIGNING_KEY_FILE"), "{error}");
        let of_provider = [("EVENWATT_OIDC_GOOGLE_NAME", "one"), ("EVENWATT_OIDC_GOOGLE_NAME_FILE", file)];
        assert!(load(&of_provider).expect_err("two names").contains("set oidc.google.name to different"));
        let toml = folder.path().join("evenwatt.toml");
        std::fs::write(&toml, format!("[store]\nurl = \"a.db\"\nurl_file = \"{file}\"\n")).expect("written");
        let error = Config::load(Some(&toml), []).expect_err("two stores");
        assert!(error.contains("store.url and store.url_file set store.url to different values"), "{error}");
        // The environment overrides the file.
        let variables = [("DATABASE_URL".to_owned(), "c.db".to_owned())];
        std::fs::write(&toml, format!("[store]\nurl_file = \"{file}\"\n")).expect("written");
        assert_eq!(Config::load(Some(&toml), variables).expect("valid").store.url, "c.db");
    }

    #[test]
    fn variables_that_kubernetes_makes_do_not_stop_the_start() {
        let made = [
            ("EVENWATT_SERVICE_HOST", "10.0.0.1"),
            ("EVENWATT_SERVICE_PORT", "8080"),
            ("EVENWATT_SERVICE_PORT_HTTP", "8080"),
            ("EVENWATT_PORT", "tcp://10.0.0.1:8080"),
            ("EVENWATT_PORT_8080_TCP", "tcp://10.0.0.1:8080"),
            ("EVENWATT_PORT_8080_TCP_PROTO", "tcp"),
            ("EVENWATT_PORT_8080_TCP_PORT", "8080"),
            ("EVENWATT_PORT_8080_TCP_ADDR", "10.0.0.1"),
            ("EVENWATT_MAIL_PORT", "tcp://10.0.0.2:25"), // of a service that is called evenwatt-mail
        ];
        assert_eq!(load(&made).expect("valid").mail.port, 587);
        assert!(load(&[("EVENWATT_PORT", "8080")]).expect_err("an unknown name").contains("EVENWATT_PORT"));
    }

    #[test]
    fn variables_override_and_wrong_ones_are_named() {
        let config = load(&[("EVENWATT_HTTP_LISTEN", "0.0.0.0:1"), ("DATABASE_URL", "x.db")]).expect("valid");
        assert_eq!((config.http.listen.as_str(), config.store.url.as_str()), ("0.0.0.0:1", "x.db"));
        let wrong = [
            ("EVENWATT_HTTP_WORKERS", "many", "EVENWATT_HTTP_WORKERS"),
            ("EVENWATT_HTTP_COLOUR", "red", "EVENWATT_HTTP_COLOUR"),
            ("DATABASE_URL", "mysql://x", "store.url"),
            ("EVENWATT_STORE_SYNCHRONOUS", "maybe", "store.synchronous"),
            ("EVENWATT_OCPP_PING_SECONDS", "0", "configuration"),
            ("EVENWATT_HTTP_TRUSTED_PROXIES", "10.0.0.0/8,x", "http.trusted_proxies"),
            ("EVENWATT_HTTP_PROXY_HEADER", "via", "x-forwarded-for"),
            ("EVENWATT_CLUSTER_NODE", "berlin-1", "PostgreSQL"),
        ];
        for (name, text, named) in wrong {
            let error = load(&[(name, text)]).expect_err("wrong");
            assert!(error.contains(named), "{error}");
        }
    }
}
