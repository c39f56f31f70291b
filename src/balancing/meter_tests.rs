//! What meters prove, computed by hand.

use proptest::prelude::*;

use super::*;
use kernel::RawId;

const AC: Hardware = Hardware { kind: CurrentKind::Ac, rating: Watts(22_000) };

fn second(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(1_800_000_000 + seconds)
}

fn shown(seconds: i64, power: Option<i64>, register: Option<i64>) -> Shown {
    Shown {
        at: second(seconds),
        reported_at: second(seconds),
        power: power.map(Watts),
        register: register.map(WattHours),
        currents: None,
        current: None,
        is_last: false,
    }
}

#[test]
fn a_register_alone_shows_the_power() {
    let mut meter = Meter::default();
    assert_eq!(meter.take(&shown(0, None, Some(1_003)), AC), None);
    assert_eq!(meter.take(&shown(10, None, Some(1_033)), AC), None, "10 s prove nothing");
    // 91 Wh in 30 s are 10,920 W; the last digit is worth 1 Wh, 120 W more or less.
    assert_eq!(meter.take(&shown(30, None, Some(1_094)), AC), Some(Watts(10_920)));
    let proof = meter.proves(None, AC).expect("30 s");
    assert_eq!((proof.least, proof.most), (Watts(10_800), Watts(11_040)));
}

#[test]
fn a_register_of_whole_kilowatt_hours_proves_in_time_what_is_drawn() {
    let mut meter = Meter::default();
    // 22 kW are 11/60 kWh in 30 s; the register shows whole kWh, and is reported every 30 s.
    for reported in 0..=17 {
        let register = 5_000 + reported * 22_000 / 120 / 1_000 * 1_000;
        meter.take(&shown(reported * 30, None, Some(register)), AC);
    }
    // 3 kWh in the last 480 s, of which one may be the last digit: 2 kWh are 15 kW.
    let proof = meter.proves(None, AC).expect("480 s");
    assert_eq!(proof.least, Watts(15_000));
}

#[test]
fn registers_out_of_a_queue_keep_their_hours_and_say_nothing_of_now() {
    let mut meter = Meter::default();
    // 2.4 kW: 40 Wh a minute, reported every 4 s after an hour without a link.
    for reported in 0..20 {
        let late = Shown {
            reported_at: second(reported * 60),
            ..shown(3_600 + reported * 4, None, Some(1_003 + reported * 40))
        };
        meter.take(&late, AC);
    }
    let proof = meter.proves(None, AC).expect("20 minutes");
    // 19 steps of 40 Wh less a digit of 1 Wh in 1140 s are 2396 W; by receipt it may be 36 kW and more.
    assert_eq!(proof.least, Watts(2_396));
    assert!(proof.most > Watts(36_000), "{proof:?}");
    assert_eq!(meter.draw, None);
}

#[test]
fn many_registers_are_thinned_out_and_reach_far_back() {
    let mut meter = Meter::default();
    for reported in 0..200 {
        meter.take(&shown(reported * 10, None, Some(7_001 + reported)), AC);
    }
    assert!(meter.registers.len() <= KEPT);
    let span = second(1_990).since(meter.registers[0].at);
    assert!(span >= Duration::from_secs(720), "{span:?}");
}

#[test]
fn a_register_of_whole_kilowatt_hours_proves_little_in_a_minute() {
    let mut meter = Meter::default();
    for (seconds, register) in [(0, 5_000), (60, 5_000), (120, 6_000)] {
        meter.take(&shown(seconds, None, Some(register)), AC);
    }
    let proof = meter.proves(None, AC).expect("two minutes");
    assert_eq!((proof.least, proof.most), (Watts::ZERO, Watts(60_000)));
}

#[test]
fn registers_of_a_quarter_of_an_hour_are_compared_too() {
    let mut meter = Meter::default();
    meter.take(&shown(0, None, Some(1_001)), AC);
    // 2751 Wh in 900 s are 11,004 W.
    assert_eq!(meter.take(&shown(900, None, Some(3_752)), AC), Some(Watts(11_004)));
}

