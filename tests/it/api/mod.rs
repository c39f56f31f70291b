//! One file per resource.

mod assets;
mod conventions;
mod driver;
mod driver_logins;
mod driver_members;
mod events;
mod groups;
mod includes;
mod locations;
mod logo;
mod merge_patches;
mod networks;
mod offer_story;
mod offers;
mod organization;
mod packed_events;
mod portal;
mod portal_matrix;
mod rates;
mod realtime;
mod reservations;
mod stations;
pub mod tenancy;
mod tokens;
mod users;
mod uses;
pub mod webhooks;
