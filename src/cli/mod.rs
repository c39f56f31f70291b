//! The command line: what `evenwatt` does when a person or a script starts it.
//!
//! What a script may want to read goes to standard output, everything said to a person to standard error. Wrong
//! arguments and a wrong configuration end with exit code 2 and one sentence, every other failure with 1.

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, anyhow, bail};
use clap::{Args, Parser, Subcommand};

use crate::app::{self, Config, Dependencies, Running, routes, telemetry};
use crate::events::{self, Change, EventKind};
use crate::http::caller::SCOPES;
use crate::http::codes;
use crate::panel::operators::{PanelLinks, invite_first};
use crate::people::organizations::{self, ApiKey, ApiKeyView, KeyMode, NewApiKey, Organization, Scopes};
use crate::store::cause::{self, Cause, ServerPart};
use crate::store::{Conn, StoreError, StoreResult, StoreUrl};
use kernel::text::{InvalidText, Name};
use kernel::{ApiKeyId, Moment, OrganizationId};

mod backup;
mod deliveries;
pub mod demo;
mod doctor;
mod healthcheck;
mod operators;
mod organization;
pub mod postman;
mod reaction;
pub mod replay;
pub mod replay_messages;
pub mod rest;
pub mod simulate;

/// Shares a limited grid connection between electric cars: REST API, OCPP gateway and balancing in one program.
#[derive(Debug, Parser)]
#[command(name = "evenwatt", version, max_term_width = 100)]
struct Cli {
    /// A TOML file that overrides the defaults; the environment overrides it
    #[arg(long, global = true, env = "EVENWATT_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Address and port to listen on, such as 0.0.0.0:8080
    #[arg(long, global = true, value_name = "ADDRESS")]
    listen: Option<String>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the server (what happens without a command); applies migrations first
    Serve(ServeArguments),
    /// Applies migrations and exits
    Migrate,
    /// Asks the server of this configuration whether it is alive; ends with 0 or 1, for containers and scripts
    Healthcheck(healthcheck::HealthcheckArguments),
    /// Checks configuration, store, certificates and what the server needs of others, and says what to do
    Doctor(doctor::DoctorArguments),
    /// Writes a consistent copy of the store into a file, also beside a running server
    Backup(backup::BackupArguments),
    /// Makes the store of a backup's file; the server must not run
    Restore(backup::RestoreArguments),
    /// Prints the OpenAPI document, or what is made from the same sources
    Openapi(OpenapiArguments),
    /// Creates, lists and revokes API keys
    #[command(subcommand)]
    ApiKey(ApiKeyCommand),
    /// Invites operators to the panel, and lets them in again
    #[command(subcommand)]
    Operator(operators::OperatorCommand),
    /// Creates and lists organizations
    #[command(subcommand)]
    Organization(organization::OrganizationCommand),
    /// Shows a depot of eight virtual stations that shares 30 kW, live
    Demo(demo::DemoArgs),
    /// Loads a server with virtual charge stations and reports latency and throughput
    Simulate(Box<simulate::SimulateArgs>),
    /// Measures how long it takes from a meter's reading until the last station obeys
    Reaction(reaction::ReactionArgs),
    /// Measures how fast events reach a webhook, alone and beside bad ones
    Deliveries(deliveries::DeliveriesArgs),
    /// Replays recorded charging sessions through the balancing engine and says what came of it
    Replay(replay::ReplayArgs),
    /// Plays recorded messages of a station through the gateway again
    ReplayMessages(replay_messages::ReplayMessagesArgs),
}

#[derive(Debug, Default, Args)]
struct ServeArguments {
    /// Makes no API key and no link to the panel at the first start, which standard output would show: it is a log
    #[arg(long)]
    no_first_key: bool,
}

/// What the very first start of a store does about who may come in.
#[derive(Debug, Clone, Copy)]
enum FirstStart {
    /// It makes a key and an invitation, and prints them.
    Prints,
    MakesNoKey,
}

impl From<&ServeArguments> for FirstStart {
    fn from(arguments: &ServeArguments) -> Self {
        if arguments.no_first_key { Self::MakesNoKey } else { Self::Prints }
    }
}

#[derive(Debug, Args)]
#[group(multiple = false)]
struct OpenapiArguments {
    /// Prints the Postman collection instead
    #[arg(long)]
    postman: bool,
    /// Prints the page of error codes instead
    #[arg(long)]
    errors: bool,
    /// Prints the page of events instead
    #[arg(long)]
    events: bool,
}

