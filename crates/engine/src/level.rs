//! One number that shares a capacity: the level at which claims on it fill it exactly.
//!
//! Each claim takes `clamp(weight × level + base, minimum, maximum)`. The sum over all claims never falls as the level
//! rises and is linear between kinks, so a safeguarded Newton search finds the level in a few sweeps, without sorting and
//! without a heap (max-min fairness by water-filling: Radunović and Le Boudec, "A Unified Framework for Max-Min and
//! Min-Max Fairness", IEEE/ACM Transactions on Networking 15, 2007). All of it is integer arithmetic in fixed point.

/// Binary digits after the point of everything in this file: one unit is 1/65,536 W.
pub(super) const FRACTION_BITS: u32 = 16;

/// What one connector may take, in fixed-point watts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Claim {
    weight: i64,
    base: i64,
    minimum: i64,
    maximum: i64,
    /// The level that cut it last; the highest there is while none did.
    cut_at: i64,
}

impl Claim {
    /// No claim at all.
    pub(crate) const NOTHING: Self = Self { weight: 1, base: 0, minimum: 0, maximum: 0, cut_at: i64::MAX };

    /// A claim of `minimum` to `maximum` watts that grows with `weight` (at least 1) from `base` watts.
    pub(crate) const fn new(weight: i64, base: i64, minimum: i64, maximum: i64) -> Self {
        Self {
            weight: if weight < 1 { 1 } else { weight },
            base: base << FRACTION_BITS,
            minimum: minimum << FRACTION_BITS,
            maximum: maximum << FRACTION_BITS,
            cut_at: i64::MAX,
        }
    }

    /// The same with a base that is in fixed point already.
    pub(super) const fn from_fine_base(weight: i64, base: i64, minimum: i64, maximum: i64) -> Self {
        Self { base, ..Self::new(weight, 0, minimum, maximum) }
    }

    /// What it takes at this level.
    #[inline]
    pub(super) fn at(&self, level: i64) -> i64 {
        let wanted = self.weight.saturating_mul(level).saturating_add(self.base);
        wanted.min(self.maximum).max(self.minimum)
    }

    /// What it takes when nothing is in its way; once shared out, what it was given. Fixed point.
    pub(super) const fn most(&self) -> i64 {
        self.maximum
    }

    /// What it was given, in watts rounded down.
    pub(crate) const fn watts(&self) -> i64 {
        self.maximum >> FRACTION_BITS
    }

    /// The same, rounded up.
    pub(super) const fn watts_above(&self) -> i64 {
        (self.maximum + (1 << FRACTION_BITS) - 1) >> FRACTION_BITS
    }

    /// Whether it takes the same at every level.
    pub(super) const fn is_fixed(&self) -> bool {
        self.minimum >= self.maximum
    }

    /// Lets it take no more than it takes at this level.
    #[inline]
    pub(super) fn truncate(&mut self, level: i64) {
        let taken = self.at(level);
        if taken < self.maximum {
            self.maximum = taken;
            self.cut_at = level;
        }
    }

    /// Lets it take what it takes at this level, no more and no less.
    pub(super) fn freeze(&mut self, level: i64) {
        self.truncate(level);
        self.minimum = self.maximum;
    }

    /// The level that cut it last: the lower, the tighter the row it shares.
    pub(super) const fn cut_at(&self) -> i64 {
        self.cut_at
    }

    /// The same claim between other bounds, in watts.
    pub(super) const fn between(self, minimum: i64, maximum: i64) -> Self {
        Self { minimum: minimum << FRACTION_BITS, maximum: maximum << FRACTION_BITS, cut_at: i64::MAX, ..self }
    }
}

/// The highest level at which the claims, each multiplied by what a watt of it costs, stay within `capacity` (fixed point).
///
/// `None` when the capacity is enough for all maximums. The minimums must fit; if they do not, nothing above them is given.
pub(super) fn highest_level<'a, I>(claims: I, capacity: i128) -> Option<i64>
where
    I: Iterator<Item = (i64, &'a Claim)> + Clone,
{
    let mut range = Range::default();
    for (cost, claim) in claims.clone() {
        range.widen(cost, claim);
    }
    if range.sum_of_maximums <= capacity {
        return None;
    }
    let (mut low, mut high) = range.bracket();
    let mut guess = range.even_share(capacity);
    let mut sweeps = 0_u32;
    while high.saturating_sub(low) > 1 {
        let level = guess.clamp(low + 1, high - 1);
        let (sum, slope) = sweep(claims.clone(), level);
        if sum <= capacity {
            low = level;
        } else {
            high = level;
        }
        sweeps += 1;
        // Newton lands on the answer within its linear piece; halving now and then bounds the worst case.
        guess = if slope == 0 || sweeps.is_multiple_of(4) {
            low + (high - low) / 2
        } else {
            narrow(i128::from(level) + (capacity - sum).div_euclid(slope))
        };
    }
    Some(low)
}

/// The sum of all claims at a level, and how fast it grows there.
#[inline]
fn sweep<'a>(claims: impl Iterator<Item = (i64, &'a Claim)>, level: i64) -> (i128, i128) {
    let (mut sum, mut slope) = (0_i128, 0_i128);
    for (cost, claim) in claims {
        let taken = claim.at(level);
        sum += i128::from(cost) * i128::from(taken);
        if claim.minimum < taken && taken < claim.maximum {
            slope += i128::from(cost) * i128::from(claim.weight);
        }
    }
    (sum, slope)
}

