//! What meters prove, computed by hand.

use super::*;

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
