//! Clocks that are right, ahead, behind or set anew, and queues that look like one.

use proptest::prelude::*;

use super::*;
use crate::sites::stations::link::DeviceRequest;

const NOW: Timestamp = Timestamp::from_unix_seconds(1_777_000_000);
const HOUR: i64 = 3_600;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(NOW.micros() + seconds * 1_000_000)
}

/// Hears events: when they came, and how far ahead their time was.
fn heard(clock: &mut StationClock, messages: &[(i64, i64)]) {
    for (received, ahead) in messages {
        clock.hear(at(received + ahead), at(*received), Reported::Event);
    }
}

fn learnt(messages: &[(i64, i64)]) -> Option<i64> {
    let mut clock = StationClock::default();
    heard(&mut clock, messages);
    clock.offset_seconds()
}

#[test]
fn one_time_that_is_right_is_enough() {
    assert_eq!(learnt(&[(0, 0)]), Some(0));
    assert_eq!(learnt(&[(0, 2)]), Some(2));
    assert_eq!(learnt(&[(0, -2)]), Some(0), "it waited for two seconds, or the clock is behind by so much");
}

#[test]
fn two_times_that_are_ahead_alike_prove_it() {
    assert_eq!(learnt(&[(0, 2 * HOUR)]), None);
    assert_eq!(learnt(&[(0, 2 * HOUR), (0, 2 * HOUR)]), None, "one message may say it twice");
    assert_eq!(learnt(&[(0, 2 * HOUR), (0, 2 * HOUR - 1)]), Some(2 * HOUR));
    assert_eq!(learnt(&[(0, 2 * HOUR), (9, 2 * HOUR - 1)]), Some(2 * HOUR));
}

#[test]
fn a_single_wild_time_moves_nothing() {
    assert_eq!(learnt(&[(0, 0), (10, 50_000 * HOUR), (20, -1), (30, 0)]), Some(0));
    assert_eq!(learnt(&[(0, 0), (10, -50_000 * HOUR), (20, -1), (30, 0)]), Some(0));
}

#[test]
fn a_burst_out_of_a_queue_moves_nothing() {
    // A message a minute of the last hour, given back within three seconds.
    let burst: Vec<(i64, i64)> = (0..60).map(|n| (n / 20, -HOUR + n * 60 - n / 20)).collect();
    assert_eq!(learnt(&burst), None);
    let known: Vec<(i64, i64)> = [(-10, 0)].into_iter().chain(burst).collect();
    assert_eq!(learnt(&known), Some(0));
}

#[test]
fn two_statuses_of_one_moment_out_of_a_queue_move_nothing() {
    assert_eq!(learnt(&[(0, -HOUR), (0, -HOUR), (1, -HOUR - 1)]), None);
}

#[test]
fn a_queue_that_is_emptied_at_half_the_pace_moves_nothing() {
    // A reading every ten seconds, given back every five.
    let slow: Vec<(i64, i64)> = (0..40).map(|n| (n * 5, -HOUR + n * 5)).collect();
    assert_eq!(learnt(&slow), None);
}

#[test]
fn a_clock_that_is_years_behind_is_known_when_it_goes_on_alike() {
    let years = -5 * 365 * 24 * HOUR;
    assert_eq!(learnt(&[(0, years)]), None);
    assert_eq!(learnt(&[(0, years), (1, years)]), None);
    assert_eq!(learnt(&[(0, years), (6, years)]), Some(years));
}

#[test]
fn a_clock_that_is_set_right_is_believed_at_once() {
    assert_eq!(learnt(&[(0, -HOUR), (60, -HOUR), (120, 0)]), Some(0));
}

#[test]
fn a_clock_that_was_ahead_and_is_set_right_needs_a_second_word() {
    let ahead = [(0, HOUR), (60, HOUR)];
    let then = |more: &[(i64, i64)]| learnt(&[&ahead[..], more].concat());
    assert_eq!(then(&[(120, 0)]), Some(HOUR));
    assert_eq!(then(&[(120, 0), (121, 0)]), Some(HOUR));
    assert_eq!(then(&[(120, 0), (180, 0)]), Some(0));
}

