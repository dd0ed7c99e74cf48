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
    let mut asked = about_all(asked, |_| "-".to_owned());
    names_all(&mut asked["response_format"]["json_schema"]["schema"]);
    asked
}

/// The same question of a message, about every guide.
pub(crate) fn messages(asked: &Value) -> Value {
    let mut asked = about_all(asked, |_| "-".to_owned());
    names_all(&mut asked["tools"][0]["input_schema"]);
    asked
}

/// Names every guide of the catalogue in a schema that names those on offer.
fn names_all(schema: &mut Value) {
    let names: Vec<String> = catalogue().into_iter().map(|(id, _)| id).collect();
    let properties = &mut schema["properties"];
    for name in ["first", "second"] {
        assert!(properties[name]["enum"].is_array(), "{properties}");
        properties[name]["enum"] = json!(names);
    }
}

/// The same question for a letter, about every guide.
pub(crate) fn letters(asked: &Value) -> Value {
    about_all(asked, |place| format!("{}.", letter(place)))
}

fn letter(place: usize) -> char {
    char::from(b'A' + u8::try_from(place).expect("fewer guides than letters"))
}

/// The last message's list of guides becomes the catalogue, each guide behind its mark.
fn about_all(asked: &Value, mark: impl Fn(usize) -> String) -> Value {
    let mut asked = asked.clone();
    let options: Vec<String> = (0..)
        .zip(catalogue())
        .map(|(place, (id, about))| format!("{} {id}: {about}", mark(place)))
        .collect();
    let (before, _, after) = parts(&asked);
    let content = format!("{before}Guides:\n{}\n\nSituation:{after}", options.join("\n"));
    let messages = asked["messages"].as_array_mut().expect("messages");
    messages.last_mut().expect("a question")["content"] = json!(content);
    asked
}

/// What stands before, in and behind the last message's list of guides.
fn parts(asked: &Value) -> (String, String, String) {
    let messages = asked["messages"].as_array().expect("messages");
    let text = messages.last().expect("a question")["content"].as_str().expect("text");
    let (before, rest) = text.split_once("Guides:\n").expect("the options");
    let (options, after) = rest.split_once("\n\nSituation:").expect("the situation");
    (before.to_owned(), options.to_owned(), after.to_owned())
}

/// Whether this asks for a better form of an answer.
pub(crate) fn is_repair(asked: &Value) -> bool {
    parts(asked).2.contains("Your last answer was refused")
}

/// What a chat has put first.
pub(crate) fn first(answer: &Value) -> Option<String> {
    let content = answer["choices"][0]["message"]["content"].as_str().expect("text");
    let choice: Value = serde_json::from_str(content).expect("the schema is enforced");
    Some(choice["first"].as_str().expect("a name").to_owned())
}

/// What the one use of the tool in a message has put first.
pub(crate) fn used(answer: &Value) -> Option<String> {
    let blocks = answer["content"].as_array().expect("blocks");
    assert_eq!(blocks.len(), 1, "the server holds the model to the tool: {answer}");
    Some(blocks[0]["input"]["first"].as_str().expect("a name").to_owned())
}

/// The guide of the most probable letter; none where no letter is listed, which is no choice.
pub(crate) fn lettered(answer: &Value) -> Option<String> {
    let listed = &answer["choices"][0]["logprobs"]["content"][0]["top_logprobs"];
    let listed = listed.as_array().expect("log-probabilities").iter();
    let guides = catalogue();
    let of = |token: &Value| {
        let place = (0..guides.len())
            .find(|at| token["token"].as_str().map(str::trim) == Some(&*letter(*at).to_string()));
        Some((token["logprob"].as_f64()?, guides[place?].0.clone()))
    };
    let best = listed.filter_map(of).max_by(|(a, _), (b, _)| a.total_cmp(b));
    best.map(|(_, guide)| guide)
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
    names(&asked["response_format"]["json_schema"]["schema"])
}

/// What a question of a message offers.
pub(crate) fn offered_in_messages(asked: &Value) -> Vec<String> {
    names(&asked["tools"][0]["input_schema"])
}

fn names(schema: &Value) -> Vec<String> {
    let names = schema["properties"]["first"]["enum"].as_array().expect("names").iter();
    names.map(|name| name.as_str().expect("a name").to_owned()).collect()
}

/// What a question for a letter offers.
pub(crate) fn offered_by_letter(asked: &Value) -> Vec<String> {
    let (_, options, _) = parts(asked);
    let name = |line: &str| {
        let (_, named) = line.split_once(". ").expect("a letter");
        named.split_once(':').expect("a guide").0.to_owned()
    };
    options.lines().map(name).collect()
}

/// What a typed question offers.
pub(crate) fn offered_in_system_one(asked: &Value) -> Vec<String> {
    asked["questions"]["guide"]["criteria"].as_object().expect("options").keys().cloned().collect()
}
