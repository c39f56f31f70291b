//! One file per resource.

mod conventions;
mod groups;
mod locations;
mod organization;
mod stations;
mod tenancy;
mod tokens;
mod users;
