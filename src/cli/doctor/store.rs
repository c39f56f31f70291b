//! Whether the store can be used: who holds it, which schema it has, its clock and its disk.

use std::path::Path;

use diesel::sql_types::Double;
use diesel::{QueryableByName, RunQueryDsl as _, sql_query};

use super::{Finding, in_time};
use crate::app::{Config, Dependencies};
use crate::store::connection::Synchronous;
use crate::store::{Conn, StoreUrl, lock, migrate};

const CHECK: &str = "store";
/// By how much two clocks may differ: what takes to ask, and a bit.
const SLACK_SECONDS: f64 = 2.0;
/// From here on tokens and links of one are over for the other.
const FAR_SECONDS: f64 = 30.0;

/// What other checks go by.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Who holds the store.
    pub holder: Option<String>,
    /// How this installation is known from outside, once a server ran.
    pub installation: Option<String>,
}

/// Checks all of it.
pub(super) async fn check(config: &Config, findings: &mut Vec<Finding>) -> Seen {
    let url: StoreUrl = match config.store.url.parse() {
        Ok(url) => url,
        Err(error) => {
            findings.push(Finding::failed(CHECK, format!("store.url: {error}"), "correct it"));
            return Seen::default();
        }
    };
    let shown = url.to_string();
    let Some((found, seen)) = in_time(move || examine(&url)).await else {
        let advice = "look whether it is overloaded, or a firewall drops what is sent to it";
        findings.push(Finding::failed(CHECK, format!("the {shown} does not answer"), advice));
        return Seen::default();
    };
    findings.extend(found);
    seen
}

fn examine(url: &StoreUrl) -> (Vec<Finding>, Seen) {
    let mut findings = Vec::new();
    if let StoreUrl::Sqlite(path) = url {
        findings.extend(room(Path::new(path)));
        if !Path::new(path).exists() {
            findings.push(Finding::ok(CHECK, format!("there is none yet; the first start makes the {url}")));
            return (findings, Seen::default());
        }
    }
    let mut conn = match Conn::open(url, Synchronous::Full) {
        Ok(conn) => conn,
        Err(error) => {
            let advice = "look at its address, its user and its rights";
            findings.push(Finding::failed(CHECK, format!("the {url} cannot be opened: {error}"), advice));
            return (findings, Seen::default());
        }
    };
    let mut seen = Seen::default();
    match lock::held_by(url) {
        Ok(holder) => {
            let says =
                holder.clone().map_or_else(|| "no server runs on it".to_owned(), |one| format!("its server is {one}"));
            findings.push(Finding::ok("server", says));
            seen.holder = holder;
        }
        Err(error) => findings.push(Finding::failed("server", error, "look at the rights of the lock")),
    }
    findings.push(schema(&mut conn, url, seen.holder.is_some()));
    seen.installation = crate::app::installation(&mut conn).ok().flatten();
    findings.extend(clock_of(&mut conn));
    (findings, seen)
}

fn schema(conn: &mut Conn, url: &StoreUrl, is_running: bool) -> Finding {
    const CHECK: &str = "schema";
    match (migrate::unknown(conn), migrate::lacking(conn)) {
        (Ok(unknown), Ok(0)) if unknown.is_empty() => {
            Finding::ok(CHECK, format!("the {url} has the schema of this version"))
        }
        (Ok(unknown), Ok(lacking)) if unknown.is_empty() => {
            let says = format!("{lacking} migration(s) of this version are to be run");
            match is_running {
                true => Finding::warning(CHECK, says, "the server that runs is an older version than this program"),
                false => Finding::ok(CHECK, format!("{says}; the next start does that")),
            }
        }
        (Ok(unknown), _) => Finding::failed(
            CHECK,
            format!("a newer program was here: {} migration(s) are unknown to this one", unknown.len()),
            "use that program, or restore a backup from before it",
        ),
        (Err(error), _) => Finding::failed(CHECK, error.to_string(), "look whether this is a store of Evenwatt"),
    }
}

#[derive(QueryableByName)]
struct Epoch {
    #[diesel(sql_type = Double)]
    seconds: f64,
}

/// The clock of a database on another machine.
fn clock_of(conn: &mut Conn) -> Option<Finding> {
    let Conn::Pg(conn) = conn else {
        return None;
    };
    let asked: Result<Epoch, _> =
        sql_query("SELECT extract(epoch FROM clock_timestamp())::float8 AS seconds").get_result(conn);
    Some(match asked {
        Ok(Epoch { seconds }) => compare("the database", seconds),
        Err(error) => {
            Finding::failed("clock", format!("the database does not say its time: {error}"), "look at its log")
        }
    })
}

/// Compares a clock that shows this time, in seconds since 1970, with the machine's.
pub(super) fn compare(whose: &str, seconds: f64) -> Finding {
    #[expect(clippy::cast_precision_loss, reason = "microseconds of this century are far from what is rounded")]
    let own = Dependencies::default().clock.now().micros() as f64 / 1e6;
    let off = own - seconds;
    let says = format!(
        "the machine's clock is {:.1} s {} that of {whose}",
        off.abs(),
        if off < 0.0 { "behind" } else { "ahead of" }
    );
    match off.abs() {
        near if near <= SLACK_SECONDS => Finding::ok("clock", says),
        near if near <= FAR_SECONDS => Finding::warning("clock", says, "have both follow the same time servers (NTP)"),
        _ => Finding::failed("clock", says, "have both follow the same time servers (NTP)"),
    }
}

/// The room on the disk of a SQLite file.
fn room(path: &Path) -> Option<Finding> {
    const CHECK: &str = "disk";
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let size = path.metadata().map_or(0, |found| found.len());
    let whole = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let shown = whole.display();
    let free = match free_bytes(folder) {
        Ok(free) => free?,
        Err(error) => return Some(Finding::failed(CHECK, format!("{shown}: {error}"), "make the folder of the store")),
    };
    let says = format!("{shown} has room for {} MB more, the store has {} MB", free / 1_000_000, size / 1_000_000);
    let advice = "make room: the server takes nothing more when there is none";
    Some(match free {
        0..200_000_000 => Finding::failed(CHECK, says, advice),
        free if free < 1_000_000_000.max(size) => {
            Finding::warning(CHECK, says, "make room: a backup or a migration may need as much as the store has")
        }
        _ => Finding::ok(CHECK, says),
    })
}

#[cfg(target_os = "linux")]
fn free_bytes(folder: &Path) -> std::io::Result<Option<u64>> {
    let found = rustix::fs::statvfs(folder)?;
    Ok(Some(found.f_bavail.saturating_mul(found.f_frsize)))
}

#[cfg(not(target_os = "linux"))]
fn free_bytes(_: &Path) -> std::io::Result<Option<u64>> {
    Ok(None)
}
