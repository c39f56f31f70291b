//! Who hears of events: webhooks, and WebSockets that stream them.

pub mod realtime;
pub mod webhooks;
