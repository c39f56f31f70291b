//! The tables, one description for both stores.

mod charging;
mod delivery;
mod places;
mod portal;
mod power;

pub use charging::*;
pub use delivery::*;
pub use places::*;
pub use portal::*;
pub use power::*;

diesel::joinable!(sessions -> connectors (connector_id));
diesel::joinable!(sessions -> chargestations (chargestation_id));
diesel::joinable!(group_connectors -> connectors (connector_id));
diesel::joinable!(charging_profile_evses -> charging_profiles (profile_id));
diesel::joinable!(group_stations -> chargestations (chargestation_id));
diesel::joinable!(network_evses -> evse_groups (group_id));
diesel::joinable!(evse_groups -> evse_networks (network_id));
diesel::joinable!(home_users -> users (id));
diesel::joinable!(home_links -> home_users (user_id));
diesel::joinable!(home_logins -> home_users (user_id));
diesel::joinable!(operators -> operator_accounts (account_id));
diesel::joinable!(operator_logins -> operators (operator_id));
diesel::joinable!(operator_links -> operator_accounts (account_id));
diesel::joinable!(operator_identities -> operator_accounts (account_id));

diesel::allow_tables_to_appear_in_same_query!(
    organizations,
    organization_logos,
    api_keys,
    idempotency_keys,
    locations,
    chargestations,
    evses,
    external_limits,
    dynamic_profiles,
    connectors,
    connector_statuses,
    users,
    tokens,
    sessions,
    transaction_events,
    meter_values,
    reading_chunks,
    session_journal,
    meter_evidence,
    acceptance_tests,
    actions,
    reservations,
    charging_profiles,
    charging_profile_evses,
    configuration_templates,
    load_groups,
    group_stations,
    group_connectors,
    priority_charges,
    balancing_states,
    balancing_members,
    plans,
    plan_bases,
    load_spans,
    events,
    frequent_events,
    event_packs,
    webhooks,
    webhook_deliveries,
    counters,
    assets,
    asset_readings,
    rates,
    rate_schedules,
    session_tariffs,
    evse_networks,
    evse_groups,
    network_evses,
    service_offers,
    home_users,
    home_links,
    home_logins,
    home_refresh_tokens,
    driver_links,
    driver_logins,
    nodes,
    login_attempts,
    letters,
    secrets,
    operator_accounts,
    operators,
    operator_logins,
    operator_links,
    operator_identities,
    operator_oidc_requests,
    audit,
);
