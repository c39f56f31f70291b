//! What requests about a session have in common: its action, and the answer where there is no such session.

use serde_json::Value;

use super::model::Session;
use crate::control::actions::NewAction;
use crate::events::ActionKind;
use crate::http::ApiError;
use crate::store::StoreError;

/// An action at the station of a session, which shows the session.
pub(super) fn about(session: &Session, kind: ActionKind, data: Value) -> NewAction {
    NewAction {
        organization: session.organization_id,
        station: session.chargestation_id,
        connector: session.connector_id,
        session: Some(session.id),
        kind,
        data,
    }
}

pub(super) fn missing(error: StoreError) -> ApiError {
    ApiError::missing(error, "session")
}
