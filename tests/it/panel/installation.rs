//! Who administers the installation: makes organizations, sees which there are, and joins one before anything of it is shown.

use evenwatt::panel::operators;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, TestRunner};
use reqwest::Method;
use serde_json::{Value, json};

use super::browser::{Browser, GRACE, PASSWORD};
use crate::support::TestApp;

const ADA: &str = "ada@example.com";

fn id(value: &Value) -> String {
    value["_id"].as_str().expect("an id").to_owned()
}

/// Makes an installation-wide admin of whoever has this address, or takes that away, as the command line does.
async fn db_installation_admin(app: &TestApp, email: &'static str, is_one: bool) {
    let moment = app.running.context.moment();
    let made =
        app.running.context.db.write(move |conn| operators::make_installation_admin(conn, email, is_one, &moment));
    made.await.expect("stored");
}

/// Grace, who administers the installation and works as this in the first organization.
async fn grace(app: &TestApp, role: &str) -> Browser {
    let grace = Browser::invited(app, &app.client, GRACE, role).await;
    db_installation_admin(app, GRACE, true).await;
    grace
}

async fn go(browser: &Browser, organization: &str) -> Value {
    browser.send(Method::PUT, "/account/organization", json!({"organization": organization})).await.ok()
}

#[actix_web::test]
async fn an_organization_is_made_and_gone_to() {
    let app = TestApp::start().await;
    // It is the person who may, whatever the role in an organization.
    let grace = grace(&app, "Viewer").await;
    assert_eq!(grace.get("/account").await.ok()["installation_admin"], true);
    let new = json!({
        "name": " Harbour ", "support_contact": {"phone": "+31 20 1234567", "email": "Help@example.com"},
        "address": {"city": "Amsterdam", "country": "nl"}
    });
    let made = grace.post("/organizations", new).await.created();
    let contact = json!({"phone": "+31 20 1234567", "email": "help@example.com"});
    assert_eq!((&made["name"], &made["support_contact"]), (&json!("Harbour"), &contact));
    assert_eq!((&made["address"], &made["role"]), (&json!({"city": "Amsterdam", "country": "NL"}), &json!("Admin")));
    assert_eq!((&made["logo"], made.get("meta_data")), (&Value::Null, None));
    assert_eq!(grace.get("/organization").await.ok()["name"], "Test organization", "the login stays where it is");

    let account = go(&grace, &id(&made)).await;
    assert_eq!((&account["organization"]["name"], &account["operator"]["role"]), (&json!("Harbour"), &json!("Admin")));
    assert_eq!(account["installation_admin"], true);
    assert_eq!(grace.get("/locations").await.json()["totalDocs"], 0);
    let events = grace.get("/events").await.json();
    let kinds: Vec<_> = events["result"].as_array().expect("events").iter().map(|event| &event["type"]).collect();
    assert_eq!(kinds, ["organization.created", "operator.created"]);
    assert_eq!(events["result"][0]["data"], grace.get("/organization").await.ok());
    let line = grace.get("/audit").await.json()["result"][0].clone();
    let operator = grace.get("/operators").await.json()["result"][0].clone();
    assert_eq!((&line["method"], &line["path"]), (&json!("POST"), &json!("/v1.1/organizations")));
    assert_eq!((&line["actor"]["_id"], &line["actor"]["name"]), (&operator["_id"], &json!("Grace Hopper")));
}

#[actix_web::test]
async fn a_repeated_request_makes_one_organization() {
    let app = TestApp::start().await;
    let grace = grace(&app, "Admin").await;
    let send = || {
        let request = grace.bare(Method::POST, "/organizations").header("x-csrf-token", &grace.csrf);
        grace.client.send(request.header("idempotency-key", "one").json(&json!({"name": "Once"})))
    };
    let (first, again) = (send().await.created(), send().await.created());
    assert_eq!(first, again);
    assert_eq!(grace.get("/organizations?search=ONCE").await.json()["totalDocs"], 1);
}

