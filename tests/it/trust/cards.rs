//! Cards that nobody knows, and cards that are used twice.
