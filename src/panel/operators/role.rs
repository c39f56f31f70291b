//! Roles: sets of the scopes that API keys have, so that a person at the panel and a program are held to the same rules.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use crate::http::caller::SCOPES;

crate::spelled! {
    /// What an operator may do.
    pub enum Role {
        /// Everything, including other operators and API keys.
        Admin = "Admin",
        /// The daily work: everything but the organization itself, operators, API keys and webhooks.
        Operator = "Operator",
        /// Looks, and changes nothing; numbers of cards are masked.
        Viewer = "Viewer",
    }
}
crate::text_column!(spelled Role);

/// What the daily work does not need.
const NOT_FOR_OPERATORS: [&str; 5] =
    ["write:organization", "read:api_keys", "write:api_keys", "write:operators", "write:webhooks"];
/// What would show more than how things are.
const NOT_FOR_VIEWERS: [&str; 3] = ["read:api_keys", "read:tokens", "read:ocpp"];

/// What somebody may do.
pub(super) type Scopes = Arc<BTreeSet<String>>;

fn all_but(lacks: impl Fn(&str) -> bool) -> Scopes {
    Arc::new(SCOPES.iter().filter(|scope| !lacks(scope)).map(|scope| (*scope).to_owned()).collect())
}

/// What somebody who works at some locations only needs there. All else is the whole organization's: its drivers, their cards, what
/// roaming partners see.
const AT_LOCATIONS: [&str; 23] = [
    "read:locations",
    "write:locations",
    "read:chargestations",
    "write:chargestations",
    "read:evses",
    "write:evses",
    "read:connectors",
    "write:connectors",
    "read:sessions",
    "write:sessions",
    "read:actions",
    "write:actions",
    "read:reservations",
    "write:reservations",
    "read:groups",
    "write:groups",
    "read:assets",
    "write:assets",
    "read:events",
    "read:rates",
    "read:organization",
    "read:ocpp",
    "write:ocpp",
];

static ADMIN: LazyLock<Scopes> = LazyLock::new(|| Arc::new(["*".to_owned()].into()));
static OPERATOR: LazyLock<Scopes> = LazyLock::new(|| all_but(|scope| NOT_FOR_OPERATORS.contains(&scope)));
static VIEWER: LazyLock<Scopes> =
    LazyLock::new(|| all_but(|scope| scope.starts_with("write:") || NOT_FOR_VIEWERS.contains(&scope)));

static OPERATOR_THERE: LazyLock<Scopes> = LazyLock::new(|| at_locations(&OPERATOR));
static VIEWER_THERE: LazyLock<Scopes> = LazyLock::new(|| at_locations(&VIEWER));

fn at_locations(scopes: &Scopes) -> Scopes {
    Arc::new(scopes.iter().filter(|scope| AT_LOCATIONS.contains(&scope.as_str())).cloned().collect())
}

impl Role {
    /// The scopes that are left of it for who works at some locations only; an Admin does not.
    pub fn scopes_at_locations(self) -> Scopes {
        Arc::clone(match self {
            Self::Admin | Self::Operator => &OPERATOR_THERE,
            Self::Viewer => &VIEWER_THERE,
        })
    }

    /// The scopes that it stands for.
    pub fn scopes(self) -> Scopes {
        Arc::clone(match self {
            Self::Admin => &ADMIN,
            Self::Operator => &OPERATOR,
            Self::Viewer => &VIEWER,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_may_less_than_the_one_before() {
        let (operator, viewer) = (Role::Operator.scopes(), Role::Viewer.scopes());
        assert!(viewer.is_subset(&operator) && viewer.len() < operator.len());
        assert!(operator.contains("write:groups") && !operator.contains("write:operators"));
        assert!(viewer.contains("read:sessions") && viewer.iter().all(|scope| scope.starts_with("read:")));
        assert_eq!(*Role::Admin.scopes(), BTreeSet::from(["*".to_owned()]));
    }

    #[test]
    fn what_a_role_lacks_is_a_scope_that_there_is() {
        for scope in NOT_FOR_OPERATORS.iter().chain(&NOT_FOR_VIEWERS).chain(&AT_LOCATIONS) {
            assert!(SCOPES.contains(scope), "{scope}");
        }
    }
}
