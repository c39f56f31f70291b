//! The program itself, as a person or a script starts it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitStatus, Output, Stdio};

use crate::support::TestStore;

fn evenwatt(store: &TestStore, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_evenwatt"))
        .env_clear()
        .env("DATABASE_URL", &store.url)
        .args(arguments)
        .output()
        .expect("the program starts")
}

#[track_caller]
fn prints(output: &Output) -> String {
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}");
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

#[track_caller]
fn complains(output: &Output, code: i32) -> String {
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

#[test]
fn a_wrong_configuration_ends_with_code_2_and_a_sentence() {
    let store = TestStore::new();
    let missing = evenwatt(&store, &["--config", "nowhere.toml", "migrate"]);
    assert!(complains(&missing, 2).starts_with("evenwatt: nowhere.toml cannot be read"));
    let address = evenwatt(&store, &["--listen", "nowhere"]);
    assert!(complains(&address, 2).starts_with("evenwatt: http.listen is \"nowhere\""));
    let scope = evenwatt(&store, &["api-key", "create", "--name", "A", "--scopes", "read:moons"]);
    assert!(complains(&scope, 2).contains("read:locations"));
}

#[test]
fn keys_are_created_listed_and_revoked() {
    let store = TestStore::new();
    prints(&evenwatt(&store, &["migrate"]));
    let create = ["api-key", "create", "--name", "Billing", "--scopes", "read:locations,read:events", "--test"];
    let key = prints(&evenwatt(&store, &create));
    assert!(key.starts_with("ew_test_") && key.trim().len() == 40, "{key}");

    let list = prints(&evenwatt(&store, &["api-key", "list"]));
    let line = list.lines().nth(1).expect("the key's line");
    assert!(line.contains("works") && line.ends_with("Billing (read:events,read:locations)"), "{line}");
    assert!(!list.contains(key.trim()), "only the first characters are shown");

    let id = line.split_whitespace().next().expect("an id");
    evenwatt(&store, &["api-key", "revoke", id]);
    assert!(prints(&evenwatt(&store, &["api-key", "list"])).contains("revoked"));
    let unknown = evenwatt(&store, &["api-key", "revoke", "650000000000000000000001"]);
    assert!(complains(&unknown, 1).contains("there is no API key"));
}

#[actix_web::test]
async fn the_first_start_prints_a_key_that_works_and_a_signal_stops_it() {
    let store = TestStore::new();
    let (mut first, greeting) = serve(&store);
    let word = |start: &str| greeting.split_whitespace().find(|word| word.starts_with(start)).map(str::to_owned);
    let (api, key) = (word("http://").expect("the API's address"), word("ew_live_").expect("a key"));
    let asked = reqwest::Client::new().get(format!("{api}/organization")).bearer_auth(key).send().await;
    assert_eq!(asked.expect("an answer").status(), 200);
    let invitation = |greeting: &str| {
        let link = greeting.split_whitespace().find(|word| word.contains("/panel/invitations/"));
        link.map(|link| link.replace("/panel/invitations/", "/v1.1/account/invitations/"))
    };
    let asked = reqwest::get(invitation(&greeting).expect("a link")).await.expect("an answer");
    assert_eq!(asked.status(), 200);
    assert!(stop(&mut first).success());

    let (mut second, greeting) = serve(&store);
    assert!(!greeting.contains("ew_live_"), "{greeting}");
    // Nobody chose a password yet.
    let accept = format!("{}/accept", invitation(&greeting).expect("a link"));
    let chosen =
        serde_json::json!({"name": "Grace", "email": "grace@example.com", "password": "correct horse battery"});
    let accepted = reqwest::Client::new().post(&accept).json(&chosen).send().await.expect("an answer");
    assert_eq!(accepted.status(), 200);
    assert!(stop(&mut second).success());

    // Another one who may everything is invited, and does not accept: there is somebody who can log in.
    prints(&evenwatt(&store, &["operator", "create", "--email", "ada@example.com"]));
    let (mut third, greeting) = serve(&store);
    assert_eq!(invitation(&greeting), None, "{greeting}");
    assert!(stop(&mut third).success());
}

#[actix_web::test]
async fn where_standard_output_is_a_log_the_first_start_makes_no_key_and_says_how_to() {
    let store = TestStore::new();
    let mut server = Command::new(env!("CARGO_BIN_EXE_evenwatt"))
        .env_clear()
        .env("DATABASE_URL", &store.url)
        .args(["serve", "--no-first-key", "--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut log = BufReader::new(server.stderr.take().expect("piped")).lines();
    let line = log.find_map(|line| line.ok().filter(|line| line.contains("--no-first-key")));
    let line = line.expect("a line in the log");
    assert!(line.contains("evenwatt api-key create") && line.contains("evenwatt operator create"), "{line}");
    let mut greeting = BufReader::new(server.stdout.take().expect("piped")).lines();
    let mut said = String::new();
    while !said.contains("curl") {
        said += &greeting.next().expect("the whole greeting").expect("UTF-8");
    }
    assert!(!said.contains("ew_live_") && !said.contains("invitations"), "{said}");
    // Beside it, as in its container.
    let list = prints(&evenwatt(&store, &["api-key", "list"]));
    assert_eq!(list.lines().count(), 1, "no key but the heading: {list}");
    let key = prints(&evenwatt(&store, &["api-key", "create", "--name", "First"]));
    let address = said.split_whitespace().find(|word| word.starts_with("http://")).expect("the API's address");
    let asked = reqwest::Client::new().get(format!("{address}/organization")).bearer_auth(key.trim()).send().await;
    assert_eq!(asked.expect("an answer").status(), 200);
    assert!(stop(&mut server).success());
}

#[test]
fn an_operator_is_invited_and_let_in_again() {
    let store = TestStore::new();
    let create = ["operator", "create", "--email", "Grace@Example.com", "--role", "Viewer"];
    let link = prints(&evenwatt(&store, &create));
    assert!(link.starts_with("http://127.0.0.1:8080/panel/invitations/"), "{link}");
    assert!(complains(&evenwatt(&store, &create), 1).contains("There is an operator with this address"));
    let wrong = evenwatt(&store, &["operator", "create", "--email", "grace", "--role", "Viewer"]);
    assert!(complains(&wrong, 2).contains("must be an e-mail address"));
    let wrong = evenwatt(&store, &["operator", "create", "--email", "a@example.com", "--role", "Boss"]);
    assert!(complains(&wrong, 2).contains("Admin, Operator"));
    let again = prints(&evenwatt(&store, &["operator", "reset", "grace@example.com"]));
    assert!(again.contains("/panel/invitations/") && again != link, "{again}");
    assert!(complains(&evenwatt(&store, &["operator", "reset", "ada@example.com"]), 1).contains("no such operator"));
}

#[test]
fn organizations_are_created_with_their_first_operator_and_listed() {
    let store = TestStore::new();
    prints(&evenwatt(&store, &["migrate"]));
    let id = prints(&evenwatt(&store, &["organization", "create", "Harbour Charging"]));
    assert_eq!(id.trim().len(), 24, "{id}");
    let said = prints(&evenwatt(&store, &["organization", "create", "Airport", "--operator", "Grace@example.com"]));
    let lines: Vec<_> = said.lines().collect();
    assert_eq!((lines.len(), lines[0].len()), (2, 24), "{said}");
    assert!(lines[1].starts_with("http://127.0.0.1:8080/panel/invitations/"), "{said}");
    let list = prints(&evenwatt(&store, &["organization", "list"]));
    let listed: Vec<_> = list.lines().skip(1).collect();
    assert!(listed[0].starts_with(id.trim()) && listed[0].ends_with("Harbour Charging"), "{list}");
    assert!(listed[1].starts_with(lines[0]) && listed[1].ends_with("Airport"), "{list}");
    let nameless = evenwatt(&store, &["organization", "create", ""]);
    complains(&nameless, 2);
    let wrong = evenwatt(&store, &["organization", "create", "X", "--operator", "grace"]);
    assert!(complains(&wrong, 2).contains("must be an e-mail address"));
    assert_eq!(prints(&evenwatt(&store, &["organization", "list"])), list, "nothing is half done");
    // There are several now: whose operator it is has to be said.
    let whose = evenwatt(&store, &["operator", "create", "--email", "ada@example.com"]);
    assert!(complains(&whose, 1).contains("--organization"));
}

#[actix_web::test]
async fn the_first_operator_of_a_new_installation_administers_it_and_others_are_made_so() {
    let store = TestStore::new();
    let (mut first, greeting) = serve(&store);
    let link = greeting.split_whitespace().find(|word| word.contains("/panel/invitations/")).expect("a link");
    let accept = |link: &str| format!("{}/accept", link.replace("/panel/invitations/", "/v1.1/account/invitations/"));
    let account = async |link: &str, email: Option<&str>| {
        let mut chosen = serde_json::json!({"name": "Grace", "password": "correct horse battery"});
        if let Some(email) = email {
            chosen["email"] = email.into();
        }
        let accepted = reqwest::Client::new().post(accept(link)).json(&chosen).send().await.expect("an answer");
        accepted.json::<serde_json::Value>().await.expect("JSON")["result"]["installation_admin"].clone()
    };
    assert_eq!(account(link, Some("grace@example.com")).await, true);

    // Beside the running server.
    let base = link.split("/panel/").next().expect("an address").to_owned();
    let here = |said: &str| said.trim().replace("http://127.0.0.1:8080", &base);
    let ada = ["operator", "create", "--email", "ada@example.com", "--installation-admin"];
    assert_eq!(account(&here(&prints(&evenwatt(&store, &ada))), None).await, true);
    let alan = prints(&evenwatt(&store, &["operator", "create", "--email", "alan@example.com"]));
    prints(&evenwatt(&store, &["operator", "installation-admin", "Alan@example.com"]));
    prints(&evenwatt(&store, &["operator", "installation-admin", "alan@example.com", "--revoke"]));
    assert_eq!(account(&here(&alan), None).await, false);
    let nobody = evenwatt(&store, &["operator", "installation-admin", "nobody@example.com"]);
    assert!(complains(&nobody, 1).contains("no such operator"));
    assert!(stop(&mut first).success());
}

#[actix_web::test]
async fn the_first_operator_of_an_older_installation_administers_nothing_by_that() {
    let store = TestStore::new();
    prints(&evenwatt(&store, &["api-key", "create", "--name", "There is an organization"]));
    let (mut server, greeting) = serve(&store);
    let link = greeting.split_whitespace().find(|word| word.contains("/panel/invitations/")).expect("a link");
    let accept = format!("{}/accept", link.replace("/panel/invitations/", "/v1.1/account/invitations/"));
    let chosen =
        serde_json::json!({"name": "Grace", "email": "grace@example.com", "password": "correct horse battery"});
    let accepted = reqwest::Client::new().post(&accept).json(&chosen).send().await.expect("an answer");
    let account = accepted.json::<serde_json::Value>().await.expect("JSON");
    assert_eq!(account["result"]["installation_admin"], false);
    assert!(stop(&mut server).success());
}

/// A running server and everything that it printed up to the `curl` line.
fn serve(store: &TestStore) -> (Child, String) {
    let mut server = Command::new(env!("CARGO_BIN_EXE_evenwatt"))
        .env_clear()
        .env("DATABASE_URL", &store.url)
        .args(["--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut lines = BufReader::new(server.stdout.take().expect("piped")).lines();
    let mut greeting = String::new();
    while !greeting.contains("curl") {
        let line = lines.next().expect("the whole greeting").expect("UTF-8");
        greeting += &format!("{line}\n");
    }
    (server, greeting)
}

fn stop(server: &mut Child) -> ExitStatus {
    let asked = Command::new("kill").arg(server.id().to_string()).status().expect("kill");
    assert!(asked.success());
    server.wait().expect("an end")
}

#[test]
fn the_demo_shares_its_limit_and_ends_by_itself() {
    let runs = |versions: Option<&str>| {
        let store = TestStore::new();
        let words = ["demo", "--fast", "--for", "6s"];
        let words: Vec<&str> = words.into_iter().chain(versions).collect();
        let said = prints(&evenwatt(&store, &words));
        for part in ["ew_live_", "/swagger-ui/", "curl ", "limit 30.0 kW: never exceeded"] {
            assert!(said.contains(part), "no {part} in {said}");
        }
    };
    std::thread::scope(|both| {
        both.spawn(|| runs(None));
        both.spawn(|| runs(Some("--mixed")));
    });
}

#[test]
fn the_address_counts_for_every_command_that_serves() {
    let store = TestStore::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("an address").to_string();
    for command in ["serve", "demo"] {
        let failed = evenwatt(&store, &[command, "--listen", &address]);
        assert!(complains(&failed, 1).contains(&address), "{command}");
    }
}

const DAY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/jpl_2019_05_06.csv");

#[test]
fn a_replay_is_a_table_or_one_json_object() {
    let store = TestStore::new();
    let arguments = ["replay", DAY, "--capacity", "30", "--algorithm", "deadline"];
    let table = prints(&evenwatt(&store, &arguments));
    assert!(table.starts_with("sessions") && table.contains("demand met"), "{table}");
    let json = prints(&evenwatt(
        &store,
        &[arguments.as_slice(), &["--allow-pause", "--estimates", "driver", "--json"]].concat(),
    ));
    let object: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    for name in [
        "demand_met_pct",
        "jain",
        "p05",
        "worst",
        "limit_changes_per_ev_hour",
        "starts_per_session",
        "in_dead_band",
        "over_capacity",
        "plan_us_mean",
        "plan_us_p99",
    ] {
        assert!(object[name].is_number(), "no {name} in {json}");
    }
    assert_eq!(object["sessions"], 39);
    assert_eq!((&object["in_dead_band"], &object["over_capacity"]), (&0.into(), &0.into()));
}

#[test]
fn a_record_that_cannot_be_replayed_is_named_by_line_and_column() {
    let store = TestStore::new();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("bad.csv");
    let path = file.to_str().expect("UTF-8");
    let replayed = |text: &str| {
        std::fs::write(&file, text).expect("written");
        let arguments = ["replay", path, "--capacity", "30", "--algorithm", "equal_share"];
        complains(&evenwatt(&store, &arguments), 1)
    };
    let good = std::fs::read_to_string(DAY).expect("the day");
    let missing = replayed(&good.replace("energy_kwh,user", "energy,user"));
    assert!(missing.contains("bad.csv cannot be replayed: line 1: the column energy_kwh is missing"), "{missing}");
    let wrong = replayed(&good.replace(",6.6,32.0,", ",6.6,many,"));
    assert!(wrong.contains("line 2, column evse_max_a: \"many\" is not a number"), "{wrong}");
    let short = replayed(&format!("{good}1,2,3\n"));
    assert!(short.contains("line: 41"), "{short}");
    let binary = replayed("\0\u{1}");
    assert!(binary.contains("the column arrival_p is missing"), "{binary}");
    let nowhere = ["replay", "nowhere.csv", "--capacity", "30", "--algorithm", "equal_share"];
    assert!(complains(&evenwatt(&store, &nowhere), 1).starts_with("evenwatt: nowhere.csv cannot be read"));
}

#[test]
fn wrong_arguments_of_a_replay_end_with_code_2() {
    let store = TestStore::new();
    let pause = ["replay", DAY, "--capacity", "30", "--algorithm", "equal_share", "--allow-pause"];
    assert!(complains(&evenwatt(&store, &pause), 2).contains("--algorithm deadline"));
    for (capacity, algorithm) in [("-1", "deadline"), ("much", "deadline"), ("30", "fastest")] {
        let wrong = ["replay", DAY, "--capacity", capacity, "--algorithm", algorithm];
        complains(&evenwatt(&store, &wrong), 2);
    }
    complains(&evenwatt(&store, &["replay", DAY]), 2);
}
