//! What is taken to be drawn after a session ended: nothing, until a reading of later shows otherwise, whoever lies; one situation a
//! test.

use std::time::Duration;

use super::virtual_group::{PILOT, RATING, VirtualGroup, kilowatts, shown};
use crate::sites::stations::ConnectorStatus;
use crate::sites::stations::link::{Shown, Stray};
use engine::transition::Stage;
use kernel::*;

impl VirtualGroup {
    /// What a port draws by its meter.
    fn drawn(&self, port: usize) -> Option<Watts> {
        self.state.drawn(&self.site.connectors[port], self.now())
    }

    /// The session of a port ends, and its connector says this.
    fn ends(&mut self, port: usize, status: ConnectorStatus) {
        self.site.connectors[port].session = None;
        self.says(port, status);
    }

    fn reading(&self, power: f64) -> Shown {
        shown(self.now(), Some(kilowatts(power)), None)
    }
}

/// One of two cars on 22 kW, which draws all it may, after its session ended.
fn after_an_end(status: ConnectorStatus) -> VirtualGroup {
    let mut group = VirtualGroup::settled(2, 22);
    group.plug(0);
    group.pass(20);
    group.pass_showing(0, (60, 10), 21.0);
    assert_eq!(group.drawn(0), Some(Watts(21_000)));
    group.ends(0, status);
    group
}

#[test]
fn what_a_car_drew_is_drawn_no_more_when_its_session_ended() {
    for status in [ConnectorStatus::Available, ConnectorStatus::Finishing, ConnectorStatus::Charging] {
        let mut group = after_an_end(status);
        group.pass(2);
        assert_eq!((group.drawn(0), group.warned()), (None, vec![]), "{status}");
        group.plug(1);
        group.pass(20);
        assert_eq!((group.limit(1), group.state.stage), (Watts(22_000), Some(Stage::Settled)), "{status}");
    }
}

#[test]
fn the_values_of_the_end_and_those_that_come_late_say_nothing_of_what_is_drawn_since() {
    let mut group = after_an_end(ConnectorStatus::Finishing);
    let of_end = Shown { is_last: true, ..group.reading(21.0) };
    group.hear(0, of_end);
    for _ in 0..5 {
        group.pass(10);
        let late = Shown { reported_at: group.now() - Duration::from_secs(70), ..group.reading(21.0) };
        group.hear(0, late);
        let of_end = Shown { is_last: true, ..late };
        group.hear(0, of_end);
    }
    group.pass(2);
    assert_eq!((group.drawn(0), group.warned()), (None, vec![]));
    assert_eq!(group.exposure(0), Watts::ZERO);
    assert_ne!(group.state.stage, Some(Stage::Degraded));
}

#[test]
fn the_register_of_the_end_says_nothing_of_what_is_drawn_since() {
    let mut group = VirtualGroup::settled(1, 22);
    group.plug(0);
    for reading in 0..12 {
        group.shows(0, None, Some(1_001 + reading * 30));
        group.pass(10);
    }
    assert!(group.drawn(0) > Some(Watts(10_000)), "{:?}", group.drawn(0));
    group.ends(0, ConnectorStatus::Available);
    let of_end = Shown { is_last: true, ..shown(group.now(), None, Some(WattHours(1_001 + 360))) };
    group.hear(0, of_end);
    group.pass(2);
    assert_eq!((group.drawn(0), group.warned()), (None, vec![]));
}

/// A relay is welded: the car draws on after its session ended. Its readings come every 10 s and say these times.
fn with_a_welded_relay(says: fn(Timestamp, Timestamp) -> Timestamp) -> VirtualGroup {
    let mut group = after_an_end(ConnectorStatus::Available);
    let begin = group.now();
    for _ in 0..12 {
        let now = group.now();
        let reading = Shown { reported_at: says(begin, now), ..group.reading(9.0) };
        group.hear(0, reading);
        group.pass(10);
    }
    group
}

