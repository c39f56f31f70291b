//! The numbers by which a station knows its EVSEs and connectors.

use serde_json::Value;

use crate::http::Faults;
use crate::http::fields::{Field, Path, wrong};
use crate::json_schema;

/// The highest number that a station may give.
pub(crate) const HIGHEST: i32 = 9_999;

/// A station's own number of one of its parts, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Number(pub i32);

json_schema!(Number, {"type": "integer", "minimum": 1, "maximum": HIGHEST});

impl Field for Number {
    fn read(value: &Value, at: Path<'_>, faults: &mut Faults) -> Option<Self> {
        let must = format!("a whole number from 1 to {HIGHEST}");
        let Some(number) = value.as_i64() else {
            return wrong(at, faults, must);
        };
        let number = i32::try_from(number).ok();
        let number = number.filter(|number| (1..=HIGHEST).contains(number));
        if number.is_none() {
            faults.add(at, "out_of_range", format!("must be {must}"));
        }
        number.map(Self)
    }
}

/// The lowest number that is not taken.
pub(crate) fn first_free(mut taken: Vec<i32>) -> i32 {
    taken.sort_unstable();
    taken.into_iter().fold(1, |free, one| if one == free { free + 1 } else { free })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_filled_first() {
        assert_eq!(first_free(vec![]), 1);
        assert_eq!(first_free(vec![2, 1, 9_999]), 3);
        assert_eq!(first_free(vec![2]), 1);
    }
}
