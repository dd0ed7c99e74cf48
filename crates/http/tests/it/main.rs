//! The API as its callers meet it, on the real engine over memory ports. Every JSON answer is held against the OpenAPI
//! document as it comes. Must not reach into the room.

mod batch;
mod contract;
mod decide;
mod demo;
mod ingest;
mod keys;
mod lookup;
mod model;
mod operate;
mod pages;
mod report;
mod sockets;
mod world;
