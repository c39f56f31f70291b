//! The ledger against samples and against any interleaving of honest and wrong words.

mod odd;

use proptest::prelude::*;

use super::*;
use kernel::{MilliwattHours, Timestamp, WattHours};

/// A plug of 22 kW: 24.2 kW with the room for metering, 403 Wh a minute, and 806 Wh of room for clocks.
const PLUG: Watts = Watts(22_000);

fn at(second: i64) -> Timestamp {
    Timestamp::from_unix_seconds(1_777_000_000 + second)
}

/// What a station reports whose clock is taken to be right.
fn mark(reported: Timestamp, received: Timestamp) -> Mark {
    Mark::new(reported, reported, received)
}

/// A session at a plug of 22 kW whose station has the right time.
struct Story {
    ledger: EnergyLedger,
}

impl Story {
    fn began(register: i64) -> Self {
        let mut ledger = EnergyLedger::open(at(0), mark(at(0), at(0)), Some(PLUG));
        ledger.begin_at(at(0), mark(at(0), at(0)), Some(WattHours(register)));
        Self { ledger }
    }

    fn reports(&mut self, series: Series, minute: i64, register: i64) -> &mut Self {
        self.shows(series, (minute * 60, minute * 60), Some(register), None, false)
    }

    fn shows(
        &mut self,
        series: Series,
        (reported, received): (i64, i64),
        register: Option<i64>,
        power: Option<i64>,
        begins: bool,
    ) -> &mut Self {
        self.ledger.observe(&Observed {
            mark: mark(at(reported), at(received)),
            series,
            begins,
            register: register.map(WattHours),
            interval: None,
            power: power.map(Watts),
        });
        self
    }

    /// Registers of the transaction, each ten minutes after the one before.
    fn reads(&mut self, registers: &[i64]) -> &mut Self {
        for (minute, register) in (1..).map(|index| index * 10).zip(registers) {
            self.reports(Series::Transaction, minute, *register);
        }
        self
    }

    fn stops(&mut self, minute: i64, register: i64) -> &mut Self {
        let end = mark(at(minute * 60), at(minute * 60));
        self.ledger.end_at(end, Some(WattHours(register)));
        self
    }

    /// A value of the transaction that shows nothing.
    fn nothing_at(minute: i64) -> Observed {
        Observed {
            mark: mark(at(minute * 60), at(minute * 60)),
            series: Series::Transaction,
            begins: false,
            register: None,
            interval: None,
            power: None,
        }
    }

    fn energy(&self) -> i64 {
        self.ledger.energy().get()
    }

    fn has(&self, deviation: EnergyDeviation) -> bool {
        self.ledger.flags().contains(&deviation)
    }
}

#[test]
fn a_register_that_rises_is_counted() {
    let mut story = Story::began(1_000);
    assert_eq!(story.reads(&[2_000, 3_500]).energy(), 2_500);
    assert_eq!(story.stops(25, 4_000).energy(), 3_000);
    assert_eq!(story.ledger.flags(), []);
}

#[test]
fn a_small_fall_counts_nothing_and_what_it_rises_by_again_neither() {
    let mut story = Story::began(2_259_992);
    assert_eq!(story.stops(10, 2_259_988).energy(), 0);
    let mut story = Story::began(1_000);
    story.reads(&[2_000, 1_990, 1_999, 2_000, 2_010]);
    assert_eq!(story.energy(), 1_010);
    assert!(story.has(EnergyDeviation::RegisterFell));
}

#[test]
fn a_stop_at_zero_keeps_what_readings_showed() {
    let mut story = Story::began(120_000);
    story.reads(&[122_000, 125_000, 129_000]).stops(35, 0);
    assert_eq!(story.energy(), 9_000);
    assert!(story.has(EnergyDeviation::StopNotRead));
}

#[test]
fn a_register_that_begins_again_goes_on_from_zero() {
    let mut story = Story::began(1_000);
    story.reads(&[4_000, 7_000, 200, 3_000, 5_500]);
    assert_eq!(story.energy(), 6_000 + 200 + 2_800 + 2_500);
    assert!(story.has(EnergyDeviation::RegisterRestarted));
    assert_eq!(story.stops(55, 6_000).energy(), 12_000);
}

