//! Random lives from plain numbers: what a product file speaks of is what happens. Must not depend on chance itself.

use pilotage_domain::id::GuideId;
use pilotage_domain::value::Value;

use crate::life::{Ask, Dismisses, Life};
use crate::oracle::{SMUGGLED, text};

const TIMES: [i64; 8] =
    [0, 1_000, 59_999, 300_000, 3_600_000, 5 * 3_600_000, 86_400_000, 3 * 86_400_000];
const VERSIONS: [&str; 10] = [
    "0.9.0",
    "1.2.0-beta.2",
    "1.2.0-beta.10",
    "1.4.2",
    "2.1.0-beta.1",
    "3.0.0-rc.1",
    "3.5.0",
    "4.0.0",
    "4.1.0+b7",
    "9.9.9",
];
const LOCALES: [&str; 6] = ["de-AT", "de", "en", "zh-Hant-TW", "fr-CA", "en-GB"];
const NAMES: [&str; 5] = [
    "Ann",
    "Zoë",
    " ",
    "a name that is much too long for any headline, however patient one is",
    "李雷",
];
const COMPONENTS: [&str; 6] = ["tooltip", "modal", "banner", "hotspot", "checklist", "headless"];

/// What a product file gives to speak of.
pub(crate) struct Vocabulary<'a> {
    /// Kind of event and what its payload is asked for.
    forms: Vec<(&'a str, Vec<(&'a str, &'a Value)>)>,
    kinds: Vec<&'a str>,
    errors: Vec<&'a str>,
    attributes: Vec<(&'a str, &'a Value)>,
    paths: Vec<String>,
    guides: Vec<GuideId>,
}

/// One step of a life: four numbers that mean what the step makes of them.
pub(crate) type Step = (u8, u8, u8, u8);

impl<'a> Vocabulary<'a> {
    pub(crate) fn of(file: &'a Value) -> Self {
        let mut forms = Vec::new();
        event_forms(file, &mut forms);
        let keys = |key: &str| match file.member(key) {
            Some(Value::Map(members)) => {
                members.iter().map(|(name, value)| (&**name, value)).collect()
            }
            _ => Vec::new(),
        };
        let list = |key: &str| match file.member(key) {
            Some(Value::List(items)) => items.as_slice(),
            _ => &[],
        };
        let routes = keys("routes").into_iter().filter_map(|(_, route)| text(route, "path"));
        let mut kinds: Vec<_> = keys("events").into_iter().map(|(name, _)| name).collect();
        kinds.extend(["page_view", "form_submit"]);
        Self {
            forms,
            kinds,
            errors: list("errors")
                .iter()
                .filter_map(Value::as_text)
                .chain(["never heard of"])
                .collect(),
            attributes: keys("attributes"),
            paths: routes.map(|path| path.replace([':', '*'], "x") + "/?tab=1").collect(),
            guides: list("guides")
                .iter()
                .filter_map(|g| GuideId::new(text(g, "id")?).ok())
                .collect(),
        }
    }

    /// Lives one step. The first number says how much time goes by, the others what happens.
    pub(crate) fn live(&self, life: &mut Life<'_>, (time, what, which, how): Step) {
        life.now += pick(&TIMES, time);
        match what % 8 {
            0..=3 => self.do_what_counts(life, which, how),
            4 => self.do_anything(life, which, how),
            5 => self.become_someone(life, which, how),
            6 => life.meets(if how % 3 == 0 { Dismisses::Yes } else { Dismisses::No }),
            _ if how.is_multiple_of(2) => life.session = format!("s{}", life.deeds.len()),
            _ => life.keeps(),
        }
    }

    /// An event that some condition waits for; every fourth time with one value amiss.
    fn do_what_counts(&self, life: &mut Life<'_>, which: u8, how: u8) {
        if self.forms.is_empty() {
            return self.do_anything(life, which, how);
        }
        let (kind, filter) = &self.forms[usize::from(which) % self.forms.len()];
        let mut payload = Value::Map(Vec::new());
        for (place, (path, wanted)) in filter.iter().enumerate() {
            let amiss = how.is_multiple_of(4) && place == usize::from(how / 4) % filter.len();
            if let Some(value) = fitting(wanted).filter(|_| !amiss) {
                put(&mut payload, path, value);
            }
        }
        life.does(kind, ago(how), payload, Vec::new());
    }

