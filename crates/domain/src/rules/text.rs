//! The text rules, over copy as a user would read it: for every decision on filled slots, and for the checker on the words
//! of the definition. Must not repair text: what breaks a rule is not shown.

use std::fmt;

use regex::Regex;
use unicode_segmentation::UnicodeSegmentation;

use super::link;
use crate::definition::TextRules;

/// The most code points of one grapheme. Emoji that the rules let through have at most four, letters of any script fewer.
const MAX_STACK: usize = 8;

/// A part of a guide's copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The headline.
    Title,
    /// The sentence below.
    Body,
    /// The call to action.
    Cta,
}

impl Part {
    /// As a definition names it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::Body => "body",
            Self::Cta => "cta",
        }
    }

    const fn limit(self, rules: &TextRules) -> usize {
        match self {
            Self::Title => rules.title,
            Self::Body => rules.body,
            Self::Cta => rules.cta,
        }
    }
}

/// A text rule that is broken; printed as what the text must be.
#[derive(Debug, Clone, Copy)]
pub enum Fault<'a> {
    /// Nothing to read.
    Blank,
    /// More graphemes than this.
    Long(usize),
    /// An expression of the definition that must not match.
    Forbidden(&'a Regex),
    /// A web or mail address, or a script.
    Link,
    /// A tag or a character reference.
    Html,
    /// A control that turns the direction of writing.
    Bidi,
    /// Something that takes no room, or more marks on one letter than any script has.
    Invisible,
    /// A control character or line separator.
    Control,
}

impl fmt::Display for Fault<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blank => f.write_str("something to read"),
            Self::Long(most) => write!(f, "at most {most} graphemes"),
            Self::Forbidden(expression) => write!(f, "no match of {expression}"),
            Self::Link => f.write_str("no URL"),
            Self::Html => f.write_str("no HTML"),
            Self::Bidi => f.write_str("no bidirectional controls"),
            Self::Invisible => f.write_str("no invisible characters"),
            Self::Control => f.write_str("no control characters"),
        }
    }
}

/// Every rule that the text breaks, in a fixed order. What only some texts can break is looked for in those alone: this
/// runs for every filled slot of every decision.
pub fn faults<'a>(rules: &'a TextRules, part: Part, text: &str) -> Vec<Fault<'a>> {
    let plain = link::plain(text);
    let most = part.limit(rules);
    let foreign = !text.is_ascii();
    let mut found = Vec::new();
    let mut note = |broken: bool, fault| {
        if broken {
            found.push(fault);
        }
    };
    note(text.trim().is_empty(), Fault::Blank);
    note(longer(text, most), Fault::Long(most));
    for expression in &rules.forbid {
        let hit = expression.is_match(text) || (foreign && expression.is_match(&plain));
        note(hit, Fault::Forbidden(expression));
    }
    note(link::has_link(&plain), Fault::Link);
    note(has_html(&plain), Fault::Html);
    note(foreign && text.chars().any(is_bidi), Fault::Bidi);
    note(foreign && (text.chars().any(is_invisible) || is_stacked(text)), Fault::Invisible);
    note(text.chars().any(is_control), Fault::Control);
    found
}

/// A text has at most as many graphemes as bytes: short ones need no counting.
fn longer(text: &str, most: usize) -> bool {
    text.len() > most && text.graphemes(true).nth(most).is_some()
}

fn is_stacked(text: &str) -> bool {
    text.graphemes(true).any(|g| g.chars().nth(MAX_STACK).is_some())
}

/// `<` before what can begin a tag, comment or declaration; `&…;`.
fn has_html(plain: &str) -> bool {
    let tag = plain.split('<').skip(1).any(|rest| {
        rest.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?'))
    });
    let reference = |rest: &str| {
        let name = rest.split(';').next().filter(|name| name.len() < rest.len());
        name.is_some_and(|name| {
            let name = name.strip_prefix('#').unwrap_or(name);
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric())
        })
    };
    tag || plain.split('&').skip(1).any(reference)
}

fn is_control(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

fn is_bidi(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Joiners, fillers, soft hyphens, tags and all variation selectors but those for text and emoji: room for hidden words.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2065}'
        | '\u{206a}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0d}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> TextRules {
        let forbid = ["guarantee", "risk[- ]free", "100 ?%"];
        let compile = |e: &&str| Regex::new(&format!("(?i){e}")).expect("compiles");
        TextRules { title: 12, body: 160, cta: 24, forbid: forbid.iter().map(compile).collect() }
    }

    fn broken(part: Part, text: &str) -> Vec<String> {
        faults(&rules(), part, text).iter().map(Fault::to_string).collect()
    }

    #[test]
    fn good_copy_breaks_nothing() {
        let table = [
            "Ready, Ünal?",
            "CSV and Postgres both work.",
            "Prix < 3 € & co",
            "I <3 it",
            "Half: 50 %",
            "❤️ 👍🏽 🇦🇹 é é",
            "你好，世界",
            "שלום",
            "e.g. this, i.e. that",
            "Node.js 2.0 and v1.2.3",
            "Your data: ready",
            "either/or",
            "AT&T; or",
            "Was ist z.B. neu?",
            "https is safe",
        ];
        for text in table {
            let found: Vec<_> = broken(Part::Body, text);
            let expected: &[&str] = if text == "AT&T; or" { &["no HTML"] } else { &[] };
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn length_counts_graphemes() {
        assert!(broken(Part::Title, "🇦🇹👍🏽❤️éééééééé1").is_empty());
        assert_eq!(broken(Part::Title, "🇦🇹👍🏽❤️éééééééé12"), ["at most 12 graphemes"]);
    }

    #[test]
    fn each_rule_is_seen() {
        let table = [
            ("", "something to read"),
            ("\u{a0}\u{3000}", "something to read"),
            ("We GUARANTEE it", "no match of (?i)guarantee"),
            ("Risk-free", "no match of (?i)risk[- ]free"),
            ("ｇｕａｒａｎｔｅｅd", "no match of (?i)guarantee"),
            ("100% sure", "no match of (?i)100 ?%"),
            ("<b>now</b>", "no HTML"),
            ("a </p", "no HTML"),
            ("＜script＞", "no HTML"),
            ("<!-- x", "no HTML"),
            ("&lt;b", "no HTML"),
            ("&#x3c;b", "no HTML"),
            ("\u{202e}drac", "no bidirectional controls"),
            ("\u{2067}x\u{2069}", "no bidirectional controls"),
            ("a\u{200b}b", "no invisible characters"),
            ("a\u{200d}b", "no invisible characters"),
            ("\u{feff}a", "no invisible characters"),
            ("a\u{ad}b", "no invisible characters"),
            ("\u{e0041}a", "no invisible characters"),
            ("a\u{e0100}", "no invisible characters"),
            (
                "e\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}",
                "no invisible characters",
            ),
            ("two\nlines", "no control characters"),
            ("nul\0", "no control characters"),
            ("line\u{2028}", "no control characters"),
            ("c1\u{9b}", "no control characters"),
        ];
        for (text, expected) in table {
            assert_eq!(broken(Part::Body, text), [expected], "{text:?}");
        }
    }
}
