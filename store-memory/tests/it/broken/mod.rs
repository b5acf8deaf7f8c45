//! Stores that are broken on purpose: the suite must reject each of them, and by the checks made for it.

mod decorator;
mod feed;
mod rejected;
mod scans;
mod streams;
mod transactions;
