//! Tokens: RFID cards and virtual tokens, by which stations ask who may charge (OCPP idTag, idToken).
//!
//! A token is found whatever the case of its letters, as OCPP 1.6 says. It may belong to a user; a blocked token and
//! every token of an inactive user are refused.

mod api;
mod authorization;
mod model;
mod store;
mod uses;

pub use api::routes;
pub use authorization::{Authorization, AuthorizationStatus, OfflineCard, authorize, offline_cards};
pub use model::{Token, TokenStatus, TokenType, TokenView, are_alike, fold};
pub use store::{active_numbers_of, count_of_user, find, type_of};
pub use uses::Uses;
