//! Charging sessions: one car, one connector, from the wish or the plug to the end.
//!
//! A session is `created` by API or `started` by a station; a station's transaction is recorded exactly once, however
//! often it is reported, found by its natural key or, where the station names it, by that name. A stop whose start was never seen is kept as an orphan. Meter values are
//! kept normalised and raw. A session keeps the prices it began with, and always shows what it costs so far.

mod again;
mod answers;
mod api;
mod cards;
mod chunks;
mod corrections;
mod cost;
mod counts;
mod drivers;
mod ending;
pub mod energy;
mod energy_report;
mod evidence;
mod home;
#[cfg(test)]
mod index_tests;
mod metering;
mod model;
mod moving;
mod ocpp2_transactions;
mod old_readings;
mod open;
mod overdue;
mod packed;
mod period;
mod placing;
mod readings;
mod received_events;
mod repetition;
mod request;
pub mod retention;
mod shelf;
mod starting;
mod stopping;
mod stops;
mod store;
mod thinning;
mod transactions;
#[cfg(test)]
mod update_tests;

pub use again::{give_up_start, start_again, to_start_again};
pub use answers::{
    Drawn, count_at_connector, count_at_station, count_of_token, count_of_user, is_open_on, is_running_at,
    longest_running_at, powers,
};
pub use api::routes;
pub use cards::{Begun, Presented, judge, record_unknown_card};
pub use corrections::{Correction, Settled};
pub use cost::{SessionCost, tariff_of};
pub use counts::{SessionCounts, count_sessions};
pub(crate) use drivers::sessions_of_users;
pub use ending::assume_over;
pub use evidence::Evidence;
pub use home::{portal_routes, running_in};
pub(crate) use model::NewSession;
pub use model::{ChargingState, Session, SessionStatus, SessionView, Target};
pub use moving::{Moved, has_old_readings, move_some};
pub use ocpp2_transactions::{Driver, Recorded, Stage, TransactionEvent, note_car_schedule, note_needs, record_event};
pub use open::OpenSessions;
pub use overdue::{Patience, cancel_overdue, close_abandoned, end_forgotten, end_ghosts, of_before_boot};
pub(crate) use period::PeriodFilter;
pub use readings::{MeterReport, Reading, Sample, record_readings};
pub(crate) use starting::start_session;
pub use stopping::Stopping;
pub use stops::{StopReport, Stopped, stop_transaction};
pub use store::{
    find as find_session, find_by_transaction, open_on_connectors, open_session_on, running, running_at, skip_numbers,
    stations_of, write_down,
};
pub use transactions::{Asked, StartReport, Started, expects, note_state, start_transaction};
