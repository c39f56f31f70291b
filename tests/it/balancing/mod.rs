//! Balancing with stations that do as a test says: who is sent what, in which order, and what is shown of it.

mod acceptance;
mod again;
mod assets;
mod capacity;
mod cheap_hours;
mod depot;
mod endings;
mod escalation;
mod external_limits;
mod home;
mod link;
mod overview;
mod plans;
mod portal;
mod proposal;
mod safety;
mod sharing;
mod stories;
mod timeline;