#[test]
fn summer_time_ends_in_a_running_connection() {
    let summer = [(0, HOUR), (300, HOUR), (600, HOUR)];
    let winter = [(900, 0), (1_200, 0)];
    assert_eq!(learnt(&[&summer[..], &winter[..]].concat()), Some(0));
}

#[test]
fn readings_that_always_come_a_minute_late_are_no_clock_that_is_behind() {
    let mut clock = StationClock::default();
    heard(&mut clock, &[(0, 0)]);
    for minute in 1..30 {
        clock.hear(at(minute * 60 - 60), at(minute * 60), Reported::Reading);
    }
    assert_eq!(clock.offset_seconds(), Some(0));
}

#[test]
fn readings_alone_show_that_a_clock_went_back_an_hour() {
    let mut clock = StationClock::default();
    heard(&mut clock, &[(0, 0)]);
    for minute in 1..3 {
        clock.hear(at(minute * 60 - HOUR), at(minute * 60), Reported::Reading);
    }
    assert_eq!(clock.offset_seconds(), Some(-HOUR));
}

#[test]
fn the_fastest_message_counts() {
    assert_eq!(learnt(&[(0, 4), (10, 7), (20, 2), (30, 5)]), Some(7));
    assert_eq!(learnt(&[(0, 2 * HOUR - 5), (10, 2 * HOUR - 1), (20, 2 * HOUR - 7)]), Some(2 * HOUR - 1));
}

#[test]
fn messages_that_wait_some_seconds_are_no_clock_that_is_behind() {
    let mut clock = StationClock::default();
    for n in 0..20 {
        clock.hear(at(n * 30 - 8), at(n * 30), Reported::Event);
        assert_eq!(clock.ours(at(n * 30 - 8), at(n * 30)), at(n * 30 - 8));
    }
    assert_eq!(clock.offset_seconds(), Some(0));
}

#[test]
fn news_is_reported_once_and_only_what_matters() {
    let mut clock = StationClock::default();
    assert_eq!(clock.news(), None);
    heard(&mut clock, &[(0, 1)]);
    let right = News { offset_seconds: 1, moved: false };
    assert_eq!(clock.news(), Some(right));
    assert_eq!(clock.news(), None);
    heard(&mut clock, &[(5, 2)]);
    assert_eq!(clock.news(), None, "a second is no news");
    heard(&mut clock, &[(10, HOUR), (20, HOUR)]);
    let ahead = News { offset_seconds: HOUR, moved: true };
    assert_eq!(clock.news(), Some(ahead));
    assert_eq!(clock.news(), None);
}

#[test]
fn what_was_known_before_is_known_again() {
    let mut clock = StationClock::remembered(Some(HOUR));
    assert_eq!(clock.theirs(NOW), at(HOUR));
    assert_eq!(clock.news(), None);
    // A queue of the time before the connection.
    heard(&mut clock, &[(0, HOUR - 600), (1, HOUR - 300), (2, HOUR)]);
    assert_eq!(clock.offset_seconds(), Some(HOUR));
}

#[test]
fn a_time_becomes_ours_by_the_offset() {
    let clock = StationClock::remembered(Some(2 * HOUR));
    assert_eq!(clock.ours(at(2 * HOUR - 30), NOW), at(-30));
    assert_eq!(clock.ours(at(2 * HOUR + 5), NOW), NOW, "ahead of its receipt");
    let day = 24 * HOUR;
    assert_eq!(clock.ours(at(2 * HOUR - 29 * day), NOW), at(-29 * day));
    assert_eq!(clock.ours(at(2 * HOUR - 31 * day), NOW), NOW);
}

