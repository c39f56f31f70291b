//! A load that says what it did: so many connections over real sockets, real times, fresh names, texts written without a
//! tree of JSON, because the load shares its processors with the server that is measured.
//!
//! From the inside out: a [`Workload`] is a list of steps; a `meter` shows time and registers that a meter could show;
//! `messages` writes the texts; a `script` says which comes next; a `connection` pumps them through the socket of a
//! [`Station`](crate::Station), which boots and obeys as ever; [`measure`] lets all of them begin, and counts a window. What
//! the server spent in it, [`process`] reads from Linux.

mod connection;
mod measure;
mod messages;
mod meter;
pub mod process;
mod script;
#[cfg(test)]
mod tests;
mod workload;

pub use measure::{Conditions, LoadError, LoadPlan, Measured, measure};
pub use workload::Workload;
