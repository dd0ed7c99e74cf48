//! What is believed, and chosen, from lessons made up to tell one thing each.

use super::*;
use crate::id::DecisionId;
use crate::learn::cross::{Crossing, Span};
use crate::learn::fixture::{
    START, WINDOWS, arm, chances, exposure, frame, hours, learner, milestone, settings, silence,
    situation, success,
};
use crate::learn::guard;
use crate::learn::learner::Frame;
use crate::learn::lesson::{Goal, Lesson};
use crate::learn::track::{Credit, Touch, Track};
use crate::number::{Probability, Propensity};
use crate::policy::Choice;
use crate::time::Millis;

/// So many exposures of each of three arms in hour `hour`, of which these were clicked and led to activation.
fn rounds(count: usize, rates: [(f64, f64); 3], hour: u64) -> Vec<Lesson> {
    let mut lessons = Vec::new();
    for (of, (click, goal)) in rates.into_iter().enumerate() {
        for n in 0..count {
            let share = n as f64 / count as f64;
            let at = hours(hour) + Millis::minutes(n as u64 % 50);
            lessons.push(match share {
                s if s < click * goal => success(of, at),
                s if s < click => Lesson { click: Some(Millis::ZERO), ..exposure(of, at) },
                _ => exposure(of, at),
            });
        }
    }
    let quiet = |n: usize| Lesson {
        goal: if n.is_multiple_of(50) { Goal::Reached(Millis::hours(9)) } else { Goal::Open },
        ..silence(hours(hour) + Millis::minutes(n as u64 % 50))
    };
    lessons.extend((0..count).map(quiet));
    lessons
}

fn shares(lessons: &[Lesson]) -> Vec<f64> {
    let at = START + Millis::days(30);
    let posterior = Posterior::new(&learner(lessons), &settings(), at);
    chances(&posterior, &situation(&[]), &[arm(0), arm(1), arm(2)])
}

#[test]
fn clicks_alone_win_nothing() {
    // The first arm wins twice the clicks and loses the activations.
    let shares = shares(&rounds(2_000, [(0.4, 0.02), (0.2, 0.4), (0.2, 0.1)], 24 * 20));
    assert!(shares[1] > 0.9, "{shares:?}");
    assert!(shares[0] < 0.02, "{shares:?}");
}

#[test]
fn a_shock_that_all_share_moves_no_contrast() {
    // Arm 1 is shown on the day when everybody is activated more often, arm 0 the day before; they are alike. An arm that is
    // shown on both days, and silence, tell what is the day's.
    let day = |rate: f64, of: usize, hour: u64| {
        let mut rates = [(0.0, 0.0); 3];
        rates[of] = (0.3, rate);
        rates[2] = (0.3, rate);
        let lessons = rounds(1_000, rates, hour).into_iter();
        let shown = move |lesson: &Lesson| [Some(arm(of)), Some(arm(2))].contains(&lesson.arm);
        lessons.filter(shown).collect::<Vec<_>>()
    };
    let now = 24 * 30;
    let both = [day(0.2, 0, now - 49), day(0.5, 1, now - 25)].concat();
    let posterior = Posterior::new(&learner(&both), &settings(), hours(now));
    let none = Features::default();
    let arms = [arm(0), arm(1), arm(2)];
    let eligible: Vec<Eligible<'_>> = arms
        .iter()
        .map(|arm| Eligible { arm: arm.view(), milestone: None, features: &none })
        .collect();
    let (standings, _) = posterior.weigh(&situation(&[]), &eligible);
    let plain = (0.5 - 0.2) * 0.3;
    let contrast = standings[1].mean - standings[0].mean;
    assert!(contrast.abs() < 0.2 * plain, "{contrast} of {plain}: {standings:?}");
}

