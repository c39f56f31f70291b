//! A search finds what contains its text, as it is now, of its own organization, and takes every letter literally.

use serde_json::{Value, json};

use crate::support::{Client, FakeStation, TestApp};

/// What a search finds, by one field, in order.
async fn found(client: &Client, path: &str, field: &str) -> Vec<String> {
    let answer = client.get(path).await.json();
    let rows = answer["result"].as_array().expect("rows").iter();
    let mut names: Vec<_> = rows.map(|row| row[field].as_str().expect("a text").to_owned()).collect();
    names.sort();
    names
}

fn driver(firstname: &str, lastname: &str, email: &str) -> Value {
    json!({"firstname": firstname, "lastname": lastname, "email": email})
}

#[actix_web::test]
async fn users_are_found_by_each_part_of_what_they_are_called_now() {
    let app = TestApp::start().await;
    let drivers = [driver("Ada", "Lovelace", "ada@engine.example"), driver("Grace", "Hopper", "grace@navy.example")];
    for driver in drivers {
        app.client.post("/users", driver).await.created();
    }
    for (text, expected) in [
        ("a", vec!["Ada", "Grace"]),
        ("op", vec!["Grace"]),
        ("LOVE", vec!["Ada"]),
        ("da%20lo", vec!["Ada"]),
        ("navy.ex", vec!["Grace"]),
        (".example", vec!["Ada", "Grace"]),
        // The end of a name and the beginning of an address are no text.
        ("hoppergrace", vec![]),
        ("hopper%20grace", vec![]),
        ("adalove", vec![]),
    ] {
        let path = format!("/users?search={text}");
        assert_eq!(found(&app.client, &path, "firstname").await, expected, "{text}");
    }

    let ada = app.client.get("/users?search=lovelace").await.ok()[0].clone();
    let path = format!("/users/{}", ada["_id"].as_str().expect("an id"));
    app.client.patch(&path, json!({"lastname": "Byron"})).await.ok();
    assert!(found(&app.client, "/users?search=lovelace", "firstname").await.is_empty());
    assert_eq!(found(&app.client, "/users?search=byron", "firstname").await, ["Ada"]);
    app.client.delete(&path).await.ok();
    assert!(found(&app.client, "/users?search=byron", "firstname").await.is_empty());
}

#[actix_web::test]
async fn a_search_has_no_language() {
    let app = TestApp::start().await;
    let names = ["One OR two", "NOT three", "a*b", "say \"hi\"", "50%_off", "back\\slash", "it's", "{x}: y"];
    for (number, name) in names.into_iter().enumerate() {
        let driver = driver("Any", name, &format!("{number}@y.example"));
        app.client.post("/users", driver).await.created();
    }
    for (text, expected) in [
        ("one%20or", vec!["One OR two"]),
        ("one%20two", vec![]),
        ("NOT", vec!["NOT three"]),
        ("a*b", vec!["a*b"]),
        ("on*", vec![]),
        ("y%20%22hi%22", vec!["say \"hi\""]),
        ("%22", vec!["say \"hi\""]),
        ("50%25_", vec!["50%_off"]),
        ("5_%25", vec![]),
        ("k%5Cs", vec!["back\\slash"]),
        ("t's", vec!["it's"]),
        ("%7Bx%7D%3A", vec!["{x}: y"]),
        ("firstname%3AAny", vec![]),
        ("%27%3B--", vec![]),
    ] {
        let path = format!("/users?search={text}");
        assert_eq!(found(&app.client, &path, "lastname").await, expected, "{text}");
    }
}

#[actix_web::test]
async fn nobody_finds_what_is_of_another_organization() {
    let app = TestApp::start().await;
    let other = app.stranger().await;
    app.client.post("/users", driver("Mine", "Searched", "m@x.example")).await.created();
    other.post("/users", driver("Theirs", "Searched", "t@x.example")).await.created();
    for text in ["se", "searched"] {
        let path = format!("/users?search={text}");
        assert_eq!(found(&app.client, &path, "firstname").await, ["Mine"]);
        assert_eq!(found(&other, &path, "firstname").await, ["Theirs"]);
    }
}

#[actix_web::test]
async fn sessions_are_found_by_their_card_in_each_order() {
    let app = TestApp::start().await;
    let station = app.station("Searched").await;
    let mut socket = FakeStation::connect(&station.url).await;
    let cards = ["CARD-0A1B", "CARD-0A1C", "CARD-0A1B"];
    for (card, hour) in cards.into_iter().zip(10..) {
        let token = json!({"physicalId": card, "type": "ISO14443"});
        app.client.post("/tokens", token).await;
        let start = json!({"connectorId": 1, "idTag": card, "meterStart": 0,
            "timestamp": format!("2026-01-02T{hour}:00:00Z")});
        let answer = socket.call("StartTransaction", start).await;
        let stop = json!({"transactionId": answer["transactionId"], "meterStop": 0,
            "timestamp": format!("2026-01-02T{hour}:30:00Z")});
        socket.call("StopTransaction", stop).await;
    }
    for order in ["", "&sort_order=asc", "&sort_by=updatedAt", "&sort_by=energyConsumed"] {
        let cards = async |text: &str| found(&app.client, &format!("/sessions?search={text}{order}"), "id_tag").await;
        assert_eq!(cards("0a1b").await, ["CARD-0A1B", "CARD-0A1B"], "{order}");
        assert_eq!(cards("1c").await, ["CARD-0A1C"]);
        assert_eq!(cards("card-").await.len(), 3);
        assert!(cards("0a1d").await.is_empty());
    }
}

#[actix_web::test]
async fn actions_are_found_by_their_type() {
    let app = TestApp::start().await;
    let station = app.station("Acted on").await;
    let mut socket = FakeStation::connect(&station.url).await;
    let path = format!("/chargestations/{}/clear_cache", station.id);
    let asked = app.client.post(&path, json!({}));
    let obeys = async {
        let call = socket.next_call().await;
        socket.answer(&call, json!({"status": "Accepted"})).await;
    };
    tokio::join!(asked, obeys);

    let search = async |text: &str| found(&app.client, &format!("/actions?search={text}"), "type").await;
    assert_eq!(search("CACHE").await, ["chargestation.clear_cache"]);
    assert_eq!(search("clear_cache").await, ["chargestation.clear_cache"]);
    for nothing in ["%25", "clear%20cache", "cache.", "reset"] {
        assert!(search(nothing).await.is_empty(), "{nothing}");
    }
}
