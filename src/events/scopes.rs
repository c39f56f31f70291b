//! Who may hear of what: an event shows its whole object, so it needs the scope that reading the object needs.

use super::EventKind;
use crate::http::Principal;

/// The scope of each kind of object in `data`.
const SCOPES: &[(&str, &str)] = &[
    ("organization", "read:organization"),
    ("api_key", "read:api_keys"),
    ("location", "read:locations"),
    ("chargestation", "read:chargestations"),
    ("acceptance_test", "read:chargestations"),
    ("evse", "read:evses"),
    ("connector", "read:connectors"),
    ("session", "read:sessions"),
    ("user", "read:users"),
    ("token", "read:tokens"),
    ("rate", "read:rates"),
    ("rate_schedule", "read:rates"),
    ("evse_network", "read:evse_networks"),
    ("evse_group", "read:evse_networks"),
    ("service_offer", "read:service_offers"),
    ("reservation", "read:reservations"),
    ("charging_profile", "read:charging_profiles"),
    ("configuration_template", "read:configuration_templates"),
    ("asset", "read:assets"),
    ("home_user", "read:home_users"),
    ("operator", "read:operators"),
    ("load_management.group", "read:groups"),
    ("load_management.priority_charge", "read:groups"),
    ("webhook", "read:webhooks"),
    ("action", "read:actions"),
];

impl EventKind {
    /// The scope that whoever gets it needs besides `read:events`; everything where the table has no line.
    pub fn scope(self) -> &'static str {
        if self == Self::TokenUnknown {
            return "read:sessions"; // it is about no token, but about who came to charge
        }
        let mut lines = SCOPES.iter();
        let line = lines.find(|(object, _)| *object == self.object());
        line.map_or("*", |(_, scope)| scope)
    }
}

impl super::EventTypes {
    /// Those that are wanted, all where nothing is said, as far as a key with such scopes may get them; `None` is
    /// everything.
    pub fn seen_with(wanted: Option<Self>, may: impl Fn(&str) -> bool) -> Option<Self> {
        if may("*") {
            return wanted;
        }
        let seen = EventKind::all().filter(|kind| may(kind.scope()));
        let wanted = |name: &str| wanted.as_ref().is_none_or(|wanted| wanted.fit(name));
        Some(seen.map(EventKind::name).filter(|name| wanted(name)).collect())
    }

    /// The same for a caller.
    pub fn seen_by(wanted: Option<Self>, caller: &Principal) -> Option<Self> {
        Self::seen_with(wanted, |scope| caller.may(scope))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::caller::SCOPES as ALL;

    #[test]
    fn every_event_has_a_scope_that_there_is() {
        for kind in EventKind::all() {
            assert!(ALL.contains(&kind.scope()), "{}", kind.name());
        }
    }
}