    fn do_anything(&self, life: &mut Life<'_>, which: u8, how: u8) {
        let error = pick(&self.errors, how);
        let payload = match how % 3 {
            0 => Value::Map(vec![("error".into(), Value::Text((*error).into()))]),
            _ => Value::Map(Vec::new()),
        };
        life.does(pick(&self.kinds, which), ago(how), payload, Vec::new());
    }

    fn become_someone(&self, life: &mut Life<'_>, which: u8, how: u8) {
        if self.attributes.is_empty() {
            return;
        }
        let (name, declared) = pick(&self.attributes, which);
        let text = |words: &str| Value::Text(words.into());
        let names: Vec<&str> = NAMES.into_iter().chain(SMUGGLED).collect();
        let value = match crate::oracle::text(declared, "type") {
            Some("enum") => match declared.member("values") {
                Some(Value::List(values)) => pick(values, how).clone(),
                _ => return,
            },
            Some("number") => Value::Number(pick(&[0.0, 1.0, 4.0, 9.5, 120.0], how)),
            Some("boolean") => Value::Bool(how.is_multiple_of(2)),
            Some("version") => text(pick(&VERSIONS, how)),
            Some("locale") => text(pick(&LOCALES, how)),
            _ => text(pick(&names, how)),
        };
        life.does("page_view", 0, Value::Map(Vec::new()), vec![(name.to_owned(), value)]);
    }

    /// A question that comes from somewhere.
    pub(crate) fn ask(&self, (place, version, other, guide): Step) -> Ask {
        let mut versions = VERSIONS.to_vec();
        versions.push("not a version");
        let some = |number: u8| !number.is_multiple_of(3);
        Ask {
            path: some(place).then(|| pick(&self.paths, place / 3).to_owned()),
            app_version: some(version).then(|| pick(&versions, version / 3).to_owned()),
            locale: some(other).then(|| pick(&LOCALES, other).to_lowercase().replace('-', "_")),
            components: (other % 5 == 0).then(|| {
                let known = COMPONENTS.iter().enumerate().filter(|(n, _)| (guide >> n) & 1 == 1);
                known.map(|(_, name)| (*name).to_owned()).collect()
            }),
            paused: (guide % 4 == 0)
                .then(|| pick(&self.guides, guide / 4).clone())
                .into_iter()
                .collect(),
        }
    }
}

fn pick<T: Clone>(all: &[T], number: u8) -> T {
    all[usize::from(number) % all.len()].clone()
}

/// One event in four is told late.
fn ago(how: u8) -> i64 {
    if how % 4 == 1 { pick(&TIMES, how / 4) } else { 0 }
}

fn event_forms<'a>(tree: &'a Value, forms: &mut Vec<(&'a str, Vec<(&'a str, &'a Value)>)>) {
    match tree {
        Value::List(items) => items.iter().for_each(|item| event_forms(item, forms)),
        Value::Map(members) => {
            if let Some(kind) = text(tree, "event") {
                let filter = match tree.member("where") {
                    Some(Value::Map(filter)) => {
                        filter.iter().map(|(path, v)| (&**path, v)).collect()
                    }
                    _ => Vec::new(),
                };
                forms.push((kind, filter));
            }
            members.iter().for_each(|(_, value)| event_forms(value, forms));
        }
        _ => {}
    }
}

/// A value that passes; `None` where only an absent one does.
fn fitting(wanted: &Value) -> Option<Value> {
    let Value::Map(operators) = wanted else { return Some(wanted.clone()) };
    let (operator, bound) = operators.first()?;
    match (&**operator, bound) {
        ("eq" | "gte" | "lte", bound) => Some(bound.clone()),
        ("in", Value::List(items)) => items.first().cloned(),
        ("exists", Value::Bool(false)) => None,
        _ => Some(Value::Text("something".into())),
    }
}

fn put(tree: &mut Value, path: &str, value: Value) {
    let Value::Map(members) = tree else { return };
    let (first, rest) =
        path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
    let Some(rest) = rest else {
        members.push((first.into(), value));
        return;
    };
    if !members.iter().any(|(name, _)| &**name == first) {
        members.push((first.into(), Value::Map(Vec::new())));
    }
    if let Some((_, below)) = members.iter_mut().find(|(name, _)| &**name == first) {
        put(below, rest, value);
    }
}
