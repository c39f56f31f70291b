//! One register through a session: what it rose by, and what of that is believed.

use serde::{Deserialize, Serialize};

use super::deviation::EnergyDeviation;
use super::elapsed_time::Mark;
use super::{MOST_REGISTER, most_in};
use kernel::Watts;

/// A step of so many times what the plug can give is no draw above its rating (three phases where one was entered), but
/// another register, another unit, or garbage.
const WILD: i64 = 4;
/// A register that fell below this part of what it showed may have begun again; one that fell by less wavers.
const DEEP_FALL: i64 = 2;
/// Moves that may turn out to have been garbage, of each chain.
const MOST_DETOURS: usize = 3;
/// A register that rose so often since it moved is no garbage.
const RISES_OF_A_REGISTER: u8 = 3;

/// A register at an instant, in Wh.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Point {
    #[serde(rename = "v")]
    pub(super) value: i64,
    #[serde(rename = "m")]
    pub(super) mark: Mark,
}

impl Point {
    /// Nothing for what no register shows.
    pub(super) fn checked(value: i64, mark: Mark) -> Option<Self> {
        (0..=MOST_REGISTER).contains(&value).then_some(Self { value, mark })
    }
}

/// What bounds a step: the plug's rating, and what the whole session can have drawn until now, in Wh.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bound {
    pub(super) rating: Watts,
    pub(super) most: i64,
}

/// Whether a value goes with those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    /// It does.
    Follows,
    /// It was reported before what is known, and shows no more.
    Late,
    /// It does not, or not yet.
    Strange,
}

/// Where a register stood before it moved or began again, for the case that this was garbage reported more than once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Detour {
    from: Point,
    counted: i64,
    cut: i64,
    /// How often it rose since.
    rises: u8,
}

/// One register: the highest value that is believed, and one that is not believed yet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Chain {
    /// The first value, where no start was known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    first: Option<Point>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    last: Option<Point>,
    /// The one before, for the power between them.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    before: Option<Point>,
    /// A value far from the last one: the next shows which of them counts.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    held: Option<Point>,
    /// The lowest value that a late one can have: that of the start, while the register goes on from it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    floor: Option<i64>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    detours: Vec<Detour>,
    /// Whether its start may be of another register.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    apart: bool,
    /// Whether readings are in it, besides the start.
    #[serde(default)]
    pub(super) sampled: bool,
    /// Whether any of them is not reported as that of the start.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    read: bool,
    #[serde(default)]
    counted: i64,
    /// What was claimed and is not counted.
    #[serde(default)]
    cut: i64,
}

impl Chain {
    /// One that begins with the register at the start, where that was reported; `apart` where that may be another register.
    pub(super) fn from(start: Option<Point>, apart: bool) -> Self {
        Self { last: start, floor: start.map(|start| start.value), apart: apart && start.is_some(), ..Self::default() }
    }

    /// The energy that is proven.
    pub(super) const fn counted(&self) -> i64 {
        self.counted
    }

    /// What was claimed beyond.
    pub(super) const fn cut(&self) -> i64 {
        self.cut
    }

    /// The two latest values that are believed, the earlier one first.
    pub(super) fn ends(&self) -> Option<(Point, Point)> {
        self.before.zip(self.last)
    }

    /// The mark of the latest value, where values are in it besides the start.
    pub(super) fn read_at(&self) -> Option<Mark> {
        self.last.filter(|_| self.read).map(|last| last.mark)
    }

    /// Whether a value would be late: reported before what is known, and lower. One below the start is none, and neither is
    /// one that goes on from such a one: the register began again, and the clock went back.
    pub(super) fn is_late(&self, point: Point, bound: Bound) -> bool {
        self.last.is_some_and(|last| {
            let is_before = |one: Point| one.mark.is_earlier_than(last.mark);
            let is_below = self.floor.is_some_and(|floor| point.value < floor);
            let goes_on =
                self.held.is_some_and(|held| held.value > 0 && is_before(held) && confirms(held, point, last, bound));
            is_before(point) && point.value < last.value && !is_below && !goes_on
        })
    }

