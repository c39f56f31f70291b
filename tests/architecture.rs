//! The shape of the house: what crates may reach, from their manifests; that imports point down, slices are used by their
//! facades and tables by their owners, from the source text; that files stay small; that migrations are twins and lead
//! forward only.

#![allow(clippy::expect_used, reason = "a failing test panics")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// What each crate may name in its manifest, besides what its tests need. What is not here cannot be reached from there:
/// the engine has no async runtime, no clock, no log and no source of chance; `ocpp` has no HTTP and no store.
const MANIFESTS: [(&str, &[&str]); 7] = [
    (
        "kernel",
        &[
            "base64",
            "chrono",
            "chrono-tz",
            "diesel",
            "hex",
            "iso_currency",
            "rust_decimal",
            "serde",
            "serde_json",
            "thiserror",
            "utoipa",
        ],
    ),
    ("clock", &["chrono", "kernel", "rand", "tokio"]),
    ("engine", &["kernel", "serde", "serde_json"]),
    ("pricing", &["chrono", "kernel", "rust_decimal", "serde"]),
    ("ocpp", &["chrono", "kernel", "serde", "serde_json", "thiserror"]),
    ("resource", &["proc-macro2", "quote", "syn"]),
    (
        "simulator",
        &[
            "base64",
            "clock",
            "futures-util",
            "kernel",
            "ocpp",
            "rand",
            "serde_json",
            "thiserror",
            "tokio",
            "tokio-tungstenite",
            "tracing",
        ],
    ),
];

/// Which floor each top-level module of the server stands on; a module imports only from lower floors, slices also from
/// slices.
const FLOORS: [(u32, &[&str]); 7] = [
    (1, &["store"]),
    (2, &["http"]),
    (3, &["events"]),
    (4, WINGS),
    (5, &["gateway", "balancing", "cluster"]),
    (6, &["app"]),
    (7, &["cli"]),
];

/// Folders of slices that belong together; a slice is one noun of the API.
const WINGS: &[&str] = &["sites", "people", "market", "load", "home", "control", "charging", "notify", "panel"];

/// Parts of a slice that others may name, because they are facades of their own.
const FACADES: [(&str, &str); 1] = [("sites/stations", "link")];

/// Which room owns each table. Only its owner names a table; others ask the facade of its room, for what they want to know
/// or for a selection of ids.
const TABLES: [(&str, &[&str]); 26] = [
    ("store", &["counters", "secrets"]),
    ("http", &["idempotency_keys"]),
    ("events", &["audit", "event_packs", "events", "frequent_events"]),
    ("sites/locations", &["locations"]),
    (
        "sites/stations",
        &["chargestations", "connector_statuses", "connectors", "dynamic_profiles", "evses", "external_limits"],
    ),
    ("sites/rates", &["rate_schedules", "rates"]),
    ("people/organizations", &["api_keys", "organization_logos", "organizations"]),
    ("people/users", &["users"]),
    ("people/tokens", &["tokens"]),
    ("market/networks", &["evse_groups", "evse_networks", "network_evses"]),
    ("market/offers", &["service_offers"]),
    ("load/groups", &["group_connectors", "group_stations", "load_groups"]),
    ("load/assets", &["asset_readings", "assets"]),
    ("home/portal", &["home_links", "home_logins", "home_refresh_tokens", "home_users", "letters", "login_attempts"]),
    ("home/priority_charges", &["priority_charges"]),
    ("control/acceptance", &["acceptance_tests"]),
    ("control/actions", &["actions"]),
    ("control/profiles", &["charging_profile_evses", "charging_profiles"]),
    ("control/templates", &["configuration_templates"]),
    (
        "charging/sessions",
        &[
            "meter_evidence",
            "meter_values",
            "reading_chunks",
            "session_journal",
            "session_tariffs",
            "sessions",
            "transaction_events",
        ],
    ),
    ("charging/reservations", &["reservations"]),
    ("charging/driver", &["driver_links", "driver_logins"]),
    (
        "panel/operators",
        &[
            "operator_accounts",
            "operator_identities",
            "operator_links",
            "operator_logins",
            "operator_oidc_requests",
            "operators",
        ],
    ),
    ("notify/webhooks", &["webhook_deliveries", "webhooks"]),
    ("cluster", &["nodes"]),
    ("balancing", &["balancing_members", "balancing_states", "load_spans", "plan_bases", "plans"]),
];

