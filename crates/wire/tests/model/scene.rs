//! Users in situations about which a model is asked. Must not judge what comes of it.

use std::sync::LazyLock;

use pilotage_domain::advise::{Brief, NoCall};
use pilotage_domain::decide::{Request, Surface};
use pilotage_domain::definition::Definition;
use pilotage_domain::id::{DecisionId, SessionId};
use pilotage_domain::kin::ALONE;
use pilotage_domain::profile::view::View;
use pilotage_domain::rules::{Judged, Situation, judge};
use pilotage_domain::time::Timestamp;
use pilotage_domain::value::Value;
use pilotage_wire::model::{Dialect, Prompt, Question, TokenLimit};
use pilotage_wire::yaml;

use crate::life::{Ask, Life};

pub(crate) static PROMPT: LazyLock<Prompt> = LazyLock::new(Prompt::newest);

/// One of the repository's examples: compiled, and as the plain tree.
pub(crate) fn example(name: &str) -> (Definition, Value) {
    let path = format!("{}/../../examples/{name}.yaml", env!("CARGO_MANIFEST_DIR"));
    load(&std::fs::read_to_string(path).expect("the example is part of the repository"))
}

pub(crate) fn load(text: &str) -> (Definition, Value) {
    let tree = yaml::parse(text).expect("YAML").to_value();
    (yaml::load(text).expect("a product without faults").definition, tree)
}

pub(crate) fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

/// Judges the guides for this user, who asks so now.
pub(crate) fn judged<T>(
    life: &Life<'_>,
    ask: &Ask,
    then: impl FnOnce(&Situation<'_>, Judged<'_>) -> T,
) -> T {
    let session = SessionId::new(&life.session).expect("an id");
    let at = Timestamp::from_millis(life.now);
    let request = Request {
        id: DecisionId::from_bits(1),
        user: &life.user,
        session: &session,
        at,
        surface: Surface {
            path: ask.path.as_deref(),
            app_version: ask.app_version.as_deref(),
            locale: ask.locale.as_deref(),
            components: ask.components.as_deref(),
        },
        paused: &ask.paused,
        pending: &life.pending,
        kin: &ALONE,
    };
    let view = View { definition: life.definition, profile: &life.profile, now: at };
    let situation = Situation::new(view, &request);
    then(&situation, judge(&situation))
}

/// The question about this user's situation.
pub(crate) fn asked(life: &Life<'_>, ask: &Ask) -> Result<Brief, NoCall> {
    judged(life, ask, |situation, judged| Brief::of(PROMPT.id(), situation, &judged.situational))
}

/// Users of acme between two guides: a trial user with a project; one whose import failed; one whose card was declined.
pub(crate) const SCENES: [&str; 3] = ["trial", "import_failed", "card_declined"];

pub(crate) fn life<'d>(acme: &'d Definition, scene: &str) -> Life<'d> {
    let mut life = Life::new(acme, "3f1c9a52-0000-4000-8000-000000000001");
    let hour = 3_600_000;
    let tier = vec![("tier".to_owned(), json("\"trial\""))];
    life.does("signed_up", 50 * hour, json("{}"), tier);
    life.does("form_submit", 49 * hour, json(r#"{"form":"new_project","ok":true}"#), Vec::new());
    let failing = match scene {
        "import_failed" => r#"{"form":"import","ok":false,"error":"import_failed"}"#,
        "card_declined" => r#"{"form":"billing","ok":false,"error":"card_declined"}"#,
        _ => return life,
    };
    life.does("form_submit", 2 * hour, json(failing), Vec::new());
    life.does("form_submit", hour, json(failing), Vec::new());
    life
}

pub(crate) fn ask() -> Ask {
    Ask { app_version: Some("2.1.0".to_owned()), ..Ask::default() }
}

/// The question about one of the scenes.
pub(crate) fn brief(acme: &Definition, scene: &str) -> Brief {
    asked(&life(acme, scene), &ask()).expect("a question")
}

pub(crate) fn question(brief: &Brief) -> Question<'_> {
    let limit = TokenLimit::MaxTokens;
    Question { brief, prompt: &PROMPT, model: "model-1", limit, repair: None }
}

/// What goes out for this brief, in every dialect.
pub(crate) fn requests(brief: &Brief) -> Vec<(Dialect, Vec<u8>)> {
    Dialect::ALL.into_iter().map(|d| (d, d.request(&question(brief)))).collect()
}
