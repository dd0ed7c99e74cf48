//! A brief in words, for models that read text. Must not say anything but what is in the brief.

use pilotage_domain::advise::{Brief, Rung};

/// What the option of no guide is for.
pub(super) const NO_GUIDE_ABOUT: &str = "Show nothing now.";

/// The options in order: names, and what each is for.
pub(super) fn options(brief: &Brief) -> impl Iterator<Item = (&str, &str)> {
    let abouts = brief.options().iter().map(|option| &*option.about).chain([NO_GUIDE_ABOUT]);
    brief.names().zip(abouts)
}

/// The options, each behind its mark, then the situation, then what to answer.
pub(super) fn question(
    brief: &Brief,
    mark: impl Fn(usize) -> String,
    ending: &str,
    repair: Option<Rung>,
) -> String {
    let mut text = String::from("Guides:\n");
    for (place, (name, about)) in options(brief).enumerate() {
        text.push_str(&format!("{} {name}: {about}\n", mark(place)));
    }
    text.push_str(&format!("\nSituation:\n{}\n\n{ending}", brief.situation()));
    if let Some(rung) = repair {
        text.push_str(&format!(
            "\nYour last answer was refused ({}). Answer in exactly this form.",
            rung.code()
        ));
    }
    text
}
