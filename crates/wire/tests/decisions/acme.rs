//! The worked example, walked through: what each user is open to, and what stops the rest. Must not promise more than
//! product.md does.

use pilotage_domain::decide::{Decision, Gate, Group, Outcome, Reason};
use pilotage_domain::definition::Definition;
use pilotage_domain::group::group_of;
use pilotage_domain::id::UserId;
use pilotage_domain::policy::Policy;
use pilotage_domain::time::Timestamp;
use pilotage_domain::value::Value;

use crate::example;
use crate::life::{Ask, Dismisses, Life};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

fn guided(definition: &Definition) -> String {
    let names = (0..100).map(|n| format!("7b0f2c5e-0000-4000-8000-{n:012}"));
    let is_guided =
        |name: &String| group_of(definition, &UserId::new(name).expect("an id")) == Group::Guided;
    names.into_iter().find(is_guided).expect("nine of ten are guided")
}

fn text(words: &str) -> Value {
    Value::Text(words.into())
}

fn form(name: &str, ok: bool) -> Value {
    Value::Map(vec![("form".into(), text(name)), ("ok".into(), Value::Bool(ok))])
}

/// A user on trial with app 2.1.0, signed up a minute ago.
fn newcomer(definition: &Definition) -> Life<'_> {
    let mut life = Life::new(definition, &guided(definition));
    let attributes = [("tier", "trial"), ("appVersion", "2.1.0")];
    let attributes = attributes.map(|(name, value)| (name.to_owned(), text(value)));
    life.does("signed_up", MINUTE, Value::Map(Vec::new()), attributes.into());
    life
}

impl Life<'_> {
    fn submits(&mut self, name: &str, ok: bool, times: usize) -> &mut Self {
        for _ in 0..times {
            self.does("form_submit", 0, form(name, ok), Vec::new());
        }
        self
    }

    fn becomes(&mut self, attribute: &str, value: &str) -> &mut Self {
        let attributes = vec![(attribute.to_owned(), text(value))];
        self.does("page_view", 0, Value::Map(Vec::new()), attributes);
        self
    }

    fn has_begun(&mut self) -> &mut Self {
        self.submits("new_project", true, 1)
    }
}

fn open(decision: &Decision) -> Vec<&str> {
    let open = decision.trace.guides.iter().filter(|guide| guide.stopped.is_none());
    open.map(|guide| guide.id.as_str()).collect()
}

fn stop<'a>(decision: &'a Decision, id: &str) -> Option<(Gate, &'a str)> {
    let guide = decision.trace.guides.iter().find(|guide| guide.id.as_str() == id);
    let stopped = guide.expect("of the catalogue").stopped.as_ref();
    stopped.map(|(gate, near)| (*gate, &*near.fact))
}

/// Asked again and again with other draws, nothing but these is ever shown.
fn only_shows(life: &Life<'_>, expected: &[&str]) {
    for n in 0..64 {
        let mut again = Life::new(life.definition, life.user.as_str());
        again.profile = life.profile.clone();
        again.now = life.now;
        again.skip(n);
        let decision = again.asks(Policy::Random, &Ask::default());
        if let Outcome::Show { guide, .. } = &decision.outcome {
            assert!(expected.contains(&guide.id().as_str()), "{:?}", guide.id());
        }
    }
}

