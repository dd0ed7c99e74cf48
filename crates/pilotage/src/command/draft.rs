//! `pilotage draft`: wordings that a model proposes for a guide, as a patch of the product file. Must not write the product
//! file, and must let nothing into the patch that the rules of copy refuse.

use std::fs;
use std::path::Path;

use anyhow::{Context, bail};
use pilotage_domain::advise::budget::Caps;
use pilotage_domain::advise::price::PriceTable;
use pilotage_domain::advise::{MicroUsd, Rung};
use pilotage_domain::definition::fault::{Fault, FaultCode};
use pilotage_domain::definition::{Definition, Guide};
use pilotage_engine::advise::{Desk, Drafted, Provider, draft_once};
use pilotage_engine::memory::MemoryGovernor;
use pilotage_wire::model::Prompt;
use pilotage_wire::model::drafts::{Assignment, Wording};
use pilotage_wire::yaml::{self, NewVariant};

use super::{Finding, say, tell};
use crate::cli::{CommonArgs, DraftArgs, UsageError};
use crate::settings::{Settings, settle};
use crate::system::{SystemClock, SystemEntropy};
use crate::{model, products, telemetry};

/// More than any one answer costs.
const CAP: MicroUsd = MicroUsd::dollars(1);

pub(super) fn run(args: &DraftArgs) -> anyhow::Result<Finding> {
    telemetry::start("warn");
    let common = CommonArgs {
        product: args.product.iter().cloned().collect(),
        config: args.config.clone(),
        ..CommonArgs::default()
    };
    let settings = settle(&common, false, None)?;
    let providers = writers(&settings)?;
    let Some(file) = settings.products.first() else {
        bail!(UsageError("draft needs a product: --product FILE".to_owned()));
    };
    let source = products::load_all(&[file])?.swap_remove(0);
    let guide = guide(&source.definition, &args.guide)?;
    let prompt = Prompt::drafting();
    let wordings = usize::from(args.count);
    let assignment =
        Assignment { definition: &source.definition, guide, wordings, prompt: &prompt };
    let drafted = super::runtime()?.block_on(ask(&providers, &assignment));
    tell_calls(&drafted);
    let Some((author, wordings)) = drafted.wordings else { return Ok(Finding::Some) };
    let model = providers.iter().find(|p| p.id == author).map_or("", |p| &*p.model);
    let note =
        format!("Drafted by {}, {}: not shown while it is a draft.", plain(model), prompt.id());
    let desk = Patching { text: &source.text, guide, note };
    let patched = desk.add(wordings)?;
    let diff = yaml::diff(&name_in_patch(file), &source.text, &patched);
    match &args.out {
        _ if diff.is_empty() => {}
        Some(out) => {
            fs::write(out, diff).with_context(|| format!("write {}", out.display()))?;
        }
        None => say(diff.trim_end_matches('\n')),
    }
    Ok(if patched == source.text { Finding::Some } else { Finding::None })
}

/// The models of the settings that can write.
fn writers(settings: &Settings) -> anyhow::Result<Vec<Provider>> {
    let Some(asked) = &settings.model else {
        bail!(UsageError("draft needs a model: PILOTAGE_MODEL_PROVIDER".to_owned()));
    };
    let all = model::providers(asked)?;
    let (writers, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|p| p.dialect.writes());
    if writers.is_empty() {
        let names: Vec<&str> = others.iter().map(|provider| provider.dialect.name()).collect();
        let names = names.join(", ");
        bail!(UsageError(format!("draft needs a model that writes: {names} can only choose")));
    }
    Ok(writers)
}

fn guide<'d>(definition: &'d Definition, id: &str) -> anyhow::Result<&'d Guide> {
    let found = definition.guides.iter().find(|guide| guide.id.as_str() == id);
    let known = || definition.guides.iter().map(|guide| guide.id.as_str()).collect::<Vec<_>>();
    found.ok_or_else(|| {
        let known = known().join(", ");
        UsageError(format!("--guide: {} has no guide `{id}`; it has {known}", definition.product))
            .into()
    })
}

