//! `pilotage demo`: the sample product, guided, in one command. Must need nothing but this binary.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, bail};
use pilotage_engine::memory::SeededEntropy;
use pilotage_engine::port::clock::Clock;
use pilotage_engine::{ClockMode, Engine, Parts, ProductSource};
use pilotage_sim::{Plan, visit};

use super::serve::{bind, serve_app};
use super::{Finding, say};
use crate::cli::{DemoArgs, UsageError};
use crate::products::{self, ACME};
use crate::settings::{BackEnd, Settings, settle};
use crate::system::SystemClock;
use crate::{back_end, telemetry};

/// Over how many days before now the synthetic visitors come.
const DAYS: u32 = 14;

pub(super) fn run(args: &DemoArgs) -> anyhow::Result<Finding> {
    telemetry::start("warn");
    let mut settings = settle(&args.common, true, None)?;
    if !settings.listen.ip().is_loopback() {
        bail!(UsageError(format!("the demo serves loopback only, not {}", settings.listen.ip())));
    }
    if args.simulate.is_some() && settings.back_end != BackEnd::Embedded {
        bail!(UsageError("--simulate works on the embedded log and store".to_owned()));
    }
    let products = definitions(&settings)?;
    let folder = Folder::of(args.common.data.clone())?;
    settings.data = folder.path();
    super::runtime()?.block_on(serve(args, settings, products))
}

/// The sample product, unless others are given.
fn definitions(settings: &Settings) -> anyhow::Result<Vec<ProductSource>> {
    if !settings.products.is_empty() {
        return products::of_settings(settings);
    }
    let sample = products::load("acme.yaml", sample()).map_err(anyhow::Error::msg)?;
    Ok(vec![products::tuned(sample, settings)])
}

/// acme.yaml as the demo serves it.
fn sample() -> String {
    in_two_languages(&in_a_hurry(ACME))
}

/// acme.yaml with looser contact rules: its five minutes between two guides are right for a product and too long for
/// someone who has two minutes for a demo.
fn in_a_hurry(acme: &str) -> String {
    let looser = [
        ("  session: 2 ", "  session: 30 "),
        ("  day: 4 ", "  day: 60 "),
        ("  gap: 5m ", "  gap: 0s "),
    ];
    looser.iter().fold(acme.to_owned(), |text, (rule, loose)| text.replacen(rule, loose, 1))
}

/// What stands behind the English words of acme.yaml in German, the other language of the sample product's pages. The first guide's
/// first wording has it there already.
const GERMAN: [(&str, &str); 7] = [
    (
        "body: 'A project holds your data and reports.', cta: 'New project' }",
        "\n          de: { title: 'Kann es losgehen, {firstName|ja}?', body: 'Ein Projekt hält Daten und Berichte zusammen.', \
         cta: 'Neues Projekt' }",
    ),
    (
        "cta: 'Import' }",
        ", de: { title: 'Hol deine Daten herein', body: 'Beides geht: CSV und Postgres.', cta: 'Importieren' }",
    ),
    (
        "cta: 'See the checklist' }",
        ", de: { title: 'Importe sind manchmal heikel', body: 'Prüfe zuerst die Kopfzeile und das Datumsformat.', \
         cta: 'Zur Checkliste' }",
    ),
    (
        "cta: 'Add card' }",
        ", de: { title: 'Behalte deinen Arbeitsbereich', body: 'Hinterlege eine Karte, bevor die Testzeit endet.', \
         cta: 'Karte hinterlegen' }",
    ),
    (
        "cta: 'Try again' }",
        ", de: { title: 'Deine Karte wurde abgelehnt', body: 'Eine andere Karte oder eine Überweisung geht auch.', \
         cta: 'Noch einmal versuchen' }",
    ),
    (
        "cta: 'Open report' }",
        ", de: { title: 'Dein erster Bericht ist fertig', body: 'Sieh, was sich diese Woche geändert hat.', \
         cta: 'Bericht öffnen' }",
    ),
    (
        "cta: 'Show me' }",
        ", de: { title: 'Was sagen deine Daten?', body: 'Der erste Bericht ist einen Klick entfernt.', cta: 'Zeig ihn mir' }",
    ),
];

