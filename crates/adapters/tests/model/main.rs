//! Models over real sockets: what goes out, what comes back, and what goes wrong on the way. Must not know what an answer
//! means.

mod asking;
mod faults;
mod server;
mod tls;
