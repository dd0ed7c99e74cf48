//! What a definition holds once it is read.

use pilotage_domain::definition::condition::{Anchor, Condition, Status};
use pilotage_domain::definition::{
    AttributeForm, EventRole, Feature, Intent, Lifecycle, UserIdForm,
};
use pilotage_domain::time::Millis;
use pilotage_domain::value::Scalar;

use super::{example, loaded};
use crate::yaml::load;

const LEAST: &str = "
format: 1
product: least
version: 1
journey:
  activation: done
  milestones: [{ id: done, reached: { event: page_view } }]
";

#[test]
fn acme_says_what_it_says() {
    let acme = loaded(&example("acme")).definition;
    assert_eq!((acme.product.as_str(), acme.version), ("acme", 7));
    assert_eq!(acme.user_id, UserIdForm::Uuid);
    assert_eq!((acme.milestones.len(), acme.guides.len(), acme.counters.len()), (4, 6, 7));
    assert_eq!(acme.milestones[acme.activation].id.as_str(), "first_report");
    assert_eq!(acme.signup.map(|ix| &*acme.events[ix].name), Some("signed_up"));
    assert_eq!(
        (acme.contact.session, acme.contact.day, acme.contact.gap),
        (Some(2), Some(4), Millis::minutes(5))
    );
    assert_eq!((acme.holdout.get(), acme.explore.get()), (0.1, 0.02));
    assert_eq!(acme.guard_dismiss.map(|rate| rate.get()), Some(0.4));
    let help =
        acme.guides.iter().find(|guide| guide.id.as_str() == "import-help").expect("it is there");
    assert_eq!((help.intent, help.lifecycle, help.shows), (Intent::Unblock, Lifecycle::Live, None));
    assert_eq!(acme.targets[help.target].route, None);
}

#[test]
fn what_is_left_out_has_the_documented_default() {
    let least = loaded(LEAST).definition;
    assert_eq!(least.user_id, UserIdForm::Any);
    assert_eq!(least.signup, None);
    assert_eq!((least.text.title, least.text.body, least.text.cta), (60, 160, 24));
    assert_eq!((least.contact.session, least.contact.day), (None, None));
    assert_eq!((least.contact.gap, least.contact.dismissed), (Millis::ZERO, Millis::hours(24)));
    assert_eq!((least.goal_window, least.guard_dismiss), (Millis::days(7), None));
    let shares = [least.holdout, least.explore, least.group_random, least.group_static];
    assert!(shares.iter().all(|share| share.get() == 0.0));
    assert!(least.features.is_empty());
    assert_eq!(&*least.default_locale, "en");
    assert_eq!(&*least.milestones[least.activation].name, "done");
}

#[test]
fn version_and_locale_are_attributes_of_every_product() {
    let least = loaded(LEAST).definition;
    assert_eq!(least.attributes[least.app_version].form, AttributeForm::Version);
    let locale = &least.attributes[least.locale];
    assert_eq!(
        (&locale.form, &locale.default),
        (&AttributeForm::Locale, &Some(Scalar::Text("en".into())))
    );
}

#[test]
fn events_of_guides_have_their_roles() {
    let least = loaded(LEAST).definition;
    let role =
        |name: &str| least.events.iter().find(|event| &*event.name == name).map(|event| event.role);
    assert_eq!(role("guide_shown"), Some(EventRole::Shown));
    assert_eq!([role("guide_clicked"), role("button_click")], [Some(EventRole::Clicked); 2]);
    assert_eq!([role("guide_dismissed"), role("tooltip_dismiss")], [Some(EventRole::Dismissed); 2]);
    assert_eq!(
        [role("page_view"), role("form_submit"), role("guide_failed")],
        [Some(EventRole::Fact); 3]
    );
    assert_eq!(role("signed_up"), None);
}

#[test]
fn conditions_that_mean_the_same_share_one_counter() {
    let text = LEAST.replace(
        "milestones: [{ id: done, reached: { event: page_view } }]",
        "milestones:
    - { id: done, reached: { any: [{ event: page_view }, { event: page_view, count: 1 }, { event: page_view, where: { a: 1 } }] } }
    - { id: two, reached: { event: page_view, within: 24h, where: { a: 1, b: { eq: x } } } }
    - { id: three, reached: { event: page_view, where: { b: x, a: { eq: 1.0 } }, within: 1d } }",
    );
    assert_eq!(loaded(&text).definition.counters.len(), 3);
}

#[test]
fn a_counters_key_never_changes() {
    // SHA-256 of {"count":1,"event":"page_view","where":{}}: stored profiles count under it.
    let least = loaded(LEAST).definition;
    let keys: Vec<_> =
        least.counters.iter().map(|counter| format!("{:016x}", counter.key)).collect();
    assert_eq!(keys, ["e1e0fa424bf182e9"]);
}