/// The extremes of a set of claims: enough to bracket the level without one division a claim.
struct Range {
    sum_of_maximums: i128,
    sum_of_weights: i128,
    sum_of_bases: i128,
    weights: (i64, i64),
    lowest_rise: i64,
    highest_rise: i64,
}

impl Default for Range {
    fn default() -> Self {
        Self {
            sum_of_maximums: 0,
            sum_of_weights: 0,
            sum_of_bases: 0,
            weights: (i64::MAX, 1),
            lowest_rise: i64::MAX,
            highest_rise: i64::MIN,
        }
    }
}

impl Range {
    #[inline]
    fn widen(&mut self, cost: i64, claim: &Claim) {
        self.sum_of_maximums += i128::from(cost) * i128::from(claim.maximum);
        if claim.is_fixed() {
            return;
        }
        self.sum_of_weights += i128::from(cost) * i128::from(claim.weight);
        self.sum_of_bases += i128::from(cost) * i128::from(claim.base);
        let (least, most) = self.weights;
        self.weights = (least.min(claim.weight), most.max(claim.weight));
        self.lowest_rise = self.lowest_rise.min(claim.minimum.saturating_sub(claim.base));
        self.highest_rise = self.highest_rise.max(claim.maximum.saturating_sub(claim.base));
    }

    /// A level at which every claim is at its minimum, and one at which every claim is at its maximum.
    fn bracket(&self) -> (i64, i64) {
        if self.lowest_rise > self.highest_rise {
            return (0, 0);
        }
        let (least, most) = self.weights;
        let low = self.lowest_rise.div_euclid(if self.lowest_rise < 0 { least } else { most });
        let high = self.highest_rise.div_euclid(if self.highest_rise < 0 { most } else { least });
        (low, high.saturating_add(1))
    }

    /// The level if no claim met a bound.
    fn even_share(&self, capacity: i128) -> i64 {
        narrow((capacity - self.sum_of_bases).div_euclid(self.sum_of_weights.max(1)))
    }
}

/// The nearest number that fits.
fn narrow(wide: i128) -> i64 {
    i64::try_from(wide).unwrap_or(if wide < 0 { i64::MIN } else { i64::MAX })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shared(capacity: i64, mut claims: Vec<Claim>) -> Vec<i64> {
        let parts = claims.iter().map(|claim| (1, claim));
        if let Some(level) = highest_level(parts, i128::from(capacity) << FRACTION_BITS) {
            claims.iter_mut().for_each(|claim| claim.truncate(level));
        }
        claims.iter().map(Claim::watts).collect()
    }

    #[test]
    fn what_one_cannot_take_goes_to_the_others() {
        let claims = [2, 10, 10].map(|most| Claim::new(1, 0, 1, most));
        assert_eq!(shared(12, claims.to_vec()), [2, 5, 5]);
    }

    #[test]
    fn nobody_is_cut_while_there_is_enough() {
        assert_eq!(shared(22, vec![Claim::new(1, 0, 1, 11); 2]), [11, 11]);
    }

    #[test]
    fn weights_share_in_proportion_above_the_minimums() {
        let claims = [(1, 1), (2, 1), (3, 1), (1, 5)].map(|(weight, least)| Claim::new(weight, 0, least, 99));
        assert_eq!(shared(17, claims.to_vec()), [2, 4, 6, 5]);
    }

    #[test]
    fn minimums_that_fill_the_capacity_leave_nothing_to_share() {
        let claims = [3, 4, 5].map(|least| Claim::new(1, 0, least, 20));
        assert_eq!(shared(12, claims.to_vec()), [3, 4, 5]);
    }

    #[test]
    fn bases_may_be_negative() {
        let claims = [-4, 0, 6].map(|base| Claim::new(2, base, 0, 20));
        assert_eq!(shared(20, claims.to_vec()), [2, 6, 12]);
    }

    #[test]
    fn the_level_is_the_highest_that_fits() {
        let claims = [Claim::new(7, -3, 2, 900), Claim::new(1, 11, 3, 40), Claim::new(1_000, 0, 0, 5_000)];
        for capacity in (5..5_940).step_by(7) {
            let capacity = i128::from(capacity) << FRACTION_BITS;
            let parts = claims.iter().map(|claim| (3, claim));
            let level = highest_level(parts.clone(), capacity * 3).expect("not enough for all");
            assert!(sweep(parts.clone(), level).0 <= capacity * 3);
            assert!(sweep(parts, level + 1).0 > capacity * 3);
        }
    }
}
