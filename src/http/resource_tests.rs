//! `#[resource]` on a small struct that has every attribute: what each makes of requests, rows and answers.

use std::sync::Arc;

use resource::resource;
use serde_json::{Value, json};

use crate::http::fields::{Field, MetaData, Path};
use crate::http::quantities::{Share, Volts};
use crate::http::{Faults, Versioned};
use crate::store::Json;
use kernel::text::{Name, Note};
use kernel::*;

/// Volts where nothing is said.
const MAINS: Millivolts = Millivolts(230_000);

#[resource(
    new("A new shed.", derive(Default), example = json!({"shedName": "North"})),
    patch("Changes of a shed.", function = merge),
    view("A shed as clients see it.")
)]
/// A shed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shed {
    /// Its id.
    #[field(name = "_id", initial = moment.id())]
    pub id: LocationId,
    #[field(argument, hidden)]
    pub organization_id: OrganizationId,
    /// Display name; null where it has none.
    #[field(name = "shedName", read = Name, new("Display name."))]
    pub shed_name: Option<String>,
    /// What is searched for.
    #[field(hidden, initial = new.shed_name.as_ref().map(|name| name.to_lowercase()))]
    pub folded: Option<String>,
    /// Whether it is in use.
    #[field(read, default = true)]
    pub active: bool,
    /// Whether it may be entered.
    #[field(read, initial = false)]
    pub open: bool,
    /// Volts.
    #[field(read = Volts, default = MAINS, shown = f64)]
    pub voltage: Millivolts,
    /// A share.
    #[field(read = Share, shown = f64, view(after = id))]
    pub share: Option<i64>,
    /// How many gates.
    #[field(read, default = 1, not_null, new(minimum = 1))]
    pub gates: i64,
    /// The shed that it belongs to.
    #[field(name = "parent", read, fixed)]
    pub parent_id: Option<LocationId>,
    /// Lines of text.
    #[field(read = Note, default = Json(Vec::new()), store = lines, show = joined, shown = String)]
    pub lines: Json<Vec<String>>,
    /// Sizes.
    #[field(name = "type", read, default, required)]
    pub kind: Json<Vec<i64>>,
    /// For how many minutes.
    #[field(request)]
    pub minutes: Option<u32>,
    /// Its stations.
    #[field(computed, read)]
    pub stations: Vec<StationId>,
    /// How many letters its name has.
    #[field(computed = Shed::letters)]
    pub letters: usize,
    /// JSON of your own.
    #[field(read, default, view(serde(skip_serializing_if = "empty")))]
    pub meta_data: Json<MetaData>,
    /// When it was created.
    #[field(name = "createdAt", initial = moment.now)]
    pub created_at: Timestamp,
    /// When it last changed.
    #[field(name = "updatedAt", initial = moment.now, version)]
    pub updated_at: Timestamp,
}

fn lines(text: Note) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

fn joined(lines: Vec<String>) -> String {
    lines.join(" / ")
}

fn empty(data: &MetaData) -> bool {
    data.0.is_empty()
}

impl Shed {
    fn letters(&self) -> usize {
        self.shed_name.as_ref().map_or(0, String::len)
    }
}

fn at(second: i64) -> Moment {
    Moment::new(Timestamp::from_unix_seconds(second), Arc::new(CountingIds::default()))
}

fn read<T: Field>(body: &Value) -> Result<T, Vec<String>> {
    let mut faults = Faults::default();
    let read = T::read(body, Path::Root, &mut faults);
    let noted = || faults.0.iter().map(|fault| format!("{} {}", fault.field, fault.code)).collect();
    read.filter(|_| faults.is_empty()).ok_or_else(noted)
}

fn shed(body: &Value) -> Shed {
    let moment = at(1);
    Shed::new(read(body).expect("a right body"), moment.id(), &moment)
}

#[test]
fn a_new_one_has_what_was_said_and_its_defaults() {
    let bare = shed(&json!({"type": []}));
    let moment = at(1);
    let organization_id = moment.id();
    let expected = Shed {
        id: moment.id(),
        organization_id,
        shed_name: None,
        folded: None,
        active: true,
        open: false,
        voltage: MAINS,
        share: None,
        gates: 1,
        parent_id: None,
        lines: Json(Vec::new()),
        kind: Json(Vec::new()),
        meta_data: Json::default(),
        created_at: moment.now,
        updated_at: moment.now,
    };
    assert_eq!(bare, expected);
    let full = shed(&json!({
        "shedName": "North", "active": false, "voltage": 400, "share": 0.25, "gates": 2, "parent": "65".repeat(12),
        "lines": "a\nb", "type": [3], "minutes": 5, "stations": [], "meta_data": {"a": 1}
    }));
    assert_eq!((full.shed_name.as_deref(), full.folded.as_deref()), (Some("North"), Some("north")));
    assert_eq!((full.active, full.voltage, full.share, full.gates), (false, Millivolts(400_000), Some(250_000), 2));
    assert_eq!(full.parent_id.map(|id| id.to_string()), Some("65".repeat(12)));
    assert_eq!((full.lines, full.kind), (Json(vec!["a".to_owned(), "b".to_owned()]), Json(vec![3])));
}

