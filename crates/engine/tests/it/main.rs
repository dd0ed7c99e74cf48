//! The engine as a whole on its memory ports: what is taken, folded, decided, looked up, and what a crash leaves.

mod advise;
mod cluster;
mod crash;
mod decide;
mod figures;
mod learn;
mod look_up;
mod merge;
mod merge_shared;
mod report;
mod vectors;
mod verify;
mod world;
