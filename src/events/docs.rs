//! The catalogue for people and programs: `docs/EVENTS.md`, and the webhooks of the OpenAPI document.

use std::fmt::Write as _;

use utoipa::openapi::path::{HttpMethod, Operation, OperationBuilder, PathItem, PathsBuilder};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{Object, Ref, Schema, Type};
use utoipa::openapi::{Content, ObjectBuilder, OneOfBuilder, OpenApi, RefOr, Response};

use super::{ActionKind, EventKind, Payload};
use kernel::spelled::Spelled;

/// The page `docs/EVENTS.md`.
pub fn markdown() -> String {
    let mut page = String::from(
        "# Events\n\nEvery change is an event `{_id, type, object, data, actor, createdAt}`, written in the transaction of the change. \
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
    page.push_str(ACTORS);
    page.push_str(
        "\n## Actions\n\nEach command to a station is recorded as events: `.requested`, then `.accepted` or `.rejected`. \
         `object` is `action`, `data` an ActionView, the scope `read:actions`.\n\n",
    );
    for action in ActionKind::ALL {
        let _ = writeln!(page, "- `{action}`");
    }
    page
}

const ACTORS: &str = "
## Actors

`actor` is `{type, _id, name}`: who caused the event. It is null in events of servers that did not record it yet. `_id` is that of the key, the operator, the home
user or the charge station, and null for all others. `name` is what the key or the person was called then; it is for those with the scope `read:audit`, as is the audit
itself, and for webhooks whose key had it. `GET /v1.1/events?actor_type=operator`, `?actor=<id>` and `?chargestation=<id>` choose among events, also in the stream and
the WebSocket.

| type | causes |
|---|---|
| `api_key` | what a request with an API key changes and asks of stations |
| `operator` | the same for a request of somebody at the panel |
| `home_user` | the same for a home user at the portal |
| `driver` | what somebody does without a key at the page of a charger; `_id` and `name` are those of the user, where a driver is logged in |
| `station` | what a charge station reports, connects and disconnects; also settings that somebody changed at the station |
| `balancing` | what load management decides: plans, warnings, and sessions that it stops or starts again |
| `server` | everything else, by `name`: `retention` deletes what is old, `timer` ends what is overdue, `provisioning` sets stations up that connected or whose groups and profiles changed, `opening hours` closes and opens them, `acceptance tests` removes what a test left, `webhooks` turns endpoints off, `access control` reports connections that were refused or replaced, `startup` puts things in order, `command line` is `evenwatt operator …` |

Who asked counts, not who answered: the outcome of a command (`.accepted`, `.rejected`, a session that is cancelled because its station refused to start it) has the
actor of the request, though the station's answer brings it. What the station does next by itself is the station's: a session that an operator starts has
`session.created` by the operator, and `session.started` by the station. A request that is repeated with its `Idempotency-Key` changes nothing, so the first one
stays the actor.

Who changed a limit, a setting or a price is found with `GET /v1.1/audit?object=<id>`: each request that changed the object and, for a charge station, its
connectors and sessions; and what changed without a request: a station that reports connectors, is another device or has other firmware
(`chargestation.booted`), has settings that were changed there (`chargestation.configuration.updated`), took over a password or got a certificate; a template that
provisioning pushed; offers that time moved on; a webhook that was turned off; what the command line made; and sessions that balancing stopped. What happens
all the time is in the events alone: messages of stations, limits of balancing (`GET /v1.1/load_management/groups/{id}/plans` has each with its reason), what drivers
start with a card, and what retention deletes.
";

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

/// An actor, or null.
fn actor() -> RefOr<Schema> {
    let null = ObjectBuilder::new().schema_type(Type::Null);
    RefOr::T(Schema::OneOf(OneOfBuilder::new().item(null).item(Ref::from_schema_name("ActorView")).build()))
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
    let fields: [(&str, RefOr<Schema>); 6] = [
        ("_id", Ref::from_schema_name("EventId").into()),
        ("type", text().enum_values(Some([kind.name()])).build().into()),
        ("object", text().enum_values(Some([kind.object()])).build().into()),
        ("data", data),
        ("actor", actor()),
        ("createdAt", Ref::from_schema_name("Timestamp").into()),
    ];
    let object = ObjectBuilder::new().schema_type(Type::Object);
    let object = fields.into_iter().fold(object, |object, (name, field)| object.property(name, field).required(name));
    object.build()
}