#[test]
fn nothing_before_the_limit_was_lowered_counts_against_it() {
    let mut meter = Meter::default();
    for (seconds, register) in [(0, 1), (30, 92), (60, 184), (90, 226), (120, 267)] {
        meter.take(&shown(seconds, None, Some(register)), AC);
    }
    // Since second 60: 83 Wh in 60 s, 4980 W, less one digit of 60 W.
    let proof = meter.proves(Some(second(60)), AC).expect("a minute");
    assert_eq!((proof.since, proof.least), (second(60), Watts(4_920)));
    assert_eq!(meter.proves(Some(second(101)), AC), None);
}

#[test]
fn a_register_that_falls_or_leaps_proves_nothing() {
    let mut meter = Meter::default();
    meter.take(&shown(0, None, Some(9_000)), AC);
    assert_eq!(meter.take(&shown(60, None, Some(12)), AC), None);
    meter.take(&shown(120, None, Some(7_912_763)), AC);
    assert_eq!(meter.proves(None, AC), None, "no hardware gives 474 MW");
}

#[test]
fn what_no_socket_carries_is_a_slip_of_the_unit_or_bounded() {
    let mut meter = Meter::default();
    assert_eq!(meter.take(&shown(0, Some(6_000_000), None), AC), Some(Watts(6_000)));
    assert_eq!(meter.impossible, Some((second(0), Watts(6_000_000))));
    assert_eq!(meter.take(&shown(1, Some(90_000_000), None), AC), Some(Watts(43_500)));
    assert_eq!(meter.take(&shown(2, Some(-7_000), None), AC), Some(Watts::ZERO));
    // 50 and 200 kW may be a DC connector that was set up as an AC one: as much as can be is reserved.
    for real in [44_000, 50_000, 200_000, 1_379_999] {
        assert_eq!(meter.take(&shown(2, Some(real), None), AC), Some(Watts(43_500)), "{real}");
    }
    assert_eq!(meter.take(&shown(2, Some(-6_000_000), None), AC), Some(Watts::ZERO));
    assert_eq!(meter.impossible, Some((second(2), Watts(-6_000_000))));
    assert_eq!(meter.take(&shown(3, Some(30_000), None), AC), Some(Watts(30_000)), "a rating may be wrong");
    let dc = Hardware { kind: CurrentKind::Dc, rating: Watts(50_000) };
    assert_eq!(meter.take(&shown(4, Some(200_000_000), None), dc), Some(Watts(100_000)));
}

#[test]
fn a_reading_of_a_quarter_of_an_hour_ago_says_nothing() {
    let mut meter = Meter::default();
    meter.take(&shown(0, Some(7_000), None), AC);
    assert_eq!(meter.draw_at(second(900)), Some(Watts(7_000)));
    assert_eq!(meter.draw_at(second(901)), None);
}

#[test]
fn the_exposure_at_an_instant_and_since_when_it_is_no_more() {
    let mut allowed = Allowed::default();
    assert_eq!((allowed.at(second(0)), allowed.since()), (None, None));
    for (seconds, exposure) in [(0, 11_000), (10, 6_000), (20, 8_000), (30, 5_000), (40, 4_000)] {
        allowed.note(second(seconds), Watts(exposure));
    }
    let at = |seconds| allowed.at(second(seconds)).expect("known");
    assert_eq!([at(-5), at(0), at(15), at(35), at(99)], [11_000, 11_000, 6_000, 5_000, 4_000].map(Watts));
    assert_eq!(allowed.since(), Some(second(40)));
    allowed.note(second(50), Watts(7_000));
    assert_eq!(allowed.since(), Some(second(30)), "8 kW was more");
}

fn session(number: u8) -> Option<SessionId> {
    Some(SessionId::from(RawId::from_bytes([number; 12])))
}

/// A meter whose session charged with 6.4 kW and ended at second 100.
fn ended() -> Meter {
    let mut meter = Meter::default();
    meter.follow(session(1), None, second(0));
    meter.take(&shown(95, Some(6_400), Some(1_001)), AC);
    assert_eq!(meter.draw_at(second(99)), Some(Watts(6_400)));
    meter.follow(None, None, second(100));
    meter
}