async fn ask(providers: &[Provider], assignment: &Assignment<'_>) -> Drafted {
    let governor = MemoryGovernor::new(Caps { month: CAP, ..Caps::default() });
    let prices = PriceTable::built_in();
    let desk = Desk {
        providers,
        prices: &prices,
        governor: &governor,
        clock: &SystemClock,
        entropy: &SystemEntropy,
    };
    draft_once(&desk, assignment).await
}

/// What is said beside the patch.
fn tell_calls(drafted: &Drafted) {
    for (id, barred) in &drafted.barred {
        tell(&format!("not called {id}: {}", super::model::why(barred)));
    }
    for (id, refusal) in &drafted.refused {
        tell(&format!("refused    {id}: {refusal}"));
    }
    tell(&format!("cost       {}", drafted.cost));
}

/// A product file that gets drafts.
struct Patching<'a> {
    text: &'a str,
    guide: &'a Guide,
    note: String,
}

impl Patching<'_> {
    /// The text with every wording that breaks no rule; says of each what became of it.
    fn add(&self, wordings: Vec<Wording>) -> anyhow::Result<String> {
        let mut kept: Vec<NewVariant> = Vec::new();
        for wording in wordings {
            let draft = NewVariant { id: self.free_id(&kept), note: self.note.clone(), wording };
            let title = draft.wording.first().map_or("", |(_, words)| &*words.title);
            let title = plain(title);
            if kept.iter().any(|known| known.wording == draft.wording) {
                tell(&format!("refused    \"{title}\": it is there twice"));
                continue;
            }
            match self.faults(&draft)? {
                faults if faults.is_empty() => {
                    tell(&format!("drafted    {}: \"{title}\"", draft.id));
                    kept.push(draft);
                }
                faults => faults.iter().for_each(|fault| tell(&refused(&title, fault))),
            }
        }
        if kept.is_empty() {
            return Ok(self.text.to_owned());
        }
        let patched = yaml::with_drafts(self.text, self.guide.id.as_str(), &kept)?;
        // Each is good alone; that all of them load together is what a person relies on.
        match yaml::load(&patched) {
            Ok(_) => Ok(patched),
            Err(faults) => {
                bail!(yaml::render("the patched file", &patched, &faults, yaml::Colour::Plain))
            }
        }
    }

    /// What the checker finds in the file once this draft is in it: L7 and L8 for what is certain of every reader. The file
    /// alone has no fault.
    fn faults(&self, draft: &NewVariant) -> anyhow::Result<Vec<Fault>> {
        let one = std::slice::from_ref(draft);
        let patched = yaml::with_drafts(self.text, self.guide.id.as_str(), one)?;
        Ok(yaml::load(&patched).err().unwrap_or_default())
    }

    /// A name that neither the guide nor another draft has.
    fn free_id(&self, kept: &[NewVariant]) -> String {
        let is_taken = |id: &String| {
            self.guide.variants.iter().any(|variant| variant.id.as_str() == id)
                || kept.iter().any(|draft| draft.id == *id)
        };
        let mut names = (1_u32..).map(|number| format!("draft-{number}"));
        names.find(|id| !is_taken(id)).unwrap_or_default()
    }
}

fn refused(title: &str, fault: &Fault) -> String {
    format!("refused    \"{title}\": {}: {}: {}", rung(fault.code), fault.code, fault.message)
}

/// The rung of the ladder that a fault of copy belongs to.
const fn rung(code: FaultCode) -> Rung {
    match code {
        FaultCode::TextTooLong
        | FaultCode::TextForbidden
        | FaultCode::TextUrl
        | FaultCode::TextMarkup
        | FaultCode::TextBidi
        | FaultCode::TextInvisible
        | FaultCode::TextControl
        | FaultCode::Empty => Rung::Text,
        _ => Rung::Copy,
    }
}

/// Words of a stranger on one line of a terminal: no character that it would obey.
fn plain(text: &str) -> String {
    use pilotage_domain::definition::node::invisible;
    let shown = |c: char| if c.is_control() || invisible(c) { '\u{fffd}' } else { c };
    text.chars().take(60).map(shown).collect()
}

/// The file as `git apply` and `patch -p1` name it: from where the command was called, or by its name alone.
fn name_in_patch(file: &Path) -> String {
    let name = if file.is_absolute() { file.file_name().map(Path::new) } else { None };
    let name = name.unwrap_or(file).display().to_string();
    name.trim_start_matches("./").to_owned()
}
