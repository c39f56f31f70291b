//! A day in a queue: everybody gets power in time, and no contactor clicks too often.

use engine::*;
use kernel::*;
use proptest::prelude::*;

use crate::world::*;

const MINIMUM: Watts = Watts(4_140);

/// A site with room for some of these cars, planned every minute, with meters that count what was granted.
struct Day {
    snapshot: Snapshot,
    minute: i64,
}

impl Day {
    fn with(cars: usize, slots: usize, algorithm: Algorithm) -> Self {
        let limit = Watts(MINIMUM.get() * i64::try_from(slots).expect("few") + 100);
        let site = Node { algorithm, ..Node::new(group(0), limit) };
        let car = |number| Member {
            state: MemberState::Active(Session::new(NOON)),
            ..Member::new(connector(number), group(0), MINIMUM, Watts(11_000))
        };
        let members = (0..cars).map(car).collect();
        Self { snapshot: Snapshot { nodes: vec![site], members, ..Snapshot::default() }, minute: 0 }
    }

    /// Plans, then lets a minute pass. Returns who charges.
    fn minute(&mut self) -> Vec<bool> {
        let plan = plan(&self.snapshot, later(self.minute * 60));
        self.minute += 1;
        let charging = self.snapshot.members.iter_mut().map(|member| {
            let limit = plan.limit_of(member.connector).expect("in every plan");
            member.current = limit.limit;
            if let (MemberState::Active(session), Some(queue_state)) = (&mut member.state, limit.queue_state) {
                session.queue_state = queue_state;
                session.attained += WattHours(limit.limit.get() / 60);
            }
            limit.limit > Watts::ZERO
        });
        charging.collect()
    }
}

proptest! {
    #![proptest_config(config(24))]

    #[test]
    fn i12_everybody_is_served_in_time_and_nobody_flaps(cars in 1..10_usize, slots in 1..6_usize) {
        let mut day = Day::with(cars, slots, Algorithm::EqualShare);
        let hold = i64::from(day.snapshot.settings.minimum_on_seconds) / 60;
        let off = i64::from(day.snapshot.settings.off_seconds) / 60;
        let rounds = i64::try_from(cars.div_ceil(slots)).expect("few");
        let mut since = vec![(false, 0); cars];
        for minute in 0..12 * 60 {
            for (now, (before, changed)) in day.minute().into_iter().zip(&mut since) {
                let lasted = minute - *changed;
                if now != *before {
                    if *changed > 0 {
                        prop_assert!(lasted >= if now { off } else { hold }, "changed after {lasted} minutes");
                    }
                    (*before, *changed) = (now, minute);
                } else if !now {
                    prop_assert!(lasted <= rounds * hold, "waits for {lasted} minutes");
                }
            }
        }
    }

    #[test]
    fn i12_nobody_starves_behind_cars_that_come_and_go(cars in 3..9_usize, slots in 1..4_usize, seed in 1..60_i64) {
        let mut day = Day::with(cars, slots, Algorithm::EqualShare);
        // The last car needs the room of all slots at once and has taken much already.
        let whole_site = Watts(MINIMUM.get() * i64::try_from(slots).expect("few"));
        let patient = day.snapshot.members.last_mut().expect("some");
        patient.minimum = whole_site;
        patient.maximum = patient.maximum.max(whole_site);
        if let MemberState::Active(session) = &mut patient.state {
            session.attained = WattHours(90_000);
        }
        let mut served = false;
        for minute in 0..6 * 60 {
            served |= *day.minute().last().expect("some");
            // Every now and then a car leaves and a new one, never served, takes its place.
            if minute % seed == 0 {
                let place = usize::try_from(minute).expect("positive") % (cars - 1);
                day.snapshot.members[place].state = MemberState::Active(Session::new(later(minute * 60)));
            }
        }
        prop_assert!(served, "never got power");
    }
}
