//! Who there is, what stands where, and what was done with it.

use crate::store::columns::{Instant, JsonDoc};

diesel::table! {
    use diesel::sql_types::*;
    use super::{Instant, JsonDoc};

    organizations (id) {
        id -> Text,
        name -> Text,
        meta_data -> JsonDoc,
        created_at -> Instant,
        updated_at -> Instant,
        unknown_cards -> Text,
        concurrent_cards -> Text,
        unknown_connectors -> Text,
        default_security -> Text,
        support_contact -> Nullable<JsonDoc>,
        address -> Nullable<JsonDoc>,
        logo_hash -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::Instant;

    organization_logos (organization_id) {
        organization_id -> Text,
        media_type -> Text,
        hash -> Text,
        bytes -> Binary,
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
        scopes -> Nullable<JsonDoc>,
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
        unknown_cards -> Nullable<Text>,
        concurrent_cards -> Nullable<Text>,
        directions -> Nullable<Text>,
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
        closed_by_hours -> Bool,
        pinned_protocol -> Nullable<Text>,
        clock_offset_seconds -> Nullable<BigInt>,
        limit_forms -> JsonDoc,
        last_boot_at -> Nullable<Instant>,
        unknown_connectors -> Nullable<Text>,
        endpoint_is_secret -> Bool,
        requires_tls -> Bool,
        serial_number -> Nullable<Text>,
        pending_passwords -> JsonDoc,
        boot_vendor -> Nullable<Text>,
        boot_model -> Nullable<Text>,
        heartbeat_seconds -> Nullable<BigInt>,
        late_at -> Nullable<Instant>,
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

    external_limits (chargestation_id, evse_number, source) {
        chargestation_id -> Text,
        evse_number -> Integer,
        source -> Text,
        evse_id -> Nullable<Text>,
        grid_critical -> Nullable<Bool>,
        local_generation -> Bool,
        schedules -> JsonDoc,
        told_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::{Instant, JsonDoc};

    dynamic_profiles (chargestation_id, profile_id) {
        chargestation_id -> Text,
        profile_id -> BigInt,
        holding -> JsonDoc,
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
        status_heard_at -> Nullable<Instant>,
        status_changed_at -> Nullable<Instant>,
        created_by -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::Instant;

    connector_statuses (id) {
        id -> BigInt,
        connector_id -> Text,
        at -> Instant,
        status -> Text,
        error_code -> Nullable<Text>,
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
        private_group -> Bool,
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

    configuration_templates (id) {
        id -> Text,
        organization_id -> Text,
        name -> Text,
        code -> Nullable<Text>,
        description -> Nullable<Text>,
        active -> Bool,
        valid_from -> Nullable<Instant>,
        valid_to -> Nullable<Instant>,
        priority -> Integer,
        protocol -> Nullable<Text>,
        location_id -> Nullable<Text>,
        settings -> JsonDoc,
        batch_size -> Integer,
        meta_data -> JsonDoc,
        created_at -> Instant,
        updated_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::{Instant, JsonDoc};

    charging_profiles (id) {
        id -> Text,
        organization_id -> Text,
        name -> Text,
        code -> Nullable<Text>,
        active -> Bool,
        stack_level -> Integer,
        #[sql_name = "type"]
        type_ -> Text,
        recurrence -> Nullable<Text>,
        starts_at -> Instant,
        duration_minutes -> Nullable<Integer>,
        valid_from -> Nullable<Instant>,
        valid_to -> Nullable<Instant>,
        unit -> Text,
        periods -> JsonDoc,
        meta_data -> JsonDoc,
        created_at -> Instant,
        updated_at -> Instant,
    }
}

diesel::table! {
    charging_profile_evses (profile_id, evse_id) {
        profile_id -> Text,
        evse_id -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::{Instant, JsonDoc};

    acceptance_tests (id) {
        id -> Text,
        organization_id -> Text,
        chargestation_id -> Text,
        connector_id -> Nullable<Text>,
        status -> Text,
        proof -> Nullable<Text>,
        steps -> JsonDoc,
        left_profile -> Nullable<Integer>,
        created_at -> Instant,
        updated_at -> Instant,
        ended_at -> Nullable<Instant>,
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

    reservations (id) {
        id -> Text,
        organization_id -> Text,
        chargestation_id -> Text,
        evse_id -> Text,
        connector_id -> Text,
        kept -> JsonDoc,
        id_tag -> Text,
        parent_group -> Nullable<Text>,
        token_id -> Nullable<Text>,
        user_id -> Nullable<Text>,
        session_id -> Nullable<Text>,
        status -> Text,
        reason -> Nullable<Text>,
        expires_at -> Instant,
        meta_data -> JsonDoc,
        created_at -> Instant,
        updated_at -> Instant,
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
        actor -> Nullable<SmallInt>,
        actor_id -> Nullable<Text>,
        actor_name -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::{Instant, JsonDoc};

    frequent_events (cursor) {
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

    event_packs (organization_id, last) {
        organization_id -> Text,
        first -> BigInt,
        last -> BigInt,
        since -> Instant,
        until -> Instant,
        events -> Integer,
        types -> Text,
        stations -> Binary,
        body -> Binary,
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
