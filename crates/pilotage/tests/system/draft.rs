//! `pilotage draft` with a provider of our own on loopback: what it asks, what it lets into a patch, and that a draft is
//! shown to nobody. Must ask nobody else.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use crate::advised::guided;
use crate::installation::{Installation, acme};
use crate::process::{eventually, pilotage, run};
use crate::provider::{Fake, base, completion, direct};
use crate::user::user_id;

const SECRET: &str = "sk-0f3c-not-to-be-seen";

fn drafting(installation: &Installation, base: &str, product: &str) -> Command {
    let file = installation.file("product.yaml", product);
    let mut command = direct(pilotage());
    command
        .args(["draft", "--guide", "create-project", "--product"])
        .arg(file)
        .env("PILOTAGE_MODEL_PROVIDER", "openai")
        .env("PILOTAGE_MODEL_URL", base)
        .env("PILOTAGE_MODEL_NAME", "mine")
        .env("PILOTAGE_MODEL_PRICE", "1/2.5")
        .env("PILOTAGE_MODEL_KEY", SECRET);
    command
}

/// A wording that differs from good ones in one part.
fn wording(part: &str, text: &str) -> Value {
    let mut words =
        json!({ "title": "Begin with a project", "body": "It holds your data.", "cta": "Begin" });
    let german = json!({ "title": "Beginne mit einem Projekt", "body": "Darin liegen deine Daten.", "cta": "Los" });
    words[part] = json!(text);
    json!({ "en": words, "de": german })
}

fn wrote(wordings: &[Value]) -> (u16, String) {
    completion(&json!({ "wordings": wordings }).to_string())
}

/// The file with the patch applied, by what a unified diff means.
fn patched(old: &str, diff: &str) -> String {
    let mut lines = diff.lines();
    assert_eq!(lines.next(), Some("--- a/product.yaml"));
    assert_eq!(lines.next(), Some("+++ b/product.yaml"));
    let hunk = lines.next().and_then(|line| line.strip_prefix("@@ -")).expect("one hunk");
    let (from, _) = hunk.split_once(',').expect("a range");
    let from = from.parse::<usize>().expect("a line") - 1;
    let old: Vec<&str> = old.lines().collect();
    let (mut new, mut at) = (old[..from].to_vec(), from);
    for line in lines {
        match line.split_at(1) {
            ("+", added) => new.push(added),
            (" ", kept) => {
                assert_eq!(kept, old[at], "the context is the file's");
                new.push(kept);
                at += 1;
            }
            _ => panic!("nothing is taken away: {line}"),
        }
    }
    new.extend(&old[at..]);
    new.join("\n") + "\n"
}

#[test]
fn a_patch_holds_drafts_that_load_and_nobody_is_shown() {
    let other = wording("title", "Ready to begin, {firstName|there}?");
    let fake = Fake::start(vec![wrote(&[wording("title", "It's time: \"begin\""), other])]);
    let installation = Installation::of(&[]);
    let out = installation.file("drafts.patch", "");
    let product = guided();
    let mut command = drafting(&installation, &base(fake.address), &product);
    let ended = run(command.arg("--out").arg(&out));
    assert_eq!((ended.code, &*ended.output), (Some(0), ""), "{ended:?}");
    assert!(ended.errors.contains("drafted    draft-2: \"Ready to begin"), "{}", ended.errors);
    assert!(ended.errors.contains("cost       $0.000430"), "{}", ended.errors);
    assert!(!ended.errors.contains("0f3c"), "the key is shown");

    let asked = fake.asked();
    let [(head, request)] = &asked[..] else { panic!("{asked:?}") };
    assert!(head.contains(SECRET), "{head}");
    let schema = &request["response_format"]["json_schema"]["schema"];
    let wording = &schema["properties"]["wordings"]["items"];
    let locales: BTreeSet<&str> =
        wording["required"].as_array().expect("names").iter().filter_map(Value::as_str).collect();
    assert_eq!(locales, BTreeSet::from(["de", "en"]), "every locale of the product");
    let text = request["messages"][1]["content"].as_str().expect("text");
    for told in ["Show where a project is started", "Ready, {firstName|there}?", "risk[- ]free"] {
        assert!(text.contains(told), "{told} is not in: {text}");
    }

    let patched = patched(&product, &fs::read_to_string(&out).expect("a patch"));
    assert!(patched.contains("# Drafted by mine, draft-1-"), "{patched}");
    let file = installation.file("patched.yaml", &patched);
    let checked = run(pilotage().arg("check").arg(&file));
    assert_eq!(checked.code, Some(0), "{checked:?}");
    is_shown_to_nobody(&patched);
}

