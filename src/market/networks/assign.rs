//! Putting EVSEs into groups: many at once, all or none.

use std::collections::BTreeSet;

use diesel::prelude::*;

use super::model::{EvseNetwork, NetworkStatus};
use super::store;
use crate::http::fields::SaidOrNull;
use crate::http::{ApiError, ApiResult, Code, Faults};
use crate::input;
use crate::sites::stations;
use crate::store::schema::{evse_groups, evse_networks, network_evses};
use crate::store::{Conn, StoreError};
use kernel::*;

input! {
    /// EVSEs and the group they go to.
    #[schema(example = json!({"group": "650000000000000000000001", "evses": ["650000000000000000000001"]}))]
    pub(crate) struct NewAssignment {
        /// The group; null takes the EVSEs out of their groups. It must be there.
        #[schema(value_type = Option<EvseGroupId>, required = true)]
        pub group: SaidOrNull<EvseGroupId>,
        /// The EVSEs.
        pub evses: Vec<EvseId>,
    }
}

#[derive(Insertable)]
#[diesel(table_name = network_evses)]
struct Member {
    evse_id: EvseId,
    organization_id: OrganizationId,
    network_id: EvseNetworkId,
    group_id: EvseGroupId,
    created_at: Timestamp,
}

/// Carries an assignment out, or refuses it with every reason.
pub(super) fn assign(conn: &mut Conn, network: &EvseNetwork, new: &NewAssignment, moment: &Moment) -> ApiResult<()> {
    check_request(conn, network, new)?;
    check_state(conn, network, new)?;
    diesel::delete(network_evses::table.filter(network_evses::evse_id.eq_any(&new.evses))).execute(conn)?;
    let Some(group_id) = new.group.0 else {
        return Ok(());
    };
    for evse_id in &new.evses {
        let member = Member {
            evse_id: *evse_id,
            organization_id: network.organization_id,
            network_id: network.id,
            group_id,
            created_at: moment.now,
        };
        diesel::insert_into(network_evses::table).values(&member).execute(conn)?;
    }
    Ok(())
}

/// What is wrong with the request itself.
fn check_request(conn: &mut Conn, network: &EvseNetwork, new: &NewAssignment) -> ApiResult<()> {
    let mut faults = Faults::default();
    if let Some(group) = new.group.0 {
        match store::find_group(conn, network.id, group) {
            Ok(_) => {}
            Err(StoreError::NotFound) => {
                faults.add("group", "not_found", "the network has no such group");
            }
            Err(error) => return Err(error.into()),
        }
    }
    if new.evses.is_empty() {
        faults.add("evses", "required", "names no EVSE");
    }
    let known = stations::contract_ids(conn, network.organization_id, &new.evses)?;
    let mut seen = BTreeSet::new();
    for (index, evse) in new.evses.iter().enumerate() {
        let field = format!("evses[{index}]");
        if !seen.insert(evse) {
            faults.add(&field, "invalid", "is named twice");
        }
        match known.get(evse) {
            None => faults.add(&field, "not_found", "there is no such EVSE in your organization"),
            Some(None) => {
                faults.add(&field, "invalid", "has no evse_id, so nobody outside could know it; set one first")
            }
            Some(Some(_)) => {}
        }
    }
    faults.into_body_error()
}

/// What the present state does not allow.
fn check_state(conn: &mut Conn, network: &EvseNetwork, new: &NewAssignment) -> ApiResult<()> {
    let active = network.status == NetworkStatus::Active;
    if active && new.group.0.is_none() {
        return Err(ApiError::conflict("The network is active: its EVSEs stay in their groups"));
    }
    let present: Vec<(EvseId, EvseNetworkId, String, String)> = network_evses::table
        .inner_join(evse_groups::table.inner_join(evse_networks::table))
        .filter(network_evses::evse_id.eq_any(&new.evses))
        .select((network_evses::evse_id, network_evses::network_id, evse_networks::name, evse_groups::name))
        .load(conn)?;
    let mut faults = Faults::default();
    for (evse, holder, network_name, group_name) in present {
        let index = new.evses.iter().position(|one| *one == evse).unwrap_or(0);
        let field = format!("evses[{index}]");
        if holder != network.id {
            let message = format!("is in group \"{group_name}\" of the network \"{network_name}\" already");
            faults.add(field, "conflict", message);
        } else if active {
            let message =
                format!("is in group \"{group_name}\" already; an active network only takes EVSEs that are in none");
            faults.add(field, "conflict", message);
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(ApiError::faulty(Code::Conflict, faults)) }
}