#[test]
fn every_form_of_a_condition_is_read() {
    fn forms(condition: &Condition, found: &mut Vec<&'static str>) {
        found.push(match condition {
            Condition::All(_) => "all",
            Condition::Any(_) => "any",
            Condition::Not(_) => "not",
            Condition::Event(_) => "event",
            Condition::Attribute { .. } => "attribute",
            Condition::Milestone { .. } => "milestone",
            Condition::Since { .. } => "since",
            Condition::Error { .. } => "error",
        });
        match condition {
            Condition::All(parts) | Condition::Any(parts) => {
                parts.iter().for_each(|part| forms(part, found))
            }
            Condition::Not(part) => forms(part, found),
            _ => {}
        }
    }
    let definition = loaded(&example("forms")).definition;
    let mut found = Vec::new();
    for guide in definition.guides.iter() {
        guide.when.iter().chain(&guide.never).for_each(|condition| forms(condition, &mut found));
    }
    found.sort_unstable();
    found.dedup();
    assert_eq!(found, ["all", "any", "attribute", "error", "event", "milestone", "not", "since"]);
}

#[test]
fn what_a_condition_leaves_out_has_its_default() {
    let text = LEAST.replace(
        "{ event: page_view } }]",
        "{ any: [{ error: other }, { milestone: done }, { since: done, gte: 1h }, { event: form_submit }] } }]",
    );
    let definition = loaded(&text).definition;
    let Condition::Any(parts) = &definition.milestones[definition.activation].reached else {
        panic!("an any")
    };
    assert!(matches!(&parts[0], Condition::Error { within, .. } if *within == Millis::days(7)));
    assert!(matches!(&parts[1], Condition::Milestone { status: Status::Reached, .. }));
    assert!(matches!(
        &parts[2],
        Condition::Since { anchor: Anchor::Milestone(_), gte: Some(_), lte: None }
    ));
    assert!(matches!(&parts[3], Condition::Event(ix) if definition.counters[*ix].count == 1));
}

#[test]
fn every_form_of_a_feature_is_read() {
    let features = &loaded(&example("forms")).definition.features;
    assert!(
        features
            .iter()
            .any(|f| matches!(f, Feature::Attribute { buckets, .. } if buckets.is_empty()))
    );
    assert!(features.iter().any(
        |f| matches!(f, Feature::Attribute { buckets, .. } if *buckets == [1.0, 3.0, 7.0, 30.5])
    ));
    assert!(features.iter().any(|f| matches!(f, Feature::Major(_))));
    assert!(features.contains(&Feature::LastError) && features.contains(&Feature::DaysSinceSignup));
}

#[test]
fn the_hash_is_that_of_the_content() {
    let acme = example("acme");
    let hash = |text: &str| loaded(text).definition.hash;
    let as_json = serde_json::to_string(&super::parse(&acme).expect("YAML").to_value())
        .expect("plain values");
    assert_eq!(hash(&acme), hash(&as_json));
    assert_eq!(hash(&acme), hash(&format!("# a comment\n{}\n\n", acme.replace('\n', "\r\n"))));
    assert_ne!(hash(&acme), hash(&acme.replace("holdout: 0.1", "holdout: 0.2")));
}

#[test]
fn profiles_are_folded_anew_only_where_they_must() {
    let acme = example("acme");
    let fold = |from: &str, to: &str| {
        assert!(acme.contains(from), "{from}");
        loaded(&acme.replace(from, to)).definition.fold_hash
    };
    let before = loaded(&acme).definition.fold_hash;
    assert_eq!(before, fold("holdout: 0.1", "holdout: 0.2"));
    assert_eq!(before, fold("title: 'Start your first project'", "title: 'Begin'"));
    assert_eq!(
        before,
        fold("when: { attribute: tier, in: [trial] }", "when: { attribute: tier, eq: trial }")
    );
    assert_ne!(
        before,
        fold("reached: { event: data_imported }", "reached: { event: data_imported, count: 2 }")
    );
    assert_ne!(before, fold("seats:      { type: number }", "seats:      { type: text }"));
    assert_ne!(before, fold("count: 4, within: 7d }", "count: 5, within: 7d }"));
}

#[test]
fn json_is_yaml() {
    let json = r#"{"format": 1, "product": "least", "version": 1, "journey":
        {"activation": "done", "milestones": [{"id": "done", "reached": {"event": "page_view"}}]}}"#;
    assert_eq!(loaded(json).definition.hash, loaded(LEAST).definition.hash);
}

#[test]
fn yes_and_no_are_words() {
    let text = LEAST.replace("id: done", "id: no").replace("activation: done", "activation: no");
    assert_eq!(
        loaded(&text).definition.milestones.iter().next().map(|m| m.id.as_str()),
        Some("no")
    );
    assert!(load(&text.replace("id: no", "id: false")).is_err());
}

#[test]
fn what_a_value_may_bring_in_is_not_held_against_the_words() {
    let text = format!(
        "{LEAST}
attributes:
  name: {{ type: text }}
targets: {{ page: {{ route: '*' }} }}
guides:
  - id: g
    about: Helps.
    serves: done
    intent: activate
    target: page
    component: banner
    variants: [{{ id: v, copy: {{ en: {{ title: 'Hello {{name}}', body: '{{name}}.com, a' }} }} }}]
text: {{ forbid: ['[^ -~]', 'hello a'] }}
"
    );
    loaded(&text);
    assert!(load(&text.replace("Hello {name}", "Höllo {name}")).is_err());
}
