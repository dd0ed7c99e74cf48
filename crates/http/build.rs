//! Lists the SDK's modules for `src/assets.rs`, so that a new module needs no change here. Must not need node.
#![allow(clippy::print_stdout, reason = "this is how a build script speaks to cargo")]

use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let folder = Path::new(&env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?)
        .join("../../web/sdk")
        .canonicalize()?;
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut scripts: Vec<_> = fs::read_dir(&folder)?
        .map(|entry| Ok(entry?.path()))
        .filter(|path| path.as_ref().is_ok_and(|path| path.extension().is_some_and(|e| e == "js")))
        .collect::<io::Result<_>>()?;
    scripts.sort();
    let mut list = String::from("&[\n");
    for script in scripts {
        let name = script.file_name().unwrap_or_default().to_string_lossy().into_owned();
        list.push_str(&format!("    ({name:?}, include_str!({:?})),\n", script.display().to_string()));
    }
    list.push(']');
    let out = env::var("OUT_DIR").map_err(io::Error::other)?;
    fs::write(Path::new(&out).join("sdk_files.rs"), list)
}