#[test]
fn one_zero_among_readings_is_no_restart() {
    let mut story = Story::began(1_000);
    story.reads(&[4_000, 0, 7_000]);
    assert_eq!(story.energy(), 6_000);
    assert!(story.has(EnergyDeviation::RegisterSpiked));
}

#[test]
fn one_wild_value_does_not_count() {
    let mut story = Story::began(0);
    story.reads(&[1_000, 9_999_999, 3_000, 4_000]).stops(45, 4_500);
    assert_eq!(story.energy(), 4_500);
    assert_eq!(story.ledger.unproven().get(), 0);
}

#[test]
fn a_wild_value_at_the_stop_is_shown_and_not_billed() {
    let mut story = Story::began(0);
    story.reads(&[1_000, 2_000]).stops(25, 4_294_967_295);
    assert_eq!(story.energy(), 2_000);
    assert_eq!(story.ledger.unproven().get(), 4_294_965_295);
    assert!(story.has(EnergyDeviation::EnergyBounded));
}

#[test]
fn a_start_of_zero_before_a_lifetime_register_counts_from_the_first_reading() {
    let mut story = Story::began(0);
    story.reads(&[7_912_760, 7_914_000]).stops(25, 7_914_700);
    assert_eq!(story.energy(), 1_940);
    assert!(story.has(EnergyDeviation::StartNotRead));
}

#[test]
fn what_is_reported_as_the_begin_is_the_begin() {
    let mut story = Story::began(5_000_000);
    story.shows(Series::Transaction, (20, 20), Some(300), None, true);
    story.reads(&[2_300]).stops(15, 3_000);
    assert_eq!(story.energy(), 2_700);
}

#[test]
fn a_lifetime_register_beside_that_of_the_session_does_not_mix_in() {
    let mut story = Story::began(0);
    story.reports(Series::Transaction, 5, 895);
    story.reports(Series::ConnectorClock, 6, 1_234_567);
    story.reports(Series::Transaction, 10, 1_800);
    story.reports(Series::ConnectorClock, 11, 1_235_480);
    assert_eq!(story.energy(), 1_800);
    assert_eq!(story.stops(12, 1_900).energy(), 1_900);
    assert_eq!(story.ledger.flags(), [EnergyDeviation::StartNotRead], "of the other register");
}

#[test]
fn values_without_a_transaction_count_where_there_are_no_others() {
    let mut story = Story::began(6_000);
    story.reports(Series::Connector, 20, 9_000);
    story.reports(Series::Connector, 40, 14_000);
    assert_eq!(story.energy(), 8_000);
    assert_eq!(story.stops(50, 16_000).energy(), 10_000);
}

#[test]
fn a_start_and_a_stop_of_the_session_count_beside_readings_of_a_lifetime() {
    let mut story = Story::began(1);
    story.reports(Series::Transaction, 2, 7_912_900);
    story.reports(Series::Transaction, 30, 7_917_000);
    story.reports(Series::Transaction, 58, 7_922_000);
    assert_eq!(story.energy(), 9_100);
    assert_eq!(story.stops(60, 10_001).energy(), 10_000);
}

#[test]
fn a_draw_above_the_rating_is_billed_up_to_it_and_the_rest_is_shown() {
    let mut story = Story::began(0);
    // 60 kW at a plug of 22: ten minutes give 24.2 kW x 12 min = 4,840 Wh with the room for clocks.
    story.reads(&[10_000, 20_000, 30_000]).stops(40, 40_000);
    let bound = 24_200 * 42 / 60;
    assert!(story.energy() <= bound, "{} of {bound}", story.energy());
    assert!(story.energy() >= 24_200 * 30 / 60, "{}", story.energy());
    assert_eq!(story.energy() + story.ledger.unproven().get(), 40_000);
}

