//! Plain readings of what product files compare: durations, versions, ranges, tests, paths. Must not call the domain's.

use std::cmp::Ordering;

use pilotage_domain::value::Value;

/// `7d` in milliseconds.
pub(crate) fn duration(text: &str) -> i64 {
    let (number, unit) = text.split_at(text.len() - 1);
    let unit = match unit {
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => 86_400_000,
    };
    number.parse::<i64>().expect("a number") * unit
}

type Version<'a> = ([u64; 3], Option<Vec<&'a str>>);

fn version(text: &str) -> Option<Version<'_>> {
    let text = text.split('+').next()?;
    let (numbers, pre) = match text.split_once('-') {
        Some((numbers, pre)) => (numbers, Some(pre.split('.').collect())),
        None => (text, None),
    };
    let numbers: Vec<u64> = numbers.split('.').map(|n| n.parse().ok()).collect::<Option<_>>()?;
    Some((numbers.try_into().ok()?, pre))
}

/// The order of semantic versions; `None` where one of them is none.
pub(crate) fn version_order(a: &str, b: &str) -> Option<Ordering> {
    let ((a, pre_a), (b, pre_b)) = (version(a)?, version(b)?);
    Some(a.cmp(&b).then_with(|| match (pre_a, pre_b) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
        (Some(a), Some(b)) => identifiers(&a, &b),
    }))
}

fn identifiers(a: &[&str], b: &[&str]) -> Ordering {
    for (a, b) in a.iter().zip(b) {
        let order = match (a.parse::<u64>(), b.parse::<u64>()) {
            (Ok(a), Ok(b)) => a.cmp(&b),
            (Ok(_), Err(_)) => Ordering::Less,
            (Err(_), Ok(_)) => Ordering::Greater,
            (Err(_), Err(_)) => a.cmp(b),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    a.len().cmp(&b.len())
}

/// Whether the user's version is in the range: release against release, unless the range names a pre-release.
pub(crate) fn in_range(range: &str, user: Option<&str>) -> bool {
    let Some(user) = user.filter(|user| version(user).is_some()) else { return false };
    range.split(',').all(|part| in_part(part.trim(), user))
}

fn in_part(part: &str, user: &str) -> bool {
    let digits = part.find(|c: char| c.is_ascii_digit()).unwrap_or(0);
    let (op, bound) = part.split_at(digits);
    let (numbers, pre) = bound.split_once('-').map_or((bound, None), |(n, pre)| (n, Some(pre)));
    let given: Vec<u64> = numbers.split('.').filter_map(|n| n.parse().ok()).collect();
    let (release, _) = version(user).expect("checked above");
    if pre.is_some() {
        let order = version_order(user, bound).expect("a whole version");
        return match op.trim() {
            ">=" => order.is_ge(),
            ">" => order.is_gt(),
            "<=" => order.is_le(),
            "<" => order.is_lt(),
            other => panic!("no example has {other} with a pre-release"),
        };
    }
    // What the bound leaves out is left out of the comparison.
    let order = release[..given.len()].cmp(&given[..]);
    match op.trim() {
        ">=" => order.is_ge(),
        ">" => order.is_gt(),
        "<=" => order.is_le(),
        "<" => order.is_lt(),
        "~" => release[..given.len().min(2)] == given[..given.len().min(2)] && order.is_ge(),
        "^" => release[0] == given[0] && given[0] > 0 && order.is_ge(),
        "" | "=" => order.is_eq(),
        other => panic!("no example has {other}"),
    }
}

/// Whether a value passes what a file says of it: a scalar, or operators. `order` compares texts, where they have one.
pub(crate) fn passes(
    wanted: &Value,
    found: Option<&Value>,
    order: fn(&str, &str) -> Option<Ordering>,
) -> bool {
    let Value::Map(operators) = wanted else { return found == Some(wanted) };
    let compared = |bound: &Value| match (found?, bound) {
        (Value::Number(a), Value::Number(b)) => a.partial_cmp(b),
        (Value::Text(a), Value::Text(b)) => order(a, b),
        _ => None,
    };
    let equal = |wanted: &Value| match (found, wanted) {
        (Some(Value::Text(a)), Value::Text(b)) => order(a, b).map_or(a == b, Ordering::is_eq),
        (found, wanted) => found == Some(wanted),
    };
    operators.iter().all(|(operator, wanted)| match &**operator {
        "eq" => equal(wanted),
        "ne" => !equal(wanted),
        "in" => matches!(wanted, Value::List(items) if items.iter().any(equal)),
        "gte" => compared(wanted).is_some_and(Ordering::is_ge),
        "lte" => compared(wanted).is_some_and(Ordering::is_le),
        "exists" => Value::Bool(found.is_some()) == *wanted,
        // The other keys of an attribute's condition.
        _ => true,
    })
}

/// Texts have no order of their own.
pub(crate) fn unordered(_: &str, _: &str) -> Option<Ordering> {
    None
}

/// Whether the page is one of the route's.
pub(crate) fn on_page(pattern: &str, path: &str) -> bool {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let steps = |path: &str| -> Vec<String> {
        path.trim_end_matches('/').split('/').map(str::to_owned).collect()
    };
    let (wanted, given) = (steps(pattern), steps(path));
    let open = wanted.last().is_some_and(|last| last == "*");
    let fixed = if open { wanted.len() - 1 } else { wanted.len() };
    let length = if open { given.len() >= fixed } else { given.len() == fixed };
    let same =
        |(want, got): (&String, &String)| want == got || (want.starts_with(':') && !got.is_empty());
    length && wanted.iter().take(fixed).zip(&given).all(same)
}
