//! Wrong, late, doubled and absurd words of chargers and meters, each as somebody met it: the bill and the fuse hold all the
//! same.

mod assets;
mod assumed_ends;
mod cards;
mod clocks;
mod energy;
mod fuse;
mod hidden_cards;
mod journal;
mod late_words;
mod legible;
mod long_cards;
mod moving;
mod one_server;
mod repeated_words;
mod restored;
mod session_times;
mod takeover;
mod test_site;
mod transaction_events;
mod transactions;
mod unknown_connectors;
mod wire;
