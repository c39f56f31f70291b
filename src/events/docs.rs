//! The catalogue for people and programs: `docs/EVENTS.md`, and the webhooks of the OpenAPI document.

use std::fmt::Write as _;

use utoipa::openapi::path::{HttpMethod, Operation, OperationBuilder, PathItem, PathsBuilder};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{Object, Ref, Schema, Type};
use utoipa::openapi::{Content, ObjectBuilder, OpenApi, RefOr, Response};

use super::{ActionKind, EventKind, Payload};
use kernel::spelled::Spelled;

/// The page `docs/EVENTS.md`.
pub fn markdown() -> String {
    let mut page = String::from(
        "# Events\n\nEvery change is an event `{_id, type, object, data, createdAt}`, written in the transaction of the change. \
         Where the table names a schema of `openapi/openapi.json`, `data` is that whole object. Events of one station, and of \
         its sessions, are sent in order. A key gets events of what it could read: it needs the scope beside `read:events`, in the list, the \
         stream and the WebSocket. A webhook gets events of what the key could read that made or last changed it, as its scopes were then; \
         it goes on with them when that key is changed or deleted.\n\n| type | object | scope | data | when |\n|---|---|---|---|---|\n",
    );
    for kind in EventKind::all().filter(|kind| !matches!(kind, EventKind::Action(..))) {
        let data = match kind.payload() {
            Payload::View(schema) => schema.to_owned(),
            Payload::Fields(fields) => fields.join(", "),
        };
        let _ = writeln!(
            page,
            "| `{}` | `{}` | `{}` | {data} | {} |",
            kind.name(),
            kind.object(),
            kind.scope(),
            kind.when()
        );
    }
    page.push_str(
        "\n## Actions\n\nEach command to a station is recorded as events: `.requested`, then `.accepted` or `.rejected`. \
         `object` is `action`, `data` an ActionView, the scope `read:actions`.\n\n",
    );
    for action in ActionKind::ALL {
        let _ = writeln!(page, "- `{action}`");
    }
    page
}

/// Adds the events to the OpenAPI document.
pub fn describe(document: &mut OpenApi) {
    let webhooks = EventKind::all().fold(PathsBuilder::new(), |paths, kind| {
        let item = PathItem::new(HttpMethod::Post, operation(kind));
        paths.path(kind.name(), item)
    });
    document.webhooks = Some(webhooks.build());
}

fn operation(kind: EventKind) -> Operation {
    let body = RequestBodyBuilder::new().content("application/json", Content::new(Some(schema(kind)))).build();
    OperationBuilder::new()
        .tag("events")
        .summary(Some(kind.when()))
        .request_body(Some(body))
        .response("200", Response::new("Any 2xx: it was received"))
        .build()
}

fn schema(kind: EventKind) -> Object {
    let text = || ObjectBuilder::new().schema_type(Type::String);
    let data: RefOr<Schema> = match kind.payload() {
        Payload::View(schema) => Ref::from_schema_name(schema).into(),
        Payload::Fields(fields) => {
            let object = ObjectBuilder::new().schema_type(Type::Object);
            let object =
                fields.iter().fold(object, |object, field| object.property(*field, Schema::default()).required(*field));
            object.build().into()
        }
    };
    let fields: [(&str, RefOr<Schema>); 5] = [
        ("_id", Ref::from_schema_name("EventId").into()),
        ("type", text().enum_values(Some([kind.name()])).build().into()),
        ("object", text().enum_values(Some([kind.object()])).build().into()),
        ("data", data),
        ("createdAt", Ref::from_schema_name("Timestamp").into()),
    ];
    let object = ObjectBuilder::new().schema_type(Type::Object);
    let object = fields.into_iter().fold(object, |object, (name, field)| object.property(name, field).required(name));
    object.build()
}