#[actix_web::test]
async fn nobody_else_sees_or_makes_organizations() {
    let app = TestApp::start().await;
    let admin = Browser::invited(&app, &app.client, ADA, "Admin").await;
    assert_eq!(admin.get("/account").await.ok()["installation_admin"], false);
    let own = id(&app.client.get("/organization").await.ok());
    let (one, join) = (format!("/organizations/{own}"), format!("/organizations/{own}/join"));
    let all = [
        (Method::GET, "/organizations"),
        (Method::POST, "/organizations"),
        (Method::GET, &one),
        (Method::PATCH, &one),
        (Method::POST, &join),
    ];
    for (method, path) in all.clone() {
        let answer = admin.send(method.clone(), path, json!({"name": "X"})).await;
        assert_eq!(answer.error(403), "forbidden", "{method} {path}");
        assert!(answer.text.contains("installation-wide admin"), "{}", answer.text);
        let by_key = app.client.send(app.client.request(method.clone(), path).json(&json!({"name": "X"}))).await;
        assert_eq!(by_key.error(403), "forbidden", "{method} {path}: a key with every scope");
    }
    // What was given is there at once, and so is what was taken away.
    db_installation_admin(&app, ADA, true).await;
    assert_eq!(admin.get("/organizations").await.json()["totalDocs"], 1);
    let foreign = admin.bare(Method::POST, "/organizations").json(&json!({"name": "X"}));
    assert_eq!(admin.client.send(foreign).await.error(403), "csrf");
    db_installation_admin(&app, ADA, false).await;
    for (method, path) in all {
        assert_eq!(admin.send(method, path, json!({"name": "X"})).await.error(403), "forbidden");
    }
    assert_eq!(app.client.get("/organization").await.ok()["name"], "Test organization");
}

#[actix_web::test]
async fn nothing_of_an_organization_is_shown_before_it_is_joined() {
    let app = TestApp::start().await;
    let grace = grace(&app, "Admin").await;
    let stranger = app.stranger().await;
    let place = json!({"operatorName": "Theirs", "address": {}, "coordinates": [4.9, 52.4]});
    let place = stranger.post("/locations", place).await.created();
    stranger.patch("/organization", json!({"meta_data": {"secret": 1}})).await.ok();
    let theirs = id(&stranger.get("/organization").await.ok());
    let path = format!("/organizations/{theirs}");

    let seen = grace.get(&path).await.ok();
    let mut fields: Vec<_> = seen.as_object().expect("an object").keys().map(String::as_str).collect();
    fields.sort_unstable();
    let known = ["_id", "address", "createdAt", "logo", "name", "role", "support_contact", "updatedAt"];
    assert_eq!((fields.as_slice(), &seen["role"]), (&known[..], &Value::Null));
    assert_eq!(grace.get(&format!("/locations/{}", id(&place))).await.error(404), "not_found");
    let there = json!({"organization": theirs});
    assert_eq!(grace.send(Method::PUT, "/account/organization", there).await.faulty_fields(), ["organization"]);

    let joined = grace.post(&format!("{path}/join"), json!({})).await.ok();
    assert_eq!(joined["role"], "Admin");
    assert_eq!(grace.get(&format!("/locations/{}", id(&place))).await.error(404), "not_found", "she is not there yet");
    go(&grace, &theirs).await;
    assert_eq!(grace.get(&format!("/locations/{}", id(&place))).await.ok()["operatorName"], "Theirs");
    assert_eq!(grace.post(&format!("{path}/join"), json!({})).await.error(409), "conflict");

    // They see who came.
    let lines = stranger.get("/audit?actor_type=operator").await.json();
    assert_eq!(lines["result"][0]["path"], format!("/v1.1{path}/join"));
    let operators = stranger.get("/operators").await.json();
    assert_eq!((&operators["totalDocs"], &operators["result"][0]["email"]), (&json!(1), &json!(GRACE)));
    let last = stranger.get("/events?type=operator.*").await.json()["result"][0].clone();
    assert_eq!((&last["type"], &last["data"]["_id"]), (&json!("operator.created"), &operators["result"][0]["_id"]));

    // Who was less there, or is not let in any more, comes as Admin all the same, and is seen to.
    let another = stranger.post("/operators", json!({"email": ADA, "role": "Admin"})).await.created();
    assert_eq!(another["state"], "invited");
    let own = format!("/operators/{}", id(&operators["result"][0]));
    let less = json!({"role": "Viewer", "active": false, "locations": [place["_id"]]});
    stranger.patch(&own, less).await.ok();
    let again = Browser::new(&app).after(&Browser::new(&app).log_in(GRACE, PASSWORD).await);
    assert_eq!(again.get(&path).await.ok()["role"], Value::Null);
    again.post(&format!("{path}/join"), json!({})).await.ok();
    let back = stranger.get(&own).await.ok();
    assert_eq!((&back["role"], &back["active"], &back["locations"]), (&json!("Admin"), &json!(true), &Value::Null));
}

