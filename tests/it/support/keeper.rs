//! Retention as it is applied by a server that has run for days, round by round of a clock that the test moves.

use std::time::Duration;

use evenwatt::app::retention::Retention;
use serde_json::{Value, json};

use super::{TestApp, configuration};

/// Half a day: so often retention moves.
const TURN: Duration = Duration::from_secs(12 * 3_600);

/// What deletes, with settings of its own.
pub struct Keeper {
    retention: Retention,
}

impl Keeper {
    /// One that has begun now, with these options of the configuration.
    pub async fn new(app: &TestApp, options: &[(&str, &str)]) -> Self {
        let config = configuration(app.store_url(), options);
        let retention = Retention::new(&config.retention, TURN).expect("good settings");
        let mut keeper = Self { retention };
        keeper.turn(app).await;
        keeper
    }

    /// Half a day of running, whatever the clock says.
    pub async fn turn(&mut self, app: &TestApp) {
        let applied = self.retention.apply(&app.running.context).await;
        applied.expect("it is applied");
    }

    /// Days pass, and the clock goes on with them.
    pub async fn pass(&mut self, app: &TestApp, days: u32) {
        for _ in 0..days * 2 {
            app.pass(TURN).await;
            self.turn(app).await;
        }
    }

    /// What its events reported: of what how many rows went.
    pub async fn recorded(&self, app: &TestApp) -> Vec<Value> {
        let path = "/events?type=organization.retention.applied&limit=1000";
        let page = app.client.get(path).await.json();
        let events = page["result"].as_array().expect("events").iter();
        let data = events.map(|event| &event["data"]);
        data.map(|data| json!({"what": data["what"], "rows": data["rows"]})).collect()
    }
}
