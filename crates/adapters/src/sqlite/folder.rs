//! The data folder: made where missing, held by one process at a time. Must not know what lies in it.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use super::OpenError;

/// A data folder that this process holds, until it is dropped.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// Open for as long as the folder is held: closing it lets go of the lock, also when the process is killed.
    _lock: File,
}

impl Folder {
    /// Makes the folder where it is missing and takes hold of it.
    pub(super) fn enter(path: &Path) -> Result<Self, OpenError> {
        let at_fault = |source| OpenError::Folder { path: path.to_owned(), source };
        make(path).map_err(at_fault)?;
        let options = &mut File::options();
        let lock = options.read(true).write(true).create(true).truncate(false);
        let mut lock = lock.open(path.join("lock")).map_err(at_fault)?;
        match lock.try_lock() {
            Ok(()) => sign(&mut lock).map_err(at_fault)?,
            Err(TryLockError::WouldBlock) => {
                let holder = signature(&mut lock);
                return Err(OpenError::InUse { path: path.to_owned(), holder });
            }
            Err(TryLockError::Error(source)) => return Err(at_fault(source)),
        }
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The file of that name.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Makes the names of new files durable.
    pub(super) fn sync(&self) -> Result<(), OpenError> {
        let at_fault = |source| OpenError::Folder { path: self.path.clone(), source };
        sync_folder(&self.path).map_err(at_fault)
    }
}

/// Makes the folder and its missing ancestors, each durable in its parent.
fn make(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    make(parent)?;
    match fs::create_dir(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists || !path.is_dir() => Err(error),
        _ => sync_folder(parent),
    }
}

fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

fn sign(lock: &mut File) -> io::Result<()> {
    lock.set_len(0)?;
    lock.rewind()?;
    write!(lock, "{}", std::process::id())
}

/// The process that holds the lock, as it wrote it.
fn signature(lock: &mut File) -> Option<u32> {
    let mut text = String::new();
    lock.take(16).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}