/// Files that name a table of another room all the same, because a join over both is the right thing there.
const FOREIGN: [(&str, &str, &str); 7] = [
    (
        "src/charging/sessions/overdue.rs",
        "chargestations",
        "of the sessions that run, those whose station has left: the few that run lead to stations, not the other way",
    ),
    (
        "src/charging/sessions/overdue.rs",
        "connectors",
        "compares when a session began with when its connector was called free, before the limit of a round applies",
    ),
    (
        "src/home/portal/store.rs",
        "users",
        "a home user is a user: lists are ordered and searched by names, and found by address over all organizations",
    ),
    ("src/home/portal/logins.rs", "users", "each request of a home user asks whether the login and its user are good"),
    (
        "src/market/networks/evses.rs",
        "evses",
        "pages, filters and sorts EVSEs by whether they are in a group of a network",
    ),
    (
        "src/sites/stations/store/memberships.rs",
        "group_stations",
        "pages stations with their group, and filters them by whether they are in one; events of stations name it, too",
    ),
    (
        "src/sites/stations/store/memberships.rs",
        "balancing_members",
        "pages and filters stations by whether they keep their limits, without a query for each",
    ),
];

/// Lines a source file may have: longer ones are split along what they own.
const LONGEST_FILE: usize = 600;

/// Part of a slice that decides and touches nothing, in a package that could.
const PURE: &str = "src/charging/sessions/energy";

/// Words that have no place there: clocks, chance, I/O, logs and unordered maps.
const IMPURE: [&str; 9] =
    ["HashMap", "HashSet", "async ", "tokio", "tracing", "rand::", "SystemTime", "Instant", "f32"];

fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("a source file");
                found.push((path, text));
            }
        }
    }
    found.sort();
    found
}

fn floor_of(module: &str) -> Option<u32> {
    FLOORS.iter().find(|(_, modules)| modules.contains(&module)).map(|(floor, _)| *floor)
}

/// A module that imports are counted for: a top-level module, or a slice of a wing, as `sites/stations`.
type Room = String;

/// The room of this path of modules; none where it names a wing, a macro or a crate's root alone.
fn room_of(path: &[&str]) -> Option<Room> {
    let (first, rest) = path.split_first()?;
    if WINGS.contains(first) { rest.first().map(|slice| format!("{first}/{slice}")) } else { Some((*first).to_owned()) }
        .filter(|room| floor_of(room.split('/').next().unwrap_or_default()).is_some())
}

/// The room that a file belongs to; none for `lib.rs`, `main.rs` and the list of a wing's slices.
fn home_of(path: &Path) -> Option<Room> {
    let below = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).ok()?;
    let parts: Vec<&str> = below.parent()?.iter().filter_map(|part| part.to_str()).collect();
    room_of(&parts)
}

/// Every path that a text names after `crate::`, also in brace groups: `["sites", "stations", "link"]`.
fn imports(text: &str) -> BTreeSet<Vec<String>> {
    paths_after("crate::", text)
}

fn paths_after(start: &str, text: &str) -> BTreeSet<Vec<String>> {
    let mut found = BTreeSet::new();
    for (position, _) in text.match_indices(start) {
        let rest = &text[position + start.len()..];
        let plain = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
        let end = rest.find(|c| !plain(c)).unwrap_or(rest.len());
        let (stem, group) = rest.split_at(end);
        let parts = match group.strip_prefix('{').filter(|_| stem.is_empty() || stem.ends_with("::")) {
            Some(group) => elements(group),
            None => vec![String::new()],
        };
        for part in parts {
            let path = format!("{stem}{part}");
            let names = path.split("::").map(str::trim).filter(|name| !name.is_empty());
            found.insert(names.map(|name| name.chars().take_while(|c| plain(*c)).collect()).collect());
        }
    }
    found
}

/// The elements of a brace group that begins here, each without the groups within it.
fn elements(group: &str) -> Vec<String> {
    let (mut depth, mut elements, mut element) = (0_usize, Vec::new(), String::new());
    for letter in group.chars() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => elements.push(std::mem::take(&mut element)),
            other if depth == 0 => element.push(other),
            _ => {}
        }
    }
    elements.push(element);
    elements.retain(|element| !element.trim().is_empty());
    elements
}

