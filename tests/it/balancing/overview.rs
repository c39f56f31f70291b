//! What lists of stations and of groups show of load management, and the one answer for the page that is always open: each of its
//! numbers is that of a list.

use std::time::Duration;

use futures_util::future::join_all;
use kernel::Watts;
use serde_json::{Value, json};

use super::depot::Depot;
use super::link::Manner;
use crate::support::{Client, Queries, TestApp};

fn plain() -> Value {
    json!({"maximum_capacity": 10, "minimum_connector_capacity": 2})
}

async fn overview(client: &Client) -> Value {
    client.get("/overview").await.ok()
}

/// How many rows a list has, and the ids of those it shows.
async fn listed(client: &Client, path: &str) -> (Value, Vec<Value>) {
    let list = client.get(path).await.json();
    let rows = list["result"].as_array().unwrap_or_else(|| panic!("{path}: {list}"));
    (list["totalDocs"].clone(), rows.iter().map(|row| row["_id"].clone()).collect())
}

/// Each number of an overview beside the list that it is the number of.
async fn lists_have_these_numbers(client: &Client) {
    let shown = overview(client).await;
    let since = shown["sessions"]["failed_since"].as_str().expect("a time").to_owned();
    let failed = format!("/sessions?status=cancelled&createdAt[$gte]={since}");
    let silent = "/assets?type=smart_meter&stale=true&active=true".to_owned();
    let mut lists = vec![
        ("/chargestations/total", "/chargestations".to_owned()),
        ("/chargestations/online", "/chargestations?online=true".to_owned()),
        ("/chargestations/offline", "/chargestations?online=false".to_owned()),
        ("/chargestations/late", "/chargestations?late=true".to_owned()),
        ("/chargestations/never_connected", "/chargestations?never_connected=true".to_owned()),
        ("/chargestations/faulted", "/chargestations?status=Faulted".to_owned()),
        ("/chargestations/not_obeying", "/chargestations?obeying=false".to_owned()),
        ("/connectors/total", "/connectors".to_owned()),
        ("/sessions/created", "/sessions?status=created".to_owned()),
        ("/sessions/started", "/sessions?status=started".to_owned()),
        ("/sessions/failed_starts", failed),
        ("/reservations/requested", "/reservations?status=requested".to_owned()),
        ("/reservations/active", "/reservations?status=active".to_owned()),
        ("/assets/total", "/assets".to_owned()),
        ("/assets/silent_meters", silent),
        ("/groups/total", "/groups".to_owned()),
        ("/groups/degraded", "/groups?stage=degraded".to_owned()),
        ("/groups/not_obeying", "/groups?obeying=false".to_owned()),
    ];
    let statuses = shown["connectors"]["by_status"].as_object().expect("statuses");
    assert_eq!(statuses.len(), 9);
    let by_status: Vec<(String, String)> = statuses
        .keys()
        .map(|status| (format!("/connectors/by_status/{status}"), format!("/connectors?status={status}")))
        .collect();
    lists.extend(by_status.iter().map(|(number, list)| (number.as_str(), list.clone())));
    for (number, list) in lists {
        assert_eq!(shown.pointer(number), Some(&listed(client, &list).await.0), "{number} is not that of {list}");
    }
}

#[actix_web::test]
async fn stations_show_their_group_and_whether_they_obey() {
    let mut depot = Depot::new(2, plain()).await;
    let app = &depot.app;
    let outside = app.station("Outside").await;
    let [first, second] = [0, 1].map(|port| depot.ports[port].station.to_string());
    let station = async |depot: &Depot, id: &str| depot.app.client.get(&format!("/chargestations/{id}")).await.ok();
    depot.until_limits(&[0.0, 0.0]).await;
    let shown = station(&depot, &first).await;
    assert_eq!((&shown["group"], &shown["obeying"]), (&json!(depot.group), &json!(true)));
    let shown = station(&depot, &outside.id).await;
    assert_eq!((&shown["group"], &shown["obeying"]), (&json!(null), &json!(null)));

    depot.plug_in(0).await;
    depot.plug_in(1).await;
    depot.until_limits(&[5.0, 5.0]).await;
    for _ in 0..3 {
        depot.meter(0, Watts(6_800)).await;
        depot.pass(Duration::from_secs(40)).await;
    }
    depot.until(async || station(&depot, &first).await["obeying"] == false).await;
    let client = &depot.app.client;
    assert_eq!(listed(client, "/chargestations?obeying=false").await, (json!(1), vec![json!(first)]));
    assert_eq!(listed(client, "/chargestations?obeying=true").await, (json!(1), vec![json!(second)]));
    assert_eq!(listed(client, "/groups?obeying=false").await, (json!(1), vec![json!(depot.group)]));
    assert_eq!(listed(client, "/groups?stage=degraded").await, (json!(1), vec![json!(depot.group)]));
    assert_eq!(listed(client, "/groups?stage=settled").await.0, 0);
    let rows =
        client.get(&format!("/chargestations?group={}&include_group=true&sort_by=name", depot.group)).await.json();
    let groups: Vec<&Value> =
        rows["result"].as_array().expect("rows").iter().map(|row| &row["group"]["name"]).collect();
    assert_eq!(groups, ["Depot", "Depot"]);
    let narrow = depot.app.client_with(&["read:chargestations"]).await;
    assert_eq!(narrow.get("/chargestations?include_group=true").await.error(403), "forbidden");

    // It is away: what it may draw is reserved all the same, as only its meter shows that it obeys again.
    depot.goes_offline(1);
    depot.until(async || station(&depot, &second).await["obeying"].is_null()).await;
    depot.comes_back(1);
    depot.until(async || station(&depot, &second).await["obeying"] == true).await;
    depot.meter(0, Watts(4_900)).await;
    depot.until(async || station(&depot, &first).await["obeying"] == true).await;
    assert_eq!(listed(&depot.app.client, "/chargestations?obeying=false").await.0, 0);
    lists_have_these_numbers(&depot.app.client).await;
}

