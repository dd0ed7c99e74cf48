//! The SDK's modules, part of the binary. Must not read a file at run time.

use std::sync::LazyLock;

use pilotage_domain::hash::ContentHash;

/// Name and text of every module, written by `build.rs`.
const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/sdk_files.rs"));

/// A module of the SDK.
#[derive(Debug)]
pub(crate) struct Asset {
    name: &'static str,
    pub(crate) text: &'static str,
    /// A strong entity tag, quoted.
    pub(crate) tag: String,
}

static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    let asset = |(name, text): &(&'static str, &'static str)| Asset {
        name,
        text,
        tag: format!("\"{:016x}\"", ContentHash::of_bytes(text.as_bytes()).short()),
    };
    FILES.iter().map(asset).collect()
});

/// The module of that file name; the entry is `sdk.js`.
pub(crate) fn find(name: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_module_that_a_module_imports_is_served() {
        assert!(find("sdk.js").is_some());
        for (importer, text) in FILES {
            for line in text.lines().filter(|line| line.starts_with("import ")) {
                let path = line.split('\'').nth(1).expect("a quoted path");
                let name = path.rsplit('/').next().expect("a file name");
                assert!(find(name).is_some(), "{importer} imports {path}");
            }
        }
        assert!(find("types.d.ts").is_none());
    }
}
