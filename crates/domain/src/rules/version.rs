//! What "this app version has it" means, for decisions and for the checker alike. Must not parse a definition.
//!
//! A comparator that names no pre-release compares release numbers: `2.1.0-beta.1` counts as 2.1.0, so it is inside
//! `>=2.0.0, <4.0.0`, and `4.0.0-rc.1` is outside, because what is gone from 4.0.0 is gone from its candidates. One that
//! names a pre-release (`>=2.0.0-beta.2`) compares by full precedence. (The semver crate by itself would refuse every
//! pre-release that no comparator names, and a beta tester would never be guided.) Build metadata says nothing.

use std::cmp::Ordering;

use semver::{BuildMetadata, Comparator, Op, Prerelease, Version, VersionReq};

/// Whether the requirement holds for the version.
pub fn matches(requirement: &VersionReq, version: &Version) -> bool {
    requirement.comparators.iter().all(|c| Span::of_comparator(c).contains(version))
}

/// Whether some version satisfies every one of these requirements.
pub fn overlap<'a>(requirements: impl IntoIterator<Item = &'a VersionReq>) -> bool {
    !requirements.into_iter().map(Span::of).fold(Span::every(), Span::and).is_empty()
}

/// The versions from one on, up to but without another, by precedence. Every requirement is one such span.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    from: Version,
    to: Option<Version>,
}

impl Span {
    /// Every version.
    pub fn every() -> Self {
        Self { from: floor(0, 0, 0), to: None }
    }

    /// The versions that satisfy the requirement.
    pub fn of(requirement: &VersionReq) -> Self {
        requirement.comparators.iter().map(Self::of_comparator).fold(Self::every(), Self::and)
    }

    /// The versions in both.
    pub fn and(self, other: Self) -> Self {
        let from = if precedes(&self.from, &other.from) { other.from } else { self.from };
        let to = match (self.to, other.to) {
            (Some(a), Some(b)) => Some(if precedes(&a, &b) { a } else { b }),
            (a, b) => a.or(b),
        };
        Self { from, to }
    }

    /// Whether the version lies inside.
    pub fn contains(&self, version: &Version) -> bool {
        !precedes(version, &self.from) && self.to.as_ref().is_none_or(|to| precedes(version, to))
    }

    /// Whether no version lies inside.
    pub fn is_empty(&self) -> bool {
        self.to.as_ref().is_some_and(|to| !precedes(&self.from, to))
    }

    fn of_comparator(c: &Comparator) -> Self {
        let below = |to| Self { from: floor(0, 0, 0), to: Some(to) };
        match c.op {
            Op::Exact | Op::Wildcard => Self { from: least(c), to: Some(beyond(c)) },
            Op::Greater => Self { from: beyond(c), to: None },
            Op::GreaterEq => Self { from: least(c), to: None },
            Op::Less => below(least(c)),
            Op::LessEq => below(beyond(c)),
            Op::Tilde => Self { from: least(c), to: Some(tilde_end(c)) },
            Op::Caret => Self { from: least(c), to: Some(caret_end(c)) },
            // An operator of a later semver crate: nothing fits, so nothing unknown is shown.
            _ => below(floor(0, 0, 0)),
        }
    }
}

fn precedes(a: &Version, b: &Version) -> bool {
    a.cmp_precedence(b) == Ordering::Less
}

/// The first of all versions with this release number: pre-release `0` precedes every other.
fn floor(major: u64, minor: u64, patch: u64) -> Version {
    let pre = Prerelease::new("0").unwrap_or(Prerelease::EMPTY);
    Version { major, minor, patch, pre, build: BuildMetadata::EMPTY }
}

/// The first version that the comparator's own text stands for.
fn least(c: &Comparator) -> Version {
    let first = floor(c.major, c.minor.unwrap_or(0), c.patch.unwrap_or(0));
    if c.pre.is_empty() { first } else { Version { pre: c.pre.clone(), ..first } }
}

/// The first version after all that the comparator's own text stands for.
fn beyond(c: &Comparator) -> Version {
    match (c.minor, c.patch) {
        (None, _) => floor(next(c.major), 0, 0),
        (Some(minor), None) => floor(c.major, next(minor), 0),
        (Some(minor), Some(patch)) if c.pre.is_empty() => floor(c.major, minor, next(patch)),
        // Nothing lies between a pre-release and the same with one more identifier, 0.
        (Some(minor), Some(patch)) => {
            let pre = Prerelease::new(&format!("{}.0", c.pre)).unwrap_or(Prerelease::EMPTY);
            Version { pre, ..floor(c.major, minor, patch) }
        }
    }
}