/// Draws wordings of the guide for many users, and never a draft.
fn is_shown_to_nobody(product: &str) {
    let server =
        Installation::of(&[product]).flag("--dev").set("PILOTAGE_POLICY", "random").start();
    let client = server.client();
    let mut seen = [false; 2];
    let mut n = 100;
    eventually("both live wordings were shown", || {
        n += 1;
        let user = user_id(n);
        let event = json!({ "userId": user, "sessionId": "s", "eventType": "signed_up" });
        client.post("/api/v1/events", &event).expect(202);
        let ask = json!({ "userId": user, "sessionId": "s", "context": { "path": "/projects" } });
        let decision = client.post("/api/v1/decisions?explain=true", &ask).expect(200).to_string();
        assert!(!decision.contains("draft-"), "{decision}");
        for (seen, title) in seen.iter_mut().zip(["Start your first project", "Ready, there?"]) {
            *seen |= decision.contains(title);
        }
        seen.iter().all(|seen| *seen).then_some(())
    });
    server.stop();
}

#[test]
fn what_breaks_a_rule_of_copy_is_refused_with_its_code() {
    let table = [
        ("body", "We guarantee that it works.", "L8 text: text_forbidden"),
        ("body", "See https://acme.example/projects.", "L8 text: text_url"),
        ("body", "It holds\u{200b} your data.", "L8 text: text_invisible"),
        ("cta", "Begin with your very first project now", "L8 text: text_too_long"),
        ("title", "Begin, {nickname|there}", "L7 copy: unknown_slot"),
        ("title", "Begin, {firstName", "L7 copy: bad_slot"),
        ("body", "one line\nand another", "L8 text: text_control"),
    ];
    let mut wordings: Vec<Value> =
        table.iter().map(|(part, text, _)| wording(part, text)).collect();
    wordings.push(wording("body", "One home for your data."));
    let fake = Fake::start(vec![wrote(&wordings)]);
    let installation = Installation::of(&[]);
    let ended = run(drafting(&installation, &base(fake.address), &acme()).args(["--count", "8"]));
    assert_eq!(ended.code, Some(0), "{ended:?}");
    for (_, text, code) in table {
        assert!(ended.errors.contains(code), "{text}: {code} is not in\n{}", ended.errors);
    }
    let patched = patched(&acme(), &ended.output);
    assert_eq!(patched.matches("lifecycle: draft").count(), 1, "{}", ended.output);
    assert!(patched.contains("One home for your data."), "{}", ended.output);
    fake.asked();

    let fake = Fake::start(vec![wrote(&wordings[..1])]);
    let ended = run(&mut drafting(&installation, &base(fake.address), &acme()));
    assert_eq!((ended.code, &*ended.output), (Some(1), ""), "nothing is left: {ended:?}");
    fake.asked();
}

#[test]
fn garbage_is_refused_and_repaired_once() {
    let installation = Installation::of(&[]);
    let half = json!({ "wordings": [{ "en": wording("cta", "Go")["en"] }] });
    let more = json!({ "wordings": [], "note": "none today" });
    for garbage in ["Sure! Here are three.", "", "[]", &half.to_string(), &more.to_string()] {
        let fake = Fake::start(vec![completion(garbage), completion(garbage)]);
        let ended = run(&mut drafting(&installation, &base(fake.address), &acme()));
        assert_eq!((ended.code, &*ended.output), (Some(1), ""), "{garbage}: {ended:?}");
        assert_eq!(ended.errors.matches("L1 form").count(), 2, "{garbage}: {}", ended.errors);
        let asked = fake.asked();
        assert!(asked[1].1.to_string().contains("was refused (form)"), "{asked:?}");
    }
    let empty = completion(r#"{"wordings":[]}"#);
    let fake = Fake::start(vec![empty, wrote(&[wording("cta", "Go")])]);
    let ended = run(&mut drafting(&installation, &base(fake.address), &acme()));
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.errors.contains("L2 protocol"), "{}", ended.errors);
    fake.asked();
}

#[test]
fn what_can_not_be_drafted_is_said_before_anybody_is_asked() {
    let installation = Installation::of(&[]);
    let nobody = "http://127.0.0.1:1/v1";
    let choosing =
        run(drafting(&installation, nobody, &acme()).env("PILOTAGE_MODEL_PROVIDER", "systemone"));
    assert_eq!(choosing.code, Some(2), "{choosing:?}");
    assert!(choosing.errors.contains("systemone can only choose"), "{choosing:?}");
    let off = run(drafting(&installation, nobody, &acme()).env("PILOTAGE_MODEL_PROVIDER", "off"));
    assert_eq!(off.code, Some(2), "{off:?}");
    let unknown = acme().replace("create-project", "start-project");
    let unknown = run(&mut drafting(&installation, nobody, &unknown));
    assert_eq!(unknown.code, Some(2), "{unknown:?}");
    assert!(unknown.errors.contains("it has start-project"), "{unknown:?}");
}