#[test]
fn a_new_arm_starts_where_its_features_say_and_moves_off_as_exposures_come() {
    let looks = |place: u16| Features::indicators([place]);
    let at = hours(24 * 20);
    let seen = |of: usize, place: u16, lesson: Lesson| Lesson {
        features: lesson.features.join(&looks(place)),
        arm: Some(arm(of)),
        ..lesson
    };
    // Arms that look like 5 do well, arms that look like 6 don't.
    let mut lessons = Vec::new();
    for n in 0..900 {
        let good = if n % 3 == 0 { success(0, at) } else { exposure(0, at) };
        lessons.push(seen(n % 3, 5, good));
        lessons.push(seen(3 + n % 3, 6, exposure(0, at)));
    }
    let ahead = |lessons: &[Lesson]| {
        let posterior = Posterior::new(&learner(lessons), &settings(), START + Millis::days(30));
        let (one, two, good, bad) = (arm(8), arm(9), looks(5), looks(6));
        let eligible = [(&one, &good), (&two, &bad)].map(|(arm, features)| Eligible {
            arm: arm.view(),
            milestone: None,
            features,
        });
        let (standings, _) = posterior.weigh(&situation(&[]), &eligible);
        standings[0].mean - standings[1].mean
    };
    assert!(ahead(&lessons) > 0.1, "{}", ahead(&lessons));
    // The one that looks good fails, the other one does well.
    for n in 0..600 {
        lessons.push(seen(8, 5, exposure(0, at)));
        lessons.push(seen(9, 6, if n % 3 == 0 { success(0, at) } else { exposure(0, at) }));
    }
    assert!(ahead(&lessons) < -0.1, "{}", ahead(&lessons));
}

#[test]
fn what_one_kind_of_guide_does_for_one_kind_of_user_is_told_of_the_next_guide() {
    // Situations 2 and 3, looks 5 and 6: 5 helps in 2 and 6 in 3, in all guides so far.
    let (context, arms) = (Span { from: 2, to: 4 }, Span { from: 5, to: 7 });
    let space = frame().space.with_crossings(vec![Crossing { context, arms }]);
    let ahead = |frame: Frame| {
        let mut learner = Learner::new(frame);
        learner.advance(START + Millis::days(30));
        for n in 0..1_200u16 {
            let (kind, look) = (2 + n % 2, 5 + n / 2 % 2);
            let (of, at) = (usize::from(n / 12) % 12, START + Millis::days(20));
            let helps = look - kind == 3 && n % 3 == 0;
            let lesson = if helps { success(of, at) } else { exposure(of, at) };
            let features = situation(&[kind]).join(&Features::indicators([look]));
            learner.learn(&Lesson { features, ..lesson });
        }
        let posterior = Posterior::new(&learner, &settings(), START + Millis::days(30));
        let (one, two) = (arm(20), arm(21));
        let looks = [5, 6].map(|look| Features::indicators([look]));
        let eligible = [(&one, &looks[0]), (&two, &looks[1])].map(|(arm, features)| Eligible {
            arm: arm.view(),
            milestone: None,
            features,
        });
        [2, 3].map(|kind| {
            let (standings, _) = posterior.weigh(&situation(&[kind]), &eligible);
            standings[0].mean - standings[1].mean
        })
    };
    let [in_two, in_three] = ahead(Frame::new(space, WINDOWS));
    assert!(in_two > 0.05 && in_three < -0.05, "{in_two} {in_three}");
    let [in_two, in_three] = ahead(frame());
    assert!((in_two - in_three).abs() < 1e-9, "no pair, no difference: {in_two} {in_three}");
}