#[test]
fn who_draws_on_after_its_session_ended_is_found_whatever_times_it_says() {
    let honest: fn(Timestamp, Timestamp) -> Timestamp = |_, now| now;
    let stands_still: fn(Timestamp, Timestamp) -> Timestamp = |begin, _| begin;
    let is_behind: fn(Timestamp, Timestamp) -> Timestamp = |_, now| now - Duration::from_secs(86_400);
    for says in [honest, stands_still, is_behind] {
        let mut group = with_a_welded_relay(says);
        assert_eq!((group.drawn(0), group.exposure(0)), (Some(Watts(9_000)), RATING));
        let warned = group.warned();
        assert!(warned.contains(&"charges_without_session") && warned.contains(&"not_obeying"), "{warned:?}");
        group.plug(1);
        group.pass(20);
        assert_eq!(group.limit(1), Watts::ZERO, "all is reserved");
    }
}

#[test]
fn who_says_that_each_reading_is_the_last_is_found_by_its_register() {
    let mut group = after_an_end(ConnectorStatus::Available);
    group.pass(20);
    for reading in 0..12 {
        let register = WattHours(1_001 + reading * 25); // 9 kW
        let reading = Shown { is_last: true, ..shown(group.now(), Some(Watts(9_000)), Some(register)) };
        group.hear(0, reading);
        group.pass(10);
    }
    assert_eq!(group.exposure(0), RATING);
}

#[test]
fn who_says_that_each_reading_is_the_last_is_found_by_its_power() {
    let mut group = after_an_end(ConnectorStatus::Available);
    group.pass(70);
    for _ in 0..12 {
        let reading = Shown { is_last: true, ..group.reading(9.0) };
        group.hear(0, reading);
        group.pass(10);
    }
    assert_eq!((group.drawn(0), group.exposure(0)), (Some(Watts(9_000)), RATING));
}

#[test]
fn a_session_ends_also_where_its_station_is_away() {
    let mut group = VirtualGroup::settled(2, 22);
    group.plug(0);
    group.pass_showing(0, (60, 10), 21.0);
    group.site.connectors[0].online = false;
    group.pass(2);
    assert_eq!(group.drawn(0), Some(Watts(21_000)));
    group.ends(0, ConnectorStatus::Charging);
    group.pass(2);
    assert_eq!(group.drawn(0), None);
}

#[test]
fn the_next_session_begins_with_nothing_drawn() {
    let mut group = after_an_end(ConnectorStatus::Charging);
    group.plug(0);
    group.pass(1);
    assert_eq!(group.drawn(0), None);
    group.pass(1);
    group.shows(0, Some(7.0), None);
    group.pass(1);
    assert_eq!(group.drawn(0), Some(Watts(7_000)));
}

// ---- connectors that nobody steers

/// A group whose second connector is no member.
fn with_bystander(status: ConnectorStatus) -> (VirtualGroup, ConnectorId) {
    let mut group = VirtualGroup::settled(2, 30);
    let mut bystander = group.site.connectors.remove(1);
    (bystander.status, bystander.status_at) = (status, Some(group.now()));
    let connector = bystander.connector;
    group.site.without_group.push(bystander);
    group.pass(2);
    (group, connector)
}

#[test]
fn what_a_connector_that_is_no_member_drew_until_its_session_ended_is_not_reserved_for_ever() {
    let (mut group, connector) = with_bystander(ConnectorStatus::Finishing);
    let of_end = Shown { is_last: true, ..group.reading(11.0) };
    group.notes.shown.entry(connector).or_default().push(of_end);
    group.pass(2);
    assert_eq!(group.reserved(), Watts::ZERO);
    // One that goes on to draw is reserved, until it says that it is free.
    let reading = group.reading(11.0);
    group.notes.shown.entry(connector).or_default().push(reading);
    group.pass(2);
    assert_eq!(group.reserved(), Watts(11_000));
    group.site.without_group[0].status = ConnectorStatus::Available;
    group.site.without_group[0].status_at = Some(group.now());
    group.pass(2);
    assert_eq!(group.reserved(), Watts::ZERO);
}