/// A source text without comments.
fn code(text: &str) -> String {
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// Each room of the server with the paths that its files import from other rooms, and the file.
fn all_imports() -> Vec<(Room, Vec<String>, PathBuf)> {
    let mut all = Vec::new();
    for (path, text) in sources("src") {
        if let Some(home) = home_of(&path) {
            all.extend(imports(&code(&text)).into_iter().map(|import| (home.clone(), import, path.clone())));
        }
    }
    all
}

fn room_of_import(import: &[String]) -> Option<Room> {
    room_of(&import.iter().map(String::as_str).collect::<Vec<_>>())
}

fn floor_of_room(room: &str) -> u32 {
    room.split('/').next().and_then(floor_of).unwrap_or(u32::MAX)
}

#[test]
fn crates_name_only_what_they_may_reach() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates");
    let folders: BTreeSet<String> = fs::read_dir(&root)
        .expect("crates")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(folders, MANIFESTS.iter().map(|(name, _)| (*name).to_owned()).collect(), "write crates into MANIFESTS");
    for (name, allowed) in MANIFESTS {
        let text = fs::read_to_string(root.join(name).join("Cargo.toml")).expect("a manifest");
        let manifest: toml::Table = text.parse().expect("TOML");
        let dependencies = manifest.get("dependencies").and_then(toml::Value::as_table).expect("dependencies");
        let named: BTreeSet<&str> = dependencies.keys().map(String::as_str).collect();
        assert_eq!(named, allowed.iter().copied().collect(), "crates/{name}/Cargo.toml");
        let elsewhere = ["target", "build-dependencies"].iter().any(|section| manifest.contains_key(*section));
        assert!(!elsewhere, "crates/{name}/Cargo.toml has dependencies that this test does not see");
    }
    let kernel: toml::Table =
        fs::read_to_string(root.join("kernel/Cargo.toml")).expect("a manifest").parse().expect("TOML");
    assert!(
        kernel["features"].get("default").is_none(),
        "the pure crates take the kernel without a store and documents"
    );
}

#[test]
fn every_module_has_a_floor() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let entries = fs::read_dir(root).expect("src");
    let folders = entries.map(|entry| entry.expect("an entry").path()).filter(|path| path.is_dir());
    let names = folders.filter_map(|path| path.file_name().map(|name| name.to_string_lossy().into_owned()));
    let homeless: Vec<_> = names.filter(|name| floor_of(name).is_none()).collect();
    assert!(homeless.is_empty(), "write these into FLOORS: {homeless:?}");
}

