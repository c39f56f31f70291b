//! Currents of meters that know no sign, sent beside a power that does: while power flows the other way, they would count as
//! drawn. Pure.

use kernel::*;

/// How far the power that currents carry may be from the one that was sent, in percent: power factors, and voltages that
/// are not measured.
const ALIKE_PERCENT: i64 = 20;

/// Where the signs of a reading's currents come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signs {
    /// They are as they were sent.
    AsSent,
    /// Some were turned, because the power of the same reading is negative.
    Turned,
}

/// Gives currents without signs the direction of the power: each one that of its phase, where that was sent; else all
/// together, where none is negative and they carry what the power of all phases says. `carried` is what each current carries.
pub(crate) fn put(
    current: [Option<Milliamps>; 3],
    carried: [Option<Watts>; 3],
    (power, phase_power): (Option<Watts>, [Option<Watts>; 3]),
) -> ([Option<Milliamps>; 3], Signs) {
    let was_sent = phase_power.iter().any(Option::is_some);
    let each = |(carried, power): (&Option<Watts>, Option<Watts>)| {
        let (Some(carried), Some(power)) = (*carried, power) else {
            return false;
        };
        is_opposite(carried, power)
    };
    let turned: Vec<bool> = if was_sent {
        carried.iter().zip(phase_power).map(each).collect()
    } else {
        let has_signs = current.iter().flatten().any(|one| *one < Milliamps::ZERO);
        let sum: Watts = carried.iter().flatten().copied().sum();
        let all = !has_signs && power.is_some_and(|power| is_opposite(sum, power));
        vec![all; current.len()]
    };
    let mut signed = current;
    for (current, turned) in signed.iter_mut().zip(&turned) {
        if *turned {
            *current = current.map(|current| Milliamps(-current.get()));
        }
    }
    let signs = match signed == current {
        true => Signs::AsSent,
        false => Signs::Turned,
    };
    (signed, signs)
}

/// Whether currents carry what was sent, the other way round.
fn is_opposite(carried: Watts, power: Watts) -> bool {
    let size = power.get().saturating_abs();
    let off = carried.get().saturating_sub(size).saturating_abs();
    power < Watts::ZERO && carried > Watts::ZERO && off.saturating_mul(100) <= size.saturating_mul(ALIKE_PERCENT)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const UNSENT: [Option<Watts>; 3] = [None; 3];

    /// Currents of three phases at 230 V beside a power, in A and W.
    fn amps(currents: [i64; 3], power: (i64, [Option<i64>; 3])) -> [i64; 3] {
        let current = currents.map(|amps| Some(Milliamps(amps * 1_000)));
        let carried = currents.map(|amps| Some(Watts(amps * 230)));
        let sent = (Some(Watts(power.0)), power.1.map(|one| one.map(Watts)));
        let (signed, _) = put(current, carried, sent);
        signed.map(|one| one.map_or(0, Milliamps::get) / 1_000)
    }

    #[test]
    fn currents_without_signs_flow_where_power_does() {
        // 3 × 20 A × 230 V = 13.8 kW
        assert_eq!(amps([20; 3], (-13_800, [None; 3])), [-20; 3]);
        assert_eq!(amps([20; 3], (-11_500, [None; 3])), [-20; 3], "13.8 is 20 % more than 11.5");
        assert_eq!(amps([20; 3], (-11_400, [None; 3])), [20; 3]);
        assert_eq!(amps([20; 3], (13_800, [None; 3])), [20; 3]);
        assert_eq!(amps([20, -5, 20], (-8_050, [None; 3])), [20, -5, 20]);
    }

    #[test]
    fn where_each_phase_reports_its_power_each_gets_its_own_sign() {
        let phases = [Some(-2_300), Some(1_150), Some(0)];
        assert_eq!(amps([10, 5, 0], (-1_150, phases)), [-10, 5, 0]);
    }

    #[test]
    fn what_flows_both_ways_at_once_counts_as_drawn_where_nobody_reports_the_phases() {
        // 10 A out, 5 A in: 1,150 W out in all, and nobody knows which.
        assert_eq!(amps([10, 5, 0], (-1_150, [None; 3])), [10, 5, 0]);
    }

    proptest! {
        #[test]
        fn no_current_changes_its_size_and_none_its_sign_while_power_is_drawn(
            currents in prop::array::uniform3(-100_000..100_000_i64),
            power in -80_000..80_000_i64,
        ) {
            let current = currents.map(|milliamps| Some(Milliamps(milliamps)));
            let carried = currents.map(|milliamps| Some(Watts(milliamps * 230 / 1_000)));
            let (signed, signs) = put(current, carried, (Some(Watts(power)), UNSENT));
            let size = |one: Option<Milliamps>| one.map(|one| one.get().abs());
            prop_assert_eq!(signed.map(size), current.map(size));
            prop_assert!(signs == Signs::AsSent || power < 0);
        }
    }
}
