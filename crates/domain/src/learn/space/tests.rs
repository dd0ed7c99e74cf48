//! The coordinates of a small product.

use super::*;
use crate::decide::{Request, Surface};
use crate::id::{DecisionId, SessionId};
use crate::kin::ALONE;
use crate::profile::Profile;
use crate::profile::view::View;
use crate::rules::fixture::{Product, t, user_id};
use crate::value::Scalar;
use serde_json::{Value as Json, json};

fn names(space: &Space, features: &Features) -> Vec<String> {
    let name = |place: &u16| space.places.iter().find(|(_, known)| *known == place);
    let found = features.parts().iter().filter_map(|(place, _)| name(place));
    let mut names: Vec<String> = found.map(|(name, _)| name.to_string()).collect();
    names.sort();
    names
}

/// The context of a user with these attributes.
fn context(definition: &Definition, attributes: &[(&str, Scalar)]) -> Features {
    let profile = Profile {
        signup: Some(t(0)),
        attributes: attributes
            .iter()
            .map(|(name, value)| ((*name).into(), value.clone()))
            .collect(),
        ..Profile::default()
    };
    let (user, session) = (user_id("ann"), SessionId::new("s").expect("a session"));
    let request = Request {
        id: DecisionId::from_bits(1),
        user: &user,
        session: &session,
        at: t(0),
        surface: Surface::default(),
        paused: &[],
        pending: &[],
        kin: &ALONE,
    };
    let view = View { definition, profile: &profile, now: t(0) };
    Space::of(definition).context(&Situation::new(view, &request))
}

#[test]
fn a_situation_is_its_features_and_statuses() {
    let definition = Product::small().definition();
    let space = Space::of(&definition);
    assert!(space.named() <= MOST, "{}", space.named());
    let text = |text: &str| Scalar::Text(text.into());
    let features = context(&definition, &[("tier", text("trial"))]);
    let names = names(&space, &features);
    assert!(
        names.contains(&"1".to_owned()) && names.contains(&"tier=trial".to_owned()),
        "{names:?}"
    );
    assert!(names.contains(&"daysSinceSignup=d0".to_owned()), "{names:?}");
    assert!(features.parts().iter().all(|(place, _)| *place < space.ground));
    let segments: Vec<u16> = ["1", "tier=free", "tier=trial", "tier=pro"]
        .map(|name| space.places.get(name).copied().expect("a coordinate"))
        .to_vec();
    assert_eq!(space.segments, segments, "the first feature's values");
}

#[test]
fn every_declared_bucket_has_its_coordinate() {
    let buckets = json!([{ "attribute": "seats", "buckets": [1.5, 10, 50] }, "beta"]);
    let definition = Product::small().with("/features", buckets).definition();
    let space = Space::of(&definition);
    for (seats, name) in [(0.0, "lt_1.5"), (1.5, "1.5_to_10"), (20.0, "10_to_50"), (1e9, "ge_50")] {
        let values = [("seats", Scalar::Number(seats)), ("beta", Scalar::Bool(true))];
        let mut values = values.to_vec();
        values.sort_by_key(|(name, _)| *name);
        let found = names(&space, &context(&definition, &values));
        assert!(found.contains(&format!("seats={name}")), "{seats}: {found:?}");
        assert!(found.contains(&"beta=true".to_owned()), "{found:?}");
    }
}

#[test]
fn an_arm_is_what_it_looks_like_and_what_is_said_for_it() {
    let definition = Product::small().definition();
    let space = Space::of(&definition);
    let guide = definition.guides.iter().nth(2).expect("a guide");
    let variant = guide.variants.first().expect("a wording");
    let features = space.arm(&definition, guide, variant, 0.5);
    let names = names(&space, &features);
    for name in ["@component=banner", "@intent=unblock", "@serves=data", "@length=short", "advice"]
    {
        assert!(names.contains(&name.to_owned()), "{name}: {names:?}");
    }
    assert!(names.iter().any(|name| name.starts_with("@action#")), "{names:?}");
    assert!(features.parts().iter().all(|(place, _)| *place >= space.ground));
    assert_eq!(
        space.arm(&definition, guide, variant, 0.0).parts().len() + 1,
        features.parts().len()
    );
}

