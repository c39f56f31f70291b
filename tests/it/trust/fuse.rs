//! What chargers draw and what they say of it, against the limit of their group.
