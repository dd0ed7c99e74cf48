//! Who the services run as: never root. Must not change a file that is not given to it.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

/// The user and group that every Linux has, and that owns nothing.
const NOBODY: u32 = 65534;

/// Whom the services belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum User {
    /// Whoever runs this.
    Own,
    /// Nobody, because root runs this.
    Nobody,
}

impl User {
    /// By who runs this.
    pub(super) fn find() -> Result<Self> {
        let own = fs::metadata("/proc/self").context("this needs Linux and its /proc")?;
        Ok(if own.uid() == 0 { Self::Nobody } else { Self::Own })
    }

    /// The command, as it is run for this user.
    pub(super) fn command(self, command: Vec<String>) -> Vec<String> {
        let user = match self {
            Self::Own => Vec::new(),
            Self::Nobody => vec![
                "setpriv".to_owned(),
                format!("--reuid={NOBODY}"),
                format!("--regid={NOBODY}"),
                "--clear-groups".to_owned(),
            ],
        };
        user.into_iter().chain(command).collect()
    }

    /// The command of a service: in a session of its own, so that no key pressed in this one reaches it.
    pub(super) fn service(self, command: Vec<String>) -> Vec<String> {
        let session = std::iter::once("setsid".to_owned());
        session.chain(self.command(command)).collect()
    }

    /// Gives the file or folder to the user.
    pub(super) fn give(self, path: &Path) -> Result<()> {
        match self {
            Self::Own => Ok(()),
            Self::Nobody => chown(path, Some(NOBODY), Some(NOBODY))
                .with_context(|| format!("{} can't be given away", path.display())),
        }
    }

    /// Whether the user can go into the folder, through all those above it.
    pub(super) fn reaches(self, folder: &Path) -> Result<bool> {
        let command = self.command(vec!["test".to_owned(), "-x".to_owned()]);
        let (program, words) = command.split_first().context("no command")?;
        let status = Command::new(program).args(words).arg(folder).status();
        Ok(status.with_context(|| format!("`{program}` is needed"))?.success())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_runs_nothing_as_root() {
        let command = || vec!["java".to_owned(), "A".to_owned()];
        let nobody = "setpriv --reuid=65534 --regid=65534 --clear-groups java A";
        assert_eq!(User::Nobody.command(command()).join(" "), nobody);
        assert_eq!(User::Nobody.service(command()).join(" "), format!("setsid {nobody}"));
        assert_eq!(User::Own.command(command()).join(" "), "java A");
        assert_eq!(User::Own.service(command()).join(" "), "setsid java A");
    }

    #[test]
    fn a_folder_is_reached_or_not() {
        let folder = tempfile::tempdir().unwrap();
        assert!(User::Own.reaches(folder.path()).is_ok_and(|reached| reached));
        assert!(User::Own.reaches(&folder.path().join("gone")).is_ok_and(|reached| !reached));
    }
}
