//! The words of the house are those of the field: what engineers of other charging back ends would have to ask about stands
//! in no name and in no text.
//!
//! Names and texts are split into words at capitals, underscores and all that is no letter, and compared whole.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a failing test panics")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Words that only this house used, and what the field says. Plain English that is also a house word (form, rest, hold,
/// turn, place, letter, flag, course, standing) is not here: a test cannot know in which sense it is meant.
const WORDS: [(&[&str], &str); 21] = [
    (&["told", "tell", "tells", "telling", "untold"], "sent, reported, notified, recorded, shown"),
    (&["reckon", "reckons", "reckoned", "reckoning"], "compute"),
    (&["from elsewhere"], "external"),
    (&["bell", "bells", "poke", "pokes", "poked"], "notify, wake, request replanning"),
    (&["books"], "plan ledger, its rows"),
    (&["seat", "seats", "seated", "unseated"], "connector of a site"),
    (&["desk", "agenda"], "admission, timer"),
    (&["errand", "errands", "goodbye", "goodbyes"], "command, release"),
    (&["last resort"], "shedding"),
    (&["ladder", "ladders", "rung", "rungs"], "variants of charging profiles"),
    (&["habit", "habits"], "capabilities"),
    (&["peer", "peers"], "connection, partner"),
    (&["mend", "mends", "mended", "mending"], "repair; read leniently"),
    (&["out of control"], "uncontrolled"),
    (&["set aside", "sets aside", "stand aside", "stands aside"], "reserved, paused"),
    (&["outlive", "outlives"], "does not expire, stays after"),
    (&["door", "doors", "doorkeeper", "keyring"], "auth guard, API-key cache"),
    (&["courier", "couriers"], "dispatcher"),
    (&["roads"], "routing"),
    (&["vault", "vaults"], "secret store"),
    (&["commissioning"], "provisioning, site readiness"),
];

/// Files (or folders) that may use a word, and why.
const EXCEPTIONS: [(&str, &str, &str); 7] = [
    ("src/app/tls.rs", "peer", "a method of rustls"),
    ("src/http/client.rs", "peer", "the other end of a TCP connection, as RFC 9293 and actix call it"),
    ("src/store/schema", "told", "columns keep their names"),
    ("GLOSSARY.md", "out of control", "names the field of an event"),
    ("docs/EVENTS.md", "out of control", "a field of an event"),
    ("src/balancing/store.rs", "out of control", "a field of an event"),
    ("src/events/catalogue.rs", "out of control", "a field of an event"),
];

/// What is stored or shown under an old name keeps it; lines with these say the name of a field or a column.
const STORED: [&str; 3] = ["rename = \"", "column_name = ", "::told_"];

fn files(folder: &Path, all: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files(&path, all);
        } else if path.extension().is_some_and(|kind| ["rs", "md", "toml", "py"].iter().any(|one| kind == *one)) {
            all.push(path);
        }
    }
}

fn words_of(line: &str) -> Vec<String> {
    let (mut words, mut before) = (vec![String::new()], ' ');
    for c in line.chars() {
        if !c.is_alphabetic() || (c.is_uppercase() && before.is_lowercase()) {
            words.push(String::new());
        }
        if c.is_alphabetic() {
            words.last_mut().expect("a word").extend(c.to_lowercase());
        }
        before = c;
    }
    words.retain(|word| !word.is_empty());
    words
}

/// House words by their first word, with what the field says.
type Index = BTreeMap<&'static str, Vec<(&'static str, &'static str)>>;

fn index() -> Index {
    let mut index = Index::new();
    for (words, instead) in WORDS {
        for word in words {
            let first = word.split(' ').next().expect("a word");
            index.entry(first).or_default().push((*word, instead));
        }
    }
    index
}

/// The house words of a text, each with its line.
fn found(index: &Index, path: &str, text: &str) -> Vec<String> {
    let allowed = |word: &str| EXCEPTIONS.iter().any(|(file, one, _)| path.starts_with(file) && *one == word);
    let mut wrong = Vec::new();
    for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| STORED.iter().all(|mark| !line.contains(mark))) {
        let words = words_of(line);
        for (place, first) in words.iter().enumerate() {
            let house = index.get(first.as_str()).into_iter().flatten();
            let said = house.filter(|(word, _)| {
                let parts: Vec<&str> = word.split(' ').collect();
                words[place..].starts_with(&parts.iter().map(|part| (*part).to_owned()).collect::<Vec<_>>())
            });
            let said = said.filter(|(word, _)| !allowed(word));
            wrong
                .extend(said.map(|(word, instead)| format!("{path}:{number} says `{word}`; the field says {instead}")));
        }
    }
    wrong
}

/// The texts of the OpenAPI document: summaries and descriptions, line by line.
fn texts_of_the_document(value: &serde_json::Value, texts: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(fields) => {
            for (name, field) in fields {
                if let (true, Some(text)) = (["summary", "description"].contains(&name.as_str()), field.as_str()) {
                    texts.push(text.to_owned());
                }
                texts_of_the_document(field, texts);
            }
        }
        serde_json::Value::Array(items) => items.iter().for_each(|item| texts_of_the_document(item, texts)),
        _ => {}
    }
}

#[test]
fn names_and_texts_use_the_fields_words() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all: Vec<PathBuf> =
        ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "GLOSSARY.md"].map(|name| root.join(name)).to_vec();
    for folder in ["src", "crates", "tests", "benches", "docs"] {
        files(&root.join(folder), &mut all);
    }
    let (index, mut wrong) = (index(), Vec::new());
    for path in all {
        let name = path.strip_prefix(root).expect("a file of ours").to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).expect("a text");
        // The name of a file is the name of its module.
        if name != "tests/words.rs" {
            wrong.extend(found(&index, &name, &name));
            wrong.extend(found(&index, &name, &text));
        }
    }
    let document = fs::read_to_string(root.join("openapi/openapi.json")).expect("the document");
    let mut texts = Vec::new();
    texts_of_the_document(&serde_json::from_str(&document).expect("JSON"), &mut texts);
    wrong.extend(texts.iter().flat_map(|text| found(&index, "openapi/openapi.json", text)));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_word_is_found_whole_in_names_and_texts() {
    let says = |text: &str| found(&index(), "src/a.rs", text).len();
    assert_eq!(says("let told_at = 1;"), 1);
    assert_eq!(says("struct LastResort;"), 1, "two words of a name");
    assert_eq!(says("fn tell(self)"), 1);
    assert_eq!(says("/// What it Told."), 1);
    assert_eq!(says("a limit from elsewhere, set aside"), 2);
    assert_eq!(says("untoldly stellar satellites intellect mendacious"), 0, "parts of words");
    assert_eq!(says("#[serde(rename = \"told\")]"), 0, "a stored name");
}
