//! The gates, one function each: `None` where the guide passes, else the nearest fact that would let it. Must not know
//! of each other: their order is the caller's.

use semver::VersionReq;

use super::situation::{AppVersion, Situation};
use super::text::Part;
use super::{Rendered, Words, copy, fact, near, nearest, opening, path, text, version};
use crate::decide::{Gate, Near};
use crate::definition::condition::Status;
use crate::definition::{Component, Copy, Guide, Intent, Lifecycle, TextRules, Variant};

/// The component as a definition names it.
pub(super) const fn component_name(component: Component) -> &'static str {
    match component {
        Component::Tooltip => "tooltip",
        Component::Modal => "modal",
        Component::Banner => "banner",
        Component::Hotspot => "hotspot",
        Component::Checklist => "checklist",
        Component::Headless => "headless",
    }
}

/// Who is merged into another is shown nothing: the other is.
pub(super) fn merged(s: &Situation<'_>) -> Option<Near> {
    s.merged.then(|| near::words(fact::MERGED, "", "nobody but itself", "merged into another"))
}

/// The state rule: a way out is for blocked milestones alone, everything else for open ones.
pub(super) fn state(s: &Situation<'_>, guide: &Guide) -> Option<Near> {
    let needed = match guide.intent {
        Intent::Unblock => Status::Blocked,
        Intent::Activate | Intent::Educate => Status::Open,
    };
    let actual = s.status(guide.serves);
    // Locked and reached are facts: time alone never undoes them.
    let turns = matches!(actual, Status::Open | Status::Blocked);
    (actual != needed).then(|| Near {
        at: turns.then(|| opening::status_opens(s.view, guide.serves, needed)).flatten(),
        ..nearest::status(s.view, guide.serves, near::status_name(needed), actual)
    })
}

/// `when` must hold.
pub(super) fn when(s: &Situation<'_>, guide: &Guide) -> Option<Near> {
    let condition = guide.when.as_ref()?;
    (!s.view.holds(condition)).then(|| nearest::fact(s.view, condition, nearest::Want::True))
}

/// `never` must not hold.
pub(super) fn never(s: &Situation<'_>, guide: &Guide) -> Option<Near> {
    let condition = guide.never.as_ref()?;
    s.view.holds(condition).then(|| nearest::fact(s.view, condition, nearest::Want::False))
}

/// Live, not paused, not expired, with a live wording.
pub(super) fn lifecycle(s: &Situation<'_>, guide: &Guide) -> Option<Near> {
    let found = |fact, needed, actual| Some(near::words(fact, guide.id.as_str(), needed, actual));
    match guide.lifecycle {
        Lifecycle::Draft => return found(fact::LIFECYCLE, "live", "a draft"),
        Lifecycle::Retired => return found(fact::LIFECYCLE, "live", "retired"),
        Lifecycle::Live => {}
    }
    if s.paused.contains(&guide.id) {
        return found(fact::PAUSED, "resumed", "paused");
    }
    if guide.expires.is_some_and(|end| s.view.now >= end) {
        return found(fact::EXPIRED, "in its time", "expired");
    }
    if live(guide).next().is_none() {
        return found(fact::VARIANTS, "live in at least one wording", "live in none");
    }
    None
}

/// The guide's wordings that are in use, in file order.
pub(super) fn live(guide: &Guide) -> impl Iterator<Item = &Variant> {
    guide.variants.iter().filter(|variant| variant.lifecycle == Lifecycle::Live)
}

/// The caller can draw the component, the app has the places, the page is the target's, and there is something to lead to.
pub(super) fn surface(s: &Situation<'_>, guide: &Guide) -> Option<Near> {
    component(s, guide)
        .or_else(|| app_version(s, guide))
        .or_else(|| page(s, guide))
        .or_else(|| elsewhere(s, guide))
}

fn component(s: &Situation<'_>, guide: &Guide) -> Option<Near> {
    let name = component_name(guide.component);
    let drawable = s.components.is_none_or(|known| known.iter().any(|known| known == name));
    let (needed, actual) = ("one that the caller can draw", "unknown to it");
    (!drawable).then(|| near::words(fact::COMPONENT, name, needed, actual))
}

