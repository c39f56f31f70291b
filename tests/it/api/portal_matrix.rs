//! Who may do what: every endpoint of the portal, and every one of operators about home users, for everybody who could ask.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Method;
use serde_json::{Value, json};

use super::portal::{Home, text};
use crate::support::Client;

/// Endpoints for which nobody needs to be known.
const OPEN: [&str; 5] = ["accept_invitation", "log_in", "refresh_login", "request_password_reset", "reset_password"];
/// Those of operators, with the scope that each needs.
const OPERATORS: [(&str, &str); 12] = [
    ("list_home_users", "read:home_users"),
    ("create_home_user", "write:home_users"),
    ("get_home_user", "read:home_users"),
    ("delete_home_user", "write:home_users"),
    ("invite_home_user", "write:home_users"),
    ("set_group_user", "write:groups"),
    ("remove_group_user", "write:groups"),
    ("get_group_exclusion_times", "read:groups"),
    ("set_group_exclusion_times", "write:groups"),
    ("start_priority_charge", "write:groups"),
    ("end_priority_charge", "write:groups"),
    ("list_priority_charges", "read:groups"),
];

struct Operation {
    name: String,
    method: Method,
    path: String,
}

impl Operation {
    async fn asked_by(&self, client: &Client) -> u16 {
        let body = match self.name.as_str() {
            "set_home_exclusion_times" | "set_group_exclusion_times" => json!({"windows": []}),
            "set_group_user" => json!({"user": "650000000000000000000001"}),
            _ => json!({}),
        };
        let request = client.request(self.method.clone(), &self.path).json(&body);
        client.send(request).await.status.as_u16()
    }

    /// Whether this status says that somebody may do it; what comes of it is another matter.
    fn allows(status: u16) -> bool {
        !matches!(status, 401 | 403)
    }
}

fn operations(document: &Value, group: &str, user: &str) -> Vec<Operation> {
    let mut all = Vec::new();
    let paths = document["paths"].as_object().expect("paths").iter();
    // What pages show before anybody has logged in is shown to all, and drivers need nothing to be known by; `panel/` walks accounts.
    let apart = ["/v1.1/pages/", "/v1.1/driver/", "/v1.1/account", "/v1.1/organizations/{id}/logo"];
    for (path, item) in paths.filter(|(path, _)| !apart.iter().any(|start| path.starts_with(start))) {
        for (method, operation) in item.as_object().expect("operations") {
            let id = if path.contains("home_users") { user } else { group };
            let path = path.trim_start_matches("/v1.1");
            all.push(Operation {
                name: text(&operation["operationId"]),
                method: method.to_uppercase().parse().expect("a method"),
                path: path.replace("{id}", id).replace("{token}", "unknown").replace("{reset_token}", "unknown"),
            });
        }
    }
    all
}

/// The same token with another header.
fn with_header(token: &str, header: &str, signed: bool) -> String {
    let parts: Vec<&str> = token.split('.').collect();
    let signature = if signed { parts[2] } else { "" };
    format!("{}.{}.{signature}", URL_SAFE_NO_PAD.encode(header), parts[1])
}

/// The same token that says to be somebody else's.
fn with_subject(token: &str, user: &str) -> String {
    let parts: Vec<&str> = token.split('.').collect();
    let claims = URL_SAFE_NO_PAD.decode(parts[1]).expect("base64");
    let mut claims: Value = serde_json::from_slice(&claims).expect("JSON");
    claims["sub"] = json!(user);
    let claims = URL_SAFE_NO_PAD.encode(claims.to_string());
    format!("{}.{claims}.{}", parts[0], parts[2])
}

#[actix_web::test]
async fn everybody_may_do_what_is_theirs_and_nothing_else() {
    let home = Home::start().await;
    let document = home.app.client.get_bare("/openapi.json").await.json();
    let (ada, own) = home.invited("ada@example.com").await;
    let (bob, other) = home.invited("bob@example.com").await;
    let (carl, removed) = home.invited("carl@example.com").await;
    home.app.client.delete(&format!("/home_users/{carl}")).await.ok();
    home.give_to(&ada).await;
    let all = operations(&document, &home.group, &bob);
    let by_path = |begins: bool| all.iter().filter(move |operation| operation.path.starts_with("/portal") == begins);
    let client = |token: &str| Client::new(home.app.running.address, token);
    let token = text(&own["access_token"]);
    let keyless = [
        ("no token", client("")),
        ("tampered", client(&with_subject(&token, &bob))),
        ("cut", client(token.rsplit_once('.').expect("parts").0)),
        ("alg none", client(&with_header(&token, r#"{"alg":"none","typ":"JWT"}"#, false))),
        ("alg none, signed", client(&with_header(&token, r#"{"alg":"none"}"#, true))),
        ("another alg", client(&with_header(&token, r#"{"alg":"HS512","typ":"JWT"}"#, true))),
        ("asymmetric alg", client(&with_header(&token, r#"{"alg":"RS256","typ":"JWT"}"#, true))),
        ("API key", client(&home.app.client.key)),
        ("refresh token", client(&text(&own["refresh_token"]))),
        ("removed user", client(&text(&removed["access_token"]))),
    ];
    let mut portal = 0;
    for operation in by_path(true) {
        portal += 1;
        for (who, client) in &keyless {
            let status = operation.asked_by(client).await;
            match OPEN.contains(&operation.name.as_str()) {
                // An empty body is a fault whoever sends it; a link that is unknown is, too.
                true => assert!(matches!(status, 422 | 404), "{} by {who}: {status}", operation.name),
                false => assert_eq!(status, 401, "{} by {who}", operation.name),
            }
        }
    }
    assert_eq!(portal, OPEN.len() + 14, "an endpoint of the portal was not thought of");

    // A group is its user's; for another one it does not exist.
    let groups = by_path(true).filter(|operation| operation.path.contains(&home.group));
    for operation in groups {
        let status = operation.asked_by(&client(&text(&other["access_token"]))).await;
        assert_eq!(status, 404, "{} by another user", operation.name);
        let status = operation.asked_by(&client(&token)).await;
        let fine = matches!(status, 200 | 409); // the group has no station to charge at, and so no car
        assert!(fine, "{} by its user: {status}", operation.name);
    }

    // No access token opens what is for API keys.
    for operation in by_path(false) {
        let status = operation.asked_by(&client(&token)).await;
        assert_eq!(status, 401, "{} by a home user", operation.name);
    }

    let scopes: BTreeMap<&str, &str> = OPERATORS.into();
    for scope in ["read:home_users", "write:home_users", "read:groups", "write:groups", "read:events"] {
        let key = home.app.client_with(&[scope]).await;
        for operation in by_path(false) {
            if let Some(needed) = scopes.get(operation.name.as_str()) {
                let status = operation.asked_by(&key).await;
                assert_eq!(Operation::allows(status), scope == *needed, "{} with {scope}: {status}", operation.name);
            }
        }
    }
    let walked = by_path(false).filter(|operation| scopes.contains_key(operation.name.as_str()));
    assert_eq!(walked.count(), OPERATORS.len());

    // Bob was deleted as a home user on the way; Ada's token is good until it is over.
    client(&token).get("/portal/groups").await.ok();
    home.app.pass(std::time::Duration::from_secs(600)).await;
    for operation in by_path(true).filter(|operation| !OPEN.contains(&operation.name.as_str())) {
        let status = operation.asked_by(&client(&token)).await;
        assert_eq!(status, 401, "{} with a token that is over", operation.name);
    }
}
