//! Every fault can be found, and a fitting guide has none. Must not use the engine.

use pilotage_wire::guide::{ActionBody, CopyBody, TargetBody};
use pilotage_wire::yaml;

use super::*;

const APP: App = App::new(2, 1);
const NOON: Timestamp = Timestamp::from_millis(1_700_000_000_000);

fn sample() -> Sample {
    let loaded = yaml::load(include_str!("../../../../examples/acme.yaml")).expect("it loads");
    Sample::of(loaded.definition).expect("it is the sample")
}

/// A guide as the sample's catalogue describes it.
fn guide(sample: &Sample, id: &str) -> GuideBody {
    let definition = &sample.definition;
    let place = definition.guides.find(|guide| guide.id.as_str() == id).expect("the guide exists");
    let guide = &definition.guides[place];
    let target = &definition.targets[guide.target];
    let path = |route| definition.routes[route].path.clone();
    GuideBody {
        id: guide.id.clone(),
        variant: guide.variants[0].id.clone(),
        component: "tooltip".into(),
        target: TargetBody { path: target.route.map(path), anchor: target.anchor.clone() },
        copy: CopyBody { title: "Title".into(), body: None, cta: None, locale: "en".into() },
        action: guide.action.map(|route| ActionBody { path: path(route) }),
        milestone: definition.milestones[guide.serves].id.clone(),
    }
}

fn ago(length: Millis) -> Timestamp {
    NOON - length
}

/// Somebody who took those steps, and failed so often at that one, a day ago.
fn somebody(taken: &[Step], (failed, times): (Step, usize)) -> Truth {
    let mut truth = Truth::new(APP, false);
    taken.iter().for_each(|step| truth.take(*step, ago(DAY)));
    (0..times).for_each(|_| truth.fail(failed, ago(DAY)));
    truth
}

fn judged(truth: &Truth, id: &str, page: Page) -> Vec<Invalid> {
    let sample = sample();
    truth.faults(&sample, &guide(&sample, id), page, 1, NOON)
}

#[test]
fn the_state_rule_is_known_without_the_engine() {
    use Step::{Billing, Data, Project, Report};
    type Case = (&'static [Step], (Step, usize), &'static str, Page, &'static [Invalid]);
    let none = (Report, 0);
    let cases: &[Case] = &[
        (&[], none, "create-project", Page::Projects, &[]),
        (&[Project], none, "create-project", Page::Projects, &[Invalid::Reached]),
        (&[], none, "import-data", Page::Import, &[Invalid::Locked]),
        (&[Project], none, "import-data", Page::Import, &[]),
        (&[Project], (Data, 1), "import-data", Page::Import, &[]),
        (&[Project], (Data, 2), "import-data", Page::Import, &[Invalid::Blocked]),
        (&[Project], (Data, 1), "import-help", Page::Import, &[Invalid::NothingInTheWay]),
        (&[Project], (Data, 9), "import-help", Page::Import, &[]),
        (&[Project], none, "open-report", Page::Projects, &[Invalid::Locked]),
        (&[Project], (Billing, 1), "connect-billing", Page::Billing, &[]),
        (
            &[Project],
            (Billing, 2),
            "connect-billing",
            Page::Billing,
            &[Invalid::Blocked, Invalid::CardAgain],
        ),
        (&[Project], (Billing, 1), "retry-billing", Page::Reports, &[Invalid::NothingInTheWay]),
        (&[Project], (Billing, 3), "retry-billing", Page::Reports, &[]),
        (&[Project], (Billing, 4), "retry-billing", Page::Reports, &[Invalid::PastHelp]),
    ];
    for (taken, failed, id, page, expected) in cases {
        let truth = somebody(taken, *failed);
        assert_eq!(judged(&truth, id, *page), *expected, "{id} after {taken:?} {failed:?}");
    }
}

#[test]
fn failures_are_forgotten_after_a_week() {
    let mut truth = somebody(&[Step::Project], (Step::Billing, 1));
    truth.fail(Step::Billing, ago(WEEK) - Millis::new(1));
    assert_eq!(judged(&truth, "connect-billing", Page::Billing), []);
    truth.fail(Step::Billing, ago(WEEK));
    let expected = [Invalid::Blocked, Invalid::CardAgain];
    assert_eq!(judged(&truth, "connect-billing", Page::Billing), expected);
}

#[test]
fn a_guide_must_lead_to_and_point_at_what_the_app_has() {
    let cases = [
        (App::new(1, 9), "retry-billing", Page::Reports, vec![Invalid::DeadLink]),
        (App::new(2, 0), "retry-billing", Page::Reports, vec![]),
        (App::new(4, 0), "retry-billing", Page::Reports, vec![Invalid::DeadLink]),
        (App::new(1, 3), "import-help", Page::Import, vec![Invalid::NothingInTheWay]),
        (App::new(1, 3), "import-data", Page::Import, vec![Invalid::NothingThere]),
        (App::new(1, 4), "import-data", Page::Import, vec![]),
        (App::new(1, 4), "import-data", Page::Projects, vec![Invalid::NothingThere]),
        (App::new(2, 1), "retry-billing", Page::BillingRetry, vec![Invalid::AlreadyThere]),
    ];
    for (app, id, page, expected) in cases {
        let truth = Truth { app, ..somebody(&[Step::Project], (Step::Billing, 2)) };
        assert_eq!(judged(&truth, id, page), expected, "{id} in {app:?} on {page:?}");
    }
}

#[test]
fn contact_rules_are_kept_in_the_books() {
    let fresh = || somebody(&[], (Step::Report, 0));
    let exposed = |times: &[(Millis, u32)]| {
        let mut truth = fresh();
        times.iter().for_each(|(length, visit)| truth.expose(ago(*length), *visit));
        judged(&truth, "create-project", Page::Projects)
    };
    let (minutes, hours) = (Millis::minutes, Millis::hours);
    let too_often = [Invalid::TooOften];
    assert_eq!(exposed(&[(minutes(4), 0)]), too_often);
    assert_eq!(exposed(&[(minutes(5), 1)]), []);
    assert_eq!(exposed(&[(minutes(60), 1), (minutes(5), 1)]), too_often);
    let day = [(hours(23), 0), (hours(22), 0), (hours(21), 0), (hours(20), 0)];
    assert_eq!(exposed(&day), too_often);
    assert_eq!(exposed(&[(hours(24), 0), day[1], day[2], day[3]]), []);

    let dismissed = |times: &[Millis]| {
        let mut truth = fresh();
        times.iter().for_each(|length| truth.dismiss(Step::Project, ago(*length)));
        judged(&truth, "create-project", Page::Projects)
    };
    assert_eq!(dismissed(&[hours(23)]), [Invalid::Silenced]);
    assert_eq!(dismissed(&[hours(24)]), []);
    assert_eq!(dismissed(&[hours(90), hours(47)]), [Invalid::Silenced]);
    assert_eq!(dismissed(&[hours(90), hours(48)]), []);
}

#[test]
fn nothing_is_for_the_holdout_and_nothing_unknown_for_anybody() {
    let truth = Truth { held_out: true, ..somebody(&[], (Step::Report, 0)) };
    assert_eq!(judged(&truth, "create-project", Page::Projects), [Invalid::HeldOut]);
    let mut sample = sample();
    let known = guide(&sample, "create-project");
    sample.purposes.clear();
    let faults = truth.faults(&sample, &known, Page::Projects, 1, NOON);
    assert_eq!(faults, [Invalid::UnknownGuide]);
}
