//! What must be so whatever a provider of models sends: the fuzz target and `wire/tests/fuzz_answer.rs` run it. Must not know
//! who calls it.

use std::sync::LazyLock;

use pilotage_domain::advise::ladder::{InForce, judge};
use pilotage_domain::advise::{Advice, Brief, Prior};
use pilotage_domain::decide::{Request, Surface};
use pilotage_domain::definition::Definition;
use pilotage_domain::event::Position;
use pilotage_domain::id::{DecisionId, MilestoneId, SessionId, UserId};
use pilotage_domain::number::Propensity;
use pilotage_domain::policy::model::distribution;
use pilotage_domain::policy::{ArmView, Choice};
use pilotage_domain::profile::Profile;
use pilotage_domain::profile::view::View;
use pilotage_domain::rules::{self, Situation};
use pilotage_domain::time::Timestamp;
use pilotage_domain::value::Scalar;
use pilotage_wire::model::drafts::Assignment;
use pilotage_wire::model::{Answer, Dialect, Prompt};
use pilotage_wire::yaml;

const NOW: Timestamp = Timestamp::from_millis(1_795_378_500_123);

static ACME: LazyLock<Definition> = LazyLock::new(|| {
    yaml::load(include_str!("../../examples/acme.yaml")).expect("the example is valid").definition
});
static PROMPT: LazyLock<Prompt> = LazyLock::new(Prompt::newest);
static DRAFTING: LazyLock<Prompt> = LazyLock::new(Prompt::drafting);
/// A user of the trial with a project is asked about.
static BRIEF: LazyLock<Brief> = LazyLock::new(|| {
    at(&["project"], |situation| {
        Brief::of(PROMPT.id(), situation, &rules::judge(situation).situational)
    })
    .expect("two guides fit")
});

/// Reads what stands behind the first two bytes as an answer in the dialect of the first, and lets what comes of it choose for
/// a user in the state of the second.
///
/// # Panics
/// Where a promise is broken.
pub(crate) fn run(bytes: &[u8]) {
    let [dialect, state, body @ ..] = bytes else { return };
    let dialect = Dialect::ALL[usize::from(*dialect) % Dialect::ALL.len()];
    let answer = Answer { status: 200, content_type: Some("application/json"), body };
    let reply = dialect.read(&BRIEF, &answer);
    assert_eq!(reply, dialect.read(&BRIEF, &answer), "read twice, said twice");
    write(dialect, &answer);
    let proposal = match reply.proposal {
        Ok(proposal) => proposal,
        Err(refusal) => return assert!(refusal.rung().number() <= 2, "{refusal}"),
    };
    let in_force = InForce { definition: &ACME, prompt: PROMPT.id(), paused: &[], at: NOW };
    let verdict = judge(&BRIEF, &proposal, &in_force);
    assert_eq!(verdict, judge(&BRIEF, &proposal, &in_force), "judged twice, said twice");
    let Ok(advice) = verdict.advice else { return };
    for share in advice.ranked() {
        assert!(BRIEF.names().any(|name| name == share.pick.name()), "{}", share.pick);
    }
    let walk = [&[][..], &["project"], &["data", "project"], &["billing", "data", "project"]];
    choose(&advice, walk[usize::from(*state) % walk.len()]);
}

/// Whatever the advice says, only what fits this user can come up.
fn choose(advice: &Advice, reached: &[&str]) {
    at(reached, |situation| {
        let judged = rules::judge(situation);
        let arms: Vec<ArmView<'_>> = judged
            .candidates
            .iter()
            .map(|c| ArmView { guide: &c.guide().id, variant: &c.variant().id })
            .collect();
        for arm in &arms {
            let guide = ACME.guides.iter().find(|guide| guide.id == *arm.guide);
            let milestone = &ACME.milestones[guide.expect("of the catalogue").serves];
            assert!(!reached.contains(&milestone.id.as_str()), "what it serves is reached");
            let required = milestone.requires.iter().map(|ix| ACME.milestones[*ix].id.as_str());
            assert!(required.into_iter().all(|id| reached.contains(&id)), "it is locked");
        }
        let prior = Prior::new(advice, NOW, |_| true);
        let law = distribution(&arms, Some(&prior));
        let choices = (0..arms.len()).map(Choice::Arm).chain([Choice::NoGuide]);
        let parts = choices.filter_map(|choice| law.propensity(choice)).map(Propensity::parts);
        assert_eq!(parts.sum::<u64>(), Propensity::SCALE, "all of it is on what may be shown");
    });
}

/// The same bytes as what a writer has sent.
fn write(dialect: Dialect, answer: &Answer<'_>) {
    let guide = ACME.guides.iter().next().expect("it has guides");
    let assignment = Assignment { definition: &ACME, guide, wordings: 3, prompt: &DRAFTING };
    match dialect.read_drafts(&assignment, answer).wordings {
        Ok(wordings) => {
            assert!((1..=3).contains(&wordings.len()), "{wordings:?}");
            assert!(wordings.iter().all(|wording| wording.len() == assignment.locales().len()));
        }
        Err(refusal) => assert!(refusal.rung().number() <= 2, "{refusal}"),
    }
}

/// A user of the trial who has reached these milestones, given in order of their names, on any page.
fn at<T>(reached: &[&str], then: impl FnOnce(&Situation<'_>) -> T) -> T {
    let (user, session) = (UserId::new("u").expect("valid"), SessionId::new("s").expect("valid"));
    let milestone = |id: &&str| (MilestoneId::new(id).expect("valid"), NOW);
    let profile = Profile {
        applied: Position(1),
        events: 1,
        first_seen: Some(NOW),
        last_seen: Some(NOW),
        signup: Some(NOW),
        attributes: [("tier".into(), Scalar::Text("trial".into()))].into_iter().collect(),
        reached: reached.iter().map(milestone).collect(),
        ..Profile::default()
    };
    let request = Request {
        id: DecisionId::from_bits(1),
        user: &user,
        session: &session,
        at: NOW,
        surface: Surface { app_version: Some("2.1.0"), ..Surface::default() },
        paused: &[],
        pending: &[],
        kin: &pilotage_domain::kin::ALONE,
    };
    let view = View { definition: &ACME, profile: &profile, now: NOW };
    then(&Situation::new(view, &request))
}