/// The walk, the guides that may be shown after it, and what stops another one.
type Step = (fn(&mut Life<'_>), &'static [&'static str], (&'static str, Gate, &'static str));

#[test]
fn the_walk() {
    let (definition, _) = example("acme");
    // What the user did, then the guides that are open, then one that is not and why.
    let table: [Step; 10] = [
        (|_| {}, &["create-project"], ("import-data", Gate::State, "milestone_status")),
        (
            |life| _ = life.has_begun(),
            &["import-data", "connect-billing"],
            ("create-project", Gate::State, "milestone_status"),
        ),
        (
            |life| _ = life.has_begun().becomes("tier", "free"),
            &["import-data"],
            ("connect-billing", Gate::When, "attribute"),
        ),
        (
            |life| _ = life.has_begun().becomes("appVersion", "1.3.9"),
            &["connect-billing"],
            ("import-data", Gate::Surface, "app_version"),
        ),
        (
            |life| _ = life.has_begun().submits("billing", false, 1),
            &["import-data", "connect-billing"],
            ("retry-billing", Gate::State, "milestone_status"),
        ),
        (
            |life| _ = life.has_begun().submits("billing", false, 2),
            &["import-data", "retry-billing"],
            ("connect-billing", Gate::State, "milestone_status"),
        ),
        (
            |life| _ = life.has_begun().submits("billing", false, 2).becomes("appVersion", "4.0.0"),
            &["import-data"],
            ("retry-billing", Gate::Surface, "app_version"),
        ),
        (
            |life| _ = life.has_begun().submits("billing", false, 4),
            &["import-data"],
            ("retry-billing", Gate::Never, "event_count"),
        ),
        (
            |life| _ = life.has_begun().submits("import", false, 2),
            &["import-help", "connect-billing"],
            ("import-data", Gate::State, "milestone_status"),
        ),
        (
            |life| {
                life.has_begun().does("data_imported", 0, Value::Map(Vec::new()), Vec::new());
            },
            &["connect-billing", "open-report"],
            ("import-data", Gate::State, "milestone_status"),
        ),
    ];
    for (place, (walk, expected, (id, gate, fact))) in table.into_iter().enumerate() {
        let mut life = newcomer(&definition);
        walk(&mut life);
        let decision = life.asks(Policy::Static, &Ask::default());
        assert_eq!(open(&decision), expected, "row {place}");
        assert_eq!(stop(&decision, id), Some((gate, fact)), "row {place}");
        only_shows(&life, expected);
    }
}

#[test]
fn help_ends_where_it_led_to() {
    let (definition, _) = example("acme");
    let mut life = newcomer(&definition);
    life.has_begun().submits("import", false, 2);
    let at = |path: &str| Ask { path: Some(path.to_owned()), ..Ask::default() };
    let table = [
        ("/import", None),
        ("/support", Some((Gate::Surface, "action_path"))),
        ("/support/?from=guide", Some((Gate::Surface, "action_path"))),
        ("/support/hours", None),
    ];
    for (path, expected) in table {
        let decision = life.asks(Policy::Static, &at(path));
        assert_eq!(stop(&decision, "import-help"), expected, "{path}");
        life.pending.clear();
    }
    // What points at an element leads to its own page and is in place there.
    let mut life = newcomer(&definition);
    let decision = life.asks(Policy::Static, &at("/projects"));
    assert_eq!(open(&decision), ["create-project"]);
}

#[test]
fn a_beta_tester_is_guided_as_of_the_release_to_come() {
    let (definition, _) = example("acme");
    let mut life = newcomer(&definition);
    life.has_begun().submits("billing", false, 2);
    let ask =
        |app_version: &str| Ask { app_version: Some(app_version.to_owned()), ..Ask::default() };
    assert!(open(&life.asks(Policy::Static, &ask("2.1.0-beta.1"))).contains(&"retry-billing"));
    life.pending.clear();
    assert!(!open(&life.asks(Policy::Static, &ask("4.0.0-beta.1"))).contains(&"retry-billing"));
}

#[test]
fn names_are_used_where_they_are_known() {
    let (definition, _) = example("acme");
    let mut life = newcomer(&definition);
    life.becomes("firstName", "Ann");
    let titles = |life: &Life<'_>, locale: &str| {
        let mut titles = std::collections::BTreeSet::new();
        for n in 0..64 {
            let mut again = Life::new(life.definition, life.user.as_str());
            again.profile = life.profile.clone();
            again.now = life.now;
            again.skip(n);
            let ask = Ask { locale: Some(locale.to_owned()), ..Ask::default() };
            if let Outcome::Show { guide, .. } = again.asks(Policy::Random, &ask).outcome {
                titles.insert(guide.copy().title.to_string());
            }
        }
        titles.into_iter().collect::<Vec<_>>()
    };
    assert_eq!(titles(&life, "en"), ["Ready, Ann?", "Start your first project"]);
    assert_eq!(titles(&life, "de-AT"), ["Ready, Ann?", "Starte dein erstes Projekt"]);
    life.becomes("firstName", "www.evil.example");
    assert_eq!(titles(&life, "en"), ["Start your first project"]);
}

#[test]
fn after_an_exposure_there_is_silence_for_a_while() {
    let (definition, _) = example("acme");
    let mut life = newcomer(&definition);
    life.asks(Policy::Static, &Ask::default());
    life.meets(Dismisses::Yes);
    life.now += 6 * MINUTE;
    let decision = life.asks(Policy::Static, &Ask::default());
    assert_eq!(stop(&decision, "create-project"), Some((Gate::Limits, "guide_gap")));
    assert!(matches!(decision.outcome, Outcome::Withhold { reason: Reason::NoCandidate, .. }));
    // The next milestone is another matter: no silence there, the general gap is over.
    life.has_begun();
    let decision = life.asks(Policy::Static, &Ask::default());
    assert!(
        matches!(&decision.outcome, Outcome::Show { guide, .. } if guide.id().as_str() == "import-data")
    );
    life.meets(Dismisses::No);
    life.now += MINUTE;
    let soon = life.asks(Policy::Static, &Ask::default());
    assert_eq!(stop(&soon, "connect-billing"), Some((Gate::Contact, "session_contacts")));
    assert!(matches!(soon.outcome, Outcome::Withhold { reason: Reason::Contact, .. }));
}

#[test]
fn a_block_lets_go_at_the_instant_that_is_named() {
    let (definition, _) = example("acme");
    let mut life = newcomer(&definition);
    life.has_begun().submits("billing", false, 2);
    let failed = life.now;
    let decision = life.asks(Policy::Static, &Ask::default());
    let near = decision.trace.guides.iter().find(|guide| guide.id.as_str() == "connect-billing");
    let (_, near) = near.and_then(|guide| guide.stopped.as_ref()).expect("stopped");
    assert_eq!(
        near.sentence(),
        "Milestone `billing` is blocked; the guide needs it to be open. Time alone opens this gate."
    );
    assert_eq!(near.at, Some(Timestamp::from_millis(failed + 7 * DAY + 1)));
    life.pending.clear();
    for (now, is_open) in [(failed + 7 * DAY, false), (failed + 7 * DAY + 1, true)] {
        life.now = now;
        let decision = life.asks(Policy::Static, &Ask::default());
        assert_eq!(open(&decision).contains(&"connect-billing"), is_open);
        life.pending.clear();
    }
}
