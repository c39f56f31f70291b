//! What a network and its groups are.

use diesel::prelude::*;
use resource::resource;

use crate::filters;
use crate::http::fields::MetaData;
use crate::store::Json;
use crate::store::schema::{evse_groups, evse_networks};
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

#[resource(
    new(
        "A new network.",
        example = json!({"name": "City centre", "description": "Everything within the ring road"})
    ),
    patch(
        "Changes of a network (JSON merge patch).",
        example = json!({"description": "Everything within the ring road"})
    ),
    view("A network as clients see it.")
)]
/// A stored network.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = evse_networks, treat_none_as_null = true)]
pub struct EvseNetwork {
    /// Its id.
    #[field(name = "_id", initial = moment.id())]
    pub id: EvseNetworkId,
    #[field(argument, hidden)]
    pub organization_id: OrganizationId,
    /// Display name.
    #[field(
        read = NetworkName,
        new("Display name; unique in your organization."),
        patch("Display name; only while it is a draft.")
    )]
    pub name: String,
    /// Description.
    #[field(read = Description)]
    pub description: Option<String>,
    /// draft or active.
    #[field(initial = NetworkStatus::Draft)]
    pub status: NetworkStatus,
    /// Its groups, in the order in which they were made.
    #[field(computed)]
    pub groups: Vec<EvseGroupView>,
    /// How many EVSEs are in its groups.
    #[field(computed)]
    pub evse_count: i64,
    /// JSON of your own.
    #[field(read, default)]
    pub meta_data: Json<MetaData>,
    /// When it was created.
    #[field(name = "createdAt", initial = moment.now)]
    pub created_at: Timestamp,
    /// When it last changed.
    #[field(name = "updatedAt", initial = moment.now, version)]
    pub updated_at: Timestamp,
}

#[resource(
    new("A new group of a network.", example = json!({"name": "Fast chargers"})),
    patch("Changes of a group (JSON merge patch).", example = json!({"description": "50 kW and more"})),
    view("A group as clients see it.")
)]
/// A stored group.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = evse_groups, treat_none_as_null = true)]
pub struct EvseGroup {
    /// Its id.
    #[field(name = "_id", initial = moment.id())]
    pub id: EvseGroupId,
    #[field(argument, hidden)]
    pub organization_id: OrganizationId,
    /// Its network.
    #[field(name = "network", argument)]
    pub network_id: EvseNetworkId,
    /// Display name.
    #[field(
        read = GroupName,
        new("Display name: 1 to 30 characters, unique in its network."),
        patch("Display name; only while the network is a draft.")
    )]
    pub name: String,
    /// Description.
    #[field(read = Description)]
    pub description: Option<String>,
    /// How many EVSEs are in it.
    #[field(computed)]
    pub evse_count: i64,
    /// When it was created.
    #[field(name = "createdAt", initial = moment.now)]
    pub created_at: Timestamp,
    /// When it last changed.
    #[field(name = "updatedAt", initial = moment.now, version)]
    pub updated_at: Timestamp,
}

impl EvseGroupView {
    pub(super) fn new(group: EvseGroup, evse_count: i64) -> Self {
        Self::of(group, EvseGroupComputed { evse_count })
    }
}

impl EvseNetworkView {
    pub(super) fn new(network: EvseNetwork, groups: Vec<EvseGroupView>) -> Self {
        let evse_count = groups.iter().map(|group| group.evse_count).sum();
        Self::of(network, EvseNetworkComputed { groups, evse_count })
    }
}

filters! {
    /// Filters of networks.
    pub(crate) struct EvseNetworkFilter {
        /// Only drafts, or only active ones.
        #[param(inline)]
        pub status: NetworkStatus,
    }
}
