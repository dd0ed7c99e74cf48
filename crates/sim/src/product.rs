//! The sample product as its visitors find it: steps, pages, app versions. Must not ask the engine what it thinks of them.

use std::collections::BTreeMap;

use pilotage_domain::definition::{ContactRules, Definition, Intent};
use pilotage_domain::id::GuideId;
use thiserror::Error;

/// What the visitors report, beside what every product knows.
const EVENTS: [&str; 3] = ["signed_up", "data_imported", "report_viewed"];

/// A step of the journey.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    Project,
    Data,
    Billing,
    Report,
}

impl Step {
    pub(crate) const ALL: [Self; 4] = [Self::Project, Self::Data, Self::Billing, Self::Report];

    /// The milestone's identifier.
    const fn milestone(self) -> &'static str {
        match self {
            Self::Project => "project",
            Self::Data => "data",
            Self::Billing => "billing",
            Self::Report => "first_report",
        }
    }

    /// The step without which this one can't be taken.
    pub(crate) const fn needs(self) -> Option<Self> {
        match self {
            Self::Project => None,
            Self::Data | Self::Billing => Some(Self::Project),
            Self::Report => Some(Self::Data),
        }
    }

    /// Where it is taken.
    pub(crate) const fn page(self) -> Page {
        match self {
            Self::Project => Page::Projects,
            Self::Data => Page::Import,
            Self::Billing => Page::Billing,
            Self::Report => Page::Reports,
        }
    }
}

/// A version of the app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct App {
    pub(crate) major: u32,
    pub(crate) minor: u32,
}

impl App {
    pub(crate) const fn new(major: u32, minor: u32) -> Self {
        Self { major, minor }
    }

    /// As the SDK says it.
    pub(crate) fn text(self) -> String {
        format!("{}.{}.0", self.major, self.minor)
    }
}

/// A page of the app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Page {
    Projects,
    Import,
    Reports,
    Billing,
    BillingRetry,
    Support,
}

impl Page {
    const ALL: [Self; 6] = [
        Self::Projects,
        Self::Import,
        Self::Reports,
        Self::Billing,
        Self::BillingRetry,
        Self::Support,
    ];

    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::Projects => "/projects",
            Self::Import => "/import",
            Self::Reports => "/reports",
            Self::Billing => "/settings/billing",
            Self::BillingRetry => "/settings/billing/retry",
            Self::Support => "/support",
        }
    }

    /// The page of that path, where this version of the app has it.
    pub(crate) fn at(path: &str, app: App) -> Option<Self> {
        let page = Self::ALL.into_iter().find(|page| page.path() == path)?;
        let there = page != Self::BillingRetry || (2..4).contains(&app.major);
        there.then_some(page)
    }

    /// Whether an element with that selector is on the page, in this version of the app.
    pub(crate) fn has(self, anchor: &str, app: App) -> bool {
        match anchor {
            r#"[data-guide="new-project"]"# | r#"[data-guide="reports"]"# => self == Self::Projects,
            r#"[data-guide="import"]"# => self == Self::Import && app >= App::new(1, 4),
            r#"[data-guide="billing"]"# => self == Self::Billing,
            _ => false,
        }
    }

    /// Whether the step can be taken here.
    pub(crate) fn serves(self, step: Step) -> bool {
        self == step.page() || (self == Self::BillingRetry && step == Step::Billing)
    }
}

/// What a guide is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Purpose {
    pub(crate) step: Step,
    /// It offers a way out, and is for nobody whose way is free.
    pub(crate) way_out: bool,
}

/// What the file says, read without the engine.
#[derive(Debug)]
pub(crate) struct Sample {
    pub(crate) definition: Definition,
    pub(crate) purposes: BTreeMap<GuideId, Purpose>,
    pub(crate) contact: ContactRules,
}

/// The visitors only know the sample product, and this is another.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the simulated visitors know the sample product only, and this one differs: {}", .0.join("; "))]
pub struct NotTheSample(
    /// Every difference that matters to them.
    pub Vec<String>,
);

impl Sample {
    /// Reads the definition as the visitors understand it.
    pub(crate) fn of(definition: Definition) -> Result<Self, NotTheSample> {
        let mut faults = Vec::new();
        for name in EVENTS {
            if definition.events.find(|event| &*event.name == name).is_none() {
                faults.push(format!("it has no event `{name}`"));
            }
        }
        let known = |id: &str| Step::ALL.into_iter().find(|step| step.milestone() == id);
        for step in Step::ALL.map(Step::milestone) {
            if definition.milestones.find(|milestone| milestone.id.as_str() == step).is_none() {
                faults.push(format!("it has no milestone `{step}`"));
            }
        }
        let mut purposes = BTreeMap::new();
        for guide in definition.guides.iter() {
            let milestone = definition.milestones[guide.serves].id.as_str();
            let way_out = guide.intent == Intent::Unblock;
            match known(milestone) {
                Some(step) => drop(purposes.insert(guide.id.clone(), Purpose { step, way_out })),
                None => faults.push(format!("guide `{}` serves milestone `{milestone}`", guide.id)),
            }
        }
        let contact = definition.contact;
        if faults.is_empty() {
            Ok(Self { definition, purposes, contact })
        } else {
            Err(NotTheSample(faults))
        }
    }
}
