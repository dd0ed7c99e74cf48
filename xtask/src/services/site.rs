//! Where things are: state files, locks, downloads, data. Must not start or download anything.
//!
//! ```text
//! target/services/state.json     the stack `main`; state-NAME.json is another
//! target/services/NAME.lock      held while a stack is changed
//! target/services/cache/…        downloads, by name and version
//! target/services/run/NAME/…     what the parts of a stack write and say
//! ```
//!
//! Where root runs this and nobody can't go into the checkout, `cache` and `run` are in a folder of the system's folder for
//! temporary files instead. It belongs to root, and bears a mark of the checkout in its name.

use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use super::checksums::hex;
use super::user::User;

/// The stack that is meant where none is named.
pub(super) const MAIN: &str = "main";

/// The places of one stack.
pub(super) struct Site {
    pub(super) stack: String,
    /// The repository.
    pub(super) root: PathBuf,
    pub(super) user: User,
    /// State files and locks.
    folder: PathBuf,
    /// Downloads and data: the same, unless the user can't go there.
    home: PathBuf,
}

impl Site {
    /// The places of the stack, made where they are missing.
    pub(super) fn new(root: &Path, stack: &str) -> Result<Self> {
        let user = User::find()?;
        let folder = root.join("target").join("services");
        fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        let home = home(&folder, user)?;
        for own in ["cache", "run"] {
            make_open(&home.join(own))?;
        }
        Ok(Self { stack: stack.to_owned(), root: root.to_path_buf(), user, folder, home })
    }

    pub(super) fn state_file(&self) -> PathBuf {
        self.folder.join(state_file_name(&self.stack))
    }

    pub(super) fn cache(&self) -> PathBuf {
        self.home.join("cache")
    }

    /// What the parts of this stack write and say.
    pub(super) fn run(&self) -> PathBuf {
        self.home.join("run").join(&self.stack)
    }

    /// Waits until nobody else changes this stack.
    pub(super) fn lock(&self) -> Result<Turn> {
        Turn::take(&self.folder.join(format!("{}.lock", self.stack)))
    }

    /// The other stacks that have a state file.
    pub(super) fn other_stacks(&self) -> Result<Vec<String>> {
        let mut stacks = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            stacks.extend(stack_of(&name).filter(|stack| *stack != self.stack).map(str::to_owned));
        }
        stacks.sort();
        Ok(stacks)
    }
}

fn state_file_name(stack: &str) -> String {
    match stack {
        MAIN => "state.json".to_owned(),
        other => format!("state-{other}.json"),
    }
}

fn stack_of(file: &str) -> Option<&str> {
    match file.strip_prefix("state")?.strip_suffix(".json")? {
        "" => Some(MAIN),
        other => other.strip_prefix('-'),
    }
}

/// A stack's name: it becomes part of file names.
pub(super) fn stack_name(name: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    match name {
        "" => Err("a name is needed".to_owned()),
        _ if name.len() > 40 => Err("at most 40 characters".to_owned()),
        _ if !name.chars().all(plain) => Err("lower-case letters, digits and `-` alone".to_owned()),
        _ => Ok(name.to_owned()),
    }
}

/// Where the user can work.
fn home(folder: &Path, user: User) -> Result<PathBuf> {
    if user.reaches(folder)? {
        return Ok(folder.to_path_buf());
    }
    let mark = hex(&Sha256::digest(folder.as_os_str().as_encoded_bytes())[..6]);
    let aside = std::env::temp_dir().join(format!("pilotage-services-{mark}"));
    make_own(&aside)?;
    match user.reaches(&aside)? {
        true => Ok(aside),
        false => bail!(
            "services never run as root, and nobody else can go into {} or {}",
            folder.display(),
            aside.display()
        ),
    }
}

/// Makes the folder, if it is missing; everybody may go into it, whatever this user's mask is.
pub(super) fn make_open(folder: &Path) -> Result<()> {
    let made = match fs::create_dir(folder) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        made => made.and_then(|()| fs::set_permissions(folder, fs::Permissions::from_mode(0o755))),
    };
    made.with_context(|| folder.display().to_string())
}

/// Makes the folder; one that is there already must be a folder and this user's alone: its name can be guessed.
fn make_own(folder: &Path) -> Result<()> {
    make_open(folder)?;
    let (found, own) = (fs::symlink_metadata(folder)?, fs::metadata("/proc/self")?);
    if !found.is_dir() || found.uid() != own.uid() || found.mode() & 0o022 != 0 {
        bail!("{} is not a folder that this user alone can change", folder.display());
    }
    Ok(())
}

/// The right to change something, until it is dropped or its process ends.
pub(crate) struct Turn(
    #[expect(dead_code, reason = "the lock is held while the file is open")] File,
);

impl Turn {
    pub(crate) fn take(path: &Path) -> Result<Self> {
        let file = File::options().create(true).append(true).open(path);
        let file = file.with_context(|| path.display().to_string())?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                eprintln!("waiting for the one who holds {}", path.display());
                file.lock()?;
            }
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        Ok(Self(file))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn every_stack_has_a_file_that_leads_back_to_it() {
        assert_eq!(state_file_name("main"), "state.json");
        for stack in ["main", "test", "fail-over-2"] {
            assert_eq!(stack_of(&state_file_name(stack)), Some(stack));
        }
        for other in ["main.lock", "state.json.new", "cache", "statex.json"] {
            assert_eq!(stack_of(other), None, "{other}");
        }
    }

    #[test]
    fn a_stacks_name_leads_nowhere_else() {
        assert_eq!(stack_name("fail-over-2").as_deref(), Ok("fail-over-2"));
        for bad in ["", "..", "a/b", "A", "a b", &"a".repeat(41)] {
            assert!(stack_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_folder_that_another_could_have_put_there_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let aside = folder.path().join("aside");
        make_own(&aside).unwrap();
        make_own(&aside).unwrap();

        let led = folder.path().join("led");
        symlink(&aside, &led).unwrap();
        assert!(make_own(&led).is_err(), "a link");
        let open = folder.path().join("open");
        fs::create_dir(&open).unwrap();
        fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).unwrap();
        assert!(make_own(&open).is_err(), "anybody may write into it");
    }

    #[test]
    fn one_at_a_time_has_its_turn() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.lock");
        let turn = Turn::take(&path).unwrap();
        let other = File::open(&path).unwrap();
        assert!(matches!(other.try_lock(), Err(TryLockError::WouldBlock)));
        drop(turn);
        assert!(other.try_lock().is_ok());
    }
}