/// The user's app has the target, its route and the action's route. What has a range needs a version that can be read.
pub(super) fn app_version(s: &Situation<'_>, guide: &Guide) -> Option<Near> {
    let definition = s.view.definition;
    let target = &definition.targets[guide.target];
    let routes = [target.route, guide.action].into_iter().flatten();
    let ranges = routes.map(|ix| &definition.routes[ix]).map(|r| (r.id.as_str(), r.app.as_ref()));
    std::iter::once((target.id.as_str(), target.app.as_ref()))
        .chain(ranges)
        .find_map(|(id, range)| range.and_then(|range| outside(&s.app_version, id, range)))
}

fn outside(version: &AppVersion, place: &str, range: &VersionReq) -> Option<Near> {
    if version.known().is_some_and(|version| version::matches(range, version)) {
        return None;
    }
    let actual = match version {
        AppVersion::Unknown => "unknown".to_owned(),
        AppVersion::Unreadable => "not a version".to_owned(),
        AppVersion::Known(v) => format!("{}.{}.{}", v.major, v.minor, v.patch),
    };
    Some(near::words(fact::APP_VERSION, place, range.to_string(), actual))
}

/// The path itself is the user's and may name them: it is not repeated.
fn page(s: &Situation<'_>, guide: &Guide) -> Option<Near> {
    let definition = s.view.definition;
    let (route, path) = definition.targets[guide.target].route.zip(s.path)?;
    let route = &definition.routes[route];
    (!path::matches(&route.path, path))
        .then(|| near::words(fact::PATH, route.id.as_str(), route.path.to_string(), "another page"))
}

/// A guide that points at nothing and leads to the page that the user is on has nothing to say there. Where the target
/// names that very page, it was put there on purpose.
fn elsewhere(s: &Situation<'_>, guide: &Guide) -> Option<Near> {
    let definition = s.view.definition;
    let target = &definition.targets[guide.target];
    let (action, path) = guide.action.map(|ix| &definition.routes[ix]).zip(s.path)?;
    let on_purpose = target.route.is_some_and(|ix| definition.routes[ix].path == action.path);
    let pointless = target.anchor.is_none() && !on_purpose && path::matches(&action.path, path);
    pointless.then(|| near::words(fact::ACTION_PATH, action.id.as_str(), "another", "that one"))
}

/// The variant's words for this user: the gates `copy` and `text`. Words without slots are the definition's own, judged
/// by the same text rules when it was checked.
pub(super) fn words<'a>(
    s: &Situation<'a>,
    variant: &'a Variant,
) -> Result<Words<'a>, (Gate, Near)> {
    let definition = s.view.definition;
    let chosen = copy::in_locale(variant, s.locale, &definition.default_locale);
    let Some((tag, copy)) = chosen else {
        let near = near::words(fact::COPY_SLOT, "locale", "one that the wording has", "another");
        return Err((Gate::Copy, near));
    };
    if copy::is_fixed(copy) {
        return Ok(Words::Fixed(tag, copy));
    }
    let rendered = copy::render((tag, copy), |attribute| s.view.attribute(attribute));
    let rendered = rendered.map_err(|attribute| {
        let name = &definition.attributes[attribute].name;
        (Gate::Copy, near::words(fact::COPY_SLOT, name, "set", "not set"))
    })?;
    match unfit(&definition.text, copy, &rendered) {
        Some(near) => Err((Gate::Text, near)),
        None => Ok(Words::Filled(rendered)),
    }
}

fn unfit(rules: &TextRules, copy: &Copy, rendered: &Rendered) -> Option<Near> {
    let parts = [
        (Part::Title, Some((&copy.title, &rendered.title))),
        (Part::Body, copy.body.as_ref().zip(rendered.body.as_ref())),
        (Part::Cta, copy.cta.as_ref().zip(rendered.cta.as_ref())),
    ];
    parts.into_iter().find_map(|(part, words)| {
        let (_, text) = words.filter(|(template, _)| !copy::has_no_slot(template))?;
        let fault = text::faults(rules, part, text).into_iter().next()?;
        Some(near::needs(fact::TEXT_RULE, part.name(), fault.to_string()))
    })
}

/// Shows and gap of the guide.
pub(super) fn limits(s: &Situation<'_>, guide: &Guide) -> Option<Near> {
    s.charges.limits(guide).err().map(|stop| near::limit(stop, guide.id.as_str()))
}

/// Session, day, gap and silence after a dismissal.
pub(super) fn contact(s: &Situation<'_>, guide: &Guide) -> Option<Near> {
    let definition = s.view.definition;
    let milestone = &definition.milestones[guide.serves].id;
    let charged = s.charges.contact(&definition.contact, s.session, milestone);
    charged.err().map(|stop| near::limit(stop, milestone.as_str()))
}