#[test]
fn imports_point_down() {
    let mut wrong = Vec::new();
    for (home, import, path) in all_imports() {
        let Some(room) = room_of_import(&import).filter(|room| *room != home) else {
            continue;
        };
        let slices = room.contains('/') && home.contains('/');
        if floor_of_room(&room) >= floor_of_room(&home) && !slices {
            wrong.push(format!("{} imports {room}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn slices_are_used_by_their_facades() {
    let mut wrong = Vec::new();
    for (home, import, path) in all_imports() {
        let Some(room) = room_of_import(&import).filter(|room| room.contains('/') && *room != home) else {
            continue;
        };
        let Some(part) = import.get(2).filter(|_| import.len() > 3) else {
            continue;
        };
        let is_type = part.starts_with(char::is_uppercase);
        if !is_type && !FACADES.contains(&(room.as_str(), part)) {
            wrong.push(format!("{} reaches into {room}: {}", path.display(), import.join("::")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn slices_have_no_cycles() {
    let mut edges: BTreeMap<Room, BTreeSet<Room>> = BTreeMap::new();
    for (home, import, _) in all_imports() {
        let needs = edges.entry(home.clone()).or_default();
        needs.extend(room_of_import(&import).filter(|room| *room != home));
    }
    let all: BTreeSet<Room> = edges.keys().cloned().collect();
    edges.values_mut().for_each(|needs| needs.retain(|room| all.contains(room)));
    let circle = circle_of(edges);
    assert!(circle.is_empty(), "these import each other in a circle: {circle:?}");
}

#[test]
fn wings_have_no_cycles() {
    let wing = |room: &str| room.split('/').next().map(str::to_owned).filter(|wing| WINGS.contains(&wing.as_str()));
    let mut edges: BTreeMap<Room, BTreeSet<Room>> = WINGS.iter().map(|wing| ((*wing).to_owned(), [].into())).collect();
    for (home, import, _) in all_imports() {
        let (from, to) = (wing(&home), room_of_import(&import).and_then(|room| wing(&room)));
        if let Some((from, to)) = from.zip(to).filter(|(from, to)| from != to) {
            edges.entry(from).or_default().insert(to);
        }
    }
    let circle = circle_of(edges);
    assert!(circle.is_empty(), "these wings import each other in a circle: {circle:?}");
}

/// What is left of rooms and those that each needs when whoever needs nobody is taken away, again and again: circles, and
/// whoever needs them.
fn circle_of(mut edges: BTreeMap<Room, BTreeSet<Room>>) -> BTreeMap<Room, BTreeSet<Room>> {
    while let Some(free) = edges.iter().find(|(_, needs)| needs.is_empty()).map(|(room, _)| room.clone()) {
        edges.remove(&free);
        edges.values_mut().for_each(|needs| {
            needs.remove(&free);
        });
    }
    edges
}

/// The tables of the schema, as its source declares them: a name and its key in front of a brace.
fn schema_tables() -> BTreeSet<String> {
    let mut tables = BTreeSet::new();
    for (_, text) in sources("src/store/schema") {
        let code = code(&text);
        let heads = code.lines().filter_map(|line| line.strip_suffix(") {")?.trim_start().split_once(" ("));
        tables.extend(heads.map(|(name, _)| name.to_owned()));
    }
    tables
}

#[test]
fn each_table_has_one_owner() {
    let declared = schema_tables();
    let owned: Vec<&str> = TABLES.iter().flat_map(|(_, tables)| tables.iter().copied()).collect();
    let owners: BTreeSet<String> = owned.iter().map(|table| (*table).to_owned()).collect();
    assert_eq!(owners, declared, "write tables into TABLES");
    assert_eq!(owned.len(), owners.len(), "a table is in TABLES twice");

    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut wrong, mut needed) = (Vec::new(), BTreeSet::new());
    for (path, text) in sources("src") {
        let (file, text) = (path.strip_prefix(root).expect("below the root").to_string_lossy(), code(&text));
        if file.starts_with("src/store/schema/") {
            continue;
        }
        if ["schema::*", "schema::{*", "schema as "].iter().any(|all| text.contains(all)) {
            wrong.push(format!("{file} names tables that cannot be seen in its text"));
        }
        let home = home_of(&path).unwrap_or_default();
        let own = TABLES.iter().find(|(room, _)| *room == home).map_or(&[][..], |(_, tables)| *tables);
        let named = paths_after("schema::", &text).into_iter().filter_map(|names| names.into_iter().next());
        for table in named.filter(|name| declared.contains(name) && !own.contains(&name.as_str())) {
            match FOREIGN.iter().find(|(foreign, name, _)| *foreign == file && *name == table) {
                Some(exception) => drop(needed.insert(*exception)),
                None => wrong.push(format!("{file} names the table {table}, which another room owns: ask its facade")),
            }
        }
    }
    let idle = FOREIGN.iter().filter(|exception| !needed.contains(*exception));
    wrong.extend(idle.map(|(file, table, _)| format!("{file} does not name {table} any more: take it out of FOREIGN")));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_energy_ledger_is_pure() {
    let impure: Vec<String> = sources(PURE)
        .into_iter()
        .flat_map(|(path, text)| {
            let text = code(&text);
            let words = IMPURE.iter().filter(move |word| text.contains(**word));
            words.map(|word| format!("{} says {word}", path.display())).collect::<Vec<_>>()
        })
        .collect();
    assert!(impure.is_empty(), "{}", impure.join("\n"));
}

#[test]
fn only_the_gateway_names_protocol_versions() {
    let allowed = ["gateway", "cli"];
    let named: Vec<String> = sources("src")
        .iter()
        .filter(|(path, _)| home_of(path).is_some_and(|room| !allowed.contains(&room.as_str())))
        .filter(|(_, text)| code(text).contains("v16::") || code(text).contains("v2::"))
        .map(|(path, _)| path.display().to_string())
        .collect();
    assert!(named.is_empty(), "{}", named.join("\n"));
}

#[test]
fn every_file_says_what_it_owns_and_stays_short() {
    let mut wrong = Vec::new();
    for folder in ["src", "crates", "tests", "benches"] {
        for (path, text) in sources(folder) {
            if !text.starts_with("//!") {
                wrong.push(format!("{} does not open with //!", path.display()));
            }
            if text.lines().count() > LONGEST_FILE {
                wrong.push(format!("{} has {} lines", path.display(), text.lines().count()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The folders in the migrations of a store.
fn migrations(store: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(store);
    fs::read_dir(folder).expect("migrations").map(|entry| entry.expect("an entry").path()).collect()
}

/// The last parts of paths.
fn names(paths: &[PathBuf]) -> BTreeSet<String> {
    paths.iter().filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned())).collect()
}

#[test]
fn migrations_are_twins() {
    assert_eq!(names(&migrations("sqlite")), names(&migrations("postgres")));
}

#[test]
fn migrations_lead_forward_only() {
    for migration in ["sqlite", "postgres"].into_iter().flat_map(migrations) {
        let files: Vec<PathBuf> =
            fs::read_dir(&migration).expect("a migration").map(|entry| entry.expect("an entry").path()).collect();
        assert_eq!(names(&files), BTreeSet::from(["up.sql".to_owned()]), "{}", migration.display());
    }
}
