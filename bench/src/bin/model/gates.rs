//! What the mask and the ladder cost, in nanoseconds of one core. Must judge real things: the sample product, a brief and an
//! answer about it.

use std::hint::black_box;
use std::time::Instant;

use pilotage_domain::advise::Prior;
use pilotage_domain::advise::ladder::{InForce, judge};
use pilotage_domain::decide::{Request, Surface};
use pilotage_domain::event::Position;
use pilotage_domain::id::{DecisionId, MilestoneId, SessionId};
use pilotage_domain::kin::ALONE;
use pilotage_domain::profile::Profile;
use pilotage_domain::profile::view::View;
use pilotage_domain::rules::{self, Situation, situational};
use pilotage_domain::time::Timestamp;
use pilotage_domain::value::Scalar;
use pilotage_engine::advise::sample;
use pilotage_wire::model::{Answer, Dialect, Prompt, Question, TokenLimit};

use crate::world::{acme, answer, user};

const TIMES: u32 = 200_000;
const ROUNDS: usize = 5;
const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

pub(crate) fn run() {
    let (definition, prompt) = (acme(), Prompt::newest());
    let profile = profile();
    let (user, session) = (user(7), SessionId::new("s").expect("valid"));
    let request = Request {
        id: DecisionId::from_bits(7),
        user: &user,
        session: &session,
        at: NOW,
        surface: Surface {
            path: Some("/import"),
            app_version: Some("2.1.0"),
            ..Surface::default()
        },
        paused: &[],
        pending: &[],
        kin: &ALONE,
    };
    let view = View { definition: &definition, profile: &profile, now: NOW };
    let situation = Situation::new(view, &request);
    let brief = sample(&definition, prompt.id(), NOW).expect("acme has one").brief;
    let asked = Question {
        brief: &brief,
        prompt: &prompt,
        model: "m",
        limit: TokenLimit::MaxTokens,
        repair: None,
    };
    let raw = answer(&Dialect::OpenAi.request(&asked));
    let received =
        Answer { status: raw.status, content_type: raw.content_type.as_deref(), body: &raw.body };
    let proposal = Dialect::OpenAi.read(&brief, &received).proposal.expect("it is sound");
    let in_force = InForce { definition: &definition, prompt: prompt.id(), paused: &[], at: NOW };
    let advice = judge(&brief, &proposal, &in_force).advice.expect("it passes");
    println!(
        "acme: {} guides; ns each, least of {ROUNDS} rounds of {TIMES}",
        definition.guides.len()
    );
    told("in a decision: L4 to L8 on every guide, which is the mask", || {
        rules::judge(&situation).candidates.len()
    });
    told("in a decision: which guides fit the situation alone", || situational(&situation).len());
    told("in a decision: the advice as a prior, with its age", || {
        Prior::new(&advice, NOW, |_| true).strength()
    });
    told("when an answer arrives: L0 and L1 off the bytes", || {
        Dialect::OpenAi.read(&brief, &received).usage
    });
    told("when an answer arrives: L2, L3 and L9", || {
        judge(&brief, &proposal, &in_force).advice.is_ok()
    });
}

fn told<T>(what: &str, mut once: impl FnMut() -> T) {
    let round = |once: &mut dyn FnMut()| {
        let start = Instant::now();
        (0..TIMES).for_each(|_| once());
        start.elapsed().as_nanos() as f64 / f64::from(TIMES)
    };
    let mut judged = || {
        black_box(once());
    };
    let least = (0..ROUNDS).map(|_| round(&mut judged)).fold(f64::INFINITY, f64::min);
    println!("{least:>9.0}  {what}");
}

/// A user of the trial with a project.
fn profile() -> Profile {
    let text = |text: &str| Scalar::Text(text.into());
    Profile {
        applied: Position(1),
        events: 1,
        first_seen: Some(NOW),
        last_seen: Some(NOW),
        signup: Some(NOW),
        attributes: [("tier".into(), text("trial"))].into_iter().collect(),
        reached: vec![(MilestoneId::new("project").expect("an identifier"), NOW)],
        ..Profile::default()
    }
}
