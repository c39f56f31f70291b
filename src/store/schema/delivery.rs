//! Webhooks and what is on its way to them.

use crate::store::columns::{Instant, JsonDoc};

diesel::table! {
    use diesel::sql_types::*;
    use super::{Instant, JsonDoc};

    webhooks (id) {
        id -> Text,
        organization_id -> Text,
        url -> Text,
        events -> Text,
        description -> Nullable<Text>,
        active -> Bool,
        secret -> Text,
        previous_secret -> Nullable<Text>,
        previous_until -> Nullable<Instant>,
        cursor -> BigInt,
        disabled_reason -> Nullable<Text>,
        created_at -> Instant,
        updated_at -> Instant,
        secret_lost -> Bool,
        alert_email -> Nullable<Text>,
        failing_since -> Nullable<Instant>,
        alerted_at -> Nullable<Instant>,
        scopes -> Nullable<JsonDoc>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::{Instant, JsonDoc};

    webhook_deliveries (id) {
        id -> Text,
        organization_id -> Text,
        webhook_id -> Text,
        event_id -> Text,
        #[sql_name = "type"]
        type_ -> Text,
        cursor -> BigInt,
        ordering -> Text,
        body -> Text,
        status -> Text,
        attempts -> Integer,
        next_at -> Instant,
        created_at -> Instant,
        updated_at -> Instant,
        failing_since -> Nullable<Instant>,
        history -> JsonDoc,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::Instant;

    nodes (name) {
        name -> Text,
        token -> BigInt,
        address -> Text,
        version -> Text,
        started_at -> Instant,
        seen_at -> Instant,
        draining -> Bool,
        sockets -> Integer,
        trees -> Integer,
        term -> Nullable<BigInt>,
        leads_since -> Nullable<Instant>,
        secret -> Text,
    }
}
