//! The browser's files, part of the binary: the SDK's modules and the sample product. Must not read a file at run time.

use std::sync::LazyLock;

use pilotage_domain::hash::ContentHash;

/// Name and text of every module of the SDK, written by `build.rs`.
const SDK: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/sdk_files.rs"));
/// Name and text of every file of the sample product, written by `build.rs`.
const DEMO: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/demo_files.rs"));

/// A file for browsers.
#[derive(Debug)]
pub(crate) struct Asset {
    name: &'static str,
    pub(crate) text: &'static str,
    /// A strong entity tag, quoted.
    pub(crate) tag: String,
}

static SDK_ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| assets_of(SDK));
static DEMO_ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| assets_of(DEMO));

fn assets_of(files: &[(&'static str, &'static str)]) -> Vec<Asset> {
    let asset = |(name, text): &(&'static str, &'static str)| Asset {
        name,
        text,
        tag: format!("\"{:016x}\"", ContentHash::of_bytes(text.as_bytes()).short()),
    };
    files.iter().map(asset).collect()
}

impl Asset {
    /// The media type that its name stands for.
    pub(crate) fn media(&self) -> &'static str {
        match self.name.rsplit('.').next() {
            Some("js") => "text/javascript; charset=utf-8",
            Some("css") => "text/css; charset=utf-8",
            Some("svg") => "image/svg+xml",
            _ => "text/html; charset=utf-8",
        }
    }
}

/// The SDK's module of that file name; the entry is `sdk.js`.
pub(crate) fn find(name: &str) -> Option<&'static Asset> {
    SDK_ASSETS.iter().find(|asset| asset.name == name)
}

/// The sample product's file of that name; its page is `index.html`.
pub(crate) fn find_demo(name: &str) -> Option<&'static Asset> {
    DEMO_ASSETS.iter().find(|asset| asset.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_module_that_a_module_imports_is_served() {
        assert!(find("sdk.js").is_some());
        for (importer, text) in SDK {
            for line in text.lines().filter(|line| line.starts_with("import ")) {
                let path = line.split('\'').nth(1).expect("a quoted path");
                let name = path.rsplit('/').next().expect("a file name");
                assert!(find(name).is_some(), "{importer} imports {path}");
            }
        }
        assert!(find("types.d.ts").is_none());
    }
}
