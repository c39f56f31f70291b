//! Home users, drivers and operators, their credentials, and e-mails to them.

use crate::store::columns::{Instant, JsonDoc};

diesel::table! {
    use diesel::sql_types::*;
    use super::Instant;

    home_users (id) {
        id -> Text,
        organization_id -> Text,
        password_hash -> Nullable<Text>,
        invited_at -> Instant,
        accepted_at -> Nullable<Instant>,
        created_at -> Instant,
        updated_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::Instant;

    home_links (hash) {
        hash -> Text,
        user_id -> Text,
        purpose -> Text,
        email -> Text,
        expires_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::Instant;

    home_logins (id) {
        id -> Text,
        user_id -> Text,
        created_at -> Instant,
        expires_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::Instant;

    home_refresh_tokens (hash) {
        hash -> Text,
        login_id -> Text,
        used_at -> Nullable<Instant>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::Instant;

    login_attempts (account, address) {
        account -> Text,
        address -> Text,
        failures -> BigInt,
        locked_until -> Nullable<Instant>,
        proven_at -> Nullable<Instant>,
        updated_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::Instant;

    letters (id) {
        id -> Text,
        kind -> Text,
        email -> Text,
        organization_id -> Nullable<Text>,
        user_id -> Nullable<Text>,
        group_id -> Nullable<Text>,
        account_id -> Nullable<Text>,
        attempts -> BigInt,
        next_at -> Instant,
        sent_at -> Nullable<Instant>,
        created_at -> Instant,
        subject -> Nullable<Text>,
        body -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::Instant;

    secrets (name) {
        name -> Text,
        value -> Text,
        created_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::Instant;

    operator_accounts (id) {
        id -> Text,
        email -> Nullable<Text>,
        name -> Text,
        language -> Nullable<Text>,
        password_hash -> Nullable<Text>,
        totp_secret -> Nullable<Text>,
        totp_confirmed -> Bool,
        totp_step -> BigInt,
        last_login_at -> Nullable<Instant>,
        created_at -> Instant,
        updated_at -> Instant,
        installation_admin -> Bool,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::{Instant, JsonDoc};

    operators (id) {
        id -> Text,
        account_id -> Text,
        organization_id -> Text,
        role -> Text,
        active -> Bool,
        invited_at -> Instant,
        created_at -> Instant,
        updated_at -> Instant,
        locations -> Nullable<JsonDoc>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::Instant;

    operator_logins (id) {
        id -> Text,
        secret_hash -> Text,
        account_id -> Text,
        operator_id -> Text,
        created_at -> Instant,
        seen_at -> Instant,
        expires_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::Instant;

    operator_links (hash) {
        hash -> Text,
        account_id -> Text,
        purpose -> Text,
        expires_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::Instant;

    operator_identities (issuer, subject) {
        issuer -> Text,
        subject -> Text,
        account_id -> Text,
        created_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::Instant;

    operator_oidc_requests (hash) {
        hash -> Text,
        provider -> Text,
        expires_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::Instant;

    audit (id) {
        id -> Text,
        organization_id -> Text,
        actor_type -> Text,
        actor_id -> Nullable<Text>,
        actor_name -> Nullable<Text>,
        method -> Nullable<Text>,
        path -> Nullable<Text>,
        event -> Nullable<Text>,
        object -> Nullable<Text>,
        chargestation_id -> Nullable<Text>,
        created_at -> Instant,
        updated_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::Instant;

    driver_links (email) {
        email -> Text,
        hash -> Text,
        expires_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::Instant;

    driver_logins (hash) {
        hash -> Text,
        email -> Text,
        created_at -> Instant,
        expires_at -> Instant,
    }
}
