//! The look at everything, once a tick, for all trees together: what came without a signal is seen by it. Somebody may have written
//! to the store besides this server, a signal may have been lost, a price or a location may have changed, which nobody signals.
//!
//! One tree alone takes a dozen queries. Fifty trees take as many, and the rest is a little for each row, so the trees share
//! their reading. They are looked at in parts, so that nobody waits long for the connection that balancing reads on, and
//! the parts are spread over the tick.
//!
//! # Nothing is seen later than when each tree read for itself
//!
//! A tree used to read everything in the first cycle that came a tick or more after it had done so, so that a change was seen
//! after one tick where nothing else woke the tree, and after nearly two where something did just before. Now a tree is
//! read once a tick, whatever else wakes it, and is woken by that, so that what depends on time alone is decided as often
//! as before. It still reads by itself what a signal reports, at once, and everything when it starts, when signals were missed,
//! when a look was long in coming (two ticks; one as long as there was none), and after a failure.
//!
//! A look never replaces what is newer: it is thrown away when the tree itself has read since the look began, or did just then
//! ([`ReplanRequests::reads`]), and stations that have something new since are read again on top of it.

use std::sync::Arc;
use std::time::Duration;

use super::balancer::Balancer;
use super::replan::{Look, ReplanRequests};
use super::rows::Rows;
use crate::http::Context;
use kernel::GroupId;

/// Stations that are read together: some ten milliseconds of work.
const STATIONS: usize = 500;
/// Trees that are read together.
const TREES: usize = 100;

type Part = Vec<(GroupId, Arc<ReplanRequests>)>;

/// Looks until it is aborted.
pub(super) async fn run(balancer: Balancer, context: Context, tick: Duration) {
    let mut timer = context.clock.timer();
    loop {
        let begun = context.clock.now();
        let parts = parts(balancer.trees());
        let count = u32::try_from(parts.len()).unwrap_or(u32::MAX).max(1);
        let span = tick / count;
        if parts.is_empty() {
            timer.sleep(tick).await;
        }
        for (number, part) in (1..).zip(parts) {
            let due = begun + span * number;
            timer.sleep(due.since(context.clock.now()).min(span)).await;
            look(&context, part).await;
        }
    }
}

/// Neighbours together, as far as they are few and small.
fn parts(trees: Part) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let mut stations = 0;
    for tree in trees {
        let its = tree.1.stations();
        match parts.last_mut().filter(|part| part.len() < TREES && stations + its <= STATIONS) {
            Some(part) => {
                stations += its;
                part.push(tree);
            }
            None => {
                stations = its;
                parts.push(vec![tree]);
            }
        }
    }
    parts
}

async fn look(context: &Context, part: Part) {
    let now = context.clock.now();
    // Who reads just now will have what is newest.
    let begun: Vec<(GroupId, Arc<ReplanRequests>, u64)> =
        part.into_iter().filter_map(|(root, tree)| tree.reads().map(|reads| (root, tree, reads))).collect();
    let roots: Vec<GroupId> = begun.iter().map(|(root, ..)| *root).collect();
    let read = context.db.read(move |conn| Rows::read_all(conn, &roots, now)).await;
    let mut found = read
        .inspect_err(
            |error| tracing::warn!(%error, "the trees of groups could not be looked at, each reads for itself"),
        )
        .ok();
    for (root, tree, reads) in begun {
        match found.as_mut().map(|found| found.remove(&root)) {
            Some(Some(rows)) => tree.look(|notes| notes.looked = Some(Look { rows, reads })),
            Some(None) => tree.look(|notes| notes.whole = true), // it may be no root any more
            None => tree.look(|_| {}),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::RawId;

    #[test]
    fn parts_are_small() {
        let tree = |number: usize, stations| {
            let requests = Arc::new(ReplanRequests::default());
            requests.end_to_read(stations);
            (GroupId::from(RawId::from_bytes([u8::try_from(number % 256).expect("a byte"); 12])), requests)
        };
        let sizes = |stations: &[usize]| -> Vec<usize> {
            let trees = stations.iter().enumerate().map(|(number, stations)| tree(number, *stations)).collect();
            parts(trees).iter().map(Vec::len).collect()
        };
        assert_eq!(sizes(&[]), [0; 0]);
        assert_eq!(sizes(&[10; 120]), [50, 50, 20]);
        assert_eq!(sizes(&[0; 120]), [100, 20]);
        assert_eq!(sizes(&[10, 5_000, 10, 490]), [1, 1, 2]);
    }
}
