//! What answers say: what people look for is found, and what is said adds up.

mod bodies;
mod finding;
mod offers;
mod places;
mod refusals;
mod status;

use serde_json::Value;

use crate::support::Client;

/// What the rows of a list are called, sorted.
async fn names(client: &Client, path: &str) -> Vec<String> {
    let answer = client.get(path).await.json();
    let rows = answer["result"].as_array().unwrap_or_else(|| panic!("{path}: {answer}"));
    let name = |row: &Value| row["name"].as_str().unwrap_or("?").to_owned();
    let mut names: Vec<String> = rows.iter().map(name).collect();
    names.sort();
    names
}

/// A text of an object.
fn text(object: &Value, field: &str) -> String {
    object[field].as_str().expect("a text").to_owned()
}