#[test]
fn registers_that_are_none_count_nothing_and_nothing_wraps() {
    for wrong in [-1, i64::MIN, i64::MAX, -2_259_988] {
        let mut story = Story::began(1_000);
        story.reads(&[wrong, 2_000, wrong]).stops(35, wrong);
        assert_eq!(story.energy(), 1_000, "{wrong}");
        assert!(story.has(EnergyDeviation::RegisterRefused));
        let mut story = Story::began(wrong);
        story.reads(&[1_000, 2_000]).stops(25, 2_500);
        assert_eq!(story.energy(), 1_500, "{wrong}");
    }
}

#[test]
fn a_start_that_is_reported_late_adds_what_the_first_reading_rose_by() {
    let mut ledger = EnergyLedger::open(at(600), mark(at(600), at(900)), Some(PLUG));
    let shown = |minute: i64, register| Observed {
        mark: mark(at(minute * 60), at(900)),
        series: Series::Transaction,
        begins: false,
        register: Some(WattHours(register)),
        interval: None,
        power: None,
    };
    ledger.observe(&shown(10, 3_000));
    ledger.observe(&shown(14, 4_000));
    assert_eq!(ledger.energy(), WattHours(1_000));
    ledger.begin_at(at(0), mark(at(0), at(900)), Some(WattHours(500)));
    assert_eq!(ledger.energy(), WattHours(3_500));
    assert_eq!(ledger.reached(), at(14 * 60));
}

#[test]
fn intervals_count_once_each_where_there_is_no_register() {
    let mut story = Story::began(0);
    let interval = |minute: i64, energy: i64| Observed {
        mark: mark(at(minute * 60), at(minute * 60)),
        series: Series::Transaction,
        begins: false,
        register: None,
        interval: Some(MilliwattHours(energy * 1_000)),
        power: None,
    };
    for minute in [15, 30, 30, 45, 15] {
        story.ledger.observe(&interval(minute, 1_500));
    }
    assert_eq!(story.energy(), 4_500);
    assert_eq!(story.stops(50, 0).energy(), 4_500);
}

#[test]
fn a_register_that_counts_kilowatt_hours_is_recognised_by_the_power() {
    let mut story = Story::began(361);
    for (minute, register) in [(10, 362), (20, 364), (40, 367)] {
        let times = (minute * 60, minute * 60);
        story.shows(Series::Transaction, times, Some(register), Some(9_400), false);
    }
    story.stops(50, 369);
    assert_eq!(story.energy(), 8, "no more than the register proves");
    // 9.4 kW from minute 10 to 50.
    assert_eq!(story.ledger.by_power().get(), 9_400 * 40 / 60);
    assert!(story.has(EnergyDeviation::RegisterBelowPower));
}

#[test]
fn drawing_is_seen_by_the_register_where_nothing_else_is_reported() {
    let mut story = Story::began(0);
    story.reads(&[1_000, 2_000, 2_000, 2_001]);
    assert_eq!(story.ledger.drawing_seconds(), 1_200);
}

#[test]
fn drawing_is_seen_by_the_power_where_it_is_reported() {
    let mut story = Story::began(0);
    for (minute, power) in [(0, 7_000), (10, 7_000), (20, 0), (30, 7_000)] {
        let times = (minute * 60, minute * 60);
        story.shows(Series::Transaction, times, None, Some(power), false);
    }
    assert_eq!(story.ledger.drawing_seconds(), 1_200);
}

#[test]
fn the_ledger_is_small_and_survives_its_storage() {
    let mut story = Story::began(1_000);
    story.reads(&[4_000, 7_000, 200, 3_000, 5_500]);
    story.reports(Series::ConnectorClock, 60, 1_234_567);
    let text = serde_json::to_string(&story.ledger).expect("JSON");
    assert!(text.len() < 1_200, "{} bytes: {text}", text.len());
    let again: EnergyLedger = serde_json::from_str(&text).expect("a ledger");
    assert_eq!(again, story.ledger);
}

/// Something that a station says, honest or not.
#[derive(Debug, Clone)]
enum Word {
    /// The register of the transaction, that of a lifetime beside it, or power.
    Honest(Series),
    Repeat,
    Zero,
    Spike(i64),
    Dip(i64),
    Negative,
    Restart,
    Power(i64),
    ClockJumps(i64),
    Stop(i64),
}

