//! Lists the browser's files for `src/assets.rs`, so that a new file needs no change here. Must not need node.
#![allow(clippy::print_stdout, reason = "this is how a build script speaks to cargo")]

use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// Folder under `web/`, the list's file name, and the endings that are served.
const LISTS: [(&str, &str, &[&str]); 2] =
    [("sdk", "sdk_files.rs", &["js"]), ("demo", "demo_files.rs", &["js", "css", "svg", "html"])];

fn main() -> io::Result<()> {
    let web = PathBuf::from(env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?)
        .join("../../web")
        .canonicalize()?;
    let out = PathBuf::from(env::var("OUT_DIR").map_err(io::Error::other)?);
    for (folder, list, endings) in LISTS {
        fs::write(out.join(list), list_of(&web.join(folder), endings)?)?;
    }
    Ok(())
}

/// Rust source: a slice of (file name, text).
fn list_of(folder: &Path, endings: &[&str]) -> io::Result<String> {
    println!("cargo::rerun-if-changed={}", folder.display());
    let served = |path: &PathBuf| {
        path.extension().is_some_and(|end| endings.iter().any(|known| end == *known))
    };
    let mut files: Vec<_> = fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path()))
        .filter(|path| path.as_ref().is_ok_and(served))
        .collect::<io::Result<_>>()?;
    files.sort();
    let mut list = String::from("&[\n");
    for file in files {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        list.push_str(&format!(
            "    ({name:?}, include_str!({:?})),\n",
            file.display().to_string()
        ));
    }
    list.push(']');
    Ok(list)
}