#[derive(Debug, Subcommand)]
enum ApiKeyCommand {
    /// Creates a key and prints it: the only time that it is shown
    Create(NewKeyArguments),
    /// Lists the keys of every organization
    List,
    /// Makes a key stop working
    Revoke {
        /// The key's id, as `list` shows it
        id: ApiKeyId,
    },
}

#[derive(Debug, Args)]
struct NewKeyArguments {
    /// What it is for
    #[arg(long)]
    name: Name,
    /// What it may do, such as read:groups,write:groups; everything when absent
    #[arg(long, value_delimiter = ',', value_parser = parse_scope)]
    scopes: Vec<String>,
    /// Makes a test key
    #[arg(long)]
    test: bool,
    /// Whose key it is; needed where there are several organizations
    #[arg(long, value_name = "ID")]
    organization: Option<OrganizationId>,
}

fn parse_scope(text: &str) -> Result<String, String> {
    if text == "*" || SCOPES.contains(&text) {
        Ok(text.to_owned())
    } else {
        Err(format!("must be * or one of {}", SCOPES.join(", ")))
    }
}

/// Why the program ends without having done its work.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{0}")]
    Configuration(String),
    #[error("{0:#}")]
    Other(#[from] anyhow::Error),
}

/// Reads the arguments and does what they say.
pub fn run() -> ExitCode {
    match Cli::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("evenwatt: {failure}");
            ExitCode::from(match failure {
                Failure::Configuration(_) => 2,
                Failure::Other(_) => 1,
            })
        }
    }
}

impl Cli {
    fn run(self) -> Result<(), Failure> {
        match self.command.as_ref().unwrap_or(&Command::Serve(ServeArguments::default())) {
            Command::Serve(arguments) => serve(&self.configuration()?, arguments.into()),
            Command::Migrate => migrate(&self.configuration()?),
            Command::Healthcheck(arguments) => block_on(healthcheck::run(&self.configuration()?, arguments)),
            Command::Doctor(arguments) => doctor::run(self.loaded(), arguments),
            Command::Backup(arguments) => backup::run(&self.configuration()?, arguments),
            Command::Restore(arguments) => backup::restore(&self.configuration()?, arguments),
            Command::Openapi(what) => openapi(what),
            Command::ApiKey(command) => api_key(&self.configuration()?, command),
            Command::Operator(command) => operators::run(&self.configuration()?, command),
            Command::Organization(command) => organization::run(&self.configuration()?, command),
            Command::Demo(arguments) => block_on(demo::run(arguments.clone(), self.listen.as_deref())),
            Command::Simulate(arguments) => block_on(simulate::run((**arguments).clone())),
            Command::Reaction(arguments) => block_on(reaction::run(arguments.clone())),
            Command::Deliveries(arguments) => block_on(deliveries::run(arguments.clone())),
            Command::Replay(arguments) => replay_record(arguments),
            Command::ReplayMessages(arguments) => block_on(replay_messages::run(arguments.clone())),
        }
    }

    /// The configuration by file, environment and arguments, or the sentence about what is wrong with it.
    fn loaded(&self) -> Result<Config, String> {
        let variables =
            std::env::vars_os().filter_map(|(name, text)| Some((name.into_string().ok()?, text.into_string().ok()?)));
        let mut config = Config::load(self.config.as_deref(), variables)?;
        if let Some(address) = &self.listen {
            config.http.listen.clone_from(address);
        }
        Ok(config)
    }

    fn configuration(&self) -> Result<Config, Failure> {
        let config = self.loaded().map_err(Failure::Configuration)?;
        telemetry::start_logging(&config.log).map_err(Failure::Configuration)?;
        Ok(config)
    }
}

/// A reader that went away (`evenwatt openapi | head`) is no failure.
fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// Does something that needs the runtime and no configuration.
fn block_on(work: impl Future<Output = anyhow::Result<()>>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    Ok(runtime.block_on(work)?)
}

fn serve(config: &Config, first: FirstStart) -> Result<(), Failure> {
    let listen = &config.http.listen;
    listen
        .to_socket_addrs()
        .map_err(|error| Failure::Configuration(format!("http.listen is \"{listen}\": {error}")))?;
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    runtime.block_on(async {
        if config.cluster.is_on() {
            let greet = |address, running: &Running| {
                let greeting = greet(config, address, running.context.clone(), first);
                async move {
                    print(&greeting.await?);
                    Ok(())
                }
            };
            return Ok(app::run_node(config, Dependencies::default(), app::stop_signal(), greet).await?);
        }
        let running = app::start(config, Dependencies::default()).await?;
        let greeting = greet(config, running.address, running.context.clone(), first).await?;
        // Waiting comes first: whoever reads the greeting may stop the server at once.
        let (stopped, ()) = futures_util::future::join(running.wait(), async { print(&greeting) }).await;
        Ok(stopped?)
    })
}