#[test]
fn what_was_read_until_a_session_ended_says_nothing_of_what_is_drawn_since() {
    let mut meter = ended();
    assert_eq!((meter.draw_at(second(100)), meter.shows_a_car()), (None, false));
    // The values of the end come with it, or soon after; and one of before may come out of a queue.
    let of_end = |seconds| Shown { is_last: true, ..shown(seconds, Some(6_400), Some(1_010)) };
    let late = |seconds| Shown { reported_at: second(90), ..shown(seconds, Some(6_400), Some(1_009)) };
    for reading in [of_end(100), of_end(103), late(104), late(160)] {
        assert_eq!((meter.take(&reading, AC), meter.draw_at(second(160))), (None, None), "{reading:?}");
    }
    meter.follow(session(2), None, second(200));
    assert_eq!(meter.take(&of_end(205), AC), Some(Watts(6_400)), "that of another transaction");
}

#[test]
fn what_is_read_later_counts_whatever_time_it_says() {
    let mut meter = ended();
    assert_eq!(meter.take(&shown(101, Some(9_000), None), AC), Some(Watts(9_000)), "a relay that is welded");
    for reported_at in [0, 90, 100] {
        let mut meter = ended();
        let lie = |seconds| Shown { reported_at: second(reported_at), ..shown(seconds, Some(9_000), None) };
        assert_eq!(meter.take(&lie(160), AC), None);
        assert_eq!(meter.take(&lie(161), AC), Some(Watts(9_000)));
    }
}

#[test]
fn who_says_for_longer_than_a_minute_that_each_reading_is_the_last_is_not_believed() {
    let last = |seconds| Shown { is_last: true, ..shown(seconds, Some(9_000), None) };
    let mut meter = ended();
    for seconds in [170, 200, 230] {
        assert_eq!(meter.take(&last(seconds), AC), None, "second {seconds}: a queue");
    }
    for seconds in [231, 240, 1_140, 2_040] {
        assert_eq!(meter.take(&last(seconds), AC), Some(Watts(9_000)), "second {seconds}");
    }
    assert_eq!(meter.take(&last(2_941), AC), None, "another queue, after a quarter of an hour");
    meter.take(&last(3_010), AC);
    meter.follow(session(2), None, second(3_020));
    meter.follow(None, None, second(3_030));
    assert_eq!(meter.take(&last(3_091), AC), None, "another queue, after a session");
}

#[test]
fn a_connector_that_becomes_free_draws_nothing_until_it_is_read_again() {
    let mut meter = Meter::default();
    meter.take(&shown(10, Some(9_000), None), AC);
    meter.follow(None, Some(second(9)), second(11));
    assert_eq!(meter.draw_at(second(12)), Some(Watts(9_000)), "it was free before");
    meter.follow(None, Some(second(12)), second(12));
    assert_eq!(meter.draw_at(second(12)), None);
    meter.take(&shown(20, Some(9_000), None), AC);
    meter.follow(None, Some(second(12)), second(30));
    assert_eq!(meter.draw_at(second(30)), Some(Watts(9_000)), "it says free still, and draws");
}

#[test]
fn registers_on_both_sides_of_an_end_say_nothing_of_what_is_drawn_since() {
    let mut meter = Meter::default();
    meter.follow(session(1), None, second(0));
    // 53 Wh in 30 s: 6.4 kW.
    for (seconds, register) in [(0, 1_001), (30, 1_054), (60, 1_108)] {
        meter.take(&shown(seconds, None, Some(register)), AC);
    }
    meter.follow(None, None, second(70));
    assert_eq!(meter.take(&Shown { is_last: true, ..shown(70, None, Some(1_125)) }, AC), None);
    assert_eq!(meter.take(&shown(90, None, Some(1_125)), AC), None, "one reading since");
    assert_eq!(
        meter.take(&shown(120, None, Some(1_125)), AC),
        Some(Watts(60)),
        "a digit of 1 Wh in 30 s, and half of that"
    );
    assert_eq!(meter.take(&shown(150, None, Some(1_200)), AC).map(|draw| draw > A_CAR), Some(true), "a thief");
    assert!(meter.proves(None, AC).is_some_and(|proof| proof.least > Watts(3_000)), "all of them are evidence");
}

