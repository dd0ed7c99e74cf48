//! Text with slots: from what is written to its pieces. Must not know how a slot is filled.

/// A piece of a template as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part<'a> {
    /// Words as they are.
    Words(&'a str),
    /// `{name}` or `{name|fallback}`.
    Slot(&'a str, Option<&'a str>),
}

/// The pieces, or what is wrong with the braces.
pub(super) fn parts(text: &str) -> Result<Vec<Part<'_>>, String> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((words, after)) = rest.split_once('{') {
        let Some((slot, after)) = after.split_once('}') else {
            return Err("a `{` has no `}` after it".to_owned());
        };
        push_words(&mut parts, words)?;
        parts.push(slot_of(slot)?);
        rest = after;
    }
    push_words(&mut parts, rest)?;
    Ok(parts)
}

fn push_words<'a>(parts: &mut Vec<Part<'a>>, words: &'a str) -> Result<(), String> {
    if words.contains('}') {
        return Err("a `}` has no `{` before it".to_owned());
    }
    if !words.is_empty() {
        parts.push(Part::Words(words));
    }
    Ok(())
}

fn slot_of(slot: &str) -> Result<Part<'_>, String> {
    let (name, fallback) = match slot.split_once('|') {
        Some((name, fallback)) => (name, Some(fallback)),
        None => (slot, None),
    };
    let fits = super::scalar::is_attribute_name(name) && !slot.contains('{');
    if fits {
        Ok(Part::Slot(name, fallback))
    } else {
        Err(format!("`{{{slot}}}` is neither `{{attribute}}` nor `{{attribute|fallback}}`"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_slots_in_their_order() {
        let read = parts("Ready, {firstName|there}? {seats} seats");
        let expected = vec![
            Part::Words("Ready, "),
            Part::Slot("firstName", Some("there")),
            Part::Words("? "),
            Part::Slot("seats", None),
            Part::Words(" seats"),
        ];
        assert_eq!(read, Ok(expected));
        assert_eq!(parts(""), Ok(Vec::new()));
        assert_eq!(parts("{a|}"), Ok(vec![Part::Slot("a", Some(""))]));
    }

    #[test]
    fn braces_that_are_no_slot() {
        for wrong in ["{", "}", "{}", "{ a }", "a}b{c}", "{a", "{a{b}}", "{a|{b}}", "{first name}"]
        {
            assert!(parts(wrong).is_err(), "{wrong}");
        }
    }
}