/// What is said of a server that runs; at the first start it makes a key and an operator, unless they would be printed into a log.
async fn greet(
    config: &Config,
    address: SocketAddr,
    context: app::Context,
    first: FirstStart,
) -> anyhow::Result<String> {
    let (moment, base) = (context.moment(), format!("http://{}", reachable(address)));
    let links = config.panel_links(&base);
    let prepared = context.db.write(move |conn| match first {
        FirstStart::Prints => First::prepare(conn, (&links, &moment)),
        FirstStart::MakesNoKey => First::without_secrets(conn, &moment),
    });
    let first = cause::with(Cause::Server(ServerPart::Startup), prepared).await;
    let first = first.context("cannot create the first API key and the first operator")?;
    if first.is_unprinted {
        tracing::info!(
            "the first start at this store, with --no-first-key: `evenwatt api-key create --name NAME` makes an API key, \
             `evenwatt operator create --email ADDRESS --installation-admin` invites to the panel"
        );
    }
    Ok(greeting(&base, context.db.url(), &first))
}

/// At the very first start there is nobody who could create a key over the API, or invite an operator.
#[derive(Default)]
struct First {
    key: Option<String>,
    /// Where the first operator chooses a password.
    invitation: Option<String>,
    /// It is the very first start, and neither was made, because they would be printed where others read.
    is_unprinted: bool,
}

impl First {
    fn prepare(conn: &mut Conn, (links, moment): (&PanelLinks, &Moment)) -> StoreResult<Self> {
        let key = first_key(conn, moment)?;
        let organization = organizations::list_organizations(conn)?.into_iter().next();
        let invitation = match organization {
            Some(organization) => invite_first(conn, organization.id, key.is_some(), (links, moment))?,
            None => None,
        };
        Ok(Self { key, invitation, is_unprinted: false })
    }

    fn without_secrets(conn: &mut Conn, moment: &Moment) -> StoreResult<Self> {
        let is_unprinted = organizations::list_organizations(conn)?.is_empty();
        if is_unprinted {
            first_organization(conn, moment)?;
        }
        Ok(Self { is_unprinted, ..Self::default() })
    }
}

fn first_key(conn: &mut Conn, moment: &Moment) -> StoreResult<Option<String>> {
    if !organizations::list_organizations(conn)?.is_empty() {
        return Ok(None);
    }
    let organization = first_organization(conn, moment)?;
    let everything = NewApiKey {
        name: "First key".parse().map_err(|error: InvalidText| StoreError::Failed(error.to_string()))?,
        mode: None,
        scopes: None,
        expires_at: None,
        meta_data: None,
    };
    let (key, secret) = ApiKey::new(everything, organization.id, moment);
    organizations::insert_key(conn, &key)?;
    Ok(Some(secret))
}

fn first_organization(conn: &mut Conn, moment: &Moment) -> StoreResult<Organization> {
    let organization = Organization::new("My organization", moment);
    organizations::insert_organization(conn, &organization)?;
    Ok(organization)
}

fn greeting(base: &str, store: &StoreUrl, First { key: first_key, invitation, .. }: &First) -> String {
    let mut text = format!(
        "Evenwatt {version} is running, its data in the {store}\n\n  API         {base}{api}\n  Swagger UI  {base}/swagger-ui/\n  Panel       {base}/panel\n",
        version = env!("CARGO_PKG_VERSION"),
        api = routes::BASE,
    );
    if let Some(key) = first_key {
        text.push_str("\nThis is the first start. Keep this API key, it is not shown again:\n\n  ");
        text.push_str(key);
        text.push('\n');
    }
    if let Some(link) = invitation {
        let _ =
            writeln!(text, "\nNobody can log in to the panel yet. Choose name and password here, once:\n\n  {link}");
    }
    let key = first_key.as_deref().unwrap_or("$EVENWATT_API_KEY");
    let _ =
        writeln!(text, "\nTry it:\n\n  curl -H \"Authorization: Bearer {key}\" {base}{}/organization\n", routes::BASE);
    text
}

/// The address that a person on this machine can open: listening on every interface includes the loopback.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

fn migrate(config: &Config) -> Result<(), Failure> {
    let done = app::migrate(config)?;
    eprintln!("{done} migration(s) done, the schema is up to date");
    Ok(())
}

