//! A whole server in the test's process, with a clock that the test moves.

use std::sync::Arc;
use std::time::Duration;

use clock::ManualClock;
use clock::RandomIds;
use evenwatt::app::{self, Config, Dependencies, Running};
use evenwatt::people::organizations::{self, ApiKey, NewApiKey, Organization, Scopes};
use evenwatt::sites::stations::link::SharedLink;
use kernel::{Moment, OrganizationId, Timestamp};
use tokio::sync::Notify;

use super::client::Client;
use super::store::TestStore;

/// How often others get their turn before it is believed that nothing is under way.
const YIELDS: usize = 16;
/// How long a test waits for anything.
const PATIENCE: Duration = Duration::from_secs(60);

/// The server, its clock, and a client with a key that may do everything.
pub struct TestApp {
    pub running: Running,
    pub clock: ManualClock,
    pub organization: OrganizationId,
    pub client: Client,
    store: TestStore,
}

impl TestApp {
    /// Starts a server with one organization.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// The same with options of the configuration changed, as environment variables would.
    pub async fn start_with(options: &[(&str, &str)]) -> Self {
        Self::start_on(None, options).await
    }

    /// The same with another way to stations than sockets.
    pub async fn start_on(link: Option<SharedLink>, options: &[(&str, &str)]) -> Self {
        let (store, clock) = (TestStore::new(), ManualClock::at(Timestamp::from_unix_seconds(1_777_000_000)));
        let running = boot(&store, &clock, link, options).await;
        let (organization, key) = db_organization(&running, "Test organization", Scopes::all()).await;
        let client = Client::new(running.address, &key);
        Self { running, clock, organization, client, store }
    }

    /// Stops the server and starts another one on the same store, with these options.
    pub async fn restart_with(self, options: &[(&str, &str)]) -> Self {
        self.running.stop().await.expect("the server stops");
        let running = boot(&self.store, &self.clock, None, options).await;
        let client = Client::new(running.address, &self.client.key);
        Self { running, client, ..self }
    }

    /// Tries to start another server on the same store.
    pub async fn second_server(&self) -> Result<Running, String> {
        try_boot(&self.store, &self.clock, None, &[]).await
    }

    /// Lets time pass, and waits until those whom the clock woke have done their work.
    pub async fn pass(&self, span: Duration) {
        self.advance(span).await;
        self.at_rest().await;
    }

    /// The same where those whom the clock wakes then wait for the test, such as for the answer of its station.
    pub async fn advance(&self, span: Duration) {
        self.at_rest().await; // who is at work may not wait for the clock yet, and would not see it move
        self.clock.advance(span);
    }

    /// Lets time pass until this instant.
    pub async fn pass_until(&self, instant: &str) {
        let instant: Timestamp = instant.parse().expect("a time");
        self.pass(instant.since(self.running.context.clock.now())).await;
    }

    /// Waits until all that waits on the clock does nothing else. A task that waits for the test itself, such as for the answer
    /// of its station, never gets there.
    pub async fn at_rest(&self) {
        let rest = async {
            loop {
                self.clock.at_rest().await;
                // What they began on other tasks, such as commands to stations, comes back to them.
                for _ in 0..YIELDS {
                    tokio::task::yield_now().await;
                }
                if self.clock.is_at_rest() {
                    return;
                }
            }
        };
        tokio::time::timeout(PATIENCE, rest).await.expect("those whom the clock woke come to an end");
    }

    /// Waits until something holds that can be seen in the store.
    pub async fn eventually(&self, holds: impl AsyncFnMut() -> bool) {
        after_commits(&self.running, holds).await;
    }

    /// Where its data is.
    pub fn store_url(&self) -> &str {
        &self.store.url
    }

    /// A client of another organization.
    pub async fn stranger(&self) -> Client {
        let (_, key) = db_organization(&self.running, "Another organization", Scopes::all()).await;
        Client::new(self.running.address, &key)
    }

