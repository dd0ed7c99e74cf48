//! `cargo xtask test`: installs what is missing and runs every test, step by step. Must not pass over a part that is
//! not there: a missing test is a failure.

mod held;
mod machine;
mod steps;
mod tally;

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use clap::Args;

use machine::Machine;
use steps::{STEPS, Step};
use tally::Tally;

/// Which steps to run; all of them, unless said otherwise.
#[derive(Args)]
pub(crate) struct Choice {
    /// Runs this step alone; may be given several times.
    #[arg(long, value_name = "STEP")]
    only: Vec<String>,
    /// Leaves this step out; may be given several times.
    #[arg(long, value_name = "STEP")]
    skip: Vec<String>,
    /// Lists the steps and runs none.
    #[arg(long)]
    list: bool,
}

/// Runs the chosen steps up to the first failure, and says whether all is well. The last line printed sums up what the
/// test runners counted; a step that fails without counting a failed test counts as one.
pub(crate) fn run(root: &Path, choice: &Choice) -> Result<bool> {
    let steps = chosen(choice)?;
    if choice.list {
        for step in steps {
            println!("{:<9} {}", step.name, step.about);
        }
        return Ok(true);
    }
    let machine = Machine::new(root);
    let mut total = Tally::default();
    let mut times = Vec::new();
    let mut failure = None;
    for step in steps {
        println!("\n=== {}: {}", step.name, step.about);
        let start = Instant::now();
        let mut counted = Tally::default();
        let outcome = (step.run)(&machine, &mut counted);
        times.push((step.name, start.elapsed()));
        if let Err(error) = outcome {
            counted.failed = counted.failed.max(1);
            failure = Some(format!("the step `{}` failed: {error:#}", step.name));
        }
        total.add(counted);
        if failure.is_some() {
            break;
        }
    }
    report(&times, failure.as_deref());
    println!("{} passed, {} failed", total.passed, total.failed);
    Ok(failure.is_none())
}

fn chosen(choice: &Choice) -> Result<Vec<&'static Step>> {
    let unknown = choice
        .only
        .iter()
        .chain(&choice.skip)
        .find(|name| !STEPS.iter().any(|step| step.name == **name));
    if let Some(name) = unknown {
        let names: Vec<&str> = STEPS.iter().map(|step| step.name).collect();
        bail!("there is no step `{name}`; there are: {}", names.join(" "));
    }
    let is_named = |names: &[String], step: &Step| names.iter().any(|name| name == step.name);
    let wanted = |step: &&Step| choice.only.is_empty() || is_named(&choice.only, step);
    Ok(STEPS.iter().filter(wanted).filter(|step| !is_named(&choice.skip, step)).collect())
}

fn report(times: &[(&str, Duration)], failure: Option<&str>) {
    println!("\n=== summary");
    for (name, time) in times {
        println!("{name:<9} {:>7.1} s", time.as_secs_f64());
    }
    if let Some(failure) = failure {
        println!("{failure}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(only: &[&str], skip: &[&str]) -> Result<Vec<&'static str>> {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let choice = Choice { only: owned(only), skip: owned(skip), list: false };
        chosen(&choice).map(|steps| steps.iter().map(|step| step.name).collect())
    }

    #[test]
    fn without_a_choice_every_step_runs() {
        let all: Vec<&str> = STEPS.iter().map(|step| step.name).collect();
        assert_eq!(names(&[], &[]).ok(), Some(all));
    }

    #[test]
    fn a_choice_keeps_the_order_of_the_steps() {
        assert_eq!(names(&["e2e", "tidy"], &[]).ok(), Some(vec!["tidy", "e2e"]));
        assert_eq!(names(&["e2e", "tidy"], &["e2e"]).ok(), Some(vec!["tidy"]));
        assert!(!names(&[], &["rust"]).is_ok_and(|steps| steps.contains(&"rust")));
    }

    #[test]
    fn an_unknown_step_is_an_error() {
        assert!(names(&["tydy"], &[]).is_err());
        assert!(names(&[], &["tydy"]).is_err());
    }
}
