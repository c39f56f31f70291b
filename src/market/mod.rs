//! What is offered to roaming partners: EVSEs in networks and groups, and the prices of service offers.

pub mod networks;
pub mod offers;
