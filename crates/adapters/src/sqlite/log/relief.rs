//! Moves what was written ahead into the file while the writer goes on. Must not write a record.
//!
//! Moving much takes a while, in which nobody's record would become durable. What is written meanwhile is left to the
//! writer: it is little, and once all is moved the write-ahead log begins again at its start.

use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread::{self, JoinHandle};

use rusqlite::Connection;

use crate::sqlite::{OpenError, file};

/// The thread that moves.
pub(super) struct Relief {
    orders: SyncSender<()>,
    moved: Receiver<rusqlite::Result<()>>,
    thread: JoinHandle<()>,
    under_way: bool,
}

/// How far it is.
#[derive(Debug)]
pub(super) enum Stage {
    /// There was no order.
    None,
    /// It moves.
    UnderWay,
    /// It has moved what stood there when it began.
    Done(rusqlite::Result<()>),
}

impl Relief {
    /// Starts the thread, with a connection of its own.
    pub(super) fn start(path: &Path, cache_bytes: usize) -> Result<Self, OpenError> {
        let connection = file::open_mover(path, cache_bytes)?;
        let (orders, ordered) = sync_channel(1);
        let (done, moved) = sync_channel(1);
        let run = move || serve(&connection, &ordered, &done);
        let thread = thread::Builder::new().name("log-relief".to_owned()).spawn(run);
        let thread = thread
            .map_err(|error| OpenError::File { path: path.into(), detail: error.to_string() })?;
        Ok(Self { orders, moved, thread, under_way: false })
    }

    /// Orders it to move; once, until it has.
    pub(super) fn order(&mut self) {
        self.under_way = self.under_way || self.orders.try_send(()).is_ok();
    }

    /// How far it is with its order, which is forgotten once it is done.
    pub(super) fn stage(&mut self) -> Stage {
        if !self.under_way {
            return Stage::None;
        }
        let stage = match self.moved.try_recv() {
            Ok(moved) => Stage::Done(moved),
            Err(TryRecvError::Empty) => return Stage::UnderWay,
            Err(TryRecvError::Disconnected) => Stage::None,
        };
        self.under_way = false;
        stage
    }

    /// Waits for its end.
    pub(super) fn end(self) {
        drop((self.orders, self.moved));
        // A panic there was reported when it happened.
        let _ = self.thread.join();
    }
}

fn serve(connection: &Connection, orders: &Receiver<()>, done: &SyncSender<rusqlite::Result<()>>) {
    while orders.recv().is_ok() {
        if done.send(file::relieve(connection)).is_err() {
            break;
        }
    }
}
