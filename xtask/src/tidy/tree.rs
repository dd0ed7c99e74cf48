//! What the rules look at: the repository's text files and its packages. Must not judge.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::source::Source;

/// The repository, as far as the rules need it.
#[derive(Default)]
pub(crate) struct Tree {
    /// Text files by path, with `/`, from the root.
    pub(crate) files: BTreeMap<String, String>,
    /// The Rust files, parsed.
    pub(crate) rust: BTreeMap<String, Source>,
    /// The packages of the workspace and of the workspaces beside it.
    pub(crate) packages: Vec<Package>,
}

/// A Rust package.
pub(crate) struct Package {
    pub(crate) name: String,
    /// The path of its Cargo.toml.
    pub(crate) manifest: String,
    pub(crate) dependencies: Vec<Dependency>,
}

/// What a package names in its manifest.
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// It is a folder of this repository.
    pub(crate) local: bool,
    /// Only its tests use it.
    pub(crate) dev: bool,
}

impl Tree {
    /// Reads what git knows or would take, and every workspace's manifests.
    pub(crate) fn read(root: &Path) -> Result<Self> {
        let mut files = BTreeMap::new();
        for path in list(root)? {
            // What is not text, or was removed but not yet from git, is not for the rules.
            if let Ok(text) = std::fs::read_to_string(root.join(&path)) {
                files.insert(path, text);
            }
        }
        let mut packages = Vec::new();
        for lock in files.keys().filter(|path| is_named(path, "Cargo.lock")) {
            let manifest = lock.replace("Cargo.lock", "Cargo.toml");
            packages.extend(packages_of(root, &manifest)?);
        }
        Ok(Self::of(files, packages))
    }

    /// The tree of these files and packages.
    pub(crate) fn of(files: BTreeMap<String, String>, packages: Vec<Package>) -> Self {
        let rust = parse(&files);
        Self { files, rust, packages }
    }

    /// The files whose names end so.
    pub(crate) fn ending<'a>(
        &'a self,
        ends: &'a [&'a str],
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.files
            .iter()
            .filter(|(path, _)| ends.iter().any(|end| path.ends_with(end)))
            .map(|(path, text)| (path.as_str(), text.as_str()))
    }
}

/// The Rust files among these, parsed on every core.
fn parse(files: &BTreeMap<String, String>) -> BTreeMap<String, Source> {
    let rust: Vec<_> = files.iter().filter(|(path, _)| path.ends_with(".rs")).collect();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let share = rust.len().div_ceil(cores).max(1);
    std::thread::scope(|scope| {
        let parse = |(path, text): &(&String, &String)| ((*path).clone(), Source::parse(text));
        let parts = rust.chunks(share);
        let workers: Vec<_> = parts
            .map(|part| scope.spawn(move || part.iter().map(parse).collect::<Vec<_>>()))
            .collect();
        // A worker that panics takes the others with it: a file that is not looked at must not pass.
        workers.into_iter().flat_map(|worker| worker.join().expect("a parser panicked")).collect()
    })
}

/// Whether the path's last part is this name.
pub(crate) fn is_named(path: &str, name: &str) -> bool {
    path.rsplit('/').next() == Some(name)
}

fn list(root: &Path) -> Result<Vec<String>> {
    let output = Command::new("git")
        .current_dir(root)
        // A checkout that another user owns is read all the same: nothing of it is run.
        .args([
            "-c",
            "safe.directory=*",
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .output()
        .context("git is needed to list the repository's files")?;
    if !output.status.success() {
        bail!("git ls-files: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let listed = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(listed.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect())
}

fn packages_of(root: &Path, manifest: &str) -> Result<Vec<Package>> {
    let output = Command::new(env!("CARGO"))
        .current_dir(root)
        .args(["metadata", "--no-deps", "--format-version", "1", "--manifest-path", manifest])
        .output()
        .context("cargo metadata")?;
    if !output.status.success() {
        bail!("cargo metadata of {manifest}: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    let packages = metadata["packages"].as_array().context("cargo metadata names no packages")?;
    packages.iter().map(|package| package_of(root, package)).collect()
}

fn package_of(root: &Path, package: &Value) -> Result<Package> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let manifest = text(&package["manifest_path"]);
    let manifest = Path::new(&manifest).strip_prefix(root).context("a package lies outside")?;
    let dependencies = package["dependencies"].as_array().map(Vec::as_slice).unwrap_or_default();
    Ok(Package {
        name: text(&package["name"]),
        manifest: manifest.to_string_lossy().into_owned(),
        dependencies: dependencies
            .iter()
            .map(|dependency| Dependency {
                name: text(&dependency["name"]),
                local: dependency["path"].is_string(),
                dev: dependency["kind"] == "dev",
            })
            .collect(),
    })
}