#[test]
fn a_sleeper_keeps_what_it_has() {
    let lessons = rounds(500, [(0.3, 0.3), (0.2, 0.2), (0.2, 0.3)], 24 * 20);
    let others: Vec<Lesson> = rounds(500, [(0.0, 0.0), (0.3, 0.2), (0.2, 0.3)], 24 * 25)
        .into_iter()
        .filter(|lesson| lesson.arm != Some(arm(0)))
        .collect();
    let (before, mut asleep) = (learner(&lessons), learner(&lessons));
    others.iter().for_each(|lesson| asleep.learn(lesson));
    assert_eq!(before.arms.get(&arm(0)), asleep.arms.get(&arm(0)));
    let own = |learner: &Learner| {
        let cells = learner.stages[0].slots.values();
        cells.filter_map(|cell| cell.own.get(&Key::Arm(arm(0))).cloned()).collect::<Vec<_>>()
    };
    assert_eq!(own(&before), own(&asleep));
    // Without it the law closes; with it again, the very same law as if it had never been away.
    let posterior = Posterior::new(&asleep, &settings(), START + Millis::days(30));
    let law = chances(&posterior, &situation(&[]), &[arm(0), arm(1)]);
    assert_eq!(chances(&posterior, &situation(&[]), &[arm(1)]).len(), 2);
    assert_eq!(chances(&posterior, &situation(&[]), &[arm(0), arm(1)]), law);
}

#[test]
fn advice_leads_until_rewards_speak_against_it() {
    let space = frame().space;
    let advised = Features::new([(space.advice(), 1.0)]);
    let none = Features::default();
    let led = |learner: &Learner| {
        let posterior = Posterior::new(learner, &settings(), START + Millis::days(30));
        let (one, two) = (arm(0), arm(1));
        let eligible = [
            Eligible { arm: one.view(), milestone: None, features: &advised },
            Eligible { arm: two.view(), milestone: None, features: &none },
        ];
        let (standings, _) = posterior.weigh(&situation(&[]), &eligible);
        standings[0].mean - standings[1].mean
    };
    assert!(led(&learner(&[])) > 0.01, "{}", led(&learner(&[])));
    // In another situation advice was followed, and what was advised did worse.
    let at = START + Millis::days(20);
    let there = situation(&[3]);
    let mut lessons = Vec::new();
    for n in 0..600 {
        let wrong = exposure(2, at);
        lessons.push(Lesson { features: there.join(&advised), ..wrong });
        let right = if n % 3 == 0 { success(3, at) } else { exposure(3, at) };
        lessons.push(Lesson { features: there.clone(), ..right });
    }
    let left = led(&learner(&lessons));
    assert!(left.abs() < 1e-6, "dropped, and nobody has seen the two arms: {left}");
}

#[test]
fn a_milestone_on_the_way_helps_where_activation_is_rare() {
    // Two arms, each clicked a hundred times. After one of them the milestone is reached twice as often. Nobody is
    // activated yet by either; users who reach the milestone otherwise are.
    let project = || Some(milestone("project"));
    let now = hours(24 * 30);
    let early = hours(24 * 15);
    let mut lessons = Vec::new();
    for n in 0..400 {
        let goal = if n % 4 == 0 { Goal::Reached(Millis::hours(30)) } else { Goal::Open };
        let reached = Lesson {
            milestone: project(),
            step: (n % 2 == 0).then_some(Millis::hours(1)),
            goal,
            activation: goal,
            ..exposure(5, early)
        };
        lessons.push(reached);
    }
    for (of, share) in [(0, 2), (1, 4)] {
        for n in 0..100 {
            let step = (n % share == 0).then_some(Millis::hours(1));
            let click = Some(Millis::ZERO);
            lessons.push(Lesson {
                milestone: project(),
                step,
                click,
                ..exposure(of, now - Millis::hours(20))
            });
        }
    }
    let posterior = Posterior::new(&learner(&lessons), &settings(), now);
    let (none, served) = (Features::default(), milestone("project"));
    let ahead = |milestone| {
        let (one, two) = (arm(0), arm(1));
        let eligible =
            [&one, &two].map(|arm| Eligible { arm: arm.view(), milestone, features: &none });
        let (standings, _) = posterior.weigh(&situation(&[]), &eligible);
        standings[0].mean - standings[1].mean
    };
    assert!(ahead(Some(&served)) > 0.02, "{}", ahead(Some(&served)));
    assert!(ahead(None).abs() < 0.01, "{}", ahead(None));
}

