//! A replay for people: a table for the terminal, a page with pictures. Must load nothing from anywhere.

use std::fmt::Write;

use askama::Template;
use pilotage_wire::instant;

use super::told::{Change, GuideLine, Kind, Replayed};
use crate::page::{Bar, Bars, bars};

const KINDS: [(Kind, &str); 5] = [
    (Kind::Same, "the same"),
    (Kind::OtherGuide, "another guide"),
    (Kind::OtherWording, "another wording"),
    (Kind::Gained, "a guide where there was none"),
    (Kind::Lost, "no guide where there was one"),
];

/// The numbers as lines of plain text.
pub fn table(told: &Replayed) -> String {
    let mut text = format!(
        "{}, policy {}: {} decisions about {} users, {} made by this very definition\n\n",
        told.product, told.policy, told.decisions, told.users, told.same_definition
    );
    if told.users == 0 {
        text += "nothing of this product is on record here: it may be another product's, or nothing has come yet\n\n";
    }
    // Writing to memory can't fail; so below.
    for (name, count) in kinds(told) {
        let _ = writeln!(text, "{count:>9}  {name}");
    }
    if !told.because.is_empty() {
        text += "\nwhy they differ\n";
    }
    for (why, count) in &told.because {
        let _ = writeln!(text, "{count:>9}  {why}");
    }
    text += "\nguide                             recorded  replayed      kept\n";
    for GuideLine { guide, recorded, replayed, kept } in &told.guides {
        let _ = writeln!(text, "{guide:32} {recorded:>9} {replayed:>9} {kept:>9}");
    }
    text += "\nmilestone                            users\n";
    for line in &told.milestones {
        let _ = writeln!(text, "{:32} {:>9}", line.milestone.as_str(), line.users);
    }
    let users = if told.changed_users == 1 { "user has" } else { "users have" };
    let _ = writeln!(text, "\n{} {users} a decision that comes out otherwise", told.changed_users);
    for line in &told.most_changed {
        let (user, first) = (&line.user, first(&line.first));
        let _ = writeln!(text, "{user:32} {} of {}, first {first}", line.changed, line.decisions);
    }
    text
}

fn kinds(told: &Replayed) -> Vec<(&'static str, u64)> {
    let count = |kind: &Kind| told.kinds.get(kind).copied().unwrap_or(0);
    KINDS.iter().map(|(kind, name)| (*name, count(kind))).collect()
}

fn first(change: &Change) -> String {
    let Change { at, recorded, replayed, because, .. } = change;
    format!("{}: {recorded} → {replayed} ({because})", instant::format(*at))
}

#[derive(Template)]
#[template(path = "replay.html")]
struct Page<'a> {
    told: &'a Replayed,
    changed: u64,
    kinds: Vec<(&'static str, u64)>,
    guides: Bars,
    days: Bars,
    users: Vec<(&'a str, u64, u64, String)>,
}

/// A page of its own.
pub fn html(told: &Replayed) -> String {
    const PARTS: [&str; 2] = ["recorded", "replayed"];
    let bar = |name: &str, recorded: u64, replayed: u64| Bar {
        name: name.to_owned(),
        parts: vec![recorded as f64, replayed as f64],
    };
    let guides = told.guides.iter().map(|line| bar(&line.guide, line.recorded, line.replayed));
    let days = told.days.iter().map(|line| bar(&line.day, line.recorded, line.replayed));
    let users = told.most_changed.iter();
    let page = Page {
        told,
        changed: told.changed(),
        kinds: kinds(told),
        guides: bars(&PARTS, &guides.collect::<Vec<_>>()),
        days: bars(&PARTS, &days.collect::<Vec<_>>()),
        users: users.map(|u| (&*u.user, u.changed, u.decisions, first(&u.first))).collect(),
    };
    // Writing to memory can't fail, and nothing in the page does anything else.
    page.render().expect("a page is always writable")
}
