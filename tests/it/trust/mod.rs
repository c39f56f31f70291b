//! Wrong, late, doubled and absurd words of chargers and meters, each as somebody met it: the bill and the fuse hold all the
//! same.

mod cards;
mod clocks;
mod energy;
mod fuse;
mod one_server;
mod takeover;
mod transactions;
mod wire;
