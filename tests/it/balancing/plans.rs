//! How plans are kept: as differences that go one by one and read as what was written; what is damaged is named, and the rest served.

use diesel::prelude::*;
use evenwatt::store::schema::{plan_bases, plans};
use evenwatt::store::{Conn, Json, StoreError};
use kernel::{GroupId, PlanId, Timestamp};
use serde_json::{Value, json};

use super::depot::Depot;

async fn in_store<T: Send + 'static>(
    depot: &Depot,
    mut work: impl FnMut(&mut Conn) -> QueryResult<T> + Send + 'static,
) -> T {
    let written = depot.app.running.context.db.write(move |conn| Ok::<T, StoreError>(work(conn)?));
    written.await.expect("written")
}

async fn bases(depot: &Depot) -> Vec<PlanId> {
    in_store(depot, |conn| plan_bases::table.order(plan_bases::id).select(plan_bases::id).load(conn)).await
}

async fn listed(depot: &Depot) -> Vec<Value> {
    depot.app.client.get(&depot.path("/plans?limit=100")).await.ok().as_array().expect("plans").clone()
}

fn text<'a>(plan: &'a Value, field: &str) -> &'a str {
    plan[field].as_str().expect("a text")
}

/// A car comes and goes, so many times: two plans each.
async fn cars_come_and_go(depot: &mut Depot, times: usize) {
    for _ in 0..times {
        depot.plug_in(0).await;
        depot.until_limits(&[7.0, 0.0]).await;
        depot.unplug(0).await;
        depot.until_limits(&[0.0, 0.0]).await;
    }
}

#[actix_web::test]
async fn plans_go_one_by_one_and_each_that_is_left_reads_as_it_was_written() {
    let fields = json!({"maximum_capacity": 10, "minimum_connector_capacity": 2});
    let mut depot = Depot::with_options(2, fields, &[("EVENWATT_BALANCING_PLANS_KEPT", "4")]).await;
    depot.until_limits(&[0.0, 0.0]).await;
    cars_come_and_go(&mut depot, 1).await;
    let before = listed(&depot).await;
    cars_come_and_go(&mut depot, 1).await;

    let after = listed(&depot).await;
    assert_eq!(after.len(), 4);
    let both: Vec<&Value> = after.iter().filter(|plan| before.iter().any(|old| old["_id"] == plan["_id"])).collect();
    assert!(!both.is_empty(), "some are left");
    assert!(both.iter().all(|plan| before.contains(plan)), "they read as they did");
    for plan in &after {
        let path = depot.path(&format!("/explain?at={}", text(plan, "at")));
        assert_eq!(depot.app.client.get(&path).await.ok()["reproduced"], true);
    }
    assert_eq!(bases(&depot).await.len(), 1, "the plan that the base is of has gone, the base has not");
    let gone = in_store(&depot, |conn| {
        let bases = plan_bases::table.select(plan_bases::id);
        plans::table.filter(plans::id.eq_any(bases)).count().get_result::<i64>(conn)
    });
    assert_eq!(gone.await, 0);
}

/// A base that a plan hangs on cannot be deleted, whoever tries.
#[actix_web::test]
async fn the_store_itself_keeps_a_base_that_is_needed() {
    let mut depot = Depot::new(2, json!({"maximum_capacity": 10, "minimum_connector_capacity": 2})).await;
    depot.until_limits(&[0.0, 0.0]).await;
    cars_come_and_go(&mut depot, 1).await;
    let db = &depot.app.running.context.db;
    let deleted = db.write(|conn| Ok::<_, StoreError>(diesel::delete(plan_bases::table).execute(conn)?)).await;
    assert!(matches!(deleted, Err(StoreError::Referenced)), "{deleted:?}");
}

#[actix_web::test]
async fn a_damaged_plan_is_named_and_the_others_are_served() {
    let mut depot = Depot::new(2, json!({"maximum_capacity": 10, "minimum_connector_capacity": 2})).await;
    depot.until_limits(&[0.0, 0.0]).await;
    cars_come_and_go(&mut depot, 1).await;
    let before = listed(&depot).await;
    assert!(before.len() >= 3, "{before:?}");

    // Plans of one instant: the newest of them is explained.
    let path = depot.path(&format!("/explain?at={}", text(&before[1], "at")));
    let explained = depot.app.client.get(&path).await.ok();
    let one: PlanId = text(&explained, "_id").parse().expect("an id");
    in_store(&depot, move |conn| {
        let mut bytes: Vec<u8> = plans::table.find(one).select(plans::difference.assume_not_null()).first(conn)?;
        if let Some(last) = bytes.last_mut() {
            *last ^= 1; // of the checksum
        }
        diesel::update(plans::table.find(one)).set(plans::difference.eq(bytes)).execute(conn)
    })
    .await;
    let left = listed(&depot).await;
    assert_eq!(left.len(), before.len() - 1);
    assert!(left.iter().all(|plan| before.contains(plan) && plan["_id"] != explained["_id"]));
    let refused = depot.app.client.get(&path).await;
    assert_eq!(refused.error(500), "internal");
    assert!(refused.text.contains(&one.to_string()) && refused.text.contains("is damaged"), "{}", refused.text);

    // The base of all of them: status, limits and what is planned anew go on.
    in_store(&depot, |conn| diesel::update(plan_bases::table).set(plan_bases::document.eq(vec![1_u8])).execute(conn))
        .await;
    assert_eq!(listed(&depot).await, [Value::Null; 0]);
    let refused = depot.app.client.get(&depot.path("/explain")).await;
    let base = bases(&depot).await[0];
    assert!(refused.text.contains(&format!("its base {base} is damaged")), "{}", refused.text);
    depot.plug_in(1).await;
    depot.until(async || depot.limits() == [0.0, 7.0]).await;
    assert_eq!(depot.status().await["group"], depot.group.as_str());
}

/// What a program up to 0.1.0 stored stands beside what this one stores.
#[actix_web::test]
async fn plans_of_older_programs_are_listed_with_newer_ones() {
    let mut depot = Depot::new(2, json!({"maximum_capacity": 10, "minimum_connector_capacity": 2})).await;
    depot.until_limits(&[0.0, 0.0]).await;
    let (group, early): (GroupId, _) =
        (depot.group.parse().expect("an id"), Timestamp::from_unix_seconds(1_600_000_000));
    let old = depot.app.running.context.moment().id::<PlanId>();
    let snapshot =
        engine::Snapshot { nodes: vec![engine::Node::new(group, kernel::Watts(9_000))], ..Default::default() };
    let planned = engine::plan(&snapshot, early);
    in_store(&depot, move |conn| {
        diesel::insert_into(plans::table)
            .values((
                plans::id.eq(old),
                plans::group_id.eq(group),
                plans::at.eq(early),
                plans::trigger.eq("tick"),
                plans::snapshot.eq(Json(snapshot.clone())),
                plans::plan.eq(Json(planned.clone())),
            ))
            .execute(conn)
    })
    .await;
    cars_come_and_go(&mut depot, 1).await;
    let explained = depot.app.client.get(&depot.path("/explain?at=2020-12-01T00:00:00Z")).await.ok();
    assert_eq!((&explained["reproduced"], &explained["groups"][0]["capacity"]), (&json!(true), &json!(9.0)));
    let ids: Vec<Value> = listed(&depot).await.into_iter().map(|plan| plan["_id"].clone()).collect();
    assert!(ids.contains(&json!(old.to_string())) && ids.len() >= 3, "{ids:?}");
}
