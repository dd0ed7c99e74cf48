//! Finding addresses in copy: with a scheme, `www.`, hosts with a path or a common ending, mail. Must not resolve any.

/// Schemes that do something where a reader follows them, even without `//`.
const SCHEMES: [&str; 6] = ["javascript:", "vbscript:", "data:", "blob:", "file:", "mailto:"];

/// Endings that make a bare `name.ending` a host. Those that are also words, as in `Done.it`, are left out.
const ENDINGS: [&str; 25] = [
    "com", "net", "org", "edu", "gov", "info", "biz", "io", "co", "ai", "app", "dev", "xyz", "eu",
    "uk", "de", "fr", "ru", "cn", "site", "online", "shop", "click", "link", "cloud",
];

/// The text in lower case, with full-width letters, signs and dots in their usual form: as an address would be read.
pub(super) fn plain(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.chars().map(narrow).flat_map(char::to_lowercase).collect()
}

fn narrow(c: char) -> char {
    match c {
        '\u{3002}' | '\u{ff61}' | '\u{2024}' => '.',
        '\u{2044}' | '\u{2215}' => '/',
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        _ => c,
    }
}

/// Whether there is an address in the text, which must be `plain`.
pub(super) fn has_link(plain: &str) -> bool {
    // Every address has one of these; most copy has none.
    plain.contains([':', '.', '@'])
        && (plain.contains("://") || plain.split(is_edge).any(is_address))
}

fn is_edge(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '"' | '\'' | '(' | ')' | '[' | ']' | '{' | '}' | '<' | '>' | ',' | ';' | '|')
}

fn is_address(word: &str) -> bool {
    let scheme = SCHEMES.iter().any(|s| word.strip_prefix(s).is_some_and(|rest| !rest.is_empty()));
    scheme || is_host(word.rsplit('@').next().unwrap_or(word), word.contains('@'))
}

/// `name.ending`, where it can't be anything else: after an `@`, before a path or port, or with a common ending.
fn is_host(word: &str, mail: bool) -> bool {
    let end = word.find(['/', ':', '?', '#']).unwrap_or(word.len());
    let (host, rest) = word.split_at_checked(end).unwrap_or((word, ""));
    let host = host.trim_end_matches(['.', '!']);
    let Some((name, ending)) = host.rsplit_once('.') else {
        return false;
    };
    let label = |l: &str| !l.is_empty() && l.chars().all(|c| c.is_alphanumeric() || c == '-');
    if !name.split('.').all(label) || ending.len() < 2 || !ending.chars().all(char::is_alphabetic) {
        return false;
    }
    let followed = rest.starts_with('/') || rest.strip_prefix(':').is_some_and(starts_with_digit);
    mail || followed || name.starts_with("www.") || name == "www" || ENDINGS.contains(&ending)
}

fn starts_with_digit(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_words() {
        let table = [
            ("see https://x.y", true),
            ("HTTP://EVIL", true),
            ("javascript:alert(1)", true),
            ("Data: nothing", false),
            ("data:text/html", true),
            ("www.example", true),
            ("go to evil.com!", true),
            ("(evil.com)", true),
            ("evil.example/path", true),
            ("evil.example:8080", true),
            ("evil。com", true),
            ("ｅｖｉｌ．ｃｏｍ", true),
            ("bücher.de", true),
            ("ann@mail.example", true),
            ("@ann", false),
            ("at 10:30", false),
            ("1.5/2", false),
            ("and/or", false),
            ("Done.Next", false),
            ("Node.js", false),
            ("e.g.", false),
            ("...", false),
            ("a..com", false),
        ];
        for (text, expected) in table {
            assert_eq!(has_link(&plain(text)), expected, "{text}");
        }
    }
}