#[actix_web::test]
async fn a_station_that_refuses_limits_does_not_obey_and_one_that_is_sent_none_says_nothing() {
    let mut depot = Depot::new(2, plain()).await;
    depot.until_limits(&[0.0, 0.0]).await;
    depot.link.behave(depot.ports[1].station, Manner::Refuses);
    depot.plug_in(1).await;
    depot.until(async || overview(&depot.app.client).await["chargestations"]["not_obeying"] == 1).await;
    let refusing = depot.ports[1].station.to_string();
    let client = depot.app.client.clone();
    assert_eq!(listed(&client, "/chargestations?obeying=false").await.1, [json!(refusing)]);
    let shown = overview(&client).await;
    assert_eq!((&shown["groups"]["degraded"], &shown["groups"]["not_obeying"]), (&json!(1), &json!(1)));
    assert_eq!(shown["groups"]["attention"], json!([depot.group]));
    lists_have_these_numbers(&client).await;

    client.patch(&depot.path(""), json!({"dry_run": true})).await.ok();
    depot.until(async || listed(&client, "/chargestations?obeying=false").await.0 == 0).await;
    assert_eq!(listed(&client, "/chargestations?obeying=true").await.0, 0, "nothing is asked of them");
    lists_have_these_numbers(&client).await;

    client.patch(&depot.path(""), json!({"dry_run": false})).await.ok();
    depot.link.behave(depot.ports[1].station, Manner::Accepts);
    let path = format!("/load_management/groups/chargestations/{}", depot.ports[0].station);
    depot.until(async || listed(&client, "/chargestations?obeying=true").await.0 != 0).await;
    client.delete(&path).await.ok();
    depot
        .until(async || {
            let left = client.get(&format!("/chargestations/{}", depot.ports[0].station)).await.ok();
            (&left["group"], &left["obeying"]) == (&json!(null), &json!(null))
        })
        .await;
}

