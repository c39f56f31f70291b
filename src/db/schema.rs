//! The tables, one description for both stores.

use super::columns::{Instant, JsonDoc};

diesel::table! {
    use diesel::sql_types::*;
    use super::{Instant, JsonDoc};

    organizations (id) {
        id -> Text,
        name -> Text,
        meta_data -> JsonDoc,
        created_at -> Instant,
        updated_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::{Instant, JsonDoc};

    api_keys (id) {
        id -> Text,
        organization_id -> Text,
        name -> Text,
        mode -> Text,
        hint -> Text,
        secret_hash -> Text,
        scopes -> JsonDoc,
        active -> Bool,
        expires_at -> Nullable<Instant>,
        last_used_at -> Nullable<Instant>,
        meta_data -> JsonDoc,
        created_at -> Instant,
        updated_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::{Instant, JsonDoc};

    idempotency_keys (api_key_id, key) {
        api_key_id -> Text,
        key -> Text,
        request_hash -> Text,
        status -> Nullable<Integer>,
        body -> Nullable<Text>,
        created_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::{Instant, JsonDoc};

    locations (id) {
        id -> Text,
        organization_id -> Text,
        operator_name -> Text,
        name -> Nullable<Text>,
        code -> Nullable<Text>,
        notes -> Nullable<Text>,
        active -> Bool,
        address -> JsonDoc,
        longitude -> Double,
        latitude -> Double,
        timezone -> Text,
        opening_hours -> JsonDoc,
        balancing_basis -> Text,
        voltage -> BigInt,
        custom_fields -> JsonDoc,
        meta_data -> JsonDoc,
        created_at -> Instant,
        updated_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::{Instant, JsonDoc};

    chargestations (id) {
        id -> Text,
        organization_id -> Text,
        location_id -> Nullable<Text>,
        name -> Nullable<Text>,
        description -> Nullable<Text>,
        code -> Nullable<Text>,
        protocol -> Text,
        endpoint -> Text,
        security_type -> Text,
        password_hash -> Nullable<Text>,
        active -> Bool,
        public -> Bool,
        visible -> Bool,
        is_simulator -> Bool,
        manufacturer -> Nullable<Text>,
        model -> Nullable<Text>,
        physical_address -> Nullable<Text>,
        operational_status -> Text,
        registration -> Text,
        boot_configuration -> JsonDoc,
        boot_info -> JsonDoc,
        longitude -> Nullable<Double>,
        latitude -> Nullable<Double>,
        online -> Bool,
        last_connect_at -> Nullable<Instant>,
        last_disconnect_at -> Nullable<Instant>,
        last_message_at -> Nullable<Instant>,
        configuration -> JsonDoc,
        variables -> JsonDoc,
        capabilities -> JsonDoc,
        flags -> JsonDoc,
        meta_data -> JsonDoc,
        created_at -> Instant,
        updated_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::{Instant, JsonDoc};

    evses (id) {
        id -> Text,
        organization_id -> Text,
        chargestation_id -> Text,
        number -> Integer,
        name -> Nullable<Text>,
        code -> Text,
        evse_id -> Nullable<Text>,
        physical_address -> Nullable<Text>,
        reservable -> Bool,
        roaming -> Bool,
        electric_current_type -> Text,
        simultaneous -> Bool,
        custom_fields -> JsonDoc,
        meta_data -> JsonDoc,
        created_at -> Instant,
        updated_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::{Instant, JsonDoc};

    connectors (id) {
        id -> Text,
        organization_id -> Text,
        chargestation_id -> Text,
        evse_id -> Text,
        number -> Integer,
        name -> Nullable<Text>,
        description -> Nullable<Text>,
        code -> Nullable<Text>,
        active -> Bool,
        status -> Text,
        error_code -> Nullable<Text>,
        status_at -> Nullable<Instant>,
        #[sql_name = "type"]
        type_ -> Text,
        format -> Text,
        power_type -> Text,
        power -> BigInt,
        voltage_limit -> Nullable<BigInt>,
        amperage_limit -> Nullable<BigInt>,
        wattage_limit -> Nullable<BigInt>,
        power_factor -> Double,
        phases -> Nullable<Integer>,
        phase_rotation -> Nullable<Text>,
        rate -> Nullable<Text>,
        custom_fields -> JsonDoc,
        meta_data -> JsonDoc,
        created_at -> Instant,
        updated_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::{Instant, JsonDoc};

    users (id) {
        id -> Text,
        organization_id -> Text,
        firstname -> Text,
        lastname -> Text,
        email -> Nullable<Text>,
        active -> Bool,
        role -> Text,
        picture -> Nullable<Text>,
        address -> JsonDoc,
        phone -> JsonDoc,
        favorite_chargestations -> JsonDoc,
        meta_data -> JsonDoc,
        created_at -> Instant,
        updated_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::{Instant, JsonDoc};

    tokens (id) {
        id -> Text,
        organization_id -> Text,
        user_id -> Nullable<Text>,
        physical_id -> Text,
        folded_id -> Text,
        #[sql_name = "type"]
        type_ -> Text,
        status -> Text,
        expires_at -> Nullable<Instant>,
        parent_group -> Nullable<Text>,
        meta_data -> JsonDoc,
        created_at -> Instant,
        updated_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::{Instant, JsonDoc};

    sessions (id) {
        id -> Text,
        organization_id -> Text,
        chargestation_id -> Text,
        connector_id -> Nullable<Text>,
        user_id -> Nullable<Text>,
        token_id -> Nullable<Text>,
        id_tag -> Nullable<Text>,
        status -> Text,
        #[sql_name = "type"]
        type_ -> Nullable<Text>,
        orphan -> Bool,
        transaction_id -> Nullable<BigInt>,
        start_key -> Nullable<Text>,
        stop_key -> Nullable<Text>,
        started_at -> Nullable<Instant>,
        ended_at -> Nullable<Instant>,
        meter_start -> Nullable<BigInt>,
        meter_stop -> Nullable<BigInt>,
        energy -> BigInt,
        energy_period -> BigInt,
        latest -> Nullable<JsonDoc>,
        latest_at -> Nullable<Instant>,
        power -> Nullable<BigInt>,
        charging_state -> Nullable<Text>,
        charging_activity -> JsonDoc,
        stop_reason -> Nullable<Text>,
        target -> JsonDoc,
        configurations -> JsonDoc,
        departure_at -> Nullable<Instant>,
        energy_need -> Nullable<BigInt>,
        power_limit -> Nullable<BigInt>,
        reported_at -> Nullable<Instant>,
        meta_data -> JsonDoc,
        created_at -> Instant,
        updated_at -> Instant,
        rate_id -> Nullable<Text>,
        rate_version -> Nullable<BigInt>,
        cost -> Nullable<JsonDoc>,
        service_offer_id -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::{Instant, JsonDoc};

    meter_values (connector_id, at, context) {
        connector_id -> Text,
        at -> Instant,
        context -> Text,
        session_id -> Nullable<Text>,
        received_at -> Instant,
        energy -> Nullable<BigInt>,
        power -> Nullable<BigInt>,
        reading -> JsonDoc,
        raw -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::{Instant, JsonDoc};

    actions (id) {
        id -> Text,
        organization_id -> Text,
        #[sql_name = "type"]
        type_ -> Text,
        status -> Text,
        chargestation_id -> Text,
        connector_id -> Nullable<Text>,
        session_id -> Nullable<Text>,
        data -> JsonDoc,
        response_data -> Nullable<JsonDoc>,
        created_at -> Instant,
        updated_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::{Instant, JsonDoc};

    load_groups (id) {
        id -> Text,
        organization_id -> Text,
        location_id -> Text,
        parent_id -> Nullable<Text>,
        name -> Text,
        description -> Nullable<Text>,
        notes -> Nullable<Text>,
        maximum_capacity -> BigInt,
        minimum_connector_capacity -> BigInt,
        buffer -> BigInt,
        algorithm -> Text,
        dry_run -> Bool,
        fallback_capacity -> Nullable<BigInt>,
        phase_capacity -> Nullable<BigInt>,
        imbalance_limit -> Nullable<BigInt>,
        feeder_rating -> Nullable<BigInt>,
        capacity_schedules -> JsonDoc,
        external_cap -> Nullable<JsonDoc>,
        meta_data -> JsonDoc,
        created_at -> Instant,
        updated_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::{Instant, JsonDoc};

    group_stations (id) {
        id -> Text,
        organization_id -> Text,
        group_id -> Text,
        chargestation_id -> Text,
        created_at -> Instant,
        updated_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::{Instant, JsonDoc};

    group_connectors (connector_id) {
        connector_id -> Text,
        group_id -> Text,
        chargestation_id -> Text,
        maximum_capacity -> Nullable<BigInt>,
        minimum_capacity -> Nullable<BigInt>,
        priority -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::{Instant, JsonDoc};

    balancing_states (group_id) {
        group_id -> Text,
        state -> JsonDoc,
        updated_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::{Instant, JsonDoc};

    plans (id) {
        id -> Text,
        group_id -> Text,
        at -> Instant,
        trigger -> Text,
        snapshot -> JsonDoc,
        plan -> JsonDoc,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::{Instant, JsonDoc};

    events (cursor) {
        cursor -> BigInt,
        id -> Text,
        organization_id -> Text,
        #[sql_name = "type"]
        type_ -> Text,
        object -> Text,
        chargestation_id -> Nullable<Text>,
        data -> Text,
        created_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::{Instant, JsonDoc};

    counters (name) {
        name -> Text,
        value -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::{Instant, JsonDoc};

    rates (id) {
        id -> Text,
        organization_id -> Text,
        name -> Text,
        description -> Nullable<Text>,
        currency -> Text,
        price_components -> JsonDoc,
        minimum_amount -> Nullable<Text>,
        active -> Bool,
        version -> BigInt,
        meta_data -> JsonDoc,
        created_at -> Instant,
        updated_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::{Instant, JsonDoc};

    rate_schedules (id) {
        id -> Text,
        organization_id -> Text,
        name -> Text,
        description -> Nullable<Text>,
        currency -> Text,
        default_rate_id -> Text,
        layout -> JsonDoc,
        active -> Bool,
        version -> BigInt,
        meta_data -> JsonDoc,
        created_at -> Instant,
        updated_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::JsonDoc;

    session_tariffs (session_id) {
        session_id -> Text,
        tariff -> JsonDoc,
        timezone -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::{Instant, JsonDoc};

    evse_networks (id) {
        id -> Text,
        organization_id -> Text,
        name -> Text,
        description -> Nullable<Text>,
        status -> Text,
        meta_data -> JsonDoc,
        created_at -> Instant,
        updated_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::Instant;

    evse_groups (id) {
        id -> Text,
        organization_id -> Text,
        network_id -> Text,
        name -> Text,
        description -> Nullable<Text>,
        created_at -> Instant,
        updated_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::Instant;

    network_evses (evse_id) {
        evse_id -> Text,
        organization_id -> Text,
        network_id -> Text,
        group_id -> Text,
        created_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::{Instant, JsonDoc};

    service_offers (id) {
        id -> Text,
        organization_id -> Text,
        network_id -> Text,
        name -> Text,
        content -> JsonDoc,
        published_at -> Nullable<Instant>,
        valid_from -> Nullable<Instant>,
        ends_at -> Nullable<Instant>,
        cancelled -> Bool,
        told_status -> Text,
        version -> BigInt,
        original_id -> Text,
        previous_id -> Nullable<Text>,
        next_id -> Nullable<Text>,
        meta_data -> JsonDoc,
        created_at -> Instant,
        updated_at -> Instant,
    }
}

diesel::joinable!(sessions -> connectors (connector_id));
diesel::joinable!(network_evses -> evse_groups (group_id));
diesel::joinable!(evse_groups -> evse_networks (network_id));
diesel::joinable!(group_connectors -> connectors (connector_id));
diesel::joinable!(group_stations -> chargestations (chargestation_id));

diesel::allow_tables_to_appear_in_same_query!(
    organizations,
    api_keys,
    idempotency_keys,
    locations,
    chargestations,
    evses,
    connectors,
    users,
    tokens,
    sessions,
    meter_values,
    actions,
    load_groups,
    group_stations,
    group_connectors,
    balancing_states,
    plans,
    events,
    counters,
    rates,
    rate_schedules,
    session_tariffs,
    evse_networks,
    evse_groups,
    network_evses,
    service_offers,
);
