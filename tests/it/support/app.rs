//! A whole server in the test's process, with a clock that the test turns.

use std::sync::Arc;

use evenwatt::app::{self, Config, Dependencies, Running};
use evenwatt::kernel::id::RandomIds;
use evenwatt::kernel::{ManualClock, Moment, OrganizationId, Timestamp};
use evenwatt::organizations::{self, ApiKey, NewApiKey, Organization, Scopes};

use super::client::Client;
use super::store::TestStore;

/// The server, its clock, and a client with a key that may do everything.
pub struct TestApp {
    pub running: Running,
    pub clock: ManualClock,
    pub organization: OrganizationId,
    pub client: Client,
    _store: TestStore,
}

impl TestApp {
    /// Starts a server with one organization.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// The same with options of the configuration changed, as environment variables would.
    pub async fn start_with(options: &[(&str, &str)]) -> Self {
        let store = TestStore::new();
        let mut variables = vec![
            ("EVENWATT_HTTP_LISTEN".to_owned(), "127.0.0.1:0".to_owned()),
            ("EVENWATT_HTTP_WORKERS".to_owned(), "1".to_owned()),
            ("EVENWATT_STORE_SYNCHRONOUS".to_owned(), "normal".to_owned()),
            ("EVENWATT_HTTP_RATE_BURST".to_owned(), "100000".to_owned()),
            ("DATABASE_URL".to_owned(), store.url.clone()),
        ];
        variables.extend(
            options
                .iter()
                .map(|(name, text)| ((*name).to_owned(), (*text).to_owned())),
        );
        let config = Config::load(None, variables).expect("a valid configuration");
        let clock = ManualClock::at(Timestamp::from_unix_seconds(1_777_000_000));
        let dependencies = Dependencies {
            clock: Arc::new(clock.clone()),
            ids: Arc::new(RandomIds::new()),
        };
        let running = app::start(&config, dependencies)
            .await
            .expect("the server starts");
        let (organization, key) =
            db_organization(&running, "Test organization", Scopes::all()).await;
        let client = Client::new(running.address, &key);
        Self {
            running,
            clock,
            organization,
            client,
            _store: store,
        }
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
        Client::new(
            self.running.address,
            created["key"].as_str().expect("a key"),
        )
    }
}

/// Puts an organization and a key straight into the store, as the command line does.
async fn db_organization(
    running: &Running,
    name: &str,
    scopes: Scopes,
) -> (OrganizationId, String) {
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
