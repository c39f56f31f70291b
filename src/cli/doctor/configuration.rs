//! Whether the configuration is whole, and who can read what is secret of it.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::Finding;
use crate::app::Config;
use crate::store::StoreUrl;

/// Checks the options, the rights of files, the keys and the proxies.
pub(super) fn check(config: &Config) -> Vec<Finding> {
    let faults = config.faults();
    let mut findings: Vec<Finding> =
        faults.into_iter().map(|fault| Finding::failed("configuration", fault, "the server does not start")).collect();
    if findings.is_empty() {
        findings.push(Finding::ok("configuration", "every option has a value that the server takes"));
    }
    findings.extend(files(config));
    findings.push(keys(config));
    findings.extend(proxies(config));
    findings
}

/// The rights of files with secrets.
fn files(config: &Config) -> Vec<Finding> {
    let mut paths = secret_files();
    paths.extend(
        [&config.tls.key, &config.tls.sign_key].into_iter().filter(|path| !path.as_os_str().is_empty()).cloned(),
    );
    if let Ok(StoreUrl::Sqlite(path)) = config.store.url.parse() {
        paths.extend([path.clone(), format!("{path}-wal")].map(PathBuf::from).into_iter().filter(|path| path.exists()));
    }
    paths.sort();
    paths.dedup();
    let mut findings: Vec<Finding> = paths.iter().filter_map(|path| rights(path)).collect();
    if findings.is_empty() {
        let says = format!("{} file(s) with secrets are read by their owners and groups alone", paths.len());
        findings.push(Finding::ok("file rights", says));
    }
    findings
}

/// What is wrong with who can read a file.
fn rights(path: &Path) -> Option<Finding> {
    const CHECK: &str = "file rights";
    let shown = path.display();
    match std::fs::File::open(path).and_then(|file| file.metadata()) {
        Err(error) => {
            Some(Finding::failed(CHECK, format!("{shown} cannot be read: {error}"), "run this as the server's user"))
        }
        Ok(found) if found.permissions().mode() & 0o007 != 0 => Some(Finding::warning(
            CHECK,
            format!("{shown} can be read or written by everybody on this machine"),
            format!("chmod o-rwx {shown}"),
        )),
        Ok(_) => None,
    }
}

/// The files with secrets that file and environment name.
fn secret_files() -> Vec<PathBuf> {
    let mut paths = Vec::new();
    for (name, value) in std::env::vars() {
        if name.starts_with("EVENWATT_") && name.ends_with("_FILE") {
            paths.push(PathBuf::from(value));
        }
    }
    let file = config_file();
    let read = file.as_ref().and_then(|file| std::fs::read_to_string(file).ok());
    let Some(table) = read.and_then(|text| text.parse::<Table>().ok()) else {
        return paths;
    };
    let mut has_secret = false;
    visit(&Value::Table(table), &mut |option, text| {
        if option.ends_with("_file") {
            paths.push(PathBuf::from(text));
        }
        let is_secret = ["secret_key", "signing_key", "password", "client_secret"].contains(&option);
        has_secret |= !text.is_empty() && (is_secret || (option == "url" && text.contains('@')));
    });
    paths.extend(file.filter(|_| has_secret));
    paths
}

/// The file of `--config`, or of EVENWATT_CONFIG.
fn config_file() -> Option<PathBuf> {
    let mut arguments = std::env::args_os();
    let named = arguments.by_ref().find_map(|argument| {
        let text = argument.to_string_lossy().into_owned();
        if text == "--config" {
            Some(None)
        } else {
            text.strip_prefix("--config=").map(|path| Some(PathBuf::from(path)))
        }
    });
    match named {
        Some(Some(path)) => Some(path),
        Some(None) => arguments.next().map(PathBuf::from),
        None => std::env::var_os("EVENWATT_CONFIG").map(PathBuf::from),
    }
}

fn visit(value: &Value, see: &mut impl FnMut(&str, &str)) {
    for (option, value) in value.as_table().into_iter().flatten() {
        match value {
            Value::String(text) => see(option, text),
            other => visit(other, see),
        }
    }
}

/// Whether the keys that seal secrets are kept apart from the store.
fn keys(config: &Config) -> Finding {
    const CHECK: &str = "keys";
    let keys = [
        ("webhooks.secret_key", &config.webhooks.secret_key),
        ("panel.secret_key", &config.panel.secret_key),
        ("portal.signing_key", &config.portal.signing_key),
    ];
    let kept: Vec<&str> = keys.into_iter().filter(|(_, key)| key.is_empty()).map(|(name, _)| name).collect();
    if kept.is_empty() {
        return Finding::ok(CHECK, "the keys that seal secrets are configured, and not in the store");
    }
    Finding::warning(
        CHECK,
        format!("in the store, and in each backup of it: {}", kept.join(", ")),
        "keep backups as safe as the store; a new installation may configure keys before its first start",
    )
}

/// Whether somebody is believed to have taken TLS off.
fn proxies(config: &Config) -> Option<Finding> {
    const CHECK: &str = "proxies";
    let http = &config.http;
    let url = &http.public_url;
    if !url.starts_with("wss:") && !url.starts_with("https:") {
        return None;
    }
    if http.trusted_proxies.is_empty() && config.tls.listen.is_empty() {
        return Some(Finding::warning(
            CHECK,
            "http.public_url has TLS, nobody here speaks it, and no proxy is trusted: every client has the proxy's address",
            "name the proxy in http.trusted_proxies, and have it replace X-Forwarded-For and X-Forwarded-Proto",
        ));
    }
    let says = match http.trusted_proxies.as_slice() {
        [] => "no proxy is trusted, and none is needed for TLS".to_owned(),
        some => format!("trusted: {}", some.join(", ")),
    };
    Some(match http.trusted_proxies.iter().any(|one| one.ends_with("/0")) {
        true => {
            Finding::warning(CHECK, says, "whoever can reach the server may claim any address: name the proxies alone")
        }
        false => Finding::ok(CHECK, says),
    })
}
