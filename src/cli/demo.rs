//! `evenwatt demo`: a whole depot in one process, to be watched while it shares 30 kW among eight cars.
//!
//! Nothing is staged: the server is the real one, stations and group are made over the REST API, and the stations
//! speak OCPP over real sockets. The picture shows what the stations acknowledged, not what the server wishes.

pub mod depot;
mod picture;
mod screen;
mod script;
mod watch;

use std::io::{Write as _, stdout};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use clap::Args;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{MissedTickBehavior, interval};

use crate::app::{Config, Dependencies, Running, start, stop_signal};
use crate::cli::rest::Rest;
use crate::panel::operators::let_in;
use crate::people::organizations::{self, ApiKey, NewApiKey, Organization};
use crate::store::StoreResult;
use clock::{SharedClock, SystemClock, chance};
use depot::{CAPACITY, Depot};
use kernel::Protocol;
use picture::Picture;
use screen::Screen;
use script::Script;
use simulator::Scale;
use watch::Watch;

/// How often limits are added up.
const WATCH_EVERY: Duration = Duration::from_millis(20);
/// How often the picture is drawn, and the server asked for its reasons.
const DRAW_EVERY: Duration = Duration::from_secs(1);

/// Shows a depot of eight virtual stations that shares 30 kW, live
#[derive(Debug, Clone, Args)]
pub struct DemoArgs {
    /// Cars come, charge and go many times faster than in life
    #[arg(long)]
    pub fast: bool,
    /// Ends after this long, such as 30s or 5m; exit code 1 when the limit was exceeded
    #[arg(long = "for", value_name = "TIME", value_parser = parse_span)]
    pub span: Option<Duration>,
    /// Keeps the data in this file, or in the PostgreSQL database at this address
    #[arg(long, value_name = "FILE|postgres://…")]
    pub keep: Option<String>,
    /// The stations speak OCPP 2.1, 2.0.1 and 1.6 alternating, instead of 1.6
    #[arg(long)]
    pub mixed: bool,
    /// Begins the dice of arrivals
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

fn parse_span(text: &str) -> Result<Duration, String> {
    let (number, unit) = match text.find(|c: char| !c.is_ascii_digit()) {
        Some(end) => text.split_at(end),
        None => (text, "s"),
    };
    let number: u64 = number.parse().map_err(|_| "a time such as 30s or 5m")?;
    match unit {
        "s" => Ok(Duration::from_secs(number)),
        "m" => Ok(Duration::from_secs(number.saturating_mul(60))),
        "h" => Ok(Duration::from_secs(number.saturating_mul(3_600))),
        _ => Err("a time such as 30s, 5m or 1h".to_owned()),
    }
}

/// Any free port, for this machine alone.
pub(super) const ANY_PORT: &str = "127.0.0.1:0";

/// Runs the demo until its time is over or Ctrl-C, with its API and OCPP gateway at `listen`.
pub async fn run(args: DemoArgs, listen: Option<&str>) -> Result<()> {
    let folder = TemporaryFolder::new()?;
    let store = match args.keep.as_deref() {
        None => url_of(&folder.0.join("demo.db")),
        Some(address) if address.contains("://") => address.to_owned(),
        Some(file) => url_of(Path::new(file)),
    };
    let config = configuration(listen.unwrap_or(ANY_PORT), &store)?;
    let running = start(&config, Dependencies::default()).await?;
    let key = db_key(&running).await?;
    let panel = panel_link(&running).await?;
    let rest = Rest::new(&format!("http://{}", running.address), &key);
    let clock: SharedClock = Arc::new(SystemClock);
    let scale = if args.fast { Scale(240) } else { Scale(10) };
    let versions: &[Protocol] = if args.mixed { &Protocol::BEST_FIRST } else { &[Protocol::V16] };
    let depot = Depot::open(rest, scale, versions, &clock).await?;
    let script = Script::new(args.seed, args.fast);

    let watch = play(&args, (&depot, &panel), script, clock).await;
    depot.close().await;
    running.stop().await?;
    drop(folder);
    let watch = watch?;
    // A terminal that was closed does not read it any more.
    let _ = writeln!(stdout(), "{}", watch.verdict());
    if watch.was_exceeded() {
        bail!("the limit of {} kW was exceeded", CAPACITY.kilowatts());
    }
    Ok(())
}

/// Moves cars, adds up and draws until it is over.
async fn play(
    args: &DemoArgs,
    (depot, panel): (&Depot, &str),
    mut script: Script,
    clock: SharedClock,
) -> Result<Watch> {
    let mut screen = Screen::open();
    let (mut watch, mut picture) = (Watch::default(), Picture::new(depot, panel));
    screen.open_with(&picture.heading())?;
    let began = clock.now();
    let mut look = interval(WATCH_EVERY);
    let mut draw = interval(DRAW_EVERY);
    let mut beat = interval(script.beat());
    for timer in [&mut look, &mut draw, &mut beat] {
        timer.set_missed_tick_behavior(MissedTickBehavior::Skip);
    }
    let mut stop = std::pin::pin!(asked_to_stop());
    loop {
        tokio::select! {
            _ = look.tick() => {
                let views = depot.snapshot();
                watch.see(&views);
                for line in picture.see(views) {
                    screen.print(&line)?;
                }
            }
            _ = draw.tick() => {
                picture.learn(depot.reasons().await);
                screen.show(&picture.page(&watch), &picture.summary(&watch))?;
            }
            _ = beat.tick() => script.play(depot).await,
            stopped = &mut stop => {
                stopped?;
                return Ok(watch);
            }
        }
        if args.span.is_some_and(|span| clock.now().since(began) >= span) {
            return Ok(watch);
        }
    }
}

/// Waits for Ctrl-C, SIGTERM, or a terminal that was closed.
async fn asked_to_stop() -> Result<()> {
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::select! {
        stopped = stop_signal() => stopped,
        _ = hangup.recv() => Ok(()),
    }
}

/// The address of a database in a file.
pub(super) fn url_of(file: &Path) -> String {
    format!("sqlite://{}", file.display())
}

pub(super) fn configuration(listen: &str, store: &str) -> Result<Config> {
    let options = [
        ("EVENWATT_HTTP_LISTEN", listen),
        ("EVENWATT_HTTP_WORKERS", "2"),
        ("EVENWATT_STORE_SYNCHRONOUS", "normal"),
        ("DATABASE_URL", store),
    ];
    let options = options.map(|(name, text)| (name.to_owned(), text.to_owned()));
    Config::load(None, options).map_err(|error| anyhow!(error))
}

/// An organization with a key, straight into the store as `evenwatt api-key create` does it.
pub(super) async fn db_key(running: &Running) -> Result<String> {
    let moment = running.context.moment();
    let organization = Organization::new("Demo", &moment);
    let new = NewApiKey {
        name: "Demo".parse().context("a name")?,
        mode: None,
        scopes: None,
        expires_at: None,
        meta_data: None,
    };
    let (key, secret) = ApiKey::new(new, organization.id, &moment);
    running
        .context
        .db
        .write(move |conn| -> StoreResult<()> {
            organizations::insert_organization(conn, &organization)?;
            organizations::insert_key(conn, &key)
        })
        .await?;
    Ok(secret)
}

/// A link that logs in at the panel, once.
async fn panel_link(running: &Running) -> Result<String> {
    let moment = running.context.moment();
    let path = running.context.db.write(move |conn| -> StoreResult<_> {
        let first = organizations::list_organizations(conn)?.into_iter().next();
        first.map(|organization| let_in(conn, organization.id, &moment)).transpose()
    });
    let path = path.await?.context("no organization")?;
    Ok(format!("http://{}{path}", running.address))
}

/// A folder that is gone when the demo is.
pub(super) struct TemporaryFolder(pub(super) PathBuf);

impl TemporaryFolder {
    pub(super) fn new() -> Result<Self> {
        let name = format!("evenwatt-demo-{}-{}", std::process::id(), hex::encode(chance::bytes::<4>()));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).with_context(|| format!("{} cannot be created", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        // What cannot be deleted is left to the system.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        let read = |text| parse_span(text).map(|span| span.as_secs());
        assert_eq!((read("30s"), read("5m"), read("45")), (Ok(30), Ok(300), Ok(45)));
        assert!(read("soon").is_err() && read("5 days").is_err());
    }
}
