//! What stations are made to do: actions, charging profiles, configuration templates, and provisioning of new stations.

pub mod acceptance;
pub mod actions;
pub mod profiles;
pub mod provisioning;
pub mod templates;