fn tilde_end(c: &Comparator) -> Version {
    match c.minor {
        None => floor(next(c.major), 0, 0),
        Some(minor) => floor(c.major, next(minor), 0),
    }
}

/// The leftmost number that is not zero may not change.
fn caret_end(c: &Comparator) -> Version {
    match (c.major, c.minor, c.patch) {
        (0, None, _) => floor(1, 0, 0),
        (0, Some(0), None) => floor(0, 1, 0),
        (0, Some(0), Some(patch)) => floor(0, 0, next(patch)),
        (0, Some(minor), _) => floor(0, next(minor), 0),
        (major, ..) => floor(next(major), 0, 0),
    }
}

fn next(number: u64) -> u64 {
    number.saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn requirement(text: &str) -> VersionReq {
        VersionReq::parse(text).expect("a requirement")
    }

    fn version(text: &str) -> Version {
        Version::parse(text).expect("a version")
    }

    #[test]
    fn a_pre_release_counts_as_its_release_unless_one_is_named() {
        let table = [
            (">=2.0.0, <4.0.0", "2.1.0-beta.1", true),
            (">=2.0.0, <4.0.0", "2.0.0-alpha", true),
            (">=2.0.0, <4.0.0", "4.0.0-rc.1", false),
            (">=2.0.0, <4.0.0", "3.99.99", true),
            (">=2.0.0, <4.0.0", "1.9.9", false),
            (">=1.4.0", "1.4.0+build.7", true),
            (">1.2.3", "1.2.3+build", false),
            (">1.2.3", "1.2.4-a", true),
            (">1", "1.9.0", false),
            (">1.2", "1.3.0-a", true),
            ("<=1", "1.99.0", true),
            ("<=1", "2.0.0-a", false),
            ("=1.2.3", "1.2.3-rc.1", true),
            ("1.2.*", "1.2.9-rc.1", true),
            ("1.2.*", "1.3.0-rc.1", false),
            ("*", "0.0.0-0", true),
            ("~1.2.3", "1.2.9", true),
            ("~1.2.3", "1.3.0-a", false),
            ("~1", "1.9.0", true),
            (">=2.0.0-beta.2", "2.0.0-beta.1", false),
            (">=2.0.0-beta.2", "2.0.0-beta.10", true),
            (">2.0.0-beta", "2.0.0-beta", false),
            (">2.0.0-beta", "2.0.0-beta.0", true),
            ("<=2.0.0-beta", "2.0.0-beta.0", false),
            ("<2.0.0-beta", "2.0.0-alpha", true),
            ("=2.0.0-beta", "2.0.0", false),
        ];
        for (range, user, expected) in table {
            assert_eq!(matches(&requirement(range), &version(user)), expected, "{range} {user}");
        }
    }

    #[test]
    fn ranges_overlap_where_some_version_is_in_all() {
        let table: [(&[&str], bool); 6] = [
            (&[">=1.4.0", "<1.4.0"], false),
            (&[">=1.4.0", "<=1.4.0"], true),
            (&[">1.0.0", "<1.0.1"], false),
            (&["<2.0.0", ">=2.0.0-beta"], false),
            (&["<2.0.1", ">=2.0.0-beta", "^2"], true),
            (&[], true),
        ];
        for (ranges, expected) in table {
            let ranges: Vec<_> = ranges.iter().map(|text| requirement(text)).collect();
            assert_eq!(overlap(&ranges), expected, "{ranges:?}");
        }
    }

    prop_compose! {
        fn any_requirement()(
            op in prop::sample::select(vec!["=", ">", ">=", "<", "<=", "~", "^", ""]),
            major in 0u64..3, minor in prop::option::of(0u64..3), patch in prop::option::of(0u64..3),
        ) -> VersionReq {
            let tail = match (minor, patch) {
                (None, _) => String::new(),
                (Some(minor), None) => format!(".{minor}"),
                (Some(minor), Some(patch)) => format!(".{minor}.{patch}"),
            };
            requirement(&format!("{op}{major}{tail}"))
        }
    }

    proptest! {
        #[test]
        fn releases_match_as_the_semver_crate_says(
            req in any_requirement(), v in (0u64..4, 0u64..4, 0u64..4),
        ) {
            let release = Version::new(v.0, v.1, v.2);
            prop_assert_eq!(matches(&req, &release), req.matches(&release), "{} {}", req, release);
        }

        #[test]
        fn overlap_is_a_common_version(a in any_requirement(), b in any_requirement()) {
            let all = (0..64u64).map(|n| Version::new(n / 16, n / 4 % 4, n % 4));
            let common = all.into_iter().any(|v| a.matches(&v) && b.matches(&v));
            prop_assert_eq!(overlap([&a, &b]), common, "{} {}", a, b);
        }
    }
}
