//! `evenwatt healthcheck`: asks the server of this configuration whether it is alive, or ready, for containers that have no other
//! program to ask with.

use std::net::ToSocketAddrs as _;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use serde_json::Value;

use super::{print, reachable};
use crate::app::Config;

/// How the server is asked.
#[derive(Debug, Args)]
pub(super) struct HealthcheckArguments {
    /// Asks /readyz: whether it can do its work, and not only whether it answers
    #[arg(long)]
    ready: bool,
    /// How long an answer may take
    #[arg(long, value_name = "SECONDS", default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..=600))]
    within: u64,
}

/// What came of asking at an address.
enum Asked {
    Well,
    Unwell(String),
    /// Nobody answered there.
    Silent(String),
}

/// Asks at `http.listen`, and by TLS at `tls.listen` where nobody answers there.
pub(super) async fn run(config: &Config, arguments: &HealthcheckArguments) -> anyhow::Result<()> {
    let (path, is) = if arguments.ready { ("/readyz", "ready") } else { ("/healthz", "alive") };
    let client = client(Duration::from_secs(arguments.within))?;
    let mut silent = Vec::new();
    for base in addresses(config)? {
        let url = format!("{base}{path}");
        match ask(&client, &url).await {
            Asked::Well => {
                print(&format!("{url} answers: the server is {is}\n"));
                return Ok(());
            }
            Asked::Unwell(why) => bail!("{url} answers {why}"),
            Asked::Silent(why) => silent.push(format!("{url} does not answer: {why}")),
        }
    }
    bail!("{}", silent.join("; "))
}

/// Where a server of this configuration is asked on its own machine.
fn addresses(config: &Config) -> anyhow::Result<Vec<String>> {
    let mut bases = vec![base("http", "http.listen", &config.http.listen)?];
    if !config.tls.listen.is_empty() {
        bases.push(base("https", "tls.listen", &config.tls.listen)?);
    }
    Ok(bases)
}

pub(super) fn base(scheme: &str, option: &str, listen: &str) -> anyhow::Result<String> {
    let found = listen.to_socket_addrs().with_context(|| format!("{option} is \"{listen}\""))?.next();
    let address = found.with_context(|| format!("{option} is \"{listen}\", which has no address"))?;
    if address.port() == 0 {
        bail!("{option} is \"{listen}\": with port 0 nobody knows where the server listens");
    }
    Ok(format!("{scheme}://{}", reachable(address)))
}

/// Asks this machine, and sends nothing that is secret: whose certificate it is does not matter, and it would not have this address.
pub(super) fn client(within: Duration) -> anyhow::Result<reqwest::Client> {
    let builder = reqwest::Client::builder().no_proxy().timeout(within).tls_danger_accept_invalid_certs(true);
    Ok(builder.redirect(reqwest::redirect::Policy::none()).build()?)
}

async fn ask(client: &reqwest::Client, url: &str) -> Asked {
    let answer = match client.get(url).send().await {
        Ok(answer) => answer,
        Err(error) => return Asked::Silent(causes(error)),
    };
    let status = answer.status();
    if status == reqwest::StatusCode::OK {
        return Asked::Well;
    }
    let body: Option<Value> = answer.json().await.ok();
    let store = body.as_ref().and_then(|body| body.get("store")).and_then(Value::as_str);
    Asked::Unwell(match store {
        Some(store) => format!("{}: the store is {store}", status.as_u16()),
        None => status.to_string(),
    })
}

/// Why a request was not answered, with the causes: the library's own words say only that it could not be sent.
pub(super) fn causes(error: reqwest::Error) -> String {
    format!("{:#}", anyhow::Error::from(error.without_url()))
}
