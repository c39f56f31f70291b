//! Driving distances from a routing server that speaks OSRM's HTTP API, remembered for a while.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Deserialize;

/// How long an answer may take: a list is worth more than its driving distances.
const PATIENCE: Duration = Duration::from_secs(3);
/// Distances that are remembered; then all are forgotten at once.
const MOST_REMEMBERED: usize = 50_000;

/// A place: longitude and latitude in degrees.
pub type Place = (f64, f64);

/// Two places to a thousandth of a degree: about a hundred metres.
type Pair = [i32; 4];

/// A driving distance in km, or why there is none.
pub type Driving = Result<f64, &'static str>;

/// The way to the routing server; cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct RoutingClient {
    server: Option<(String, reqwest::Client)>,
    known: Arc<Mutex<HashMap<Pair, Option<f64>>>>,
}

/// OSRM's answer to `/table`.
#[derive(Debug, Deserialize)]
struct Table {
    distances: Vec<Vec<Option<f64>>>,
}

fn pair(from: Place, to: Place) -> Pair {
    #[expect(clippy::cast_possible_truncation, reason = "degrees are small")]
    [from.0, from.1, to.0, to.1].map(|degrees| (degrees * 1000.0).round() as i32)
}

impl RoutingClient {
    /// Routes by the server at this URL; none when it is empty.
    pub fn new(url: &str) -> Self {
        let url = url.trim_end_matches('/');
        Self { server: (!url.is_empty()).then(|| (url.to_owned(), reqwest::Client::new())), known: Arc::default() }
    }

    fn known(&self) -> MutexGuard<'_, HashMap<Pair, Option<f64>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How far it is to drive from one place to each of these.
    pub async fn distances(&self, from: Place, to: &[Place]) -> Vec<Driving> {
        let Some((url, client)) = &self.server else {
            return vec![Err("no routing server is configured"); to.len()];
        };
        let unknown: Vec<Place> = {
            let known = self.known();
            let is_unknown = |place: &&Place| !known.contains_key(&pair(from, **place));
            to.iter().filter(is_unknown).copied().collect()
        };
        let asked = ask(url, client, from, &unknown).await;
        let mut known = self.known();
        match asked {
            Some(distances) => {
                if known.len() + distances.len() > MOST_REMEMBERED {
                    known.clear();
                }
                let pairs = unknown.iter().map(|place| pair(from, *place));
                known.extend(pairs.zip(distances));
            }
            None => tracing::info!("the routing server gave no distances"),
        }
        let look = |place: &Place| match known.get(&pair(from, *place)) {
            Some(Some(metres)) => Ok((metres / 10.0).round() / 100.0),
            Some(None) => Err("there is no road"),
            None => Err("the routing server did not answer"),
        };
        to.iter().map(look).collect()
    }
}

/// Metres to each place, in their order.
async fn ask(url: &str, client: &reqwest::Client, from: Place, to: &[Place]) -> Option<Vec<Option<f64>>> {
    if to.is_empty() {
        return Some(Vec::new());
    }
    let places: Vec<String> =
        std::iter::once(&from).chain(to).map(|(longitude, latitude)| format!("{longitude:.5},{latitude:.5}")).collect();
    let url = format!("{url}/table/v1/driving/{}?sources=0&annotations=distance", places.join(";"));
    let answer = client.get(url).timeout(PATIENCE).send().await.ok()?;
    let table: Table = answer.error_for_status().ok()?.json().await.ok()?;
    let row = table.distances.into_iter().next()?;
    (row.len() == to.len() + 1).then(|| row.into_iter().skip(1).collect())
}
