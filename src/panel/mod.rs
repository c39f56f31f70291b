//! Who works at the panel, and what they did.

pub mod audit;
pub mod operators;
