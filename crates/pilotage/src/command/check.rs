//! `pilotage check`: every fault and warning of a definition. Must not start anything.

use std::fs;
use std::io::IsTerminal;

use anyhow::Context;
use pilotage_wire::yaml;

use super::{Finding, counted, say};
use crate::cli::CheckArgs;

pub(super) fn run(args: &CheckArgs) -> anyhow::Result<Finding> {
    let name = args.file.display().to_string();
    let text = fs::read_to_string(&args.file).with_context(|| format!("read {name}"))?;
    let (faults, warnings, summary) = match yaml::load(&text) {
        Ok(checked) => {
            let d = &checked.definition;
            let milestones = counted(d.milestones.len() as u64, "milestone");
            let guides = counted(d.guides.len() as u64, "guide");
            let summary = format!(
                "{name}: {} version {} is valid: {milestones}, {guides}",
                d.product, d.version
            );
            (Vec::new(), checked.warnings, Some(summary))
        }
        Err(faults) => (faults, Vec::new(), None),
    };
    let findings: Vec<_> = faults.iter().chain(&warnings).cloned().collect();
    if args.json {
        say(&serde_json::to_string_pretty(&yaml::to_json(&name, &findings))?);
    } else {
        if !findings.is_empty() {
            say(&yaml::render(&name, &text, &findings, colour()));
        }
        if let Some(summary) = summary {
            say(&summary);
        }
    }
    Ok(if faults.is_empty() { Finding::None } else { Finding::Some })
}

fn colour() -> yaml::Colour {
    if std::io::stdout().is_terminal() { yaml::Colour::Ansi } else { yaml::Colour::Plain }
}
