//! The steps of `cargo xtask test`, in order. Must not retry anything.

use anyhow::{Context, Result, bail};

use super::machine::{BUILD_TESTS, Call, Machine};
use super::tally::{Runner, Tally};

/// One step.
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) run: fn(&Machine, &mut Tally) -> Result<()>,
}

/// First what must be there, then what is quick to fail, then the tests, widest last.
pub(crate) const STEPS: &[Step] = &[
    Step {
        name: "tools",
        about: "rustfmt, clippy, node and npm, Java, Maven, pip, make and perl",
        run: tools,
    },
    Step { name: "browser", about: "a Chromium, from apt where there is none", run: browser },
    Step { name: "packages", about: "npm ci in web/", run: packages },
    Step { name: "format", about: "cargo fmt --check", run: format },
    Step { name: "tidy", about: "the house's rules", run: tidy },
    Step {
        name: "clippy",
        about: "cargo clippy, no warning allowed, and cargo check of the benches",
        run: clippy,
    },
    Step { name: "services", about: "Kafka and PostgreSQL, until the run ends", run: services },
    Step {
        name: "rust",
        about: "cargo test of the whole workspace, with the Open Bandit sample, save what asks peers",
        run: rust,
    },
    Step { name: "shared", about: "the system tests on Kafka and PostgreSQL", run: shared },
    Step {
        name: "older",
        about: "the same, and the adapters' tests, on the older of both",
        run: older,
    },
    Step { name: "peers", about: "the product beside other people's models", run: peers },
    Step { name: "docs", about: "cargo doc, no warning allowed", run: docs },
    Step { name: "types", about: "tsc over the SDK and the demo", run: types },
    Step { name: "sdk", about: "the SDK's unit tests in node", run: sdk },
    Step { name: "build", about: "the binary that the last two steps run", run: build },
    Step { name: "readme", about: "the README's definition, checked by the binary", run: readme },
    Step { name: "e2e", about: "Playwright in a real Chromium", run: e2e },
];

/// The oldest node whose test runner and language the web folder may rely on.
const NODE: u32 = 20;

fn tools(machine: &Machine, _: &mut Tally) -> Result<()> {
    for (tool, component) in [("fmt", "rustfmt"), ("clippy", "clippy")] {
        if machine.cargo(&[tool, "--version"]).answer().is_err() {
            machine.command("rustup", &["component", "add", component]).passes()?;
        }
    }
    let version = machine.command("node", &["--version"]).answer();
    let version = version.with_context(|| format!("node {NODE} or newer and npm are needed"))?;
    let major = version.trim_start_matches('v').split('.').next().and_then(|n| n.parse().ok());
    if major.is_none_or(|major: u32| major < NODE) {
        bail!("node {NODE} or newer is needed, this is {version}");
    }
    let npm = machine.command("npm", &["--version"]).answer();
    println!("node {version}, npm {}", npm.context("npm is needed")?);
    install_missing(machine)
}

/// What the services are downloaded and run with, and their clients built: how each is asked for its version, and the package that Debian has it in.
const SERVICE_TOOLS: &[(&[&str], &str)] = &[
    (&["java", "-version"], "default-jre-headless"),
    (&["mvn", "--version"], "maven"),
    (&["python3", "-m", "pip", "--version"], "python3-pip"),
    // The Kafka client is C, and so is its OpenSSL, which is built by make and perl.
    (&["make", "--version"], "make"),
    (&["perl", "-MFindBin", "-MIPC::Cmd", "-e", "1"], "perl"),
];

fn install_missing(machine: &Machine) -> Result<()> {
    let is_missing = |words: &[&str]| machine.command(words[0], &words[1..]).answer().is_err();
    let missing = SERVICE_TOOLS.iter().filter(|(words, _)| is_missing(words));
    let missing: Vec<&str> = missing.map(|(_, package)| *package).collect();
    if !missing.is_empty() {
        let install = [&["install", "--yes", "--no-install-recommends"], &missing[..]].concat();
        machine.apt_get(&["update"])?.passes()?;
        machine.apt_get(&install)?.passes()?;
    }
    Ok(())
}

fn browser(machine: &Machine, _: &mut Tally) -> Result<()> {
    if machine.chromium()?.is_none() {
        machine.apt_get(&["update"])?.passes()?;
        machine.apt_get(&["install", "--yes", "--no-install-recommends", "chromium"])?.passes()?;
    }
    let chromium = machine.chromium()?.context("apt has installed no `chromium`")?;
    println!("{}", chromium.display());
    Ok(())
}

fn packages(machine: &Machine, _: &mut Tally) -> Result<()> {
    machine.npm(&["ci"])?.passes()
}

fn format(machine: &Machine, _: &mut Tally) -> Result<()> {
    machine.cargo(&["fmt", "--all", "--check"]).passes()
}

fn tidy(machine: &Machine, _: &mut Tally) -> Result<()> {
    if !crate::tidy::run(machine.root())? {
        bail!("a rule of the house is broken; each line above names its number and its reason");
    }
    Ok(())
}

fn clippy(machine: &Machine, _: &mut Tally) -> Result<()> {
    let check = &["clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"];
    machine.cargo(check).passes()?;
    // A workspace of its own. In the same folder it finds the libraries of this one checked.
    let target = machine.target()?;
    let words = ["check", "--locked", "--manifest-path", "bench/Cargo.toml", "--all-targets"];
    machine.cargo(&[&words[..], &["--target-dir", &target.to_string_lossy()]].concat()).passes()
}

fn services(machine: &Machine, _: &mut Tally) -> Result<()> {
    machine.hold_services()
}

