//! Every table of the schema is bounded: whoever adds one says by what.

use std::collections::BTreeSet;

use diesel::prelude::*;
use diesel::sql_types::Text;
use evenwatt::app::growth::{Bound, TABLES};
use evenwatt::app::retention::Retention;
use evenwatt::store::{Conn, StoreResult};

use crate::support::{TestApp, configuration};

const GUIDE: &str = include_str!("../../../docs/RETENTION.md");
const DEFAULTS: &str = include_str!("../../../src/app/default.toml");

#[derive(QueryableByName)]
struct Table {
    #[diesel(sql_type = Text)]
    name: String,
}

async fn tables(app: &TestApp) -> BTreeSet<String> {
    let read = app.running.context.db.read(|conn| -> StoreResult<_> {
        let rows: Vec<Table> = match conn {
            Conn::Sqlite(conn) => diesel::sql_query(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'
                 AND name NOT LIKE 'searched_trigrams%'", // an index
            )
            .load(conn)?,
            Conn::Pg(conn) => diesel::sql_query(
                "SELECT table_name::text AS name FROM information_schema.tables
                 WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'",
            )
            .load(conn)?,
        };
        Ok(rows)
    });
    let rows = read.await.expect("the schema").into_iter();
    rows.map(|row| row.name).filter(|name| name != "__diesel_schema_migrations").collect()
}

#[actix_web::test]
async fn every_table_is_bounded_and_the_guide_says_how() {
    let app = TestApp::start().await;
    let listed: BTreeSet<String> = TABLES.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(tables(&app).await, listed, "write it into app::growth");
    for (name, bound) in TABLES {
        assert!(GUIDE.contains(&format!("`{name}`")), "{name} is not in the guide");
        if let Bound::Passes(reason) | Bound::Stands(reason) = bound {
            assert!(reason.len() > 5, "{name}: {reason}");
        }
    }
}

#[actix_web::test]
async fn what_is_kept_by_a_setting_is_deleted_by_one() {
    let config = configuration("sqlite://unused.db", &[]);
    let turn = std::time::Duration::from_secs(60);
    let retention = Retention::new(&config.retention, turn).expect("good settings");
    let deleted: BTreeSet<&str> = retention.names().collect();
    let kept: BTreeSet<&str> = TABLES
        .iter()
        .filter_map(|(_, bound)| match bound {
            Bound::Kept(kinds) => Some(kinds.iter().copied()),
            Bound::Passes(_) | Bound::Stands(_) => None,
        })
        .flatten()
        .collect();
    assert_eq!(deleted, kept);
}

#[test]
fn the_guide_has_every_setting_with_its_default() {
    let defaults: toml::Table = DEFAULTS.parse().expect("the defaults");
    let settings = defaults["retention"].as_table().expect("a section");
    for (name, days) in settings {
        let row = GUIDE.lines().find(|line| line.contains(&format!("| `{name}` |")));
        let row = row.unwrap_or_else(|| panic!("{name} is not in the guide"));
        assert!(row.contains(&format!("| {days} |")), "{name} is {days} days: {row}");
    }
}
