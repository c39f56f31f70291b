//! What a network and its groups are.

use diesel::prelude::*;
use serde::Serialize;

use crate::filters;
use crate::http::fields::{Mandatory, MetaData};
use crate::http::{Faults, Versioned};
use crate::store::Json;
use crate::store::schema::{evse_groups, evse_networks};
use crate::{input, patch};
use kernel::text::Text;
use kernel::*;

crate::spelled! {
    /// How far a network is.
    pub enum NetworkStatus {
        /// It may be arranged at will.
        Draft = "draft",
        /// A service offer was published for it.
        Active = "active",
    }
}
crate::text_column!(spelled NetworkStatus);

/// What a network is called.
type NetworkName = Text<1, 50>;
/// What a group is called: free text.
type GroupName = Text<1, 30>;
/// Description.
type Description = Text<0, 250, true>;

input! {
    /// A new network.
    #[schema(example = json!({"name": "City centre", "description": "Everything within the ring road"}))]
    pub struct NewEvseNetwork {
        /// Display name; unique in your organization.
        pub name: NetworkName,
        /// Description.
        pub description: Option<Description>,
        /// JSON of your own.
        pub meta_data: Option<MetaData>,
    }
}

patch! {
    /// Changes of a network (JSON merge patch).
    #[schema(example = json!({"description": "Everything within the ring road"}))]
    pub struct EvseNetworkPatch {
        /// Display name; only while it is a draft.
        pub name: NetworkName,
        /// Description.
        pub description: Description,
        /// JSON of your own.
        pub meta_data: MetaData,
    }
}

input! {
    /// A new group of a network.
    #[schema(example = json!({"name": "Fast chargers"}))]
    pub struct NewEvseGroup {
        /// Display name: 1 to 30 characters, unique in its network.
        pub name: GroupName,
        /// Description.
        pub description: Option<Description>,
    }
}

patch! {
    /// Changes of a group (JSON merge patch).
    #[schema(example = json!({"description": "50 kW and more"}))]
    pub struct EvseGroupPatch {
        /// Display name; only while the network is a draft.
        pub name: GroupName,
        /// Description.
        pub description: Description,
    }
}

/// A stored network.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = evse_networks, treat_none_as_null = true)]
pub struct EvseNetwork {
    pub id: EvseNetworkId,
    pub organization_id: OrganizationId,
    pub name: String,
    pub description: Option<String>,
    pub status: NetworkStatus,
    pub meta_data: Json<MetaData>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl EvseNetwork {
    /// The network that `new` describes.
    pub(super) fn new(new: NewEvseNetwork, organization_id: OrganizationId, moment: &Moment) -> Self {
        Self {
            id: moment.id(),
            organization_id,
            name: new.name.into(),
            description: new.description.map(String::from),
            status: NetworkStatus::Draft,
            meta_data: Json(new.meta_data.unwrap_or_default()),
            created_at: moment.now,
            updated_at: moment.now,
        }
    }

    /// Applies a patch; what must not be empty refuses null.
    pub(super) fn apply(&mut self, patch: EvseNetworkPatch, moment: &Moment) -> Result<(), Faults> {
        let mut faults = Faults::default();
        patch.name.map(String::from).set(&mut self.name, "name", &mut faults);
        patch.description.map(String::from).apply(&mut self.description);
        patch.meta_data.map(Json).apply_or(&mut self.meta_data, Json::default());
        self.updated_at = moment.version_after(self.updated_at);
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }
}

/// A stored group.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = evse_groups, treat_none_as_null = true)]
pub struct EvseGroup {
    pub id: EvseGroupId,
    pub organization_id: OrganizationId,
    pub network_id: EvseNetworkId,
    pub name: String,
    pub description: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl EvseGroup {
    /// The group of `network` that `new` describes.
    pub(super) fn new(new: NewEvseGroup, network: &EvseNetwork, moment: &Moment) -> Self {
        Self {
            id: moment.id(),
            organization_id: network.organization_id,
            network_id: network.id,
            name: new.name.into(),
            description: new.description.map(String::from),
            created_at: moment.now,
            updated_at: moment.now,
        }
    }

    /// Applies a patch; what must not be empty refuses null.
    pub(super) fn apply(&mut self, patch: EvseGroupPatch, moment: &Moment) -> Result<(), Faults> {
        let mut faults = Faults::default();
        patch.name.map(String::from).set(&mut self.name, "name", &mut faults);
        patch.description.map(String::from).apply(&mut self.description);
        self.updated_at = moment.version_after(self.updated_at);
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }
}

/// A group as clients see it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct EvseGroupView {
    /// Its id.
    #[serde(rename = "_id")]
    pub id: EvseGroupId,
    /// Its network.
    pub network: EvseNetworkId,
    /// Display name.
    pub name: String,
    /// Description.
    pub description: Option<String>,
    /// How many EVSEs are in it.
    pub evse_count: i64,
    /// When it was created.
    #[serde(rename = "createdAt")]
    pub created_at: Timestamp,
    /// When it last changed.
    #[serde(rename = "updatedAt")]
    pub updated_at: Timestamp,
}

impl EvseGroupView {
    pub(super) fn new(group: EvseGroup, evse_count: i64) -> Self {
        Self {
            id: group.id,
            network: group.network_id,
            name: group.name,
            description: group.description,
            evse_count,
            created_at: group.created_at,
            updated_at: group.updated_at,
        }
    }
}

impl Versioned for EvseGroupView {
    fn version(&self) -> Timestamp {
        self.updated_at
    }
}

/// A network as clients see it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct EvseNetworkView {
    /// Its id.
    #[serde(rename = "_id")]
    pub id: EvseNetworkId,
    /// Display name.
    pub name: String,
    /// Description.
    pub description: Option<String>,
    /// draft or active.
    pub status: NetworkStatus,
    /// Its groups, in the order in which they were made.
    pub groups: Vec<EvseGroupView>,
    /// How many EVSEs are in its groups.
    pub evse_count: i64,
    /// JSON of your own.
    pub meta_data: MetaData,
    /// When it was created.
    #[serde(rename = "createdAt")]
    pub created_at: Timestamp,
    /// When it last changed.
    #[serde(rename = "updatedAt")]
    pub updated_at: Timestamp,
}

impl EvseNetworkView {
    pub(super) fn new(network: EvseNetwork, groups: Vec<EvseGroupView>) -> Self {
        Self {
            id: network.id,
            name: network.name,
            description: network.description,
            status: network.status,
            evse_count: groups.iter().map(|group| group.evse_count).sum(),
            groups,
            meta_data: network.meta_data.0,
            created_at: network.created_at,
            updated_at: network.updated_at,
        }
    }
}

impl Versioned for EvseNetworkView {
    fn version(&self) -> Timestamp {
        self.updated_at
    }
}

filters! {
    /// Filters of networks.
    pub struct EvseNetworkFilter {
        /// Only drafts, or only active ones.
        #[param(inline)]
        pub status: NetworkStatus,
    }
}
