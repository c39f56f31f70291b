//! Who is woken when a test moves the clock, and when all is done.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use kernel::Timestamp;
use tokio::task::{JoinHandle, yield_now};

use super::{Clock, ManualClock, SystemClock};

const SECOND: Duration = Duration::from_secs(1);

/// What happened, in order.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u64>>>);

impl Log {
    fn add(&self, number: u64) {
        self.0.lock().unwrap().push(number);
    }
    fn read(&self) -> Vec<u64> {
        self.0.lock().unwrap().clone()
    }
}

fn clock() -> ManualClock {
    ManualClock::at(Timestamp::from_unix_seconds(1_777_000_000))
}

/// A task that waits for so many seconds and then writes the number down.
fn waits(clock: &ManualClock, seconds: u64, log: &Log) -> JoinHandle<()> {
    let (mut timer, log) = (clock.timer(), log.clone());
    tokio::spawn(async move {
        timer.sleep(Duration::from_secs(seconds)).await;
        log.add(seconds);
    })
}

#[tokio::test]
async fn who_is_due_is_woken_in_the_order_of_the_instants() {
    let (clock, log) = (clock(), Log::default());
    for seconds in [3, 1, 5, 2, 4] {
        waits(&clock, seconds, &log);
    }
    clock.at_rest().await;
    clock.advance(4 * SECOND);
    clock.at_rest().await;
    assert_eq!(log.read(), [1, 2, 3, 4]);
    clock.advance(SECOND - Duration::from_micros(1));
    clock.at_rest().await;
    assert_eq!(log.read(), [1, 2, 3, 4]);
    clock.advance(Duration::from_micros(1));
    clock.at_rest().await;
    assert_eq!(log.read(), [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn thousands_of_waits_end_in_order() {
    let (clock, log) = (clock(), Log::default());
    let scattered = (0..5_000_u64).map(|number| number * 2_741 % 5_000 + 1);
    for seconds in scattered {
        waits(&clock, seconds, &log);
    }
    clock.at_rest().await;
    clock.advance(5_000 * SECOND);
    clock.at_rest().await;
    assert_eq!(log.read(), (1..=5_000).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_wait_of_nothing_ends_without_the_clock() {
    let clock = clock();
    clock.sleep(Duration::ZERO).await;
    clock.sleep_until(clock.now()).await;
    clock.sleep_until(clock.now() - SECOND).await;
    clock.timer().sleep(Duration::ZERO).await;
}

#[tokio::test]
async fn a_wait_that_was_given_up_wakes_nobody_and_its_owner_is_at_work() {
    let clock = clock();
    let mut timer = clock.timer();
    assert!(!clock.is_at_rest());
    tokio::select! {
        biased;
        () = timer.sleep(SECOND) => panic!("it is not due"),
        () = async { assert!(clock.is_at_rest()) } => {}
    }
    assert!(!clock.is_at_rest());
    clock.advance(SECOND);
    drop(timer);
    assert!(clock.is_at_rest());
}

#[tokio::test]
async fn a_task_that_is_ended_is_waited_for_no_more() {
    let (clock, log) = (clock(), Log::default());
    let task = waits(&clock, 1, &log);
    clock.at_rest().await;
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    clock.advance(SECOND);
    clock.at_rest().await;
    assert_eq!(log.read(), [0; 0]);
}

#[tokio::test]
async fn the_clock_is_at_rest_when_the_work_of_whom_it_woke_is_done() {
    let (clock, log) = (clock(), Log::default());
    let (mut ticks, working) = (clock.ticks(SECOND), log.clone());
    tokio::spawn(async move {
        for round in 1.. {
            ticks.tick().await;
            for _ in 0..100 {
                yield_now().await;
            }
            working.add(round);
        }
    });
    clock.at_rest().await;
    assert_eq!(log.read(), [1]);
    clock.advance(SECOND);
    assert!(!clock.is_at_rest());
    clock.at_rest().await;
    assert_eq!(log.read(), [1, 2]);
    // A tick that is missed is not made up for.
    clock.advance(10 * SECOND);
    clock.at_rest().await;
    assert_eq!(log.read(), [1, 2, 3]);
}

#[tokio::test]
async fn a_tick_that_is_given_up_comes_no_later() {
    let clock = clock();
    let mut ticks = clock.ticks(10 * SECOND);
    ticks.tick().await;
    for _ in 0..3 {
        clock.advance(3 * SECOND);
        tokio::select! {
            biased;
            () = ticks.tick() => panic!("it is not due"),
            () = yield_now() => {}
        }
    }
    clock.advance(SECOND);
    ticks.tick().await;
}

#[tokio::test]
async fn setting_the_clock_ends_no_wait_and_makes_none_longer() {
    let (clock, log) = (clock(), Log::default());
    let start = clock.now();
    waits(&clock, 60, &log);
    clock.at_rest().await;
    clock.set(start + 3_600 * SECOND);
    assert_eq!(clock.now(), start + 3_600 * SECOND);
    clock.at_rest().await;
    assert_eq!(log.read(), [0; 0]);
    clock.set(start - 3_600 * SECOND);
    clock.advance(60 * SECOND);
    clock.at_rest().await;
    assert_eq!(log.read(), [60]);
    assert_eq!(clock.now(), start - 3_540 * SECOND);
}

#[tokio::test]
async fn a_timer_that_is_set_anew_or_cleared_is_due_by_what_was_said_last() {
    let clock = clock();
    let mut timer = clock.timer();
    timer.set(SECOND);
    timer.set(3 * SECOND);
    clock.advance(2 * SECOND);
    tokio::select! {
        biased;
        () = timer.due() => panic!("it is not due"),
        () = yield_now() => {}
    }
    clock.advance(SECOND);
    timer.due().await;
    timer.clear();
    clock.advance(1_000 * SECOND);
    tokio::select! {
        biased;
        () = timer.due() => panic!("it was cleared"),
        () = async { assert!(clock.is_at_rest()) } => {}
    }
}

#[tokio::test]
async fn the_machine_waits_at_least_so_long_and_not_at_all_for_what_is_over() {
    let begun = std::time::Instant::now();
    SystemClock.sleep(Duration::from_millis(20)).await;
    assert!(begun.elapsed() >= Duration::from_millis(20));
    SystemClock.sleep_until(SystemClock.now() - 3_600 * SECOND).await;
    let mut timer = SystemClock.timer();
    timer.sleep_until(SystemClock.now() + Duration::from_millis(20)).await;
    let mut ticks = SystemClock.ticks(Duration::from_millis(20));
    ticks.tick().await;
    ticks.tick().await;
    assert!(begun.elapsed() >= Duration::from_millis(50));
    // Longer than the machine can count is for ever.
    timer.set(Duration::MAX);
    tokio::select! {
        biased;
        () = timer.due() => panic!("it is not due"),
        () = yield_now() => {}
    }
}