    /// Takes in a value; `begins` where the station says that it is the one of the start.
    pub(super) fn observe(
        &mut self,
        point: Point,
        begins: bool,
        bound: Bound,
        flags: &mut Vec<EnergyDeviation>,
    ) -> Fit {
        let was_sampled = std::mem::replace(&mut self.sampled, true);
        // What is reported at the instant of the start is the value of the start, whatever it is called.
        self.read |= !begins && self.last.is_none_or(|last| last.mark != point.mark);
        let Some(last) = self.last else {
            self.first = Some(point);
            self.last = Some(point);
            return Fit::Follows;
        };
        if self.is_late(point, bound) {
            return Fit::Late;
        }
        let of_its_own = |held: &Point| self.apart && held.value > last.value && is_step(*held, point, bound);
        if let Some(held) = self.held.filter(of_its_own) {
            self.begin_with(held, flags);
            self.accept(point, point.value - held.value, bound, flags);
            return Fit::Follows;
        }
        let step = point.value - last.value;
        let most = most_in(bound.rating, point.mark.since(last.mark));
        if (0..=most).contains(&step) {
            self.accept(point, step, bound, flags);
            return Fit::Follows;
        }
        // A start of 0 may be a register that was not read yet.
        let was_not_read = last.value == 0 && is_wild(step, most);
        if !was_sampled && (begins || was_not_read) {
            self.begin_with(point, flags);
            return Fit::Follows;
        }
        if self.takes_back(point, bound, flags) {
            return Fit::Follows;
        }
        if step < 0 && point.value >= last.value / DEEP_FALL {
            flags.push(EnergyDeviation::RegisterFell);
            return Fit::Follows;
        }
        match self.held {
            Some(held) if confirms(held, point, last, bound) => {
                self.believe(held, last, bound, flags);
                let step = point.value - held.value;
                if step <= most_in(bound.rating, point.mark.since(held.mark)) {
                    self.accept(point, step, bound, flags);
                    return Fit::Follows;
                }
                self.held = Some(point);
            }
            _ => self.held = Some(point),
        }
        Fit::Strange
    }

    fn accept(&mut self, point: Point, step: i64, bound: Bound, flags: &mut Vec<EnergyDeviation>) {
        if self.held.take().is_some() {
            flags.push(EnergyDeviation::RegisterSpiked);
        }
        self.apart = false;
        if step > 0 {
            for detour in &mut self.detours {
                detour.rises = detour.rises.saturating_add(1);
            }
            let may_be_garbage = |detour: &Detour| detour.rises < RISES_OF_A_REGISTER;
            self.detours.retain(may_be_garbage);
        }
        self.add(step, step, bound, flags);
        if self.last.is_none_or(|last| last.mark != point.mark) {
            self.before = self.last;
        }
        self.last = Some(point);
    }

    /// Counts `believed` of what was claimed, as far as the session can have drawn it.
    fn add(&mut self, claimed: i64, believed: i64, bound: Bound, flags: &mut Vec<EnergyDeviation>) {
        let room = bound.most.saturating_sub(self.counted).max(0);
        let counted = believed.clamp(0, room);
        if counted < claimed {
            flags.push(EnergyDeviation::EnergyBounded);
        }
        self.counted = self.counted.saturating_add(counted);
        self.cut = self.cut.saturating_add(claimed.saturating_sub(counted));
    }

    /// The start was not that of this register: it begins here.
    fn begin_with(&mut self, point: Point, flags: &mut Vec<EnergyDeviation>) {
        flags.push(EnergyDeviation::StartNotRead);
        self.first = Some(point);
        self.go_on_from(point);
    }

    /// Goes on from where the register stood before it moved, where this value follows from there: what was reported in
    /// between was garbage, and what it added is taken back.
    fn takes_back(&mut self, point: Point, bound: Bound, flags: &mut Vec<EnergyDeviation>) -> bool {
        let follows = |detour: &Detour| is_step(detour.from, point, bound);
        let Some(index) = self.detours.iter().rposition(follows) else {
            return false;
        };
        let Some(detour) = self.detours.drain(index..).next() else {
            return false;
        };
        (self.counted, self.cut) = (detour.counted, detour.cut);
        flags.push(EnergyDeviation::RegisterSpiked);
        self.go_on_from(detour.from);
        self.accept(point, point.value - detour.from.value, bound, flags);
        true
    }

