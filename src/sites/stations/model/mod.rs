//! What stations, EVSEs and connectors are.

pub(super) mod condition;
pub(super) mod connector;
pub(super) mod connector_filter;
pub(super) mod evse;
pub(super) mod external_limit;
pub(super) mod identity;
pub(super) mod number;
pub(super) mod origin;
pub(super) mod secrets;
pub(super) mod station;
pub(super) mod variable;
