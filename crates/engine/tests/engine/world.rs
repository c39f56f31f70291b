//! Random snapshots, from empty sites to trees with phases where little fits.

use engine::*;
use kernel::*;
use proptest::option;
use proptest::prelude::*;

pub(crate) const NOON: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

pub(crate) fn later(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(NOON.unix_seconds() + seconds)
}

pub(crate) fn group(number: usize) -> GroupId {
    id(number).into()
}

/// Spread so that the order of ids is not the order of numbers.
pub(crate) fn connector(number: usize) -> ConnectorId {
    id((number * 7 + 3) % 251).into()
}

fn id(number: usize) -> RawId {
    let mut bytes = [0; 12];
    bytes[11] = u8::try_from(number).expect("small");
    RawId::from_bytes(bytes)
}

/// This many cases, without a file of old failures: one that matters becomes a test of its own.
pub(crate) fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// Which features a random snapshot may have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Features {
    pub phases: bool,
    pub states: bool,
    pub damping: bool,
}

pub(crate) const PLAIN: Features = Features { phases: false, states: false, damping: false };
pub(crate) const PHASES: Features = Features { phases: true, ..PLAIN };
pub(crate) const ALL: Features = Features { phases: true, states: true, damping: true };

pub(crate) fn snapshots(features: Features) -> impl Strategy<Value = Snapshot> {
    (1..8_usize, 0..20_usize).prop_flat_map(move |(nodes, members)| {
        let nodes: Vec<_> = (0..nodes).map(|number| node(number, features)).collect();
        let count = nodes.len();
        let members: Vec<_> = (0..members).map(|number| member(number, count, features)).collect();
        (nodes, members, settings(features)).prop_map(|(nodes, members, settings)| Snapshot {
            nodes,
            members,
            settings,
        })
    })
}

fn node(number: usize, features: Features) -> impl Strategy<Value = Node> {
    // Three of four hang below an earlier one, so that trees get up to a handful deep.
    let parent = if number == 0 {
        Just(None).boxed()
    } else {
        prop_oneof![3 => (0..number).prop_map(Some), 1 => Just(None)].boxed()
    };
    let limit = prop_oneof![1 => Just(0), 6 => 1_000..90_000_i64];
    let buffer = prop_oneof![2 => Just(0), 1 => 0..=300_000_u32];
    let load = prop_oneof![2 => Just(0), 1 => -8_000..15_000_i64];
    let amps = prop_oneof![1 => Just(0), 5 => 6_000..120_000_i64];
    let phase_limits = sometimes(features.phases, 0.6, [amps.clone(), amps.clone(), amps]);
    let phase_load = [-5_000..9_000_i64, -5_000..9_000_i64, -5_000..9_000_i64];
    let imbalance = sometimes(features.phases, 0.3, 4_000..40_000_i64);
    let rating = option::weighted(0.2, 0..100_000_i64);
    let algorithm = prop_oneof![
        Just(Algorithm::EqualShare),
        Just(Algorithm::Priority),
        Just(Algorithm::FirstCome),
        Just(if features.states { Algorithm::Deadline } else { Algorithm::EqualShare }),
    ];
    (parent, limit, buffer, load, phase_limits, phase_load, imbalance, rating, algorithm, any::<bool>()).prop_map(
        move |(
            parent,
            limit,
            buffer_ppm,
            load,
            phase_limits,
            phase_load,
            imbalance,
            rating,
            algorithm,
            allow_pause,
        )| Node {
            parent: parent.map(group),
            buffer_ppm,
            uncontrolled_load: Watts(load),
            phase_limits: phase_limits.map(|amps| amps.map(Milliamps)),
            phase_load: phase_load.map(Milliamps),
            imbalance_limit: imbalance.map(Milliamps),
            rating: rating.map(Watts),
            algorithm,
            allow_pause,
            ..Node::new(group(number), Watts(limit))
        },
    )
}

/// A value with this probability, and never without the feature.
fn sometimes<T: Clone + std::fmt::Debug + 'static>(
    feature: bool,
    probability: f64,
    value: impl Strategy<Value = T> + 'static,
) -> BoxedStrategy<Option<T>> {
    if feature { option::weighted(probability, value).boxed() } else { Just(None).boxed() }
}

