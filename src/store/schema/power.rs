//! Groups that share power, their plans, and assets.

use crate::store::columns::{Instant, JsonDoc};

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
        allow_pause -> Bool,
        trusted_departures -> Bool,
        raise_step -> Nullable<BigInt>,
        hold_minutes -> Nullable<BigInt>,
        stop_when_exceeded -> Bool,
        capacity_schedules -> JsonDoc,
        external_cap -> Nullable<JsonDoc>,
        user_id -> Nullable<Text>,
        exclusion_times -> JsonDoc,
        energy_prices -> Nullable<JsonDoc>,
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
    use super::JsonDoc;

    balancing_members (group_id, connector_id) {
        group_id -> Text,
        connector_id -> Text,
        state -> JsonDoc,
        chargestation_id -> Nullable<Text>,
        obeying -> Nullable<Bool>,
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
        base_id -> Nullable<Text>,
        difference -> Nullable<Binary>,
    }
}

diesel::table! {
    plan_bases (id) {
        id -> Text,
        group_id -> Text,
        document -> Binary,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::{Instant, JsonDoc};

    priority_charges (id) {
        id -> Text,
        organization_id -> Text,
        group_id -> Text,
        user_id -> Nullable<Text>,
        status -> Text,
        reason -> Nullable<Text>,
        session_id -> Nullable<Text>,
        expires_at -> Instant,
        started_at -> Nullable<Instant>,
        ended_at -> Nullable<Instant>,
        created_at -> Instant,
        updated_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::{Instant, JsonDoc};

    assets (id) {
        id -> Text,
        organization_id -> Text,
        location_id -> Text,
        group_id -> Nullable<Text>,
        name -> Text,
        description -> Nullable<Text>,
        code -> Nullable<Text>,
        #[sql_name = "type"]
        type_ -> Text,
        electric_current_type -> Text,
        electric_voltage_type -> Text,
        voltage -> Nullable<BigInt>,
        power_factor -> BigInt,
        longitude -> Nullable<Double>,
        latitude -> Nullable<Double>,
        meter_scope -> Nullable<Text>,
        static_power -> Nullable<BigInt>,
        fluctuation_margin -> BigInt,
        fallback_power -> Nullable<BigInt>,
        switched_on -> Nullable<Bool>,
        active -> Bool,
        latest -> Nullable<JsonDoc>,
        latest_at -> Nullable<Instant>,
        fresh_until -> Nullable<Instant>,
        interval_seconds -> Nullable<BigInt>,
        reported_at -> Nullable<Instant>,
        received_at -> Nullable<Instant>,
        peaks -> Nullable<JsonDoc>,
        meter_clock -> Nullable<JsonDoc>,
        refused -> Nullable<JsonDoc>,
        custom_fields -> JsonDoc,
        meta_data -> JsonDoc,
        created_at -> Instant,
        updated_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::{Instant, JsonDoc};

    asset_readings (asset_id, at) {
        asset_id -> Text,
        at -> Instant,
        received_at -> Instant,
        power -> BigInt,
        reading -> JsonDoc,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::Instant;

    load_spans (subject_id, seconds, at) {
        subject_id -> Text,
        seconds -> Integer,
        at -> Instant,
        root_id -> Text,
        milliseconds -> BigInt,
        drawn -> Nullable<BigInt>,
        granted -> Nullable<BigInt>,
        capacity -> Nullable<BigInt>,
        usable -> Nullable<BigInt>,
        load_milliseconds -> BigInt,
        load -> Nullable<BigInt>,
    }
}