/// The file with German beside all of its English.
fn in_two_languages(acme: &str) -> String {
    let after = |text: String, (english, german): &(&str, &str)| {
        text.replacen(english, &format!("{english}{german}"), 1)
    };
    GERMAN.iter().fold(acme.to_owned(), after)
}

async fn serve(
    args: &DemoArgs,
    settings: Settings,
    products: Vec<ProductSource>,
) -> anyhow::Result<Finding> {
    let listener = bind(&settings).await?;
    let address = listener.local_addr()?;
    if let Some(visitors) = args.simulate {
        // The first start makes the server's secrets: they must not come from the visitors' seed.
        back_end::open(&settings, products.clone()).await?.close().await;
        simulate(&settings, &products, visitors, args.seed).await?;
    }
    let engine = back_end::open(&settings, products).await?;
    say(&format!("The sample product is open at http://{address}"));
    say("Sign up there as a new user and follow the guides. Stop with Ctrl-C.");
    if args.common.data.is_none() {
        say("The data go with it: --data FOLDER keeps them.");
    }
    let keys = pilotage_http::Keys::dev();
    serve_app(listener, engine, keys, &settings, pilotage_http::site_with_demo).await
}

/// Lets synthetic visitors use the product on the event clock, in the weeks before now.
async fn simulate(
    settings: &Settings,
    products: &[ProductSource],
    visitors: u32,
    seed: u64,
) -> anyhow::Result<()> {
    let made = back_end::embedded(settings, products.to_vec(), ClockMode::Events)?;
    let engine =
        Engine::open(Parts { entropy: Arc::new(SeededEntropy::new(seed)), ..made }).await?;
    let Some(product) = engine.products().first().cloned() else { return Ok(()) };
    let plan = Plan { visitors, seed, until: SystemClock.now(), days: DAYS };
    let visited = visit(&engine, &product, &plan).await;
    engine.close().await;
    say(&visited.context("let the synthetic visitors in")?.table());
    Ok(())
}

/// Where the demo's data goes: the folder that was asked for, or one that goes away with the demo.
enum Folder {
    Given(PathBuf),
    Passing(tempfile::TempDir),
}

impl Folder {
    fn of(given: Option<PathBuf>) -> anyhow::Result<Self> {
        match given {
            Some(path) => Ok(Self::Given(path)),
            None => Ok(Self::Passing(tempfile::tempdir().context("make a folder for the demo")?)),
        }
    }

    fn path(&self) -> PathBuf {
        match self {
            Self::Given(path) => path.clone(),
            Self::Passing(folder) => folder.path().to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use pilotage_domain::definition::Definition;

    use super::*;

    #[test]
    fn the_demo_speaks_german_wherever_it_speaks_english() {
        let plain = products::load("acme.yaml", ACME.to_owned()).expect("valid").definition;
        let demo = products::load("acme.yaml", sample()).expect("valid").definition;
        let copies = |definition: &Definition, locale: &str| -> Vec<Option<String>> {
            let variants = definition.guides.iter().flat_map(|guide| &guide.variants);
            let words = variants.map(|variant| variant.copy.get(locale));
            words.map(|copy| copy.map(|copy| format!("{copy:?}"))).collect()
        };
        assert_eq!(copies(&demo, "en"), copies(&plain, "en"));
        assert!(copies(&demo, "de").iter().all(Option::is_some), "{:?}", copies(&demo, "de"));
        assert_eq!(copies(&demo, "de")[0], copies(&plain, "de")[0]);
        assert_eq!(demo.fold_hash, plain.fold_hash);
    }

    #[test]
    fn the_demo_loosens_contact_and_nothing_else() {
        let plain = products::load("acme.yaml", ACME.to_owned()).expect("valid").definition;
        let hurried = products::load("acme.yaml", in_a_hurry(ACME)).expect("valid").definition;
        assert_eq!((hurried.contact.session, hurried.contact.day), (Some(30), Some(60)));
        assert_eq!(hurried.contact.gap.get(), 0);
        assert_eq!(hurried.contact.dismissed, plain.contact.dismissed);
        assert_eq!(hurried.fold_hash, plain.fold_hash);
        assert_eq!(hurried.holdout.get(), plain.holdout.get());
    }
}
