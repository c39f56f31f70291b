//! A depot: stations with one port of 7 kW each in one group, and cars that come and go.

use std::sync::Arc;
use std::time::Duration;

use evenwatt::balancing::{Balancer, Settings};
use evenwatt::charging::sessions::{self, MeterReport, Reading, Sample, StartReport, StopReport};
use evenwatt::sites::stations::link::{Shown, Signal, SignalKind};
use evenwatt::sites::stations::{self, ConnectorStatus};
use kernel::*;
use serde_json::{Value, json};

use super::link::FakeLink;
use crate::support::TestApp;

/// How long a test waits for something, in polls: 400 s of the clock.
const POLLS: u32 = 104;

/// How much time passes before it looks again: what is not there within half a minute takes its time.
fn step(poll: u32) -> Duration {
    Duration::from_secs(if poll < 30 { 1 } else { 5 })
}

pub struct Depot {
    pub app: TestApp,
    pub link: FakeLink,
    pub group: String,
    pub ports: Vec<Port>,
}

pub struct Port {
    pub station: StationId,
    pub connector: ConnectorId,
    transaction: i64,
}

impl Depot {
    /// A balancer that begins anew with what the one before stored, as after a restart.
    pub fn second_life(&self) -> Balancer {
        let running = &self.app.running;
        let settings =
            Settings { tick: Duration::from_millis(50), limit_seconds: 300, settle: Duration::ZERO, plans_kept: 10 };
        let signals = (&running.signals, &running.asset_signals);
        Balancer::start(running.context.clone(), Arc::new(self.link.clone()), signals, settings)
    }

    /// A depot with this many ports in a group with these fields; every station is connected.
    pub async fn new(ports: usize, fields: Value) -> Self {
        Self::with(ports, fields, json!({"type": "J1772", "power": 7}), &[]).await
    }

    /// The same on a server with these options.
    pub async fn with_options(ports: usize, fields: Value, options: &[(&str, &str)]) -> Self {
        Self::with(ports, fields, json!({"type": "J1772", "power": 7}), options).await
    }

    /// The same with ports of 11 kW on three phases.
    pub async fn three_phase(ports: usize, fields: Value) -> Self {
        let port = json!({"type": "Type2", "power": 11, "power_type": "AC_3_PHASE",
            "phase_rotation": "RST"});
        Self::with(ports, fields, port, &[]).await
    }

    async fn with(ports: usize, fields: Value, port: Value, options: &[(&str, &str)]) -> Self {
        let link = FakeLink::default();
        let options = [&[("EVENWATT_BALANCING_TICK_SECONDS", "1")], options].concat();
        let app = TestApp::start_on(Some(Arc::new(link.clone())), &options).await;
        let location = app
            .client
            .post(
                "/locations",
                json!({"operatorName": "Depot", "coordinates": [4.9, 52.4], "address": {
                    "streetAndNumber": "1 Main", "city": "Reno", "postalCode": "89501", "state": "NV", "country": "US"}}),
            )
            .await
            .created();
        let mut group = json!({"name": "Depot", "location": location["_id"]});
        for (name, value) in fields.as_object().expect("fields") {
            group[name] = value.clone();
        }
        let group = app.client.post("/load_management/groups", group).await.created();
        let group = group["_id"].as_str().expect("an id").to_owned();
        let mut depot = Self { app, link, group, ports: Vec::new() };
        for number in 0..ports {
            depot.add_port(&format!("Port {number}"), port.clone()).await;
        }
        depot
    }

    async fn add_port(&mut self, name: &str, port: Value) {
        let station = self.app.station_with(name, port).await;
        let id: StationId = station.id.parse().expect("an id");
        self.link.connect(id);
        let path = format!("/load_management/groups/{}/chargestations", self.group);
        let body = json!({"chargestation": station.id});
        self.app.client.post(&path, body).await.created();
        self.ports.push(Port { station: id, connector: station.connector.parse().expect("an id"), transaction: 0 });
    }

    /// Another connector of the station of a port, which is in the group.
    pub fn add_connector(&mut self, port: usize, connector: &str) {
        self.ports.push(Port {
            station: self.ports[port].station,
            connector: connector.parse().expect("an id"),
            transaction: 0,
        });
    }

    pub fn signal(&self, port: usize, kind: SignalKind) {
        self.app.running.signals.notify(Signal {
            organization: self.app.organization,
            station: self.ports[port].station,
            kind,
        });
    }

    /// Puts another station into the group, with all its connectors.
    pub async fn join(&self, station: &str) {
        let body = json!({"chargestation": station});
        let path = self.path("/chargestations");
        self.app.client.post(&path, body).await.created();
    }

    /// A car comes, and its session begins.
    pub async fn plug_in(&mut self, port: usize) {
        let (moment, organization) = (self.app.running.context.moment(), self.app.organization);
        let Port { station, connector, .. } = self.ports[port];
        let report = StartReport {
            organization,
            station,
            connector: Some(connector),
            id_tag: format!("TAG{port}"),
            token: None,
            user: None,
            meter_start: Some(WattHours(0)),
            at: moment.now,
            station_time: Some(moment.now),
            is_free: false,
        };
        let write = self.app.running.context.db.write(move |conn| {
            let status = ConnectorStatus::Charging;
            let row = stations::find_connector(conn, organization, connector)?;
            stations::set_connector_status(conn, &row, (status, None), (moment.now, moment.now))?;
            sessions::start_transaction(conn, &moment, &report)
        });
        let started = write.await.expect("stored");
        self.ports[port].transaction = started.transaction_id;
        self.signal(port, SignalKind::SessionStarted(connector, started.session.id));
    }