#[test]
fn a_register_that_says_little_keeps_no_draw_alive() {
    let mut meter = Meter::default();
    meter.take(&shown(0, Some(6_400), None), AC);
    for seconds in [300, 600, 900] {
        meter.take(&shown(seconds, None, Some(7_000)), AC); // whole kWh
    }
    assert_eq!(meter.draw_at(second(900)), Some(Watts(6_400)));
    assert_eq!(meter.draw_at(second(901)), None);
}

/// Something that happens so many seconds after what happened before.
#[derive(Debug, Clone, Copy)]
enum Happens {
    /// A reading is taken and comes so much later.
    Reads { late: i64 },
    /// Its session ends, or its connector becomes free; and another session begins or not.
    Ends { known_after: i64, by_status: bool, again: bool },
}

/// When it is heard, of how many ends, a reading or else an end, and of that whether a status says it and whether a session follows.
type Heard = (i64, i64, Option<Shown>, (bool, bool));

fn happens() -> impl Strategy<Value = Vec<(i64, Happens)>> {
    let reads = (0..=60_i64).prop_map(|late| Happens::Reads { late });
    let ends = (0..=3_i64, any::<bool>(), any::<bool>()).prop_map(|(known_after, by_status, again)| Happens::Ends {
        known_after,
        by_status,
        again,
    });
    proptest::collection::vec((1..90_i64, prop_oneof![3 => reads, 1 => ends]), 1..40)
}

proptest! {
    /// Each reading shows 1 kW for each end before it, so that a draw says of which time it is.
    #[test]
    fn no_draw_is_of_before_the_last_end_that_is_known(story in happens()) {
        let (mut now, mut ends) = (1, 0_i64);
        let mut events: Vec<Heard> = Vec::new();
        for (gap, one) in story {
            now += gap;
            match one {
                Happens::Reads { late } => {
                    let reading = Shown { reported_at: second(now), ..shown(now + late, Some(1_000 * (1 + ends)), None) };
                    events.push((now + late, ends, Some(reading), (false, false)));
                }
                Happens::Ends { known_after, by_status, again } => {
                    ends += 1;
                    events.push((now + known_after, ends, None, (by_status, again)));
                }
            }
        }
        events.sort_by_key(|(at, _, reading, _)| (*at, reading.is_some()));
        let (mut meter, mut known) = (Meter::default(), 0);
        meter.follow(session(0), None, second(0));
        for (at, number, reading, (by_status, again)) in events {
            match reading {
                Some(reading) => _ = meter.take(&reading, AC),
                None => {
                    known = known.max(number);
                    meter.follow(None, by_status.then_some(second(at)), second(at));
                    meter.note_idle(second(at)); // also where no session ran
                    meter.follow(session(u8::try_from(number).unwrap_or(u8::MAX)).filter(|_| again), None, second(at));
                }
            }
            let draw = meter.draw_at(second(at));
            prop_assert!(draw.is_none_or(|draw| draw > Watts(1_000 * known)), "{draw:?} after {known} ends");
        }
    }

    #[test]
    fn whatever_a_station_says_for_more_than_a_minute_its_readings_count(
        readings in proptest::collection::vec((1..50_i64, -10_000..10_000_i64, 0..22_000_i64, any::<bool>()), 1..40),
        runs in any::<bool>(),
    ) {
        let mut meter = ended();
        meter.follow(session(2).filter(|_| runs), None, second(100));
        let mut now = 100;
        let mut lasts: Option<(i64, i64)> = None;
        for (gap, ahead, power, is_last) in readings {
            now += gap;
            let reading = Shown { reported_at: second(now + ahead), is_last, ..shown(now, Some(power), None) };
            let draw = meter.take(&reading, AC);
            let is_honest = ahead > 100 - now && !is_last;
            let is_queue = is_last && !runs && {
                let (first, _) = lasts.filter(|(_, latest)| now - latest <= 900).unwrap_or((now, now));
                lasts = Some((first, now));
                now <= first + 60
            };
            let counts = !is_queue && (now > 160 || is_honest);
            prop_assert_eq!(draw, counts.then_some(Watts(power)));
        }
    }
}
