//! Starts and stops that come late, twice, out of order, without an id or never.