#[test]
fn advice_counts_at_most_one_either_way() {
    let table = [(0.5, 2, 1.0, 0.0), (1.0, 2, 1.0, 1.0), (0.9, 9, 0.5, 0.5), (0.0, 4, 1.0, -1.0)];
    for (share, options, strength, value) in table {
        assert!((advice_for(share, options, strength) - value).abs() < 1e-12, "{share} {options}");
    }
}

/// A product with more of everything than a space has room for.
fn crowded() -> Product {
    let milestone = |n: usize| json!({ "id": format!("m{n}"), "name": "M", "reached": { "event": "imported" } });
    let mut milestones: Vec<Json> = (0..150).map(milestone).collect();
    let small = Product::small();
    let own = ["project", "data", "report"];
    milestones
        .extend(own.map(|id| json!({ "id": id, "name": "M", "reached": { "event": "imported" } })));
    let attribute = |n: usize| {
        (
            format!("a{n}"),
            json!({ "type": "enum", "values":
        (0..20).map(|v| format!("v{v}")).collect::<Vec<_>>() }),
        )
    };
    let attributes: serde_json::Map<String, Json> = (0..40).map(attribute).collect();
    let features: Vec<String> = (0..40).map(|n| format!("a{n}")).collect();
    small
        .with("/journey/milestones", json!(milestones))
        .with("/attributes", json!(attributes))
        .with("/features", json!(features))
}

#[test]
fn no_definition_asks_for_too_many_coordinates() {
    let space = Space::of(&crowded().definition());
    assert!(space.named() <= MOST && space.size() <= MOST_CROSSED, "{}", space.size());
    assert!(space.segments.len() <= MOST_OWN);
    let mut places: Vec<u16> = space.places.values().copied().collect();
    places.sort_unstable();
    assert_eq!(places, (0..space.named() as u16).collect::<Vec<_>>());
}

#[test]
fn features_whose_values_are_known_are_crossed_with_what_arms_look_like() {
    let space = Space::of(&Product::small().definition());
    assert!(space.size() <= MOST_CROSSED, "{}", space.size());
    let pair = |feature: &str, look: &str| {
        space.crossings.place(space.place(feature)?, space.place(look)?)
    };
    let (one, other) =
        (pair("tier=trial", "@intent=unblock"), pair("tier=pro", "@component=modal"));
    assert!(one.is_some() && other.is_some() && one != other, "{one:?} {other:?}");
    assert!([one, other].iter().flatten().all(|place| usize::from(*place) >= space.named()));
    for (feature, look) in [
        ("1", "@intent=unblock"),
        ("tier=trial", "@serves=data"),
        ("tier=trial", "advice"),
        ("@reached=data", "@intent=unblock"),
    ] {
        assert_eq!(pair(feature, look), None, "{feature} {look}");
    }
}

#[test]
fn coordinates_keep_their_names_from_definition_to_definition() {
    let (old, new) = (
        Space::of(&Product::small().definition()),
        Space::of(&Product::small().with("/features", json!(["beta", "tier"])).definition()),
    );
    let places = old.renumbering(&new);
    let moved = |name: &str| {
        let from = old.places.get(name).copied().expect("a coordinate");
        places[usize::from(from)]
    };
    assert_eq!(moved("tier=pro"), new.places.get("tier=pro").copied());
    assert_eq!(moved("@intent=unblock"), new.places.get("@intent=unblock").copied());
    assert_eq!(moved("daysSinceSignup=d0"), None);
    let pair = |space: &Space, feature: &str| {
        space.crossings.place(space.place(feature)?, space.place("@intent=unblock")?)
    };
    let from = pair(&old, "tier=pro").expect("a pair");
    assert_eq!(places[usize::from(from)], pair(&new, "tier=pro"));
    assert!(pair(&new, "tier=pro").is_some_and(|to| to != from));
}
