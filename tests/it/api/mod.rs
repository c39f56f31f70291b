//! One file per resource.

mod conventions;
mod locations;
mod organization;
