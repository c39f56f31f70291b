//! Operators at the panel: how they come in, and what they may do.

mod accounts;
mod actors;
mod audit;
mod browser;
mod installation;
mod locations;
mod oidc;
mod roles;
mod second_factor;
