//! What an action is.

use diesel::prelude::*;
use serde::Serialize;
use serde_json::{Value, json};

use crate::events::{self, ActionKind};
use crate::filters;
use crate::http::Versioned;
use crate::store::Json;
use crate::store::schema::actions;
use kernel::cards::hide_cards;
use kernel::*;

crate::spelled! {
    /// How far an action got.
    pub enum ActionStatus {
        /// It was sent, or will be.
        Requested = "requested",
        /// The station agreed.
        Completed = "completed",
        /// The station refused, was silent or went away.
        Failed = "failed",
    }
}
crate::text_column!(spelled ActionStatus);

/// A stored action.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = actions, treat_none_as_null = true)]
pub struct Action {
    pub id: ActionId,
    pub organization_id: OrganizationId,
    pub type_: ActionKind,
    pub status: ActionStatus,
    pub chargestation_id: StationId,
    pub connector_id: Option<ConnectorId>,
    pub session_id: Option<SessionId>,
    pub data: Json<Value>,
    pub response_data: Option<Json<Value>>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// An action as clients see it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ActionView {
    /// Its id.
    #[serde(rename = "_id")]
    pub id: ActionId,
    /// What was asked: `chargestation.reset`, `connector.set_power_limit`, …
    #[serde(rename = "type")]
    #[schema(example = "chargestation.reset")]
    pub kind: String,
    /// requested, completed or failed.
    pub status: ActionStatus,
    /// Who was asked.
    pub chargestation: StationId,
    /// About which connector.
    pub connector: Option<ConnectorId>,
    /// About which session.
    pub session: Option<SessionId>,
    /// What was sent; numbers of cards in it, and in what came back, are masked for an API key without the scope
    /// `read:tokens`.
    #[schema(value_type = Object)]
    pub data: Value,
    /// What came back.
    #[schema(value_type = Object)]
    pub response_data: Value,
    /// When it was asked.
    #[serde(rename = "createdAt")]
    pub created_at: Timestamp,
    /// When it was answered.
    #[serde(rename = "updatedAt")]
    pub updated_at: Timestamp,
}

impl From<Action> for ActionView {
    fn from(action: Action) -> Self {
        Self {
            id: action.id,
            kind: action.type_.to_string(),
            status: action.status,
            chargestation: action.chargestation_id,
            connector: action.connector_id,
            session: action.session_id,
            data: action.data.0,
            response_data: action.response_data.map_or(Value::Null, |data| data.0),
            created_at: action.created_at,
            updated_at: action.updated_at,
        }
    }
}

impl ActionView {
    /// As one sees it who may, or may not, read tokens.
    pub(super) fn seen(mut self, whole: bool) -> Self {
        if !whole {
            let mut shown = json!({
                "type": self.kind, "data": self.data.take(), "response_data": self.response_data.take()
            });
            hide_cards(&mut shown, &events::masked);
            let mut field = |name| shown.get_mut(name).map(Value::take).unwrap_or_default();
            (self.data, self.response_data) = (field("data"), field("response_data"));
        }
        self
    }
}

impl Versioned for ActionView {
    fn version(&self) -> Timestamp {
        self.updated_at
    }
}

filters! {
    /// Filters of actions.
    pub(crate) struct ActionFilter {
        /// Only those asked of this station.
        pub chargestation: StationId,
        /// Only those that got this far.
        #[param(inline)]
        pub status: ActionStatus,
        /// Only those of this type.
        pub kind as "type": String,
    }
}