/// A user who is shown that wording of a first step, takes it or not, is led on from there, and activated or not.
fn journey(n: u64, first: usize, takes: bool, activated: bool) -> Vec<Lesson> {
    let at = hours(24 * 20) + Millis::minutes(n % 50);
    let touch = |of: usize, serves: Option<&str>, at| Touch {
        arm: Some(arm(of)),
        milestone: serves.map(milestone),
        features: situation(&[]),
        propensity: Propensity::from_parts(Propensity::SCALE / 4).expect("a propensity"),
        number: 0,
        at,
        shown: Some(at),
        clicked: Some(at),
        dismissed: None,
    };
    let mut track = Track::default();
    track.drawn(DecisionId::from_bits(1), touch(first, Some("project"), at));
    if takes {
        track.reach(milestone("project"), at + Millis::hours(1));
        track.drawn(DecisionId::from_bits(2), touch(2, None, at + Millis::hours(2)));
    }
    if activated {
        track.activate(at + Millis::hours(3));
    }
    track.lessons(&WINDOWS, Credit::Last)
}

#[test]
fn the_first_step_of_a_way_is_learnt_though_another_guide_comes_last() {
    // After wording 0 two thirds take the step, after wording 1 a third; half of those are activated, always after a later guide.
    let user = |n: u64, first: usize| {
        let takes = n % 6 < if first == 0 { 4 } else { 2 };
        journey(n, first, takes, takes && n.is_multiple_of(2))
    };
    let lessons: Vec<Lesson> = (0..300).flat_map(|n| [user(n, 0), user(n, 1)].concat()).collect();
    let posterior = Posterior::new(&learner(&lessons), &settings(), START + Millis::days(30));
    let (none, served, both) = (Features::default(), milestone("project"), [arm(0), arm(1)]);
    let eligible = both.each_ref().map(|arm| Eligible {
        arm: arm.view(),
        milestone: Some(&served),
        features: &none,
    });
    let (standings, _) = posterior.weigh(&situation(&[]), &eligible);
    let means = [standings[0].mean, standings[1].mean];
    // A third and a sixth, and shrunken: rows that are ten days old have lost two fifths of their weight.
    assert!(means[0] > 0.22 && means[1] < 0.17, "{means:?}");
    assert!((means[0] / means[1] - 2.0).abs() < 0.2, "{means:?}");
}

#[test]
fn an_arm_that_is_proven_to_annoy_is_not_drawn() {
    let annoying = |n: u64| Lesson { dismissed: n % 10 < 7, ..success(0, hours(24 * 20)) };
    let lessons: Vec<Lesson> =
        (0..200).map(annoying).chain((0..200).map(|_| exposure(1, hours(24 * 20)))).collect();
    let limit = Probability::new(0.4);
    let guarded = Settings { guard: limit, ..settings() };
    let at = START + Millis::days(30);
    let state = learner(&lessons);
    let arms = [arm(0), arm(1)];
    let posterior = Posterior::new(&state, &guarded, at);
    assert_eq!(chances(&posterior, &situation(&[]), &arms)[0], 0.0);
    assert_eq!(posterior.barred().collect::<Vec<_>>(), [&arm(0)]);
    assert!(chances(&Posterior::new(&state, &settings(), at), &situation(&[]), &arms)[0] > 0.9);
    assert!(guard::evidence(200, 140, 0.4) > guard::PROVEN);
}

#[test]
fn young_rows_count_as_they_mature() {
    // A thousand exposures each, of which one in ten is activated in the end, with a known spread of delays: seen after two days
    // the estimate is the mature one, though half of the outcomes are still to come.
    let delays = [12, 20, 40, 60, 80, 100, 120, 140, 160, 167];
    let cohort = |hour: u64, seen_until: u64| {
        (0..2_000).map(move |n: usize| {
            let delay = delays[(n / 20) % delays.len()];
            let came = n.is_multiple_of(20) && hour + delay <= seen_until;
            let goal = if came { Goal::Reached(Millis::hours(delay)) } else { Goal::Open };
            Lesson { goal, ..silence(hours(hour)) }
        })
    };
    let now = 24 * 30;
    let (old, young) = (24 * 20, now - 70);
    let estimate = |lessons: Vec<Lesson>| {
        let posterior =
            Posterior::new(&learner(&lessons), &Settings { forget: 0.0, ..settings() }, hours(now));
        posterior.weigh(&situation(&[]), &[]).1.mean
    };
    let mature = estimate(cohort(old, now).collect());
    assert!((mature - 0.05).abs() < 0.003, "{mature}");
    let both = estimate(cohort(old, now).chain(cohort(young, now)).collect());
    assert!((both - mature).abs() < 0.005, "{both} {mature}");
}

