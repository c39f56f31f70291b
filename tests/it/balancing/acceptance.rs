//! Acceptance tests of stations that balancing steers: it sends the limit, below what the group allows.

use kernel::Watts;
use serde_json::{Value, json};

use super::depot::Depot;

async fn test(depot: &Depot) -> Value {
    let path = format!("/chargestations/{}/acceptance_tests", depot.ports[0].station);
    depot.app.client.get(&path).await.ok()[0].clone()
}

async fn has(depot: &Depot, step: &str) -> bool {
    let test = test(depot).await;
    test["steps"].as_array().expect("steps").iter().any(|one| one["name"] == step)
}

#[actix_web::test]
async fn balancing_sends_the_limit_of_a_test_and_none_above_it() {
    let mut depot = Depot::new(2, json!({"maximum_capacity": 12})).await;
    depot.until_limits(&[0.0; 2]).await;
    depot.plug_in(0).await;
    depot.until_limits(&[7.0, 0.0]).await;
    let path = format!("/chargestations/{}/acceptance_test", depot.ports[0].station);
    assert_eq!(depot.app.client.post(&path, json!({})).await.status, 202);
    depot
        .until(async || {
            depot.meter(0, Watts(6_900)).await;
            has(&depot, "limit").await
        })
        .await;
    // Half of what it drew.
    depot.until_limits(&[3.45, 0.0]).await;
    depot.link.watch();
    depot
        .until(async || {
            depot.meter(0, Watts(3_400)).await;
            has(&depot, "removed").await
        })
        .await;
    depot.until_limits(&[7.0, 0.0]).await;
    let test = test(&depot).await;
    assert_eq!((&test["proof"], &test["limit_left"]), (&json!("meter"), &json!(false)), "{test:#}");
    let path = format!("/chargestations/{}/external_limits", depot.ports[0].station);
    assert_eq!(depot.app.client.get(&path).await.ok(), json!([]));
}
