//! Reads JSON from outside as strictly as it can be read. Must not take a member twice, nor guess.

use pilotage_domain::advise::refusal::Form;
use pilotage_domain::value::Value;

/// The JSON text as a tree; NaN, infinities, numbers beyond a double, nesting beyond 128 levels and anything behind the
/// value are refused, and so is a member that stands twice.
pub(super) fn parse(text: &[u8]) -> Result<Value, Form> {
    let value: Value = serde_json::from_slice(text).map_err(|_| Form::NotJson)?;
    if is_doubled(&value) { Err(Form::Doubled) } else { Ok(value) }
}

fn is_doubled(value: &Value) -> bool {
    match value {
        Value::List(items) => items.iter().any(is_doubled),
        Value::Map(members) => {
            let mut names: Vec<&str> = members.iter().map(|(name, _)| &**name).collect();
            names.sort_unstable();
            let doubled = names.windows(2).any(|pair| pair.first() == pair.last());
            doubled || members.iter().any(|(_, value)| is_doubled(value))
        }
        _ => false,
    }
}

/// The member of that name.
pub(super) fn member<'a>(value: &'a Value, name: &str) -> Result<&'a Value, Form> {
    value.member(name).ok_or(Form::Schema)
}

/// The member of that name, as text.
pub(super) fn text<'a>(value: &'a Value, name: &str) -> Result<&'a str, Form> {
    member(value, name)?.as_text().ok_or(Form::Schema)
}

/// The member of that name, as a list.
pub(super) fn list<'a>(value: &'a Value, name: &str) -> Result<&'a [Value], Form> {
    match member(value, name)? {
        Value::List(items) => Ok(items),
        _ => Err(Form::Schema),
    }
}

/// The member of that name, as the members of an object.
pub(super) fn map<'a>(value: &'a Value, name: &str) -> Result<&'a [(Box<str>, Value)], Form> {
    match member(value, name)? {
        Value::Map(members) => Ok(members),
        _ => Err(Form::Schema),
    }
}

/// The number.
pub(super) fn number(value: &Value) -> Result<f64, Form> {
    match value {
        Value::Number(number) => Ok(*number),
        _ => Err(Form::Schema),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_json_is_refused() {
        let deep = "[".repeat(10_000);
        let table = [
            "",
            " ",
            "{",
            "{\"a\":1}}",
            "{\"a\":1} x",
            "NaN",
            "{\"p\":NaN}",
            "{\"p\":Infinity}",
            "{\"p\":1e999}",
            "{'a':1}",
            "{\"a\":01}",
            "\u{feff}{}",
            "```json\n{}\n```",
            "\"\\ud800\"",
            &deep,
        ];
        for text in table {
            assert_eq!(parse(text.as_bytes()), Err(Form::NotJson), "{text:.20}");
        }
        assert_eq!(parse(b"\"\xff\""), Err(Form::NotJson));
    }

    #[test]
    fn a_member_that_stands_twice_is_refused_at_any_depth() {
        for text in [r#"{"a":1,"a":1}"#, r#"[{"b":{"a":1,"c":2,"a":3}}]"#, r#"{"a":1,"\u0061":2}"#]
        {
            assert_eq!(parse(text.as_bytes()), Err(Form::Doubled), "{text}");
        }
        assert!(parse(br#"{"a":{"a":[{"a":1},{"a":1}]}}"#).is_ok());
    }
}