    /// A client whose key has only these scopes.
    pub async fn client_with(&self, scopes: &[&str]) -> Client {
        let body = serde_json::json!({"name": "Limited", "scopes": scopes});
        let created = self.client.post("/api_keys", body).await.created();
        Client::new(self.running.address, created["key"].as_str().expect("a key"))
    }
}

/// Starts a server on a store.
async fn boot(store: &TestStore, clock: &ManualClock, link: Option<SharedLink>, options: &[(&str, &str)]) -> Running {
    let started = try_boot(store, clock, link, options).await;
    started.expect("the server starts")
}

/// The options of a server on a store.
pub fn configuration(store_url: &str, options: &[(&str, &str)]) -> Config {
    let mut variables = vec![
        ("EVENWATT_HTTP_LISTEN".to_owned(), "127.0.0.1:0".to_owned()),
        ("EVENWATT_HTTP_WORKERS".to_owned(), "1".to_owned()),
        ("EVENWATT_HTTP_STOP_SECONDS".to_owned(), "1".to_owned()),
        ("EVENWATT_STORE_SYNCHRONOUS".to_owned(), "normal".to_owned()),
        ("EVENWATT_HTTP_RATE_BURST".to_owned(), "100000".to_owned()),
        ("EVENWATT_PORTAL_RATE_BURST".to_owned(), "100000".to_owned()),
        ("EVENWATT_DRIVER_RATE_BURST".to_owned(), "100000".to_owned()),
        // A test that is not about it never meets the questions to a station that has settled, however far it moves the clock.
        ("EVENWATT_OCPP_SETTLE_SECONDS".to_owned(), "999999999".to_owned()),
        // The clock stands still while changes would be gathered.
        ("EVENWATT_BALANCING_SETTLE_MILLISECONDS".to_owned(), "0".to_owned()),
        ("DATABASE_URL".to_owned(), store_url.to_owned()),
    ];
    variables.extend(options.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())));
    Config::load(None, variables).expect("a valid configuration")
}

async fn try_boot(
    store: &TestStore,
    clock: &ManualClock,
    link: Option<SharedLink>,
    options: &[(&str, &str)],
) -> Result<Running, String> {
    let config = configuration(&store.url, options);
    let dependencies = Dependencies { clock: Arc::new(clock.clone()), ids: Arc::new(RandomIds::new()), link };
    let started = app::start(&config, dependencies).await;
    started.map_err(|error| format!("{error:#}"))
}

/// A station that was created over the API, with one connector.
pub struct TestStation {
    pub id: String,
    pub path: String,
    pub endpoint: String,
    pub url: String,
    pub connector: String,
}

impl TestApp {
    /// Creates a station with one connector of 7 kW.
    pub async fn station(&self, name: &str) -> TestStation {
        let connector = serde_json::json!({"type": "J1772", "power": 7});
        self.station_with(name, connector).await
    }

    /// A station with this connector.
    pub async fn station_with(&self, name: &str, connector: serde_json::Value) -> TestStation {
        let station = self.client.post("/chargestations", serde_json::json!({"name": name})).await.created();
        let text = |value: &serde_json::Value| value.as_str().expect("a text").to_owned();
        let path = format!("/chargestations/{}", text(&station["_id"]));
        let connector = self.client.post(&format!("{path}/connectors"), connector).await.created();
        TestStation {
            id: text(&station["_id"]),
            path,
            endpoint: text(&station["endpoint"]),
            url: text(&station["connection_url"]),
            connector: text(&connector["_id"]),
        }
    }

    /// A group with this station in it: its path.
    pub async fn group_of(&self, station: &TestStation, settings: serde_json::Value) -> String {
        let site = serde_json::json!({"operatorName": "Depot", "address": {}, "coordinates": [4.9, 52.4]});
        let location = self.client.post("/locations", site).await.created();
        let mut group = serde_json::json!({"name": "G", "location": location["_id"]});
        let (fields, settings) = (group.as_object_mut(), settings.as_object().cloned());
        fields.expect("an object").extend(settings.expect("an object"));
        let group = self.client.post("/groups", group).await.created();
        let path = format!("/groups/{}", group["_id"].as_str().expect("an id"));
        let member = serde_json::json!({"chargestation": station.id});
        let members = format!("{path}/chargestations");
        self.client.post(&members, member).await.created();
        path
    }

