//! The stations: those of a file, or made over the REST API.

use anyhow::{Context as _, Result, anyhow, bail};
use futures_util::{StreamExt, TryStreamExt, stream};
use reqwest::StatusCode;
use serde_json::json;

use super::{CARD, SimulateArgs};
use crate::cli::demo::depot;
use crate::cli::rest::{Rest, RestError};
use kernel::Protocol;
use simulator::Endpoint;

/// Power of each connector, in kW.
const CONNECTOR_KW: f64 = 7.0;
/// The name of the group that is made.
const GROUP_NAME: &str = "Simulated depot";
/// Stations that are made at the same time, each over a connection that is kept.
const MADE_AT_ONCE: usize = 8;

/// Where the stations connect to: from the file, or made over the REST API.
pub(super) async fn endpoints(args: &SimulateArgs) -> Result<Vec<Endpoint>> {
    match (&args.url, &args.endpoints_file, &args.api, &args.api_key) {
        (Some(url), Some(file), ..) => {
            let text = std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
            let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
            let found: Vec<_> = lines.take(args.stations()).map(|line| endpoint(url, line)).collect();
            if found.is_empty() {
                bail!("{} has no endpoints", file.display());
            }
            Ok(found)
        }
        (_, _, Some(api), Some(key)) => make_stations(&Rest::new(api, key), args).await,
        _ => Err(anyhow!("give either --url with --endpoints-file, or --api with --api-key")),
    }
}

fn endpoint(url: &str, line: &str) -> Endpoint {
    let (name, password) = match line.split_once(':') {
        Some((name, password)) => (name, Some(password.to_owned())),
        None => (line, None),
    };
    Endpoint { url: format!("{}/{name}", url.trim_end_matches('/')), password, version: Protocol::V16 }
}

async fn make_stations(rest: &Rest, args: &SimulateArgs) -> Result<Vec<Endpoint>> {
    let location = rest.make("/locations", &depot::location()).await?;
    if args.id_tag.is_none() {
        make_card(rest).await?;
    }
    let group = match args.group_kw {
        Some(kilowatts) => {
            let body = json!({
                "name": GROUP_NAME, "location": location, "maximum_capacity": kilowatts,
                "minimum_connector_capacity": 1.4, "buffer": 0,
            });
            Some(rest.make("/load_management/groups", &body).await?)
        }
        None => None,
    };
    let connector = json!({"type": "Type2", "power_type": "AC Single Phase", "power": CONNECTOR_KW});
    let make = async |number: usize| -> Result<Endpoint> {
        let station = json!({"name": format!("Simulated {number}"), "location": location});
        let made = rest.make_station(station, &connector, args.connectors).await?;
        if let Some(group) = &group {
            let path = format!("/load_management/groups/{group}/chargestations");
            rest.post(&path, &json!({"chargestation": made.id})).await?;
        }
        Ok(made.endpoint)
    };
    stream::iter(1..=args.stations()).map(make).buffered(MADE_AT_ONCE).try_collect().await
}

/// Makes the card, unless an earlier run did.
async fn make_card(rest: &Rest) -> Result<()> {
    let card = json!({"physicalId": CARD, "type": "Central"});
    match rest.post("/tokens", &card).await {
        Ok(_) | Err(RestError::Refused(_, StatusCode::CONFLICT, _)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_file_may_carry_a_password() {
        let plain = endpoint("ws://h/ocpp/", "abc");
        assert_eq!((plain.url.as_str(), plain.password), ("ws://h/ocpp/abc", None));
        let secret = endpoint("ws://h/ocpp", "abc:pass:word");
        assert_eq!(secret.password.as_deref(), Some("pass:word"));
    }
}
