//! What grows, and what bounds it: every table of the schema is in this list, so that nobody adds one that grows for ever.
//! `docs/RETENTION.md` says the same to operators.

/// What bounds a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// Rows go when they are old, as these kinds of `[retention]`.
    Kept(&'static [&'static str]),
    /// Rows go by themselves, by this rule.
    Passes(&'static str),
    /// There are as many as there are things of the operator, and this is what they hang on.
    Stands(&'static str),
}

use Bound::{Kept, Passes, Stands};

/// Every table, and what bounds it.
pub const TABLES: &[(&str, Bound)] = &[
    ("actions", Kept(&["actions"])),
    ("acceptance_tests", Passes("when fifty of the station came after it")),
    ("api_keys", Stands("created by hand")),
    ("asset_readings", Kept(&["asset_readings", "asset_quarters"])),
    ("assets", Stands("created by hand")),
    ("audit", Kept(&["audit"])),
    ("balancing_members", Stands("one a connector of a group")),
    ("balancing_states", Stands("one a group")),
    ("chargestations", Stands("created by hand")),
    ("charging_profile_evses", Stands("goes with its profile")),
    ("charging_profiles", Stands("created by hand")),
    ("configuration_templates", Stands("created by hand")),
    ("connector_statuses", Kept(&["statuses"])),
    ("connectors", Stands("created by hand, or reported by a station as far as its organization lets it")),
    ("counters", Stands("a few, and one an organization")),
    ("driver_links", Passes("a quarter of an hour after they were sent, or with the next one to the address")),
    ("driver_logins", Passes("30 days after they began, or when the address logged in at twenty browsers since")),
    ("dynamic_profiles", Stands("one a profile in force at a station")),
    ("events", Kept(&["events"])),
    ("evse_groups", Stands("created by hand")),
    ("evse_networks", Stands("created by hand")),
    ("evses", Stands("created by hand, or with its connectors")),
    ("external_limits", Stands("one a source, station and EVSE; the next replaces it")),
    ("group_connectors", Stands("one a connector of a group")),
    ("group_stations", Stands("one a station of a group")),
    ("home_links", Passes("at the end of their hours (`portal.invitation_hours`, `portal.reset_minutes`)")),
    ("home_logins", Passes("at the end of their days (`portal.login_days`)")),
    ("home_refresh_tokens", Passes("with their login")),
    ("home_users", Stands("invited by hand")),
    ("idempotency_keys", Passes("24 hours after the request")),
    ("letters", Passes("a day after they were sent, or when they are given up")),
    ("load_groups", Stands("created by hand")),
    ("load_spans", Kept(&["load_history"])),
    ("locations", Stands("created by hand")),
    ("login_attempts", Passes("after their lock, and when an address is no longer known")),
    ("meter_evidence", Kept(&["evidence", "sessions"])),
    ("meter_values", Kept(&["readings", "loose_readings"])),
    ("network_evses", Stands("one an EVSE")),
    ("operator_accounts", Stands("one a person who is an operator somewhere")),
    ("operator_identities", Stands("one an account and login provider")),
    ("operator_links", Passes("at the end of their hours (`panel.invitation_hours`, `panel.reset_minutes`)")),
    ("operator_logins", Passes("at the end of their days (`panel.login_days`)")),
    ("operator_oidc_requests", Passes("ten minutes after they began")),
    ("operators", Stands("invited by hand")),
    ("organization_logos", Stands("one an organization, of 256 KiB at most")),
    ("organizations", Stands("created on the command line, and by who administers the installation")),
    ("plan_bases", Passes("with the last plan that hangs on it")),
    ("plans", Kept(&["plans"])),
    ("priority_charges", Kept(&["priority_charges"])),
    ("reading_chunks", Kept(&["full_readings", "readings", "loose_readings"])),
    ("rate_schedules", Stands("created by hand")),
    ("rates", Stands("created by hand")),
    ("reservations", Kept(&["reservations"])),
    ("searched_texts", Passes("with the user, token or station, or the last session of a card")),
    ("secrets", Stands("one a purpose")),
    ("service_offers", Stands("created by hand, one a version")),
    ("session_journal", Passes("into chunks of readings within half an hour, or when the session ends")),
    ("session_tariffs", Kept(&["orphans", "sessions"])),
    ("sessions", Kept(&["orphans", "sessions"])),
    ("tokens", Stands("created by hand, and one a home user")),
    ("transaction_events", Kept(&["transaction_events", "sessions"])),
    ("users", Stands("created by hand")),
    ("webhook_deliveries", Kept(&["deliveries"])),
    ("webhooks", Stands("created by hand")),
];
