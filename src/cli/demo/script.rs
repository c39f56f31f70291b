//! Who comes and goes: the number of cars rises to eight and falls to one, again and again; the dice choose which.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::depot::{Depot, STATIONS};
use simulator::driver::some_car;

/// The day of the depot.
pub(super) struct Script {
    dice: StdRng,
    present: [bool; STATIONS],
    rising: bool,
    beat: Duration,
}

impl Script {
    /// The same seed gives the same day.
    pub(super) fn new(seed: u64, fast: bool) -> Self {
        Self {
            dice: StdRng::seed_from_u64(seed),
            present: [false; STATIONS],
            rising: true,
            beat: Duration::from_secs(if fast { 2 } else { 15 }),
        }
    }

    /// The time between two events.
    pub(super) const fn beat(&self) -> Duration {
        self.beat
    }

    /// Lets the next car come or go.
    pub(super) async fn play(&mut self, depot: &Depot) {
        let (bay, arrives) = self.next();
        if arrives {
            depot.arrive(bay, some_car(&mut self.dice)).await;
        } else {
            depot.leave(bay).await;
        }
    }

    /// Which bay is next, and whether that bay's car comes.
    fn next(&mut self) -> (usize, bool) {
        let count = self.present.iter().filter(|here| **here).count();
        if count <= 1 {
            self.rising = true;
        } else if count == STATIONS {
            self.rising = false;
        }
        let candidates: Vec<usize> =
            (0..STATIONS).filter(|bay| self.present.get(*bay) == Some(&!self.rising)).collect();
        let chosen = self.dice.random_range(0..candidates.len().max(1));
        let bay = candidates.get(chosen).copied().unwrap_or_default();
        if let Some(here) = self.present.get_mut(bay) {
            *here = self.rising;
        }
        (bay, self.rising)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_to_eight_cars_are_there_and_the_seed_decides_which() {
        let day = |seed| {
            let mut script = Script::new(seed, true);
            let mut counts = Vec::new();
            let moves: Vec<_> = (0..40)
                .map(|_| {
                    let moved = script.next();
                    counts.push(script.present.iter().filter(|here| **here).count());
                    moved
                })
                .collect();
            assert_eq!((counts.iter().min(), counts.iter().max()), (Some(&1), Some(&8)));
            moves
        };
        assert_eq!(day(1), day(1));
        assert_ne!(day(1), day(2));
    }
}