    /// A value that was kept back is one after all.
    fn believe(&mut self, held: Point, last: Point, bound: Bound, flags: &mut Vec<EnergyDeviation>) {
        let most = most_in(bound.rating, held.mark.since(last.mark));
        if self.detours.len() >= MOST_DETOURS {
            self.detours.remove(0);
        }
        self.detours.push(Detour { from: last, counted: self.counted, cut: self.cut, rises: 0 });
        if held.value < last.value {
            // It began again at zero, where it can have come so far since.
            if held.value <= most {
                flags.push(EnergyDeviation::RegisterRestarted);
                self.add(held.value, held.value, bound, flags);
            } else {
                flags.push(EnergyDeviation::RegisterMoved);
            }
        } else {
            let step = held.value - last.value;
            if is_wild(step, most) {
                flags.push(EnergyDeviation::RegisterMoved);
                self.add(step, 0, bound, flags);
            } else {
                self.add(step, most, bound, flags);
            }
        }
        self.go_on_from(held);
    }

    fn go_on_from(&mut self, point: Point) {
        (self.before, self.held, self.floor) = (None, None, None);
        self.apart = false;
        self.last = Some(point);
    }

    /// No more can have been drawn than that: what its plug can give is known only now.
    pub(super) fn cap(&mut self, most: i64) {
        cap(&mut self.counted, &mut self.cut, most);
        for detour in &mut self.detours {
            cap(&mut detour.counted, &mut detour.cut, most);
        }
    }

    /// The start is reported late: what the first value rose by since then counts, where a plug can have given it.
    pub(super) fn begin_at(&mut self, start: Point, bound: Bound, flags: &mut Vec<EnergyDeviation>) {
        let Some(first) = self.first.take() else {
            return;
        };
        if self.last.is_some_and(|last| last.mark == start.mark) {
            self.read = false; // that is the value of the start, reported in the same message
        }
        let step = first.value - start.value;
        if (0..=most_in(bound.rating, first.mark.since(start.mark))).contains(&step) {
            self.add(step, step, bound, flags);
        } else {
            flags.push(EnergyDeviation::StartNotRead);
        }
    }

    /// What the session's end adds to what is counted and to what is not: the last value was not followed by another that
    /// would show whether it is one.
    pub(super) fn at_the_end(&self, bound: Bound) -> (i64, i64) {
        let (Some(held), Some(last)) = (self.held, self.last) else {
            return (0, 0);
        };
        let step = held.value - last.value;
        let most = most_in(bound.rating, held.mark.since(last.mark));
        let room = bound.most.saturating_sub(self.counted).max(0);
        if step <= 0 {
            (0, 0)
        } else if self.apart || is_wild(step, most) {
            (0, step)
        } else {
            let counted = most.min(room).min(step);
            (counted, step - counted)
        }
    }

    /// What the last value shows where it fell and can have begun again at zero since the one before.
    pub(super) fn since_zero(&self, bound: Bound) -> Option<i64> {
        let (held, last) = self.held.zip(self.last)?;
        let most = most_in(bound.rating, held.mark.since(last.mark)).min(bound.most);
        (held.value < last.value && held.value <= most).then_some(held.value)
    }
}

/// Moves what is counted above `most` to what is not.
pub(super) fn cap(counted: &mut i64, cut: &mut i64, most: i64) {
    let above = counted.saturating_sub(most).max(0);
    *counted = counted.saturating_sub(above);
    *cut = cut.saturating_add(above);
}

/// Whether a register can have come from one value to the other.
fn is_step(from: Point, to: Point, bound: Bound) -> bool {
    let most = most_in(bound.rating, to.mark.since(from.mark));
    (0..=most).contains(&(to.value - from.value))
}

fn is_wild(step: i64, most: i64) -> bool {
    step > most.saturating_mul(WILD)
}

/// Whether `point` shows that a value which was kept back is one: it goes on from there.
fn confirms(held: Point, point: Point, last: Point, bound: Bound) -> bool {
    let step = point.value - held.value;
    let most = most_in(bound.rating, point.mark.since(held.mark));
    let rises = if held.value < last.value { step > 0 } else { step >= 0 };
    rises && !is_wild(step, most)
}
