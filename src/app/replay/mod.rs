//! `evenwatt replay`: recorded charging sessions through the balancing engine, and what came of it.
pub mod metrics;
pub mod sessions;
pub mod world;
