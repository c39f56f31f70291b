//! Where charging happens: locations, charging stations with their EVSEs and connectors, and what charging costs there.

pub mod locations;
pub mod rates;
pub mod stations;
