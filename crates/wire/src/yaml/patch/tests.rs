//! Patches of product files in the ways that people write them. Must read every patched file again.

use pilotage_domain::definition::Lifecycle;
use proptest::prelude::*;

use super::*;
use crate::yaml::load;

const ACME: &str = include_str!("../../../../../examples/acme.yaml");

fn draft(id: &str, title: &str) -> NewVariant {
    let words = |title: &str| Words {
        title: title.into(),
        body: "Don't wait: it's one step.".into(),
        cta: Some("Go".into()),
    };
    let wording = vec![("en".into(), words(title)), ("de".into(), words("Los geht's"))];
    NewVariant { id: id.to_owned(), note: "Drafted by mine.".to_owned(), wording }
}

#[test]
fn every_guide_of_the_examples_takes_drafts_and_nothing_else_changes() {
    let examples = [
        ACME,
        include_str!("../../../../../examples/atlas.yaml"),
        include_str!("../../../../../examples/forms.yaml"),
    ];
    for text in examples {
        let tree = parse(text).expect("it reads");
        for guide in tree.get("guides").map(Node::items).unwrap_or_default() {
            let id = guide.get("id").and_then(Node::text).expect("an id");
            let drafts = [draft("draft-1", "One: begin #1"), draft("draft-2", "Two")];
            let patched = with_drafts(text, id, &drafts).expect("it can be added to");
            let diff = diff("a.yaml", text, &patched);
            assert!(diff.lines().skip(3).all(|line| !line.starts_with('-')), "{diff}");
        }
    }
}

#[test]
fn drafts_load_as_drafts() {
    let patched = with_drafts(ACME, "import-data", &[draft("draft-1", "Bring it in")]);
    let checked = load(&patched.expect("patched")).expect("no fault");
    let guide = checked.definition.guides.iter().find(|g| g.id.as_str() == "import-data");
    let variants = &guide.expect("it is there").variants;
    let of: Vec<_> = variants.iter().map(|v| (v.id.as_str(), v.lifecycle)).collect();
    assert_eq!(of, [("plain", Lifecycle::Live), ("draft-1", Lifecycle::Draft)]);
}

#[test]
fn files_in_other_hands() {
    let list = "guides:\n- id: a\n  variants: [{ id: x, copy: { en: { title: T } } } ]\n# end";
    let patched = with_drafts(list, "a", &[draft("d", "T")]).expect("in brackets");
    assert!(patched.ends_with("] \n# end") || patched.ends_with("]\n# end"), "{patched}");
    let windows = "guides:\r\n- id: a\r\n  variants:\r\n  - id: x\r\n- id: b\r\n";
    let patched = with_drafts(windows, "a", &[draft("d", "T")]).expect("CR LF");
    assert!(!patched.replace("\r\n", "").contains('\n'), "{patched:?}");
    let cut = "guides:\n- id: a\n  variants:\n  - id: x";
    let patched = with_drafts(cut, "a", &[draft("d", "T")]).expect("without a last line's end");
    assert_eq!(
        diff("f", cut, &patched).lines().take(8).collect::<Vec<_>>(),
        [
            "--- a/f",
            "+++ b/f",
            "@@ -1,4 +1,10 @@",
            " guides:",
            " - id: a",
            "   variants:",
            "-  - id: x",
            "\\ No newline at end of file",
        ]
    );
    let json = r#"{"guides":[{"id":"a","variants":[{"id":"x"}]}]}"#;
    assert!(with_drafts(json, "a", &[draft("d", "T")]).is_ok(), "JSON is YAML");
    for (text, guide) in [("{", "a"), (ACME, "nobody"), ("guides:\n- id: a\n", "a")] {
        assert_eq!(with_drafts(text, guide, &[draft("d", "T")]), Err(PatchError::NoGuide));
    }
    assert_eq!(diff("f", cut, cut), "");
}

proptest! {
    #[test]
    fn whatever_is_written_is_read_as_it_was_written(title in any::<String>(), body in any::<String>()) {
        let mut draft = draft("draft-1", &title);
        draft.wording[1].1.body = body.into();
        for guide in ["create-project", "import-data"] {
            // `with_drafts` reads its own work and compares.
            prop_assert!(with_drafts(ACME, guide, std::slice::from_ref(&draft)).is_ok());
        }
    }
}
