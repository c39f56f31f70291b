//! The OpenAPI document and what is made from it: complete, and committed as the program would print it.

use std::collections::BTreeSet;
use std::path::Path;

use evenwatt::app::routes;
use evenwatt::cli::postman;
use evenwatt::events::{self, EventKind, Payload};
use evenwatt::http::codes;
use serde_json::Value;

#[track_caller]
fn assert_fresh(file: &str, expected: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(committed.trim_end() == expected.trim_end(), "{file} is stale: run scripts/refresh and commit it");
}

#[test]
fn what_is_generated_is_fresh() {
    let document = routes::openapi();
    assert_fresh("openapi/openapi.json", &document.to_pretty_json().expect("JSON"));
    assert_fresh("docs/ERRORS.md", &codes::markdown());
    assert_fresh("docs/EVENTS.md", &events::docs::markdown());
    let collection = postman::collection(document).expect("flows of operations that exist");
    let collection = serde_json::to_string_pretty(&collection).expect("JSON");
    assert_fresh("postman/evenwatt.postman_collection.json", &collection);
}

fn document() -> Value {
    serde_json::to_value(routes::openapi()).expect("JSON")
}

/// Every operation with its method and path.
fn operations(document: &Value) -> Vec<(String, &Value)> {
    let paths = document["paths"].as_object().expect("paths");
    let operations = paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().expect("an item").iter();
        methods.map(move |(method, operation)| (format!("{} {path}", method.to_uppercase()), operation))
    });
    operations.collect()
}

#[test]
fn every_operation_is_described_tagged_named_once_and_refuses_strangers() {
    let document = document();
    let tags: BTreeSet<_> =
        document["tags"].as_array().expect("tags").iter().map(|tag| &tag["name"]).map(Value::to_string).collect();
    let mut names = BTreeSet::new();
    for (what, operation) in operations(&document) {
        assert!(operation["summary"].as_str().is_some_and(|text| !text.is_empty()), "{what} has no summary");
        assert!(tags.contains(&operation["tags"][0].to_string()), "{what} has no tag of the document's list");
        let name = operation["operationId"].as_str().unwrap_or_default();
        assert!(
            !name.is_empty() && names.insert(name),
            "{what}: operationId \"{name}\" is missing or not the only one"
        );
        let answers = operation["responses"].as_object().expect("answers");
        let is_open = operation["security"] == serde_json::json!([{}]);
        assert!(is_open || answers.contains_key("401"), "{what} does not say that it answers 401");
        for (status, answer) in answers {
            assert!(resolve(&document, answer)["description"].is_string(), "{what}: answer {status} is not described");
        }
    }
}

#[test]
fn every_body_has_an_example_and_says_what_its_fields_are() {
    let document = document();
    let bodies = operations(&document).into_iter().filter(|(_, operation)| operation["requestBody"].is_object());
    // A picture is described by its types.
    let bodies = bodies.filter(|(what, _)| what != "PUT /v1.1/organization/logo");
    for (what, operation) in bodies {
        let content = &operation["requestBody"]["content"]["application/json"];
        assert!(content["example"].is_object(), "{what} has no example");
        let mut silent = Vec::new();
        find_silent(&document, &content["schema"], "", &mut silent);
        assert!(silent.is_empty(), "{what}: neither description nor example: {silent:?}");
    }
}

fn find_silent(document: &Value, schema: &Value, at: &str, silent: &mut Vec<String>) {
    let schema = resolve(document, schema);
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let (at, own) = (format!("{at}.{name}"), resolve(document, property));
        let says = |key: &str| !property[key].is_null() || !own[key].is_null();
        if !says("description") && !says("example") && !says("examples") {
            silent.push(at.clone());
        }
        find_silent(document, property, &at, silent);
    }
    if schema["items"].is_object() {
        find_silent(document, &schema["items"], at, silent);
    }
}

/// What a reference refers to.
fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        Some(reference) => document.pointer(reference.trim_start_matches('#')).expect("a reference to something"),
        None => value,
    }
}

#[test]
fn every_event_has_a_schema_and_is_recorded_somewhere() {
    let document = document();
    let schemas = &document["components"]["schemas"];
    let sources = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    for kind in EventKind::all() {
        let name = kind.name();
        assert!(document["webhooks"][name.as_ref()].is_object(), "{name}");
        if let Payload::View(schema) = kind.payload() {
            assert!(schemas[schema].is_object(), "{name}: no schema {schema}");
        }
        let code = match kind {
            EventKind::Action(action, _) => format!("ActionKind::{action:?}"),
            named => format!("EventKind::{named:?}"),
        };
        let own = code.split("::").last().expect("a name");
        let macro_made = format!("\" {own}");
        assert!(
            sources.contains(&code) || sources.contains(&macro_made),
            "{name} is in the catalogue, and never recorded"
        );
    }
}

/// All sources but the catalogue itself.
fn sources(folder: &Path) -> String {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let texts = entries.map(|entry| {
        let path = entry.expect("an entry").path();
        match path.is_dir() {
            true if path.ends_with("src/events") => String::new(),
            true => sources(&path),
            false => std::fs::read_to_string(&path).unwrap_or_default(),
        }
    });
    texts.collect()
}
