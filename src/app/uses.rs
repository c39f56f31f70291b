//! What slices ask of those above them. Imports point down, so each says in its `Uses` what it has to know, such as who still
//! needs what is to be deleted; here it gets the functions of the slices that know.

use actix_web::web::{Data, ServiceConfig};

use crate::balancing;
use crate::charging::{reservations, sessions};
use crate::control::{acceptance, actions, provisioning};
use crate::events;
use crate::home::priority_charges;
use crate::http::audit::Recorder;
use crate::load::{assets, groups};
use crate::market::{networks, offers};
use crate::people::{tokens, users};
use crate::sites::{locations, rates, stations};
use crate::store::{Conn, StoreResult};
use kernel::ConnectorId;

/// Hands them to the handlers.
pub(super) fn add(config: &mut ServiceConfig) {
    config
        .app_data(Data::new(locations::Uses {
            stations: stations::count_at,
            groups: groups::count_at,
            assets: assets::count_at,
        }))
        .app_data(Data::new(rates::Uses { connectors: stations::count_priced_by, at_location: stations::rates_at }))
        .app_data(Data::new(stations::Uses {
            sessions_at_station: sessions::count_at_station,
            sessions_at_connector: sessions::count_at_connector,
            is_charging: sessions::is_running_at,
            is_station_in_group: groups::is_member,
            is_connector_in_group: groups::is_connector_member,
            location_of_group: groups::location_of_station,
            stations_in_group: groups::stations_in_group,
            groups: |conn, organization, ids| {
                let views = groups::views_of(conn, organization, ids)?.into_iter();
                Ok(views.filter_map(|(id, view)| Some((id, serde_json::to_value(view).ok()?))).collect())
            },
            are_in_network: networks::is_any_in,
            offer_showing: offers::showing,
            forget_actions: actions::forget_station,
        }))
        .app_data(Data::new(users::Uses {
            tokens: tokens::count_of_user,
            sessions: sessions::count_of_user,
            groups: groups::count_of_user,
            require_station: |conn, organization, id, field| {
                stations::require_station(conn, organization, id, field).map(drop)
            },
        }))
        .app_data(Data::new(tokens::Uses { sessions: sessions::count_of_token }))
        .app_data(Data::new(networks::Uses { offers: offers::count_of_network }))
        .app_data(Data::new(groups::Uses { assets: assets::count_of_group, stages: balancing::stages }))
        .app_data(Data::new(priority_charges::Uses { longest_running: sessions::longest_running_at }))
        .app_data(Data::new(reservations::Uses { is_charging: sessions::is_open_on }))
        .app_data(Data::new(Recorder(events::audit::record)))
        .app_data(Data::new(acceptance::Uses { running_on }))
        .app_data(Data::new(PROVISIONING));
}

/// What provisioning asks, also where nobody called it.
pub(super) const PROVISIONING: provisioning::Uses = provisioning::Uses { is_charging: sessions::is_open_on };

fn running_on(conn: &mut Conn, connector: ConnectorId) -> StoreResult<Option<acceptance::Running>> {
    let session = sessions::open_session_on(conn, connector)?;
    Ok(session.map(|session| acceptance::Running { transaction: session.transaction_id, power: session.power }))
}