#[actix_web::test]
async fn what_an_organization_shows_is_changed_from_outside_and_nothing_else() {
    let app = TestApp::start().await;
    let grace = grace(&app, "Admin").await;
    let stranger = app.stranger().await;
    let theirs = stranger.get("/organization").await;
    let path = format!("/organizations/{}", id(&theirs.ok()));
    let unknown = "/organizations/650000000000000000000001";
    assert_eq!(grace.get(unknown).await.error(404), "not_found");
    assert_eq!(grace.patch(unknown, json!({"name": "X"})).await.error(404), "not_found");
    assert_eq!(grace.post(&format!("{unknown}/join"), json!({})).await.error(404), "not_found");
    let refused = grace.patch(&path, json!({"unknown_cards": "accept", "name": null})).await;
    assert_eq!(refused.faulty_fields(), ["unknown_cards"]);
    let changed = grace.patch(&path, json!({"name": "Renamed", "support_contact": {"phone": "112"}})).await;
    let tag = changed.headers["etag"].to_str().expect("a tag").to_owned();
    assert_eq!(changed.ok()["support_contact"], json!({"phone": "112"}));
    assert_eq!(stranger.get("/organization").await.ok()["name"], "Renamed");
    stranger.patch("/organization", json!({"name": "Own"})).await.ok();
    let stale = grace.bare(Method::PATCH, &path).header("x-csrf-token", &grace.csrf).header("if-match", tag);
    assert_eq!(grace.client.send(stale.json(&json!({"name": "Lost"}))).await.error(412), "version_mismatch");
    let line = stranger.get("/audit?actor_type=operator").await.json()["result"][0].clone();
    assert_eq!((&line["path"], &line["actor"]["name"]), (&json!(format!("/v1.1{path}")), &json!("Grace Hopper")));
    assert_eq!(app.client.get(&format!("/audit?search={path}")).await.json()["totalDocs"], 0, "it is about them");
}

#[actix_web::test]
async fn organizations_are_listed_as_other_things_are() {
    let app = TestApp::start().await;
    let grace = grace(&app, "Admin").await;
    app.stranger().await;
    for name in ["Harbour", "Airport"] {
        grace.post("/organizations", json!({"name": name})).await.created();
    }
    let names = async |query: &str| {
        let list = grace.get(&format!("/organizations?sort_by=name&sort_order=asc{query}")).await.json();
        let rows = list["result"].as_array().expect("rows").iter();
        rows.map(|row| row["name"].as_str().expect("a name").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names("").await, ["Airport", "Another organization", "Harbour", "Test organization"]);
    assert_eq!(names("&joined=true").await, ["Airport", "Harbour", "Test organization"]);
    assert_eq!(names("&joined=false").await, ["Another organization"]);
    assert_eq!(names("&search=HARB").await, ["Harbour"]);
    assert_eq!(names("&search=%25").await, [""; 0]);
    assert_eq!(names("&paginate_limit=2&paginate_page=2").await, ["Harbour", "Test organization"]);
    assert_eq!(grace.get("/organizations?moons=1").await.error(422), "invalid_query");
    let csv = grace.get("/organizations?format=csv&search=airport").await.text;
    assert!(csv.starts_with("_id,name,") && csv.contains(",Airport,"), "{csv}");
}

#[actix_web::test]
async fn no_organization_gets_at_the_account_of_who_administers_the_installation() {
    let app = TestApp::start().await;
    // Invited by name, and made one on the command line, before the invitation is accepted.
    let grace = app.client.post("/operators", json!({"email": GRACE, "role": "Viewer"})).await.created();
    db_installation_admin(&app, GRACE, true).await;
    let again = format!("/operators/{}/invitation", id(&grace));
    assert_eq!(app.client.post(&again, json!({})).await.error(409), "conflict", "its link would make the reader one");
    let stranger = app.stranger().await;
    let invite = stranger.post("/operators", json!({"email": GRACE, "role": "Viewer"})).await;
    assert_eq!(invite.error(409), "conflict");
    let browser = Browser::accepted(&app, &grace).await;
    assert_eq!(browser.get("/organizations").await.status, 200);
    let totp = app.client.patch(&format!("/operators/{}", id(&grace)), json!({"totp": false})).await;
    assert_eq!(totp.faulty_fields(), ["totp"], "an organization does not weaken the installation");
}

/// What somebody does.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// The command line makes an admin of one of two persons, or takes that away.
    Administer(usize, bool),
    /// One of two persons makes an organization.
    Create(usize),
    /// One of two persons joins one of the organizations there are.
    Join(usize, usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0_usize..2, any::<bool>()).prop_map(|(who, is_one)| Step::Administer(who, is_one)),
        (0_usize..2).prop_map(Step::Create),
        (0_usize..2, 0_usize..4).prop_map(|(who, which)| Step::Join(who, which)),
    ]
}

