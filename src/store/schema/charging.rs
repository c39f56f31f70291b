//! Sessions, and what they cost.

use crate::store::columns::{Instant, JsonDoc};

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
        transaction_name -> Nullable<Text>,
        start_request -> Nullable<BigInt>,
        car_schedule -> Nullable<JsonDoc>,
        energy_ledger -> Nullable<JsonDoc>,
        flags -> JsonDoc,
        begun_at -> Nullable<Instant>,
        corrections -> JsonDoc,
        restartable -> Bool,
        reports -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::Instant;

    transaction_events (session_id, seq_no, stage, at, trigger_reason) {
        session_id -> Text,
        seq_no -> BigInt,
        stage -> Text,
        trigger_reason -> Text,
        at -> Instant,
        received_at -> Instant,
        offline -> Bool,
        raw -> Text,
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
        told_at -> Nullable<Instant>,
        delivered -> Nullable<BigInt>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::Instant;

    reading_chunks (id) {
        id -> BigInt,
        connector_id -> Text,
        session_id -> Nullable<Text>,
        last_report -> BigInt,
        readings -> BigInt,
        first_at -> Instant,
        last_at -> Instant,
        first_station_time -> Instant,
        last_station_time -> Instant,
        body -> Binary,
    }
}

diesel::table! {
    session_journal (incarnation, seq) {
        incarnation -> Text,
        seq -> BigInt,
        body -> Binary,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::Instant;

    meter_evidence (id) {
        id -> Text,
        organization_id -> Text,
        chargestation_id -> Text,
        connector_id -> Nullable<Text>,
        session_id -> Nullable<Text>,
        told_at -> Instant,
        received_at -> Instant,
        context -> Text,
        measurand -> Nullable<Text>,
        location -> Nullable<Text>,
        encoding -> Nullable<Text>,
        signing_method -> Nullable<Text>,
        public_key -> Nullable<Text>,
        signed_data -> Text,
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
