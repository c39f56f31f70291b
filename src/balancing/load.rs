//! What cannot be steered below one group, as power and as the current of each phase.

use serde::{Deserialize, Serialize};

use kernel::{Milliamps, Millivolts, PhaseSet, Watts};

/// What cannot be steered below one group; negative where more is produced than used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Load {
    /// Power; unknown means that there is nothing to hand out.
    pub power: Option<Watts>,
    /// The current of each phase.
    pub currents: [Milliamps; 3],
}

impl Load {
    /// Nothing else draws.
    pub(super) const NONE: Self = Self { power: Some(Watts::ZERO), currents: [Milliamps::ZERO; 3] };

    pub(super) fn and(self, other: Self) -> Self {
        Self {
            power: self.power.zip(other.power).map(|(one, two)| one + two),
            currents: each(self.currents, other.currents, |one, two| one + two),
        }
    }

    pub(super) fn without(self, other: Self) -> Self {
        Self {
            power: self.power.zip(other.power).map(|(one, two)| one - two),
            currents: each(self.currents, other.currents, |one, two| one - two),
        }
    }

    /// More by this power, on whichever phases.
    pub(super) fn raised_by(self, more: Watts) -> Self {
        Self { power: self.power.map(|power| power + more), ..self }
    }

    /// The larger of both.
    pub(super) fn or_more(self, other: Self) -> Self {
        Self {
            power: self.power.zip(other.power).map(|(one, two)| one.max(two)),
            currents: each(self.currents, other.currents, Milliamps::max),
        }
    }

    /// No less than this; where that is negative, all of it may be on one phase.
    pub(super) fn at_least(self, least: Watts, voltage: Millivolts) -> Self {
        let given = (-least).at_least_zero().to_current(voltage, PhaseSet::L1);
        let on_each = Milliamps(-given.get());
        Self {
            power: self.power.map(|power| power.max(least)),
            currents: self.currents.map(|current| current.max(on_each)),
        }
    }

    /// What it was before, as far as that may still be so; `self` is the most it can be.
    pub(super) fn kept_from(self, before: Option<Self>, least: Self) -> Self {
        let Some(before) = before else {
            return self;
        };
        let power = before.power.zip(least.power);
        Self {
            power: self.power.map(|most| power.map_or(most, |(before, least)| before.max(least).min(most))),
            currents: each(each(before.currents, least.currents, Milliamps::max), self.currents, Milliamps::min),
        }
    }
}

/// Joins what two things are on each phase.
pub(super) fn each(
    one: [Milliamps; 3],
    two: [Milliamps; 3],
    join: impl Fn(Milliamps, Milliamps) -> Milliamps,
) -> [Milliamps; 3] {
    let ([a1, a2, a3], [b1, b2, b3]) = (one, two);
    [join(a1, b1), join(a2, b2), join(a3, b3)]
}
