//! `GET /v1.1/realtime`: what happens, and what running sessions measure, over one WebSocket.

mod api;
mod metrics;
mod socket;

pub use api::routes;