#[actix_web::test]
async fn an_overview_has_the_numbers_of_a_site() {
    let mut depot =
        Depot::new(2, json!({"maximum_capacity": 10, "minimum_connector_capacity": 2, "buffer": 0.2})).await;
    let client = depot.app.client.clone();
    let group = client.get(&depot.path("")).await.ok();
    let location = group["location"].clone();
    // A group below, with a station of its own: its power is in that of the one above.
    let below = json!({"name": "Below", "location": location, "parent": depot.group, "maximum_capacity": 4});
    let below = client.post("/groups", below).await.created();
    let alone = json!({"name": "Empty", "location": location, "maximum_capacity": 20, "buffer": 0.1});
    client.post("/groups", alone).await.created();
    let third = depot.app.station("Third").await;
    depot.link.connect(third.id.parse().expect("an id"));
    let path = format!("/groups/{}/chargestations", below["_id"].as_str().expect("an id"));
    client.post(&path, json!({"chargestation": third.id})).await.created();
    let third_group = client.get(&third.path).await.ok()["group"].clone();
    assert_eq!(third_group, below["_id"], "the group that it is directly in");
    assert_eq!(listed(&client, &format!("/chargestations?group={}", depot.group)).await.0, 3, "and those below");
    for (name, kind, more) in [
        ("Silent", "smart_meter", json!({})),
        ("Gone", "smart_meter", json!({"active": false})),
        ("Kitchen", "consumer", json!({"static_power": 1})),
    ] {
        let mut asset = json!({"name": name, "type": kind, "location": location});
        asset.as_object_mut().expect("fields").extend(more.as_object().cloned().expect("fields"));
        client.post("/assets", asset).await.created();
    }
    depot.plug_in(0).await;
    depot.until(async || depot.limits()[0] > 0.0).await;
    depot.meter(0, Watts(1_500)).await;
    depot.until(async || overview(&client).await["groups"]["drawn"] == 1.5).await;

    let shown = overview(&client).await;
    let stations =
        json!({"total": 3, "online": 0, "offline": 3, "late": 0, "never_connected": 3, "faulted": 0, "not_obeying": 0});
    assert_eq!(shown["chargestations"], stations);
    assert_eq!(shown["connectors"]["total"], 3);
    assert_eq!(
        (&shown["connectors"]["by_status"]["Charging"], &shown["connectors"]["by_status"]["Faulted"]),
        (&json!(1), &json!(0))
    );
    assert_eq!((&shown["sessions"]["started"], &shown["sessions"]["failed_starts"]), (&json!(1), &json!(0)));
    assert_eq!(shown["assets"], json!({"total": 3, "silent_meters": 1}));
    let groups = &shown["groups"];
    // 10 kW without a fifth, and 20 kW without a tenth; the one below counts within the one above it.
    assert_eq!((&groups["total"], &groups["capacity"], &groups["drawn"]), (&json!(3), &json!(26.0), &json!(1.5)));
    let lines = groups["list"].as_array().expect("groups");
    let line = |name: &str| lines.iter().find(|line| line["name"] == name).unwrap_or_else(|| panic!("no {name}"));
    let names: Vec<&Value> = lines.iter().map(|line| &line["name"]).collect();
    assert_eq!(names, ["Below", "Depot", "Empty"]);
    assert_eq!((&line("Below")["parent"], &line("Below")["capacity"]), (&json!(depot.group), &json!(4.0)));
    assert_eq!((&line("Depot")["location_name"], &line("Empty")["stage"]), (&json!("Depot"), &json!("planned")));
    let status = depot.status().await;
    for name in ["capacity", "granted", "drawn", "worst_case_if_server_dies_kw", "stage"] {
        assert_eq!(line("Depot")[name], status[name], "{name}");
    }
    assert_eq!(line("Depot")["warnings"], status["warnings"].as_array().expect("warnings").len());
    lists_have_these_numbers(&client).await;
    let stranger = overview(&depot.app.stranger().await).await;
    assert_eq!((&stranger["chargestations"]["total"], &stranger["groups"]["list"]), (&json!(0), &json!([])));
}

#[actix_web::test]
async fn an_overview_shows_what_its_reader_may_read() {
    let app = TestApp::start().await;
    let narrow = app.client_with(&["read:chargestations", "read:assets"]).await;
    let shown = overview(&narrow).await;
    assert_eq!(shown["chargestations"]["total"], 0);
    assert_eq!(shown["assets"], json!({"total": 0, "silent_meters": 0}));
    for part in ["connectors", "sessions", "reservations", "groups"] {
        assert!(shown[part].is_null(), "{part}: {shown}");
    }
    let group = app.group_of(&app.station("S").await, plain()).await;
    let nameless = app.client_with(&["read:chargestations", "read:groups"]).await;
    let line = overview(&nameless).await["groups"]["list"][0].clone();
    assert_eq!((&line["name"], &line["location_name"]), (&json!("G"), &json!(null)), "{group}");
    let other = app.client_with(&["read:groups"]).await;
    assert_eq!(other.get("/overview").await.error(403), "forbidden");
}

#[actix_web::test]
async fn a_thousand_stations_take_as_many_queries_as_ten() {
    let depot = Depot::with_options(1, plain(), &[("EVENWATT_STORE_READERS", "1")]).await;
    let client = depot.app.client.clone();
    for tens in 0..20 {
        join_all((0..50).map(async |number| {
            let name = format!("S{}", tens * 50 + number);
            client.post("/chargestations", json!({"name": name})).await.created();
        }))
        .await;
    }
    let asked = Queries::of(&depot.app).await;
    let mut counts = Vec::new();
    for path in [
        "/overview",
        "/chargestations?paginate_limit=10&include_group=true&include_location=true",
        "/chargestations?paginate_limit=1000&include_group=true&include_location=true",
        "/chargestations?paginate_limit=1000&obeying=false",
        "/chargestations?paginate_limit=1000&late=true",
    ] {
        asked.forget();
        client.get(path).await.json();
        counts.push(asked.count());
    }
    let [whole, ten, thousand, disobeying, late] = counts[..] else { panic!("five") };
    assert!(whole <= 20, "{whole} queries for an overview");
    assert!(thousand <= ten && ten <= 12, "{ten} queries for ten stations, {thousand} for a thousand");
    assert!(disobeying <= ten && late <= ten, "{disobeying} and {late}");
    let shown = overview(&client).await;
    assert_eq!(shown["chargestations"]["total"], 1_001);
    lists_have_these_numbers(&client).await;
}