    /// The car leaves.
    pub async fn unplug(&mut self, port: usize) {
        let (moment, organization) = (self.app.running.context.moment(), self.app.organization);
        let Port { station, connector, transaction } = self.ports[port];
        let report = StopReport {
            organization,
            station,
            transaction: Some(transaction),
            id_tag: None,
            meter_stop: Some(WattHours(1_000)),
            at: moment.now,
            reason: Some("Local".to_owned()),
            samples: Vec::new(),
            raw: String::new(),
            station_time: Some(moment.now),
        };
        let write = self.app.running.context.db.write(move |conn| {
            let status = ConnectorStatus::Available;
            let row = stations::find_connector(conn, organization, connector)?;
            stations::set_connector_status(conn, &row, (status, None), (moment.now, moment.now))?;
            sessions::stop_transaction(conn, &moment, &report)
        });
        write.await.expect("stored");
        self.signal(port, SignalKind::Status(connector));
    }

    /// The meter of a port shows this draw.
    pub async fn meter(&self, port: usize, draw: Watts) {
        let reading = Reading { power: Some(draw), ..Reading::default() };
        self.read(port, reading).await;
    }

    /// The meter of a port shows this draw and the current of each phase.
    pub async fn meter_phases(&self, port: usize, draw: Watts, currents: [Milliamps; 3]) {
        let reading = Reading { power: Some(draw), current: currents.map(Some), ..Reading::default() };
        self.read(port, reading).await;
    }

    async fn read(&self, port: usize, reading: Reading) {
        let (moment, organization) = (self.app.running.context.moment(), self.app.organization);
        let Port { station, connector, transaction } = self.ports[port];
        let report = MeterReport {
            organization,
            station,
            connector: Some(connector),
            transaction: Some(transaction),
            samples: vec![Sample {
                at: moment.now,
                station_time: moment.now,
                context: "Sample.Periodic".into(),
                reading: reading.clone(),
                ..Sample::default()
            }],
        };
        let shown = Shown {
            at: moment.now,
            reported_at: moment.now,
            power: reading.power,
            register: reading.energy,
            currents: phases(reading.current),
            current: reading.current.into_iter().flatten().max(),
            is_last: false,
        };
        let write = self.app.running.context.db.write(move |conn| sessions::record_readings(conn, &moment, &report));
        write.await.expect("stored");
        self.signal(port, SignalKind::Metered(connector, shown));
    }

    pub fn goes_offline(&self, port: usize) {
        self.link.drop_connection(self.ports[port].station);
        self.signal(port, SignalKind::Disconnected);
    }
    pub fn comes_back(&self, port: usize) {
        self.link.connect(self.ports[port].station);
        self.signal(port, SignalKind::Connected);
    }

    /// The live limits of all ports, in kW; -1 where there is none.
    pub fn limits(&self) -> Vec<f64> {
        let live = |port: &Port| self.link.live(port.station).map_or(-1.0, Watts::kilowatts);
        self.ports.iter().map(live).collect()
    }

    /// Lets time pass, little by little, until something holds.
    #[track_caller]
    pub fn until<'a>(&'a self, mut holds: impl AsyncFnMut() -> bool + 'a) -> impl Future<Output = ()> + 'a {
        let caller = std::panic::Location::caller();
        async move {
            for poll in 0..POLLS {
                if holds().await {
                    return;
                }
                self.pass(step(poll)).await;
            }
            panic!("{caller}: never so; limits {:?}", self.limits());
        }
    }

    /// Lets time pass until these are the limits, confirmed.
    pub async fn until_limits(&self, expected: &[f64]) {
        let settled = async || {
            let status = self.status().await;
            self.limits() == expected
                && status["members"].as_array().is_some_and(|members| {
                    members
                        .iter()
                        .all(|member| member["acknowledged"] == member["limit"] && member["worst"] == member["limit"])
                })
        };
        for poll in 0..POLLS {
            if settled().await {
                return;
            }
            self.pass(step(poll)).await;
        }
        panic!("never {expected:?} but {:?}\n{:#}", self.limits(), self.status().await);
    }

    /// Moves the clock, and lets the balancer look at it.
    pub async fn pass(&self, span: Duration) {
        self.app.pass(span).await;
    }

    pub fn path(&self, rest: &str) -> String {
        format!("/load_management/groups/{}{rest}", self.group)
    }
    pub async fn status(&self) -> Value {
        self.app.client.get(&self.path("/status")).await.ok()
    }
    pub async fn member(&self, port: usize) -> Value {
        let status = self.status().await;
        let members = status["members"].as_array().expect("members");
        let id = self.ports[port].connector.to_string();
        let mine = members.iter().find(|member| member["connector"] == id);
        mine.cloned().unwrap_or(Value::Null)
    }
}

/// The current of every phase, where all are known.
fn phases([one, two, three]: [Option<Milliamps>; 3]) -> Option<[Milliamps; 3]> {
    Some([one?, two?, three?])
}