#[test]
fn commands_speak_of_its_time() {
    let clock = StationClock::remembered(Some(-HOUR));
    let reserve = |until| {
        StationCommand::Reserve(Reserve {
            connector: 1,
            reservation: 7,
            id_tag: "A".to_owned(),
            token_type: None,
            parent_group: None,
            until,
        })
    };
    assert_eq!(clock.in_its_time(reserve(NOW)), reserve(at(-HOUR)));
    let profile = |start: Timestamp, from: Timestamp| StationCommand::SetChargingProfile {
        connector: 1,
        profile: serde_json::json!({"validFrom": from, "chargingSchedule": [{"startSchedule": start, "id": 1}]}),
    };
    assert_eq!(clock.in_its_time(profile(NOW, at(60))), profile(at(-HOUR), at(60 - HOUR)));
    let list = |until: Timestamp| StationCommand::SendLocalList {
        version: 3,
        full: true,
        entries: vec![serde_json::json!({"idTag": "A", "idTagInfo": {"status": "Accepted", "expiryDate": until}})],
    };
    assert_eq!(clock.in_its_time(list(NOW)), list(at(-HOUR)));
    let signal = |from: Timestamp| StationCommand::Device {
        request: DeviceRequest::AfrrSignal,
        payload: serde_json::json!({"timestamp": from, "signal": 1}),
    };
    assert_eq!(clock.in_its_time(signal(NOW)), signal(at(-HOUR)));
    let right = StationClock::remembered(Some(0));
    assert_eq!(right.in_its_time(reserve(NOW)), reserve(NOW));
}

proptest! {
    #[test]
    fn whatever_is_reported_our_time_is_within_thirty_days_before_its_receipt(
        times in prop::collection::vec((any::<i64>(), 0_i64..1_000_000, any::<bool>()), 0..60),
        asked in any::<i64>(),
    ) {
        let mut clock = StationClock::default();
        let mut received = NOW;
        for (time, later, reading) in times {
            received = received + Duration::from_secs(later.unsigned_abs());
            let reported = if reading { Reported::Reading } else { Reported::Event };
            clock.hear(Timestamp::from_micros(time), received, reported);
            let ours = clock.ours(Timestamp::from_micros(asked), received);
            prop_assert!(ours <= received && ours >= received - OLDEST);
        }
    }

    #[test]
    fn live_messages_of_a_steady_clock_teach_its_offset(
        offset in -50_000 * HOUR..50_000 * HOUR,
        gaps in prop::collection::vec((6_i64..400, 0_i64..3), 3..30),
    ) {
        let mut clock = StationClock::default();
        let mut received = 0;
        for (gap, delay) in gaps {
            received += gap;
            clock.hear(at(received + offset - delay), at(received), Reported::Event);
        }
        let found = clock.offset_seconds().expect("learnt");
        // Of a message that waited and a clock that is a little behind, nobody can say which it is.
        let is_taken_for_right = found == 0 && (-10..=0).contains(&offset);
        prop_assert!((offset - 3..=offset).contains(&found) || is_taken_for_right, "{found} of {offset}");
    }

    #[test]
    fn a_clock_that_is_nearly_right_is_right_or_ahead(
        offset in -8_i64..=10,
        gaps in prop::collection::vec((6_i64..400, 0_i64..3), 1..30),
    ) {
        let mut clock = StationClock::default();
        let (mut received, mut most) = (0, 0);
        for (gap, delay) in gaps {
            received += gap;
            most = most.max(offset - delay);
            clock.hear(at(received + offset - delay), at(received), Reported::Event);
        }
        let found = clock.offset_seconds().expect("learnt");
        prop_assert!((0..=most).contains(&found), "{found} of {offset}, at most {most}");
    }

    #[test]
    fn a_burst_never_moves_a_clock_that_is_known(
        offset in -10 * HOUR..10 * HOUR,
        interval in 15_i64..900,
        count in 1_i64..200,
        pace in 1_i64..20,
    ) {
        let mut clock = StationClock::remembered(Some(offset));
        for n in 0..count {
            let reported = offset - (count - n) * interval;
            let received = n / pace;
            clock.hear(at(reported), at(received), Reported::Event);
        }
        // What came within the tolerance of the offset may refine it; nothing moves it.
        let found = clock.offset_seconds().expect("known");
        prop_assert!((found - offset).abs() <= 10, "{found} instead of {offset}");
    }

    #[test]
    fn there_and_back_is_the_same_instant(offset in -50_000 * HOUR..50_000 * HOUR, seconds in -HOUR..HOUR) {
        let clock = StationClock::remembered(Some(offset));
        prop_assert_eq!(clock.ours(clock.theirs(at(seconds)), at(HOUR)), at(seconds));
    }
}
