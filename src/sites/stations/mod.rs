//! Charge stations, their EVSEs and their connectors.
//!
//! A station is what connects over OCPP (Tridens: charging station); an EVSE is the part of it that serves one car
//! (Tridens: charger); a connector is a cable or socket. Drivers and groups are attached to connectors.
//! [`link`] is where the gateway and everything that commands stations meet: commands without a protocol version one
//! way, signals of what happened the other way.

mod api;
pub mod link;
mod model;
mod quirks;
mod reported;
pub mod retention;
mod store;
mod uses;

pub use api::routes;
pub use model::condition::{ConnectorStatus, DetailedStatus};
pub use model::connector::{
    Connector, ConnectorType, ConnectorView, ConnectorViews, CurrentType, PhaseRotation, PowerType,
};
pub use model::evse::{Evse, folded_contract_id};
pub use model::external_limit::{ExternalLimit, LimitSchedule, LimitStep};
pub use model::origin::CreatedBy;
pub use model::station::{
    BootConfiguration, BootInfo, OperationalStatus, Registration, SecurityType, Station, StationView, password_matches,
    require_card,
};
pub use model::variable::{NoVariable, VariableName};
pub use quirks::{LimitCapabilities, LimitUnits, QuirkProfile, limit_capabilities, quirks_of};
pub use reported::{Spot, create_reported};
pub use store::answers::{
    Presence, PriceTerms, booted_at, contract_ids, count_at, count_priced_by, evses_giving, evses_giving_more,
    evses_of_power_type, ids_at, ids_at_any, locations_of, names_of, oldest_connector, owner_of_connector, presence_of,
    price_terms, rates_at, rating_of, stations_of, stations_of_evses, status_of, strongest_outlets,
};
pub use store::connectors::{
    connectors_of_organization, connectors_of_station, connectors_of_stations, find_connector, status_of_evse,
    views_of as connector_views, views_of_stations,
};
pub use store::counts::{StationCounts, count_connectors, count_stations};
pub use store::dynamic_profiles::{dynamic_profile, forget_dynamic_profile, keep_dynamic_profile};
pub use store::evses::find as find_evse;
pub use store::external_limits::{clear_external_limits, external_limits_of, keep_external_limit};
pub use store::layout::{Layout, Outlet, layout, layout_changes};
pub use store::memberships::with_member_that;
pub use store::passwords::{propose_password, take_over_password, withdraw_password};
pub use store::policies::{card_policy, unknown_connectors};
pub use store::public::{
    PublicStation, StationSight, evses_of_stations, find_by_code, found_stations, public_stations,
};
pub use store::pushed::keep_pushed;
pub use store::stations::{
    Arrival, certificate_names, clocks_off, find_by_endpoint, find_station, governed_by_hours, is_online,
    keep_variables, never_connected, require_station, save_boot, save_capabilities, save_clock, save_deviations,
    save_limit_variants, set_all_offline, set_closed_by_hours, set_offline, set_online, touch_messages, update_station,
};
pub use store::statuses::set_connector_status;
pub use store::{station_view, views_of};
pub use uses::Uses;
