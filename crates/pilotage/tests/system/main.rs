//! The product as its users meet it: the real process on a real data folder, over real sockets. Must not reach into any
//! room; what it is served from stands in `installation` alone, so that the same walks hold on every back end.

mod advised;
mod batch;
mod chores;
mod client;
mod clock;
mod crash;
mod demo;
mod draft;
mod embedded;
mod eval;
mod evaluate;
mod export;
mod first_run;
mod hang;
mod installation;
mod load;
mod merge;
mod model;
mod peers;
mod process;
mod products;
mod provider;
mod refusals;
mod report;
mod scale;
mod shared;
mod simulate;
mod stop;
mod topic;
mod user;
mod verify;
mod walk;