/// Whatever happens in whatever order: who is no installation-wide admin at that instant makes and joins nothing, and everybody works
/// exactly where they made or joined an organization.
#[actix_web::test]
async fn everybody_works_where_they_made_or_joined_an_organization_as_an_admin() {
    const EMAILS: [&str; 2] = [GRACE, ADA];
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::default() });
    let stories = prop::collection::vec(step(), 1..14);
    for _ in 0..6 {
        let story = stories.new_tree(&mut runner).expect("a story").current();
        let app = TestApp::start().await;
        let people = [
            Browser::invited(&app, &app.client, GRACE, "Viewer").await,
            Browser::invited(&app, &app.client, ADA, "Admin").await,
        ];
        let home = id(&app.client.get("/organization").await.ok());
        let mut organizations = vec![home.clone()];
        let (mut is_admin, mut works) = ([false; 2], [vec![(home.clone(), "Viewer")], vec![(home.clone(), "Admin")]]);
        for step in &story {
            match *step {
                Step::Administer(who, is_one) => {
                    db_installation_admin(&app, EMAILS[who], is_one).await;
                    is_admin[who] = is_one;
                }
                Step::Create(who) => {
                    let answer = people[who].post("/organizations", json!({"name": "New"})).await;
                    assert_eq!(answer.status, if is_admin[who] { 201 } else { 403 }, "{story:?}");
                    if is_admin[who] {
                        let made = id(&answer.created());
                        works[who].push((made.clone(), "Admin"));
                        organizations.push(made);
                    }
                }
                Step::Join(who, which) => {
                    let there = &organizations[which % organizations.len()];
                    let mine = works[who].iter().position(|(mine, _)| mine == there);
                    let is_there = mine.is_some_and(|at| works[who][at].1 == "Admin");
                    let answer = people[who].post(&format!("/organizations/{there}/join"), json!({})).await;
                    let expected = if is_admin[who] { if is_there { 409 } else { 200 } } else { 403 };
                    assert_eq!(answer.status, expected, "{story:?}");
                    if expected == 200 {
                        match mine {
                            Some(at) => works[who][at].1 = "Admin",
                            None => works[who].push((there.clone(), "Admin")),
                        }
                    }
                }
            }
        }
        for ((person, works), is_admin) in people.iter().zip(&works).zip(is_admin) {
            let account = person.get("/account").await.ok();
            let shown = account["organizations"].as_array().expect("organizations").iter();
            let mut shown: Vec<_> =
                shown.map(|one| (id(one), one["role"].as_str().expect("a role").to_owned())).collect();
            let mut expected: Vec<_> = works.iter().map(|(id, role)| (id.clone(), (*role).to_owned())).collect();
            shown.sort();
            expected.sort();
            assert_eq!((shown, &account["installation_admin"]), (expected, &json!(is_admin)), "{story:?}");
        }
    }
}
