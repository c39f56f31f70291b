//! The programs of PostgreSQL that back up and restore: which are found, and how they reach the database without a password among their
//! arguments, which every user of the machine can read.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use percent_encoding::percent_decode_str;

use super::failed;
use crate::store::error::StoreResult;

/// Where Debian keeps them, a folder a version.
const DEBIAN: &str = "/usr/lib/postgresql";
/// Characters of a complaint that are shown.
const SHOWN: usize = 2_000;

/// A program of PostgreSQL, and the address without the password that is passed by the environment.
pub(super) struct Tool {
    program: PathBuf,
    name: &'static str,
    address: String,
    password: Option<String>,
}

impl Tool {
    /// The program of the version that is nearest to the server's and not older: a newer one says what an older server does not know.
    pub(super) fn find(name: &'static str, url: &str, server: u32) -> StoreResult<Self> {
        let mut found: Vec<(u32, PathBuf)> = candidates(name)
            .into_iter()
            .filter_map(|program| Some((major_of(&said(Command::new(&program).arg("--version"))?)?, program)))
            .collect();
        found.sort_by_key(|(version, _)| *version);
        let newest = found.last().map(|(version, _)| *version);
        let Some((_, program)) = found.into_iter().find(|(version, _)| *version >= server) else {
            return Err(failed(match newest {
                Some(newest) => format!(
                    "{name} {newest} is older than the database, which is PostgreSQL {server}: install the programs of that version \
                     (Debian: postgresql-client-{server})"
                ),
                None => format!(
                    "{name} is neither in PATH nor below {DEBIAN}: install the programs of PostgreSQL {server} (Debian: \
                     postgresql-client-{server})"
                ),
            }));
        };
        let (address, password) = without_password(url);
        Ok(Self { program, name, address, password })
    }

    /// Runs it on the database.
    pub(super) fn on_database(&self, arguments: &[&str]) -> StoreResult<String> {
        let mut command = self.command();
        command.arg("--no-password").arg(format!("--dbname={}", self.address));
        if let Some(password) = &self.password {
            command.env("PGPASSWORD", password);
        }
        self.run(command.args(arguments))
    }

    /// Runs it on a file.
    pub(super) fn on_file(&self, arguments: &[&str], file: &Path) -> StoreResult<String> {
        self.run(self.command().args(arguments).arg(file))
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.env("LC_ALL", "C").env("PGAPPNAME", format!("evenwatt {}", self.name)).stdin(Stdio::null());
        command
    }

    fn run(&self, command: &mut Command) -> StoreResult<String> {
        let output = command.output().map_err(|error| failed(format!("{}: {error}", self.program.display())))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let complaint = String::from_utf8_lossy(&output.stderr);
        let complaint: String = complaint.trim().chars().take(SHOWN).collect();
        Err(failed(format!("{} ended with {}: {complaint}", self.name, output.status)))
    }
}

fn candidates(name: &str) -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let versions = std::fs::read_dir(DEBIAN).into_iter().flatten();
    folders.extend(versions.filter_map(|version| Some(version.ok()?.path().join("bin"))));
    folders.into_iter().map(|folder| folder.join(name)).filter(|program| program.is_file()).collect()
}

fn said(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The version in `pg_dump (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)`.
fn major_of(said: &str) -> Option<u32> {
    let version = said.split_once("(PostgreSQL) ")?.1;
    version.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// An address without its password, wherever that stands, and the password.
pub(super) fn without_password(url: &str) -> (String, Option<String>) {
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let (mut rest, mut password) = (url.to_owned(), None);
    if let Some((base, query)) = url.split_once('?') {
        let (secret, plain): (Vec<&str>, Vec<&str>) =
            query.split('&').partition(|pair| pair.split('=').next() == Some("password"));
        password = secret.last().and_then(|pair| pair.split_once('=')).map(|(_, text)| decoded(text));
        rest = if plain.is_empty() { base.to_owned() } else { format!("{base}?{}", plain.join("&")) };
    }
    let Some((scheme, after)) = rest.split_once("://") else {
        return (rest, password);
    };
    let end = after.find(['/', '?']).unwrap_or(after.len());
    let (authority, path) = after.split_at(end);
    // As libpq reads it: up to the first @.
    let Some((user, host)) = authority.split_once('@') else {
        return (rest, password);
    };
    let Some((name, secret)) = user.split_once(':') else {
        return (rest, password);
    };
    let address = format!("{scheme}://{name}@{host}{path}");
    (address, password.or_else(|| Some(decoded(secret))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_taken_out_of_an_address() {
        for (url, address, password) in [
            ("postgres://me:se%40cret@db:5432/evenwatt", "postgres://me@db:5432/evenwatt", Some("se@cret")),
            ("postgres://me@db/evenwatt?sslmode=require", "postgres://me@db/evenwatt?sslmode=require", None),
            ("postgres://db/x?password=a%2Fb&sslmode=require", "postgres://db/x?sslmode=require", Some("a/b")),
            ("postgresql:///x?host=/run&user=me&password=p", "postgresql:///x?host=/run&user=me", Some("p")),
            ("postgres://me:@a,b/x", "postgres://me@a,b/x", Some("")),
        ] {
            assert_eq!(without_password(url), (address.to_owned(), password.map(str::to_owned)), "{url}");
        }
    }

    #[test]
    fn the_version_is_the_major_one() {
        assert_eq!(major_of("pg_dump (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)\n"), Some(15));
        assert_eq!(major_of("pg_restore (PostgreSQL) 18beta1\n"), Some(18));
        assert_eq!(major_of("something else 4.2"), None);
    }
}
