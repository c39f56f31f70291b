//! One file per resource.

mod assets;
mod conventions;
mod groups;
mod locations;
mod organization;
mod reservations;
mod stations;
mod tenancy;
mod tokens;
mod users;