#[test]
fn requests_have_the_fields_that_are_read() {
    assert_eq!(read::<NewShed>(&json!({})), Err(vec!["type required".to_owned()]));
    assert_eq!(read::<NewShed>(&json!({"type": [], "open": true})), Err(vec!["open unknown".to_owned()]));
    assert_eq!(read::<ShedPatch>(&json!({"parent": null})), Err(vec!["parent unknown".to_owned()]));
    let new: NewShed = read(&json!({"type": [], "minutes": 5, "stations": ["65".repeat(12)]})).expect("a right body");
    assert_eq!((new.minutes, new.stations.map(|all| all.len())), (Some(5), Some(1)));
    assert_eq!(NewShed { minutes: Some(5), ..NewShed::only(Vec::new()) }, NewShed { stations: None, ..new });
    assert_eq!(NewShed::default().gates, None);
}

#[test]
fn a_patch_replaces_clears_and_refuses() {
    let full = json!({"shedName": "North", "active": false, "voltage": 400, "share": 0.5, "gates": 2, "type": [3]});
    let mut one = shed(&full);
    let before = one.clone();
    let change = |one: &mut Shed, body: Value| {
        one.merge(read(&body).expect("a right body"), &at(2)).map_err(|faults| {
            faults.0.iter().map(|fault| format!("{} {}", fault.field, fault.code)).collect::<Vec<_>>()
        })
    };
    assert_eq!(change(&mut one, json!({})), Ok(()));
    assert!(one.updated_at > before.updated_at);
    assert_eq!(Shed { updated_at: before.updated_at, ..one.clone() }, before, "what is absent stays");

    assert_eq!(change(&mut one, json!({"shedName": "South", "open": true, "voltage": 110, "lines": "x"})), Ok(()));
    assert_eq!((one.shed_name.as_deref(), one.open, one.voltage), (Some("South"), true, Millivolts(110_000)));
    assert_eq!(one.lines, Json(vec!["x".to_owned()]));

    let cleared =
        json!({"shedName": null, "active": null, "voltage": null, "share": null, "lines": null, "type": null});
    assert_eq!(change(&mut one, cleared), Ok(()));
    assert_eq!((one.shed_name.as_deref(), one.active, one.voltage, one.share), (None, true, MAINS, None));
    assert_eq!((one.lines.0.len(), one.kind.0.len()), (0, 0));

    for (data, merged) in [
        (json!({"a": 1, "b": {"c": 2, "d": 3}}), json!({"a": 1, "b": {"c": 2, "d": 3}})),
        (json!({"b": {"c": null, "e": [4]}}), json!({"a": 1, "b": {"d": 3, "e": [4]}})),
        (json!({"a": null, "b": {"e": [5]}}), json!({"b": {"d": 3, "e": [5]}})),
        (Value::Null, json!({})),
    ] {
        assert_eq!(change(&mut one, json!({"meta_data": data})), Ok(()));
        assert_eq!(json!(one.meta_data.0), merged);
    }
    let too_long = json!({"meta_data": {"a": "x".repeat(20_000)}});
    assert_eq!(change(&mut one, too_long), Err(vec!["meta_data invalid".to_owned()]));

    let refused = ["open required".to_owned(), "gates required".to_owned()];
    assert_eq!(change(&mut one, json!({"open": null, "gates": null})), Err(refused.into()));
}

#[test]
fn a_view_shows_what_is_not_hidden_in_its_order() {
    let one = shed(&json!({"shedName": "North", "share": 0.5, "lines": "a\nb", "type": [3]}));
    let updated_at = one.updated_at;
    let view = ShedView::of(one, ShedComputed { stations: Vec::new() });
    assert_eq!(view.version(), updated_at);
    let json = serde_json::to_value(&view).expect("JSON");
    let names: Vec<&str> = json.as_object().expect("an object").keys().map(String::as_str).collect();
    let expected = [
        "_id",
        "share",
        "shedName",
        "active",
        "open",
        "voltage",
        "gates",
        "parent",
        "lines",
        "type",
        "stations",
        "letters",
        "createdAt",
        "updatedAt",
    ];
    assert_eq!(names, expected);
    let shown = [&json["share"], &json["voltage"], &json["lines"], &json["letters"], &json["parent"]];
    assert_eq!(shown, [&json!(0.5), &json!(230.0), &json!("a / b"), &json!(5), &Value::Null]);
}

#[test]
fn the_document_has_names_texts_and_what_is_required() {
    use utoipa::PartialSchema;
    let new = serde_json::to_value(NewShed::schema()).expect("a schema");
    assert_eq!((&new["description"], &new["required"]), (&json!("A new shed."), &json!(["type"])));
    assert_eq!(new["example"], json!({"shedName": "North"}));
    assert_eq!(new["properties"]["shedName"]["description"], "Display name.");
    assert_eq!((&new["properties"]["gates"]["minimum"], &new["properties"]["open"]), (&json!(1), &Value::Null));
    let patch = serde_json::to_value(ShedPatch::schema()).expect("a schema");
    assert_eq!((&patch["required"], &patch["properties"]["gates"]["minimum"]), (&Value::Null, &Value::Null));
    let view = serde_json::to_value(ShedView::schema()).expect("a schema");
    assert_eq!(view["properties"]["shedName"]["description"], "Display name; null where it has none.");
    assert_eq!(view["properties"]["voltage"]["type"], "number");
}
