//! The depot of the demo: eight stations of 7 kW in a group of 30 kW, made over the REST API and switched on.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};

use crate::cli::rest::Rest;
use clock::SharedClock;
use kernel::Protocol;
use kernel::Watts;
use ocpp::v16::common::IdTag;
use simulator::{Car, Endpoint, Fleet, FleetPlan, Handle, Outlet, Scale, StationView, Wish};

/// What the grid supplies.
pub const CAPACITY: Watts = Watts(30_000);
/// What a connector gives at most.
const CONNECTOR: Watts = Watts(7_000);
/// The card of every driver.
const CARD: &str = "DEMO";
/// How many stations there are.
pub const STATIONS: usize = 8;

/// What the server says of a connector, where it says anything.
#[derive(Debug, Clone, Default)]
pub struct Reasons {
    /// What the group is up to, such as `settled`.
    pub stage: Option<String>,
    /// A sentence for each connector's id.
    pub by_connector: BTreeMap<String, String>,
}

/// The running depot.
pub struct Depot {
    /// The client of its server.
    pub rest: Rest,
    /// The group's id.
    pub group: String,
    /// The ids of the connectors, one a station.
    pub connectors: Vec<String>,
    fleet: Fleet,
    id_tag: IdTag,
}

/// A place for stations.
pub fn location() -> Value {
    json!({
        "operatorName": "Evenwatt", "name": "Depot",
        "address": {"streetAndNumber": "Stationsplein 1", "city": "Amsterdam", "country": "NL"},
        "coordinates": [4.9, 52.37],
        "timezone": "Europe/Amsterdam",
    })
}

impl Depot {
    /// Makes everything and switches the stations on, which speak these versions, alternating.
    pub async fn open(rest: Rest, scale: Scale, versions: &[Protocol], clock: &SharedClock) -> Result<Self> {
        let location = rest.make("/locations", &location()).await?;
        let card = json!({"physicalId": CARD, "type": "Central"});
        rest.post("/tokens", &card).await?;
        let group = json!({
            "name": "Depot", "location": location, "maximum_capacity": CAPACITY.kilowatts(),
            "minimum_connector_capacity": 5, "buffer": 0,
        });
        let group = rest.make("/load_management/groups", &group).await?;
        let connector = json!({
            "type": "Type2", "power_type": "AC Single Phase", "power": CONNECTOR.kilowatts(),
        });
        let (mut endpoints, mut connectors) = (Vec::new(), Vec::new());
        for (number, version) in (1..=STATIONS).zip(versions.iter().cycle()) {
            let station = json!({"name": format!("Bay {number}"), "location": location});
            let made = rest.make_station(station, &connector, 1).await?;
            let path = format!("/load_management/groups/{group}/chargestations");
            rest.post(&path, &json!({"chargestation": made.id})).await?;
            endpoints.push(Endpoint { version: *version, ..made.endpoint });
            connectors.extend(made.connectors);
        }
        let id_tag = IdTag::new(CARD)?;
        let plan = FleetPlan {
            endpoints,
            outlets: vec![Outlet::single_phase(CONNECTOR)],
            meter_interval: Duration::from_secs(if scale == Scale::REAL { 10 } else { 2 }),
            scale,
            rhythm: None,
            id_tag: id_tag.clone(),
            free: false,
            seed: 0,
            stagger: Duration::from_millis(50),
        };
        let fleet = Fleet::start(&plan, clock)?;
        Ok(Self { rest, group, connectors, fleet, id_tag })
    }

    /// All stations at one and the same instant: read twice until nothing changed in between.
    pub fn snapshot(&self) -> Vec<StationView> {
        let collect = || -> Vec<_> { self.fleet.stations.iter().map(Handle::view).collect() };
        let mut views = collect();
        loop {
            let again = collect();
            if views == again {
                return views;
            }
            views = again;
        }
    }

    /// Plugs a car in.
    pub async fn arrive(&self, bay: usize, car: Car) {
        if let Some(station) = self.fleet.stations.get(bay) {
            station.wish(Wish::PlugIn(1, car, self.id_tag.clone())).await;
        }
    }

    /// Takes a car away.
    pub async fn leave(&self, bay: usize) {
        if let Some(station) = self.fleet.stations.get(bay) {
            station.wish(Wish::Unplug(1)).await;
        }
    }

    /// What the server says of its limits; nothing where it cannot say.
    pub async fn reasons(&self) -> Reasons {
        let path = format!("/load_management/groups/{}/status", self.group);
        let Ok(status) = self.rest.get(&path).await else {
            return Reasons::default();
        };
        let text = |value: &Value, field| value.get(field)?.as_str().map(str::to_owned);
        let named = |reason: String| reason.replace(&format!("group {}", self.group), "the depot");
        let members = status.get("members").and_then(Value::as_array);
        Reasons {
            stage: text(&status, "stage"),
            by_connector: members
                .into_iter()
                .flatten()
                .filter_map(|member| Some((text(member, "connector")?, text(member, "reason")?)))
                .map(|(connector, reason)| (connector, named(reason)))
                .collect(),
        }
    }

    /// Switches the stations off.
    pub async fn close(self) {
        self.fleet.stop().await;
    }
}
