//! What stations, EVSEs and connectors are.

pub mod condition;
pub mod connector;
pub mod connector_filter;
pub mod evse;
pub mod external_limit;
pub mod identity;
pub mod number;
pub mod origin;
pub mod secrets;
pub mod station;
pub mod variable;
