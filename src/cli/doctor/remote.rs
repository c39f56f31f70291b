//! What others do for the server: the time, the mail server, login providers, the way from outside; and its own ports.

use std::net::TcpListener;

use serde_json::Value;

use super::store::{Seen, compare};
use super::{Finding, WITHIN};
use crate::app::{self, Config, Dependencies};
use crate::cli::healthcheck;
use crate::home::portal;
use crate::panel::operators::Providers;

/// Compares the machine's clock with that of an https server.
pub(super) async fn clock(source: Option<&str>) -> Option<Finding> {
    let source = source?;
    let wrong = |why: String| Some(Finding::failed("clock", format!("{source}: {why}"), "name another server"));
    if !source.starts_with("https://") {
        return wrong("is not asked without TLS: anybody on the way could say what time it is".to_owned());
    }
    let client = match reqwest::Client::builder().timeout(WITHIN).build() {
        Ok(client) => client,
        Err(error) => return wrong(healthcheck::causes(error)),
    };
    let answer = match client.head(source).send().await {
        Ok(answer) => answer,
        Err(error) => return wrong(healthcheck::causes(error)),
    };
    let date = answer.headers().get(reqwest::header::DATE).and_then(|date| date.to_str().ok());
    let Some(at) = date.and_then(|date| chrono::DateTime::parse_from_rfc2822(date).ok()) else {
        return wrong("its answer has no Date".to_owned());
    };
    #[expect(clippy::cast_precision_loss, reason = "seconds of this century are far from what is rounded")]
    let seconds = at.timestamp() as f64 + 0.5; // the fraction is cut off
    Some(compare(source, seconds))
}

/// Logs in at the mail server, and sends nothing.
pub(super) async fn mail(config: &Config) -> Option<Finding> {
    const CHECK: &str = "mail server";
    let settings = match config.mail_settings() {
        Ok(Some(settings)) => settings,
        Ok(None) => {
            let says = "none is configured: links of invitations are shown to who invites, drivers cannot log in";
            return Some(Finding::ok(CHECK, says));
        }
        Err(_) => return None, // said of the configuration
    };
    let shown = format!("{}:{}", settings.host, settings.port);
    Some(match portal::try_mail_server(settings, WITHIN).await {
        Ok(()) => Finding::ok(CHECK, format!("{shown} lets the server in")),
        Err(error) => {
            Finding::failed(CHECK, format!("{shown}: {error}"), "look at section [mail]; e-mails wait meanwhile")
        }
    })
}

/// Reads what each login provider says of itself.
pub(super) async fn login_providers(config: &Config) -> Vec<Finding> {
    const CHECK: &str = "login provider";
    let providers = match config.login_providers().map(Providers::new) {
        Ok(Ok(providers)) => providers,
        Ok(Err(error)) => return vec![Finding::failed(CHECK, error.to_string(), "look at the machine's certificates")],
        Err(_) => return Vec::new(), // said of the configuration
    };
    let clock = Dependencies::default().clock;
    let found = providers.look_at_each(&clock, WITHIN).await.into_iter();
    found
        .map(|(id, outcome)| match outcome {
            Ok(()) => Finding::ok(CHECK, format!("{id} answers, and is what it should be")),
            Err(error) => Finding::failed(CHECK, format!("{id}: {error}"), format!("look at section [oidc.{id}]")),
        })
        .collect()
}

/// Who answers at an address.
enum Answers {
    Us,
    Another,
    Nobody(String),
}

async fn who_answers(client: &reqwest::Client, base: &str, seen: &Seen) -> Answers {
    let answer = match client.get(format!("{base}/healthz")).send().await {
        Ok(answer) => answer,
        Err(error) => return Answers::Nobody(healthcheck::causes(error)),
    };
    let body: Option<Value> = answer.json().await.ok();
    let shown = body.as_ref().and_then(|body| body.get("installation")).and_then(Value::as_str);
    match shown.is_some() && shown == seen.installation.as_deref() {
        true => Answers::Us,
        false => Answers::Another,
    }
}

/// Asks at the public URL whether this installation answers there.
pub(super) async fn public_url(config: &Config, seen: &Seen) -> Option<Finding> {
    const CHECK: &str = "public URL";
    if config.http.public_url.is_empty() {
        let says = "http.public_url is not set: stations and links are sent to http.listen";
        return Some(Finding::warning(
            CHECK,
            says,
            "set it to how stations reach the server, such as wss://charge.example.com",
        ));
    }
    let base = app::base_url(config);
    if seen.holder.is_none() {
        return Some(Finding::ok(CHECK, format!("{base} is not asked: no server runs")));
    }
    let client = reqwest::Client::builder().timeout(WITHIN).build().ok()?;
    Some(match who_answers(&client, &base, seen).await {
        Answers::Us => Finding::ok(CHECK, format!("{base} is answered by this installation")),
        Answers::Another => Finding::failed(
            CHECK,
            format!("{base}/healthz is answered by somebody else than this installation"),
            "look where its name leads, and what the proxy passes on",
        ),
        Answers::Nobody(why) => Finding::failed(
            CHECK,
            format!("{base} does not answer from here: {why}"),
            "look at name, firewall, proxy and certificate",
        ),
    })
}

/// Looks whether each address is free, or our own server's.
pub(super) async fn ports(config: &Config, seen: &Seen) -> Vec<Finding> {
    let mut findings = Vec::new();
    let all = [
        ("http.listen", "http", &config.http.listen, "/healthz"),
        ("tls.listen", "https", &config.tls.listen, "/healthz"),
        ("http.metrics_listen", "http", &config.http.metrics_listen, "/metrics"),
    ];
    for (option, scheme, listen, path) in all {
        if !listen.is_empty() {
            findings.push(port((option, scheme, listen, path), seen).await);
        }
    }
    findings
}

async fn port((option, scheme, listen, path): (&str, &str, &str, &str), seen: &Seen) -> Finding {
    const CHECK: &str = "ports";
    let named = format!("{option} = {listen}");
    let error = match TcpListener::bind(listen) {
        Ok(_) if seen.holder.is_some() => {
            let says = format!("{named} is free, although a server holds the store");
            return Finding::warning(CHECK, says, "that server has another configuration, or runs on another machine");
        }
        Ok(_) => return Finding::ok(CHECK, format!("{named} is free")),
        Err(error) => error,
    };
    if error.kind() != std::io::ErrorKind::AddrInUse {
        let advice = match error.kind() {
            std::io::ErrorKind::PermissionDenied => "a port below 1024 needs CAP_NET_BIND_SERVICE",
            _ => "choose an address of this machine",
        };
        return Finding::failed(CHECK, format!("{named}: {error}"), advice);
    }
    let client = healthcheck::client(WITHIN);
    let base = healthcheck::base(scheme, option, listen);
    let is_ours = match (client, base) {
        (Ok(client), Ok(base)) if path == "/metrics" => shows_metrics(&client, &base).await && seen.holder.is_some(),
        (Ok(client), Ok(base)) => matches!(who_answers(&client, &base, seen).await, Answers::Us),
        _ => false,
    };
    match is_ours {
        true => Finding::ok(CHECK, format!("{named} is our own server's")),
        false => {
            Finding::failed(CHECK, format!("{named} is used by another program"), format!("choose another {option}"))
        }
    }
}

async fn shows_metrics(client: &reqwest::Client, base: &str) -> bool {
    let Ok(answer) = client.get(format!("{base}/metrics")).send().await else {
        return false;
    };
    answer.text().await.is_ok_and(|text| text.contains("evenwatt_"))
}
