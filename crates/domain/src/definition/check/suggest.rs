//! "Did you mean": the known word nearest to an unknown one. Must not suggest what is not near.

/// The end of a sentence about an unknown word: the near one, or all known ones where they are few.
pub(super) fn hint<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    const FEW: usize = 12;
    let known: Vec<&str> = known.into_iter().collect();
    if let Some(near) = nearest(word, &known) {
        return format!("; did you mean `{near}`?");
    }
    match known.as_slice() {
        [] => "; there is none".to_owned(),
        [only] => format!("; there is only `{only}`"),
        few if few.len() <= FEW => format!("; there are `{}`", few.join("`, `")),
        many => format!("; there are {} others", many.len()),
    }
}

fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    const LONGEST: usize = 80;
    if word.len() > LONGEST {
        return None;
    }
    let most = (word.chars().count() / 3).max(1);
    known
        .iter()
        .map(|known| (distance(&word.to_lowercase(), &known.to_lowercase()), *known))
        .filter(|(distance, _)| *distance <= most)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// How many letters must be put in, taken out, changed or swapped with the next to make one word of the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let mut previous = None;
    for (row, a) in a.chars().enumerate() {
        let mut line = vec![row + 1];
        for (column, b_here) in b.iter().enumerate() {
            let at =
                |line: &[usize], place: usize| line.get(place).copied().unwrap_or(usize::MAX / 2);
            let changed = at(&last, column) + usize::from(a != *b_here);
            let gap = at(&last, column + 1).min(at(&line, column)) + 1;
            let b_before = column.checked_sub(1).and_then(|c| b.get(c).copied());
            let swap = b_before.is_some() && b_before == Some(a) && previous == Some(*b_here);
            let swapped = if swap { at(&before, column.saturating_sub(1)) + 1 } else { usize::MAX };
            line.push(changed.min(gap).min(swapped));
        }
        before = std::mem::replace(&mut last, line);
        previous = Some(a);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (a, b, d) in [
            ("", "", 0),
            ("a", "", 1),
            ("", "ab", 2),
            ("form", "from", 1),
            ("guide", "guides", 1),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(distance(a, b), d, "{a} {b}");
        }
    }

    #[test]
    fn near_words_are_suggested_and_far_ones_listed() {
        assert_eq!(hint("projct", ["project", "data"]), "; did you mean `project`?");
        assert_eq!(hint("PROJECT", ["project", "data"]), "; did you mean `project`?");
        assert_eq!(hint("billing", ["project", "data"]), "; there are `project`, `data`");
        assert_eq!(hint("x", ["project"]), "; there is only `project`");
        assert_eq!(hint("x", []), "; there is none");
        let many: Vec<String> = (0..20).map(|n| format!("name-{n}")).collect();
        assert_eq!(hint("billing", many.iter().map(String::as_str)), "; there are 20 others");
    }
}
