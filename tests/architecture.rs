//! The shape of the house, checked from the source text: imports point down, the pure cores stay pure, files stay
//! small, migrations are twins.

#![allow(clippy::expect_used, reason = "a failing test panics")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Which floor each top-level module stands on; a module imports only from lower floors, slices also from slices.
const FLOORS: [(u32, &[&str]); 7] = [
    (0, &["kernel"]),
    (1, &["engine", "pricing", "db"]),
    (2, &["http"]),
    (3, SLICES),
    (4, &["ocpp", "balancing"]),
    (5, &["simulator"]),
    (6, &["app"]),
];

/// One slice a noun.
const SLICES: &[&str] = &[
    "events",
    "organizations",
    "locations",
    "rates",
    "networks",
    "offers",
    "stations",
    "actions",
    "reservations",
    "templates",
    "profiles",
    "commissioning",
    "users",
    "tokens",
    "sessions",
    "groups",
    "priority",
    "portal",
    "webhooks",
    "realtime",
    "assets",
];

/// Lines a source file may have: longer ones are split along what they own.
const LONGEST_FILE: usize = 600;

/// Modules that decide and touch nothing: who wants to know what they would say only has to ask.
const PURE: [&str; 3] = ["src/engine", "src/pricing", "src/sessions/energy"];

/// Words that have no place in them: clocks, chance, I/O, logs and unordered maps.
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

/// The top-level module that a file belongs to; none for `lib.rs` and `main.rs`.
fn module_of(path: &Path) -> Option<String> {
    let below = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).ok()?;
    let first = below.components().next()?.as_os_str().to_str()?.to_owned();
    (!first.ends_with(".rs")).then_some(first)
}

/// The top-level modules a text names after `crate::`, also in brace groups.
fn imports(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (position, _) in text.match_indices("crate::") {
        let rest = &text[position + "crate::".len()..];
        let mut take = |part: &str| {
            let name: String = part.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            if floor_of(&name).is_some() {
                found.insert(name);
            }
        };
        match rest.strip_prefix('{') {
            Some(group) => group.split('}').next().unwrap_or_default().split(',').for_each(&mut take),
            None => take(rest),
        }
    }
    found
}

/// A source text without comments.
fn code(text: &str) -> String {
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_module_has_a_floor() {
    let modules: BTreeSet<String> = sources("src").iter().filter_map(|(path, _)| module_of(path)).collect();
    let homeless: Vec<_> = modules.iter().filter(|module| floor_of(module).is_none()).collect();
    assert!(homeless.is_empty(), "write these into FLOORS: {homeless:?}");
}

#[test]
fn imports_point_down() {
    let mut wrong = Vec::new();
    for (path, text) in sources("src") {
        let Some(module) = module_of(&path) else {
            continue;
        };
        let floor = floor_of(&module).unwrap_or(u32::MAX);
        for imported in imports(&code(&text)) {
            let below = floor_of(&imported).unwrap_or(0);
            let sibling_slices = SLICES.contains(&module.as_str()) && SLICES.contains(&imported.as_str());
            if imported != module && below >= floor && !sibling_slices {
                wrong.push(format!("{} imports {imported}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn slices_have_no_cycles() {
    let mut edges: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (path, text) in sources("src") {
        if let Some(module) = module_of(&path).filter(|module| SLICES.contains(&module.as_str())) {
            let siblings = imports(&code(&text)).into_iter().filter(|name| SLICES.contains(&name.as_str()));
            edges.entry(module.clone()).or_default().extend(siblings.filter(|name| *name != module));
        }
    }
    // A slice that needs nobody can be taken away; what cannot be taken away in the end is a cycle.
    while let Some(free) = edges.iter().find(|(_, needs)| needs.is_empty()).map(|(slice, _)| slice.clone()) {
        edges.remove(&free);
        edges.values_mut().for_each(|needs| {
            needs.remove(&free);
        });
    }
    assert!(edges.is_empty(), "these slices import each other in a circle: {edges:?}");
}

#[test]
fn the_engine_is_pure() {
    let impure: Vec<String> = PURE
        .iter()
        .flat_map(|folder| sources(folder))
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
    let allowed = ["ocpp", "simulator", "app"];
    let named: Vec<String> = sources("src")
        .iter()
        .filter(|(path, _)| module_of(path).is_some_and(|module| !allowed.contains(&module.as_str())))
        .filter(|(_, text)| code(text).contains("v16::") || code(text).contains("v201::"))
        .map(|(path, _)| path.display().to_string())
        .collect();
    assert!(named.is_empty(), "{}", named.join("\n"));
}

#[test]
fn every_file_says_what_it_owns_and_stays_short() {
    let mut wrong = Vec::new();
    for folder in ["src", "tests", "benches"] {
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

#[test]
fn migrations_are_twins() {
    let names = |store: &str| -> BTreeSet<String> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(store);
        let entries = fs::read_dir(folder).expect("migrations");
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
    };
    assert_eq!(names("sqlite"), names("postgres"));
}
