//! Downloaded files held against what they must be. Must not mend or fetch a file.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

/// Checks that the folder holds the files of the list and no other, each with its checksum; names every one that is not so.
/// The list is what `sha256sum` writes.
pub(super) fn verify(folder: &Path, list: &str) -> Result<()> {
    let faults = faults(&wanted(list)?, &present(folder)?);
    if !faults.is_empty() {
        bail!("what was downloaded is not what it should be:\n  {}", faults.join("\n  "));
    }
    Ok(())
}

/// Checksums by file.
type Sums = BTreeMap<String, String>;

fn wanted(list: &str) -> Result<Sums> {
    let line = |line: &str| {
        let (sum, file) = line.split_once("  ").with_context(|| format!("no checksum: {line}"))?;
        Ok((file.to_owned(), sum.to_owned()))
    };
    list.lines().map(line).collect()
}

fn present(folder: &Path) -> Result<Sums> {
    let mut sums = Sums::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let bytes = fs::read(entry.path())?;
        sums.insert(entry.file_name().to_string_lossy().into_owned(), hex(&Sha256::digest(bytes)));
    }
    Ok(sums)
}

fn faults(wanted: &Sums, present: &Sums) -> Vec<String> {
    let kept = wanted.iter().filter_map(|(file, sum)| match present.get(file) {
        None => Some(format!("{file} is missing")),
        Some(other) if other != sum => Some(format!("{file} has the checksum {other}, not {sum}")),
        Some(_) => None,
    });
    let more = present.keys().filter(|file| !wanted.contains_key(*file));
    kept.chain(more.map(|file| format!("{file} is in no list"))).collect()
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn the_files_of_the_list_pass_and_nothing_else_does() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        let list = format!("{ABC}  a.jar\n{ABC}  b.jar\n");
        fs::write(file("a.jar"), "abc").unwrap();
        fs::write(file("b.jar"), "abc").unwrap();
        assert!(verify(folder.path(), &list).is_ok());

        fs::remove_file(file("a.jar")).unwrap();
        fs::write(file("b.jar"), "abd").unwrap();
        fs::write(file("c.jar"), "abc").unwrap();
        let error = verify(folder.path(), &list).unwrap_err().to_string();
        for fault in ["a.jar is missing", "b.jar has the checksum a52d", "c.jar is in no list"] {
            assert!(error.contains(fault), "{error}");
        }
    }
}
