//! A question as it was sent, with every guide of the catalogue in it: what a model would choose without the mask. Must not be
//! what the product asks.

use serde_json::{Value, json};

use crate::installation::acme;

/// The catalogue's guides in file order, each with what it is for, then no guide.
fn catalogue() -> Vec<(String, String)> {
    let text = acme();
    let lines: Vec<&str> = text.lines().collect();
    let guide = |pair: &[&str]| {
        let id = pair[0].strip_prefix("  - id: ")?;
        Some((id.to_owned(), pair[1].strip_prefix("    about: ")?.to_owned()))
    };
    let mut guides: Vec<(String, String)> = lines.windows(2).filter_map(guide).collect();
    assert_eq!(guides.len(), 6, "{guides:?}");
    guides.push(("no_guide".to_owned(), "Show nothing now.".to_owned()));
    guides
}

/// The same question of a chat, about every guide.
pub(crate) fn chat(asked: &Value) -> Value {
    let mut asked = asked.clone();
    let messages = asked["messages"].as_array_mut().expect("messages");
    let last = messages.last_mut().expect("a question");
    let text = last["content"].as_str().expect("text");
    let (before, rest) = text.split_once("Guides:\n").expect("the options");
    let (_, after) = rest.split_once("\n\nSituation:").expect("the situation");
    let options: Vec<String> =
        catalogue().iter().map(|(id, about)| format!("- {id}: {about}")).collect();
    last["content"] =
        json!(format!("{before}Guides:\n{}\n\nSituation:{after}", options.join("\n")));
    let names: Vec<String> = catalogue().into_iter().map(|(id, _)| id).collect();
    let properties = &mut asked["response_format"]["json_schema"]["schema"]["properties"];
    for name in ["first", "second"] {
        assert!(properties[name]["enum"].is_array(), "{properties}");
        properties[name]["enum"] = json!(names);
    }
    asked
}

/// What a chat has put first.
pub(crate) fn first(answer: &Value) -> String {
    let content = answer["choices"][0]["message"]["content"].as_str().expect("text");
    let choice: Value = serde_json::from_str(content).expect("the schema is enforced");
    choice["first"].as_str().expect("a name").to_owned()
}

/// The same typed question, about every guide.
pub(crate) fn system_one(asked: &Value) -> Value {
    let mut asked = asked.clone();
    let criteria = &mut asked["questions"]["guide"]["criteria"];
    assert!(criteria.is_object(), "{criteria}");
    *criteria = catalogue().into_iter().map(|(id, about)| (id, json!(about))).collect();
    asked
}

/// How many of these choices the situations that were asked about do not permit: neither one of the guides that were offered nor
/// none.
pub(crate) fn breaking(
    questions: &[Value],
    choices: &[String],
    offered: fn(&Value) -> Vec<String>,
) -> usize {
    assert_eq!(questions.len(), choices.len());
    let breaks = |(question, choice): &(&Value, &String)| !offered(question).contains(choice);
    questions.iter().zip(choices).filter(breaks).count()
}

/// What a question of a chat offers.
pub(crate) fn offered_in_chat(asked: &Value) -> Vec<String> {
    let names = &asked["response_format"]["json_schema"]["schema"]["properties"]["first"]["enum"];
    let names = names.as_array().expect("names").iter();
    names.map(|name| name.as_str().expect("a name").to_owned()).collect()
}

/// What a typed question offers.
pub(crate) fn offered_in_system_one(asked: &Value) -> Vec<String> {
    asked["questions"]["guide"]["criteria"].as_object().expect("options").keys().cloned().collect()
}
