//! `evenwatt doctor`: checks what the server needs, before it starts or beside it, and says what to do. It changes nothing, and each
//! check ends within seconds.

use std::time::Duration;

use anyhow::{Context as _, anyhow};
use clap::Args;
use serde::Serialize;

use super::{Failure, print};
use crate::app::Config;

mod certificates;
mod configuration;
mod remote;
mod store;

/// How long a check may wait for somebody else.
const WITHIN: Duration = Duration::from_secs(5);

/// How it is checked.
#[derive(Debug, Args)]
pub(super) struct DoctorArguments {
    /// Prints a JSON array of objects with `check`, `state`, `says` and perhaps `advice`
    #[arg(long)]
    json: bool,
    /// An https server whose clock is believed: the machine's is compared with the Date of its answer
    #[arg(long, value_name = "URL")]
    time_source: Option<String>,
}

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Ok,
    /// It works, and may not for long, or not as it should.
    Warning,
    Failed,
}

/// The result of a check.
#[derive(Debug, Serialize)]
struct Finding {
    check: &'static str,
    state: State,
    says: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<String>,
}

impl Finding {
    fn ok(check: &'static str, says: impl Into<String>) -> Self {
        Self { check, state: State::Ok, says: says.into(), advice: None }
    }

    fn warning(check: &'static str, says: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { check, state: State::Warning, says: says.into(), advice: Some(advice.into()) }
    }

    fn failed(check: &'static str, says: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { check, state: State::Failed, says: says.into(), advice: Some(advice.into()) }
    }

    fn line(&self) -> String {
        let state = match self.state {
            State::Ok => "ok",
            State::Warning => "warning",
            State::Failed => "failed",
        };
        let advice = self.advice.as_ref().map(|advice| format!(" -> {advice}")).unwrap_or_default();
        let line = format!("{state:8} {:14} {}{advice}", self.check, self.says);
        line.replace('\n', " ") // one line each, whatever others said
    }
}

/// Checks, prints what was found, and fails where something failed.
pub(super) fn run(config: Result<Config, String>, arguments: &DoctorArguments) -> Result<(), Failure> {
    let findings = match config {
        Ok(config) => {
            let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
            let findings = runtime.block_on(examine(&config, arguments.time_source.as_deref()));
            runtime.shutdown_background(); // what did not answer is not waited for
            findings
        }
        Err(fault) => vec![Finding::failed("configuration", fault, "nothing else was checked; correct this first")],
    };
    if arguments.json {
        let text = serde_json::to_string_pretty(&findings).context("the result cannot be written")?;
        print(&format!("{text}\n"));
    } else {
        findings.iter().for_each(|finding| print(&format!("{}\n", finding.line())));
    }
    match findings.iter().filter(|finding| finding.state == State::Failed).count() {
        0 => Ok(()),
        failed => Err(Failure::Other(anyhow!("{failed} of {} checks failed", findings.len()))),
    }
}

async fn examine(config: &Config, time_source: Option<&str>) -> Vec<Finding> {
    let mut findings = configuration::check(config);
    let seen = store::check(config, &mut findings).await;
    findings.extend(certificates::check(config));
    let (clock, mail, logins, public, ports) = tokio::join!(
        remote::clock(time_source),
        remote::mail(config),
        remote::login_providers(config),
        remote::public_url(config, &seen),
        remote::ports(config, &seen),
    );
    findings.extend([clock, mail, public].into_iter().flatten());
    findings.extend(logins);
    findings.extend(ports);
    findings
}

/// Does what waits for somebody, in a thread of its own; none where it took too long.
async fn in_time<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::time::timeout(WITHIN, tokio::task::spawn_blocking(work)).await.ok()?.ok()
}
