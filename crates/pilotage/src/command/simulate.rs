//! `pilotage simulate`: the same visitors under several ways to guide. Must write nothing but what it was asked to write.

use std::io::{IsTerminal, stderr};

use anyhow::Context;
use pilotage_sim::compare::{Compared, Method, World, compare, html, table, worlds};

use super::{Finding, say, write_page};
use crate::cli::{SimulateArgs, UsageError};
use crate::telemetry;

pub(super) fn run(args: &SimulateArgs) -> anyhow::Result<Finding> {
    telemetry::start("warn");
    let worlds = chosen(args)?;
    let compared = super::runtime()?.block_on(live(&worlds, args))?;
    if let Some(path) = &args.html {
        write_page(path, &html(&compared))?;
    }
    if args.json {
        say(&serde_json::to_string_pretty(&compared)?);
    } else {
        let tables: Vec<String> = compared.iter().map(table).collect();
        say(tables.join("\n").trim_end());
    }
    Ok(Finding::None)
}

/// The worlds that were asked for, each with its visitors; all of them where none was.
fn chosen(args: &SimulateArgs) -> anyhow::Result<Vec<World>> {
    let all = worlds();
    let unknown = args.world.iter().find(|name| all.iter().all(|world| world.name != *name));
    if let Some(name) = unknown {
        let known: Vec<&str> = all.iter().map(|world| world.name).collect();
        anyhow::bail!(UsageError(format!("there is no world `{name}`, but {}", known.join(", "))));
    }
    let asked = |world: &World| args.world.is_empty() || args.world.iter().any(|n| n == world.name);
    let peopled = |world: World| args.visitors.map_or(world, |visitors| world.peopled(visitors));
    Ok(all.into_iter().filter(asked).map(peopled).collect())
}

async fn live(worlds: &[World], args: &SimulateArgs) -> anyhow::Result<Vec<Compared>> {
    let mut all = Vec::with_capacity(worlds.len());
    for (place, world) in (1..).zip(worlds) {
        let tell = |method: Method| {
            if stderr().is_terminal() {
                let (of, name) = (worlds.len(), method.name());
                super::tell(&format!("{place}/{of} {}: {name}", world.name));
            }
        };
        let compared = compare(world, &Method::ALL, args.seed, tell).await;
        all.push(compared.with_context(|| format!("simulate world `{}`", world.name))?);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(world: &[&str]) -> SimulateArgs {
        let world = world.iter().map(|name| (*name).to_owned()).collect();
        SimulateArgs { world, visitors: Some(3), seed: 1, json: false, html: None }
    }

    #[test]
    fn worlds_are_chosen_by_name() {
        let names = |args: &SimulateArgs| {
            let worlds = chosen(args).expect("known worlds");
            assert!(worlds.iter().all(|world| world.visitors == 3));
            worlds.iter().map(|world| world.name).collect::<Vec<_>>()
        };
        assert_eq!(names(&args(&["null", "mixed"])), ["mixed", "null"]);
        assert_eq!(names(&args(&[])).len(), worlds().len());
        let error = chosen(&args(&["nowhere"])).expect_err("unknown");
        assert!(error.is::<UsageError>() && error.to_string().contains("clickbait"), "{error}");
    }
}