/// The tests that ask other people's models: they have a step of their own, which gets these first.
const PEERS: &str = "peers::";

/// The tests of whole fleets. One has its turn at a time, and it mostly waits: among the others they would keep every thread waiting
/// for the next turn. So they have one thread, beside all others.
const FLEETS: &str = "scale::";

fn rust(machine: &Machine, tally: &mut Tally) -> Result<()> {
    let sample = crate::services::open_bandit(machine.root())?;
    let fleets = system(machine, &[FLEETS, "--test-threads", "1"])?;
    let words = &["test", "--locked", "--workspace", "--", "--skip", PEERS, "--skip", FLEETS];
    let others = machine.cargo(words).with(crate::services::OPEN_BANDIT, sample);
    fleets.counts_while(Runner::Cargo, tally, |tally| others.counts(Runner::Cargo, tally))
}

/// The tests of the whole product whose outcome depends on where events and profiles are kept.
const ON_ANY_BACK_END: &[&str] = &[
    "advised::",
    "batch::",
    "clock::",
    "crash::",
    "merge::",
    "products::",
    "report::",
    "stop::",
    "user::",
    "walk::",
];

/// Those that are about Kafka and PostgreSQL, whatever back end is chosen, as fleets are: the step `rust` runs them on the newer
/// of both.
const ON_SERVICES: &[&str] = &["evaluate::traffic_in_kafka", "export::", "topic::", "verify::"];

fn shared(machine: &Machine, tally: &mut Tally) -> Result<()> {
    machine.hold_services()?;
    on_services(machine, ON_ANY_BACK_END, "4")?.counts(Runner::Cargo, tally)
}

/// These tests of the whole product, on Kafka and PostgreSQL; so many at a time, which may be more than there are cores, since they
/// mostly wait.
fn on_services(machine: &Machine, names: &[&str], threads: &str) -> Result<Call> {
    let words = [names, &["--test-threads", threads]].concat();
    Ok(system(machine, &words)?.with("PILOTAGE_TEST_BACK_END", "shared"))
}

/// The tests of the whole product.
fn system(machine: &Machine, words: &[&str]) -> Result<Call> {
    let program = machine.test_program("system")?;
    Ok(machine.command(&program.to_string_lossy(), words).within("crates/pilotage"))
}

fn older(machine: &Machine, tally: &mut Tally) -> Result<()> {
    let machine = machine.on_older_services()?;
    // All targets of the whole workspace, so that nothing has to be built again.
    let words = &[
        "test",
        "--locked",
        "--workspace",
        "--tests",
        "--",
        "kafka::tests::",
        "postgres::tests::",
    ];
    let adapters = machine.cargo(words);
    // Brokers that are played have no version.
    let fleets = on_services(&machine, &[FLEETS, "--skip", "scale::produce_errors"], "1")?;
    let others = on_services(&machine, &[ON_ANY_BACK_END, ON_SERVICES].concat(), "4")?;
    fleets.counts_while(Runner::Cargo, tally, |tally| {
        adapters.counts(Runner::Cargo, tally)?;
        others.counts(Runner::Cargo, tally)
    })
}

fn peers(machine: &Machine, tally: &mut Tally) -> Result<()> {
    let folder = crate::peers::install(machine.root())?;
    // What they measure is to be read.
    let tests = system(machine, &[PEERS, "--nocapture"])?;
    tests.with(crate::peers::VARIABLE, &folder).counts(Runner::Cargo, tally)
}

fn docs(machine: &Machine, _: &mut Tally) -> Result<()> {
    let docs = machine.cargo(&["doc", "--locked", "--workspace", "--no-deps"]);
    docs.with("RUSTDOCFLAGS", "-D warnings").passes()
}

fn types(machine: &Machine, _: &mut Tally) -> Result<()> {
    machine.npm(&["run", "check"])?.passes()
}

fn sdk(machine: &Machine, tally: &mut Tally) -> Result<()> {
    machine.npm(&["run", "test"])?.counts(Runner::Node, tally)
}

fn build(machine: &Machine, _: &mut Tally) -> Result<()> {
    machine.cargo(BUILD_TESTS).passes()
}

fn readme(machine: &Machine, _: &mut Tally) -> Result<()> {
    let text = std::fs::read_to_string(machine.root().join("README.md"))?;
    let definition = block(&text, "yaml").context("README.md shows no definition")?;
    let binary = machine.binary()?;
    let file = binary.with_file_name("readme.yaml");
    std::fs::write(&file, definition)?;
    machine.command(&binary.to_string_lossy(), &["check", &file.to_string_lossy()]).passes()
}

/// The first block of code in that language.
fn block<'a>(text: &'a str, language: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("\n```{language}\n"))?;
    rest.split_once("\n```\n").map(|(block, _)| block)
}

fn e2e(machine: &Machine, tally: &mut Tally) -> Result<()> {
    let binary = machine.binary()?;
    let chromium = machine.chromium()?.context("no Chromium: run the step `browser` first")?;
    let playwright = machine.npm(&["run", "e2e"])?;
    playwright
        .with("PILOTAGE_BIN", &binary)
        .with("CHROMIUM", &chromium)
        .counts(Runner::Playwright, tally)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_block_of_the_language_is_taken_without_its_fence() {
        let text = "# A\n```console\n$ b\n```\n\n```yaml\nc: 1\nd: 2\n```\n```yaml\ne: 3\n```\n";
        assert_eq!(block(text, "yaml"), Some("c: 1\nd: 2"));
        assert_eq!(block(text, "toml"), None);
    }
}