/// Early and late outcomes differ while rows are young, and once all of them are mature not in one bit: each counts in full.
#[test]
fn once_mature_it_does_not_matter_when_outcomes_came() {
    let standing = |after: u64, now: u64| {
        let came = |n: usize| {
            let goal = if n.is_multiple_of(4) && hours(480 + after) <= hours(now) {
                Goal::Reached(Millis::hours(after))
            } else {
                Goal::Open
            };
            Lesson { click: Some(Millis::minutes(1)), goal, ..exposure(n % 2, hours(480)) }
        };
        let lessons: Vec<Lesson> = (0..400).map(came).collect();
        let posterior = Posterior::new(&learner(&lessons), &settings(), hours(now));
        chances(&posterior, &situation(&[]), &[arm(0), arm(1)])
    };
    let week = 24 * 7;
    for after in [1, 20, 100, week] {
        assert_eq!(standing(after, 480 + week), standing(1, 480 + week), "{after} h");
    }
    assert_ne!(standing(20, 480 + 10), standing(1, 480 + 10), "young rows tell them apart");
}

#[test]
fn the_order_of_the_file_changes_no_bit() {
    let lessons = rounds(70, [(0.3, 0.3), (0.25, 0.2), (0.2, 0.1)], 24 * 20);
    let posterior = Posterior::new(&learner(&lessons), &settings(), START + Millis::days(30));
    let context = situation(&[1, 3]);
    let of = |order: [usize; 5]| {
        let shares = chances(&posterior, &context, &order.map(arm));
        let mut by_arm: Vec<(usize, f64)> = order.into_iter().zip(shares.iter().copied()).collect();
        by_arm.sort_by_key(|(of, _)| *of);
        (by_arm, shares.last().copied())
    };
    let plain = of([0, 1, 2, 3, 4]);
    for order in [[4, 3, 2, 1, 0], [2, 0, 4, 1, 3], [1, 4, 0, 3, 2]] {
        assert_eq!(of(order), plain);
    }
}

/// A million draws by decision ids against a learner's law.
#[test]
fn draws_follow_the_learners_law() {
    let lessons = rounds(60, [(0.3, 0.3), (0.25, 0.3), (0.2, 0.3)], 24 * 20);
    let posterior = Posterior::new(&learner(&lessons), &settings(), START + Millis::days(30));
    let (none, arms) = (Features::default(), [arm(0), arm(1), arm(2)]);
    let eligible: Vec<Eligible<'_>> = arms
        .iter()
        .map(|arm| Eligible { arm: arm.view(), milestone: None, features: &none })
        .collect();
    let law = posterior.law(&situation(&[]), &eligible).distribution;
    let (draws, mut seen) = (1_000_000u32, [0u32; 4]);
    for n in 0..draws {
        let number = (crate::hash::uniform("chi", &[&n.to_be_bytes()]) >> 32) as u32;
        match law.draw(number) {
            Choice::Arm(place) => seen[place] += 1,
            Choice::NoGuide => seen[3] += 1,
        }
    }
    let choices = (0..3).map(Choice::Arm).chain([Choice::NoGuide]);
    let expected = choices
        .map(|choice| law.propensity(choice).map_or(0.0, Propensity::get) * f64::from(draws));
    let square: f64 = seen.iter().zip(expected).map(|(n, e)| (f64::from(*n) - e).powi(2) / e).sum();
    // Three degrees of freedom: 16.3 is passed once in a thousand laws.
    assert!(square < 16.3, "{square} {seen:?}");
}
