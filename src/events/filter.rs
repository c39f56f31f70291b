//! Which events somebody wants: names, in which `*` stands for anything.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::str::FromStr;

use super::EventKind;
use crate::http::query::Parameter;

/// Most names in one filter.
const MOST_NAMES: usize = 50;
/// Most `*` in one name: each multiplies what is tried.
const MOST_STARS: usize = 3;

/// The events that fit a list of names such as `session.*,chargestation.online`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventTypes(BTreeSet<Cow<'static, str>>);

impl EventTypes {
    /// Whether an event of this name is wanted.
    pub fn fit(&self, name: &str) -> bool {
        self.0.contains(name)
    }

    /// The names of all that are wanted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(AsRef::as_ref)
    }
}

impl FromIterator<Cow<'static, str>> for EventTypes {
    fn from_iter<I: IntoIterator<Item = Cow<'static, str>>>(names: I) -> Self {
        Self(names.into_iter().collect())
    }
}

/// Names that are no events.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no event of docs/EVENTS.md")]
pub struct NoSuchEvent(String);

impl FromStr for EventTypes {
    type Err = NoSuchEvent;

    fn from_str(text: &str) -> Result<Self, NoSuchEvent> {
        let mut wanted = BTreeSet::new();
        for (index, pattern) in text.split(',').map(str::trim).enumerate() {
            let bearable = index < MOST_NAMES && pattern.matches('*').count() <= MOST_STARS;
            let names = EventKind::all().map(EventKind::name);
            let mut fitting = names.filter(|name| bearable && fits(pattern, name)).peekable();
            if fitting.peek().is_none() {
                return Err(NoSuchEvent(pattern.to_owned()));
            }
            wanted.extend(fitting);
        }
        Ok(Self(wanted))
    }
}

impl Parameter for EventTypes {
    fn expectation() -> String {
        "names of docs/EVENTS.md with commas between, such as session.*,chargestation.online".to_owned()
    }
    fn from_parameter(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

fn fits(pattern: &str, name: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(tail) = name.strip_prefix(start) else {
        return false;
    };
    let mut ends = (0..=tail.len()).filter_map(|at| tail.get(at..));
    ends.any(|end| fits(rest, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, name, fit) in [
            ("*", "session.started", true),
            ("session.*", "session.started", true),
            ("session.*", "sessions.started", false),
            ("*.updated", "chargestation.connector_status.updated", true),
            ("chargestation.*.updated", "chargestation.updated", false),
            ("session.started", "session.started", true),
            ("session", "session.started", false),
        ] {
            assert_eq!(fits(pattern, name), fit, "{pattern} {name}");
        }
    }

    #[test]
    fn a_name_that_fits_nothing_is_refused() {
        let types: EventTypes = "session.*, location.created,session.started".parse().expect("names");
        assert!(types.fit("session.ended") && types.fit("location.created"));
        assert!(!types.fit("location.updated"));
        for wrong in ["", "sesion.*", "session.*,", "*.*.*.*.*"] {
            assert!(wrong.parse::<EventTypes>().is_err(), "{wrong}");
        }
    }
}
