//! Who works at the panel.

pub mod operators;
