//! Clocks of stations that are wrong: hours ahead, years behind, going back.