    /// Where a station with this endpoint would connect.
    pub fn station_url(&self, endpoint: &str) -> String {
        format!("ws://{}/ocpp/{endpoint}", self.running.address)
    }

    /// The types of all events so far.
    pub async fn event_types(&self) -> Vec<String> {
        let events = self.client.get("/events?limit=1000").await.json();
        let rows = events["result"].as_array().expect("events");
        rows.iter().map(|event| event["type"].as_str().expect("a type").to_owned()).collect()
    }

    /// Puts a token straight into the store.
    pub async fn db_token(&self, tag: &str, status: &str, expires_at: Option<&str>, parent_group: Option<&str>) {
        use diesel::prelude::*;
        use evenwatt::store::schema::tokens;
        let (organization, moment) = (self.organization, self.running.context.moment());
        let (tag, status) = (tag.to_owned(), status.to_owned());
        let expires_at: Option<Timestamp> = expires_at.map(|at| at.parse().expect("a time"));
        let parent_group = parent_group.map(str::to_owned);
        let stored = self.running.context.db.write(move |conn| {
            diesel::insert_into(tokens::table)
                .values((
                    tokens::id.eq(moment.id::<kernel::TokenId>()),
                    tokens::organization_id.eq(organization),
                    tokens::physical_id.eq(&tag),
                    tokens::folded_id.eq(tag.to_lowercase()),
                    tokens::type_.eq("ISO14443"),
                    tokens::status.eq(&status),
                    tokens::expires_at.eq(expires_at),
                    tokens::parent_group.eq(&parent_group),
                    tokens::meta_data.eq(evenwatt::store::Json(serde_json::json!({}))),
                    tokens::created_at.eq(moment.now),
                    tokens::updated_at.eq(moment.now),
                ))
                .execute(conn)
                .map_err(evenwatt::store::StoreError::from)
        });
        stored.await.expect("stored");
    }
}

/// Waits until something holds that can be seen in the store: it is looked at after every commit.
pub async fn after_commits(running: &Running, mut holds: impl AsyncFnMut() -> bool) {
    let mut commits = running.context.db.commits();
    let held = async {
        loop {
            commits.mark_unchanged();
            if holds().await {
                return;
            }
            commits.changed().await.expect("the store is there");
        }
    };
    tokio::time::timeout(PATIENCE, held).await.expect("it became true");
}

/// Waits until something holds that is looked at whenever this is notified.
pub async fn when(changed: &Notify, holds: impl Fn() -> bool) {
    let held = async {
        loop {
            let mut next = std::pin::pin!(changed.notified());
            next.as_mut().enable();
            if holds() {
                return;
            }
            next.await;
        }
    };
    tokio::time::timeout(PATIENCE, held).await.expect("it became true");
}

/// Waits until something holds, polling: for what another process, thread or program does that shows nobody.
pub async fn eventually(mut holds: impl AsyncFnMut() -> bool) {
    let started = std::time::Instant::now();
    while !holds().await {
        assert!(started.elapsed() < PATIENCE, "it never became true");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Puts an organization and a key straight into the store, as the command line does.
async fn db_organization(running: &Running, name: &str, scopes: Scopes) -> (OrganizationId, String) {
    let moment: Moment = running.context.moment();
    let organization = Organization::new(name, &moment);
    let new = NewApiKey {
        name: "Test key".parse().expect("a name"),
        mode: None,
        scopes: Some(scopes),
        expires_at: None,
        meta_data: None,
    };
    let (key, secret) = ApiKey::new(new, organization.id, &moment);
    let id = organization.id;
    running
        .context
        .db
        .write(move |conn| {
            organizations::insert_organization(conn, &organization)?;
            organizations::insert_key(conn, &key)
        })
        .await
        .expect("stored");
    (id, secret)
}