#[test]
fn the_last_values_of_a_connector_that_is_not_set_up_free_it() {
    let mut group = VirtualGroup::settled(1, 30);
    let drawing = group.drawing(11.0);
    group.stray(0, 2, drawing);
    group.pass(2);
    assert_eq!(group.reserved(), Watts(11_000));
    let of_end = Stray::Metered(Shown { is_last: true, ..group.reading(11.0) });
    group.stray(0, 2, of_end);
    group.pass(2);
    assert_eq!(group.reserved(), Watts::ZERO);
    // One of before that comes late, and one of later.
    group.stray(0, 2, Stray::Free);
    group.pass(2);
    let late = Stray::Metered(Shown { reported_at: group.now() - Duration::from_secs(5), ..group.reading(11.0) });
    group.stray(0, 2, late);
    group.pass(2);
    assert_eq!(group.reserved(), Watts::ZERO);
    let drawing = group.drawing(11.0);
    group.stray(0, 2, drawing);
    group.pass(2);
    assert_eq!(group.reserved(), Watts(11_000));
}

#[test]
fn a_connector_that_is_not_set_up_and_says_that_each_reading_is_the_last_is_reserved() {
    let mut group = VirtualGroup::settled(1, 30);
    for _ in 0..20 {
        let of_end = Stray::Metered(Shown { is_last: true, ..group.reading(11.0) });
        group.stray(0, 2, of_end);
        group.pass(10);
    }
    assert_eq!(group.reserved(), Watts(11_000));
}

// ---- limits of a transaction

/// A car that draws what it may, and reports power and register every two seconds, while its limit falls from 22 to 15 kW.
#[test]
fn a_cut_that_a_reading_shows_at_once_is_followed_and_not_doubted() {
    let mut group = VirtualGroup::settled(2, 30);
    group.takes = |limit| !limit.escalate;
    group.plug(0);
    let mut register = 0.0;
    for second in 0..240 {
        if second == 120 {
            group.plug(1);
        }
        let draw = group.last_sent(0).min(22.0);
        register += draw / 3.6;
        if second % 2 == 0 {
            group.shows(0, Some(draw), Some(register as i64));
        }
        group.pass(1);
        let connector = group.site.connectors[0].connector;
        assert_eq!(group.state.connectors[&connector].overdraw, None, "second {second}");
    }
    assert_eq!((group.limit(0), group.limit(1)), (Watts(15_000), Watts(15_000)));
    assert_eq!(group.warned(), Vec::<&str>::new());
}

#[test]
fn one_reading_above_the_limit_makes_no_limit_one_of_the_transaction() {
    let mut group = VirtualGroup::settled(2, 30);
    group.plug(0);
    group.pass(20);
    group.takes = |limit| !limit.escalate;
    group.shows(0, Some(25.0), None);
    group.plug(1); // so that a limit is sent
    group.pass(20);
    assert_eq!((group.limit(0), group.exposure(0)), (Watts(15_000), Watts(15_000)));
    assert_eq!(group.warned(), Vec::<&str>::new());
}

#[test]
fn a_station_with_a_fallback_is_sent_a_limit_when_that_of_its_transaction_ended() {
    let mut group = VirtualGroup::settled(2, 22);
    group.plug(0);
    group.pass(20);
    let connector = group.site.connectors[0].connector;
    // Its transaction goes on while it says that it finishes, and with it the limit.
    group.says(0, ConnectorStatus::Finishing);
    group.pass(10);
    let memory = group.state.connectors.get_mut(&connector).expect("a member");
    assert_eq!(memory.fallback.proven, Some(PILOT));
    memory.ends_with_transaction = true;
    group.pass(2);
    assert!(group.state.connectors[&connector].ends_with_transaction);
    let sent = group.sent_to(0);
    group.ends(0, ConnectorStatus::Available);
    group.pass(1);
    assert!(group.exposure(0) >= PILOT, "not before it confirmed it");
    group.pass(10);
    assert!(group.sent_to(0) > sent);
    assert_eq!((group.exposure(0), group.state.stage), (Watts::ZERO, Some(Stage::Settled)));
    assert_eq!(group.warned(), Vec::<&str>::new());
}