fn word() -> impl Strategy<Value = Word> {
    let series = prop_oneof![
        Just(Series::Transaction),
        Just(Series::TransactionClock),
        Just(Series::ConnectorClock),
        Just(Series::Connector)
    ];
    prop_oneof![
        6 => series.prop_map(Word::Honest),
        1 => Just(Word::Repeat),
        1 => Just(Word::Zero),
        2 => any::<i64>().prop_map(Word::Spike),
        1 => (0_i64..50_000).prop_map(Word::Spike),
        1 => (1_i64..30).prop_map(Word::Dip),
        1 => Just(Word::Negative),
        1 => Just(Word::Restart),
        1 => any::<i64>().prop_map(Word::Power),
        1 => (-10_000_000_i64..10_000_000).prop_map(Word::ClockJumps),
        1 => any::<i64>().prop_map(Word::Stop),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever is said, in any order: the energy never falls, is never negative, and never above what the plug can give
    /// by receipt or by the station's own believed times.
    #[test]
    fn any_words_are_bounded_and_never_take_anything_back(
        begin in prop_oneof![Just(0_i64), 0_i64..10_000_000, any::<i64>()],
        words in prop::collection::vec((word(), 0_i64..1_800), 0..60),
        draws in prop::collection::vec(0_i64..22_000, 60),
    ) {
        let mut ledger = EnergyLedger::open(at(0), mark(at(0), at(0)), Some(PLUG));
        ledger.begin_at(at(0), mark(at(0), at(0)), Some(WattHours(begin)));
        let (mut now, mut clock, mut own, mut latest_own) = (0_i64, 0_i64, 0_i64, 0_i64);
        let (mut register, mut lifetime, mut last) = (begin.clamp(0, 1 << 40), 5_000_000_i64, None);
        let mut before = 0;
        for ((word, seconds), draw) in words.into_iter().zip(draws) {
            now += seconds;
            register += draw * seconds / 3_600;
            lifetime += draw * seconds / 3_600;
            let mut observed = Observed {
                mark: mark(at(now + clock), at(now)),
                series: Series::Transaction,
                begins: false,
                register: None,
                interval: None,
                power: None,
            };
            match word {
                Word::Honest(series) => {
                    observed.series = series;
                    let apart = matches!(series, Series::Connector | Series::ConnectorClock);
                    observed.register = Some(WattHours(if apart { lifetime } else { register }));
                }
                Word::Repeat => observed = last.unwrap_or(observed),
                Word::Zero => observed.register = Some(WattHours(0)),
                Word::Spike(value) => observed.register = Some(WattHours(value)),
                Word::Dip(by) => observed.register = Some(WattHours((register - by).max(0))),
                Word::Negative => observed.register = Some(WattHours(-1)),
                Word::Restart => { register = 0; observed.register = Some(WattHours(0)); }
                Word::Power(value) => observed.power = Some(Watts(value)),
                Word::ClockJumps(by) => clock = by,
                Word::Stop(value) => { ledger.end_at(observed.mark, Some(WattHours(value))); }
            }
            own = own.max(believed(at(now + clock), at(now)).seconds_since(at(0)));
            latest_own = latest_own.max(own);
            ledger.observe(&observed);
            last = Some(observed);
            let energy = ledger.energy().get();
            prop_assert!(energy >= before, "{energy} after {before}");
            // Time since the start: by receipt on top of the most that the station's own clock ever showed.
            let most = most_in(PLUG, (now + latest_own.max(0)) * MICROS);
            prop_assert!(energy <= most, "{energy} of {most}");
            prop_assert!(ledger.unproven().get() >= 0);
            prop_assert!(ledger.drawing_seconds() <= now + latest_own.max(0));
            before = energy;
        }
        let again: EnergyLedger =
            serde_json::from_str(&serde_json::to_string(&ledger).expect("JSON")).expect("a ledger");
        prop_assert_eq!(again, ledger);
    }

    /// What an honest register showed counts to the Wh, whatever is said besides: repeats, single spikes, zeros, dips,
    /// another register, a stop at zero or none.
    #[test]
    fn what_an_honest_register_proves_is_billed_to_the_watt_hour(
        begin in 0_i64..5_000_000,
        draws in prop::collection::vec((0_i64..22_000, 0_usize..6, any::<i64>()), 2..40),
        stop in prop_oneof![Just(None), Just(Some(0_i64)), Just(Some(-1)), any::<i64>().prop_map(Some)],
    ) {
        let mut story = Story::began(begin);
        let mut register = begin;
        for ((draw, trouble, wild), minute) in draws.iter().zip((1..).map(|index| index * 5)) {
            register += draw * 300 / 3_600;
            story.reports(Series::Transaction, minute, register);
            let seconds = (minute * 60 + 10, minute * 60 + 10);
            match trouble {
                1 => story.reports(Series::Transaction, minute, register),
                2 => story.shows(Series::Transaction, seconds, Some(0), None, false),
                // Far beyond what can have been drawn in ten seconds.
                3 => story.shows(Series::Transaction, seconds, Some(wild.saturating_abs().max(register + 50_000)), None, false),
                4 => story.shows(Series::Transaction, seconds, Some((register - 3).max(0)), None, false),
                5 => story.shows(Series::ConnectorClock, seconds, Some(77_000_000 + register), None, false),
                _ => &mut story,
            };
        }
        if let Some((_, trouble, _)) = draws.last()
            && matches!(trouble, 2 | 3)
        {
            // The honest register has the last word.
            let minute = i64::try_from(draws.len()).expect("few") * 5 + 1;
            story.reports(Series::Transaction, minute, register);
        }
        prop_assert_eq!(story.energy(), register - begin);
        let end = i64::try_from(draws.len()).expect("few") * 5 + 2;
        if let Some(stop) = stop {
            story.stops(end, stop);
        } else {
            story.ledger.assume_end();
        }
        prop_assert!(story.energy() >= register - begin);
        prop_assert!(story.energy() <= most_in(PLUG, end * 60 * MICROS));
    }

    /// What waited in a queue may come in any order.
    #[test]
    fn queued_values_may_come_in_any_order(
        begin in 0_i64..5_000_000,
        draws in prop::collection::vec(0_i64..22_000, 1..30),
        order in prop::collection::vec(any::<u32>(), 30),
    ) {
        let mut register = begin;
        let mut values: Vec<(u32, i64, i64)> = draws.iter().zip((1..).map(|index| index * 5)).zip(order)
            .map(|((draw, minute), place)| { register += draw * 300 / 3_600; (place, minute, register) })
            .collect();
        let received = i64::try_from(draws.len()).expect("few") * 300 + 60;
        let mut energies = Vec::new();
        for shuffled in [false, true] {
            if shuffled { values.sort_unstable(); }
            let mut story = Story::began(begin);
            for (_, minute, register) in &values {
                story.shows(Series::Transaction, (minute * 60, received), Some(*register), None, false);
            }
            energies.push(story.energy());
        }
        prop_assert_eq!(energies, vec![register - begin; 2]);
    }

    /// A register that restarts, each time seen to rise again, loses nothing but what was drawn around the restart.
    #[test]
    fn restarts_lose_only_what_no_value_shows(
        begin in 0_i64..5_000_000,
        runs in prop::collection::vec(prop::collection::vec(200_i64..1_500, 3..8), 1..5),
    ) {
        let mut story = Story::began(begin);
        let (mut minute, mut register, mut shown) = (0, begin, 0);
        for (index, run) in runs.iter().enumerate() {
            if index > 0 { register = 0; }
            for step in run {
                minute += 5;
                register += step;
                shown += step;
                story.reports(Series::Transaction, minute, register);
            }
        }
        let energy = story.energy();
        prop_assert!(energy <= shown, "{energy} of {shown}");
        // A restart is missed where the register did not fall below half of what it showed before.
        if begin > 100_000 && runs.len() == 2 { prop_assert_eq!(energy, shown); }
    }
}