fn member(number: usize, nodes: usize, features: Features) -> impl Strategy<Value = Member> {
    let power = (0..nodes, 0..8_000_i64, 0..25_000_i64, prop::sample::select(vec![1, 10, 23, 69, 230, 690]));
    let grid =
        (prop::sample::select(vec![230_000, 230_000, 230_000, 231_400, 208_000]), 0..8_u8, prop::bool::weighted(0.8));
    let rank =
        (1..6_u32, prop::sample::select(vec![PriorityClass::Urgent, PriorityClass::Normal, PriorityClass::Surplus]));
    (power, grid, rank, 0..25_000_i64, state(features)).prop_map(
        move |((node, minimum, maximum, step), (voltage, phases, rotation_known), (weight, class), current, state)| {
            Member {
                step: Watts(step),
                voltage: Millivolts(voltage),
                phases: PhaseSet::from_fn(|index| phases & (1 << index) != 0),
                rotation_known,
                weight,
                class: if features.states { class } else { PriorityClass::Normal },
                current: Watts(current).floor_to(Watts(step)),
                state,
                ..Member::new(connector(number), group(node), Watts(minimum), Watts(maximum))
            }
        },
    )
}

fn state(features: Features) -> BoxedStrategy<MemberState> {
    let fresh = (0..100_i64, 0..40_000_i64).prop_map(|(minutes, energy)| {
        let mut session = Session::new(later(-60 * minutes));
        session.attained = WattHours(energy);
        MemberState::Active(session)
    });
    if !features.states {
        return fresh.boxed();
    }
    let why = prop::sample::select(vec![Uncontrolled::Offline, Uncontrolled::Rejected, Uncontrolled::NotObeying]);
    prop_oneof![
        8 => session().prop_map(MemberState::Active),
        1 => (0..600_i64, session())
            .prop_map(|(ago, session)| MemberState::Suspended { since: later(-ago), session }),
        1 => (0..3_000_i64).prop_map(|exposure| MemberState::Idle { exposure: Watts(exposure) }),
        1 => (0..22_000_i64, why)
            .prop_map(|(reserved, why)| MemberState::Uncontrolled { reserved: Watts(reserved), why }),
    ]
    .boxed()
}

fn session() -> impl Strategy<Value = Session> {
    let instant = || option::of((0..9_000_i64).prop_map(|ago| later(-ago)));
    let queue_state = (instant(), instant(), instant(), instant(), instant()).prop_map(
        |(on_since, waiting_since, stopped_at, fits_since, raised_at)| QueueState {
            on_since,
            waiting_since: waiting_since.filter(|_| on_since.is_none()),
            stopped_at: stopped_at.filter(|_| on_since.is_none()),
            fits_since,
            raised_at,
        },
    );
    let wishes = (option::weighted(0.3, 0..20_000_i64), prop::bool::weighted(0.1), prop::bool::weighted(0.1));
    let deadline = option::of((-3_600..90_000_i64, 0..80_000_i64)).prop_map(|deadline| {
        deadline.map(|(seconds, energy)| Deadline { departure: later(seconds), energy: WattHours(energy) })
    });
    (0..40_000_i64, queue_state, wishes, deadline).prop_map(
        |(energy, queue_state, (demand, priority_charge, excluded), deadline)| Session {
            attained: WattHours(energy),
            queue_state,
            learned_demand: demand.map(Watts),
            priority_charge,
            excluded,
            waits_until: (excluded && demand.is_some()).then(|| later(600)),
            deadline,
            ..Session::new(later(-9_000))
        },
    )
}

fn settings(features: Features) -> BoxedStrategy<Settings> {
    if !features.damping {
        return Just(Settings::default()).boxed();
    }
    let raise = option::of((1..5_000_i64).prop_map(Watts));
    (0..900_u32, raise, 0..2_000_i64, prop::sample::select(vec![0, 10_000, 50_000]))
        .prop_map(|(restart_after_seconds, raise_step, dead_band, suppression_ppm)| Settings {
            restart_after_seconds,
            raise_step,
            dead_band: Watts(dead_band),
            suppression_ppm,
            ..Settings::default()
        })
        .boxed()
}