fn openapi(what: &OpenapiArguments) -> Result<(), Failure> {
    if what.errors {
        print(&codes::markdown());
        return Ok(());
    }
    if what.events {
        print(&events::docs::markdown());
        return Ok(());
    }
    let document = routes::openapi();
    let text = if what.postman {
        serde_json::to_string_pretty(&postman::collection(document)?)
    } else {
        document.to_pretty_json()
    };
    print(&format!("{}\n", text.context("it cannot be written")?));
    Ok(())
}

fn replay_record(arguments: &replay::ReplayArgs) -> Result<(), Failure> {
    if let Some(fault) = arguments.fault() {
        return Err(Failure::Configuration(fault));
    }
    print(&replay::run(arguments)?);
    Ok(())
}

fn api_key(config: &Config, command: &ApiKeyCommand) -> Result<(), Failure> {
    let mut conn = operators::open(config)?;
    let Dependencies { clock, ids, .. } = Dependencies::default();
    let moment = Moment::new(clock.now(), ids);
    cause::during(Cause::Server(ServerPart::CommandLine), || {
        conn.write(|conn| match command {
            ApiKeyCommand::Create(new) => create_key(conn, new, &moment),
            ApiKeyCommand::List => list_keys(conn, &moment),
            ApiKeyCommand::Revoke { id } => revoke_key(conn, *id, &moment),
        })
    })?;
    Ok(())
}

fn create_key(conn: &mut Conn, new: &NewKeyArguments, moment: &Moment) -> anyhow::Result<()> {
    let organization = whose(conn, new.organization, moment)?;
    let wanted = NewApiKey {
        name: new.name.clone(),
        mode: new.test.then_some(KeyMode::Test),
        scopes: (!new.scopes.is_empty()).then(|| Scopes(new.scopes.iter().cloned().collect())),
        expires_at: None,
        meta_data: None,
    };
    let (key, secret) = ApiKey::new(wanted, organization.id, moment);
    organizations::insert_key(conn, &key)?;
    Change::new(conn, organization.id, moment).record(EventKind::ApiKeyCreated, &ApiKeyView::from(key.clone()))?;
    eprintln!("Key {} of {}; it is not shown again:", key.id, organization.name);
    print(&format!("{secret}\n"));
    Ok(())
}

/// The organization that was named, or the only one; the first one is made where there is none.
fn whose(conn: &mut Conn, id: Option<OrganizationId>, moment: &Moment) -> anyhow::Result<Organization> {
    let mut all = organizations::list_organizations(conn)?;
    if let Some(id) = id {
        let found = all.into_iter().find(|one| one.id == id);
        return found.ok_or_else(|| anyhow!("there is no organization {id}"));
    }
    match (all.pop(), all.len()) {
        (None, _) => Ok(first_organization(conn, moment)?),
        (Some(only), 0) => Ok(only),
        (Some(last), _) => {
            all.push(last);
            let known: Vec<_> = all.iter().map(|one| format!("{} ({})", one.id, one.name)).collect();
            bail!("say whose key it is with --organization: {}", known.join(", "))
        }
    }
}

fn list_keys(conn: &mut Conn, moment: &Moment) -> anyhow::Result<()> {
    let keys = organizations::list_keys(conn)?;
    let mut text = format!(
        "{:24}  {:24}  {:12}  {:8}  {:24}  {}\n",
        "id", "organization", "starts with", "state", "last used", "name (scopes)"
    );
    for key in keys {
        let state = match (key.active, key.works_at(moment.now)) {
            (false, _) => "revoked",
            (true, false) => "expired",
            (true, true) => "works",
        };
        let used = key.last_used_at.map_or_else(|| "never".to_owned(), |at| at.to_string());
        let scopes: Vec<_> = key.scopes.0.0.iter().map(String::as_str).collect();
        writeln!(
            text,
            "{:24}  {:24}  {:12}  {state:8}  {used:24}  {} ({})",
            key.id.to_string(),
            key.organization_id.to_string(),
            key.hint,
            key.name,
            scopes.join(",")
        )?;
    }
    print(&text);
    Ok(())
}

fn revoke_key(conn: &mut Conn, id: ApiKeyId, moment: &Moment) -> anyhow::Result<()> {
    if !organizations::revoke_key(conn, id, moment.now)? {
        bail!("there is no API key {id}");
    }
    for key in organizations::list_keys(conn)?.into_iter().filter(|key| key.id == id) {
        let view = ApiKeyView::from(key.clone());
        Change::new(conn, key.organization_id, moment).record(EventKind::ApiKeyUpdated, &view)?;
    }
    eprintln!("Key {id} is revoked; running servers refuse it within seconds");
    Ok(())
}
