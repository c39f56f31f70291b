//! One file per resource.

mod assets;
mod conventions;
mod groups;
mod locations;
mod organization;
mod stations;
mod tenancy;
mod tokens;
mod users;
