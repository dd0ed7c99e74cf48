//! Whether a page's path is one of a route's. Must not fetch or normalise anything beyond what it says.

/// Whether the path is of the pattern. Of the path, the query, the fragment and trailing slashes are ignored. Of the
/// pattern, a segment `:name` stands for any one segment that is not empty, and a `*` at the end for any rest, none
/// included. Everything else must be the same, letter by letter.
pub fn matches(pattern: &str, path: &str) -> bool {
    let mut wanted = trimmed(pattern).split('/');
    let mut given = trimmed(page(path)).split('/');
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some("*"), _) => return wanted.next().is_none(),
            (Some(want), Some(got)) if fits(want, got) => {}
            _ => return false,
        }
    }
}

fn fits(want: &str, got: &str) -> bool {
    if want.starts_with(':') { !got.is_empty() } else { want == got }
}

fn page(path: &str) -> &str {
    path.split(['?', '#']).next().unwrap_or(path)
}

fn trimmed(path: &str) -> &str {
    path.trim_end_matches('/')
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn paths_match_as_routes_say() {
        let table = [
            ("/projects", "/projects", true),
            ("/projects", "/projects/", true),
            ("/projects", "/projects?tab=2#top", true),
            ("/projects", "/projects/?q=/x", true),
            ("/projects", "/projects/7", false),
            ("/projects", "/project", false),
            ("/projects", "projects", false),
            ("/projects", "/Projects", false),
            ("/projects", "", false),
            ("/", "/", true),
            ("/", "", true),
            ("/", "/x", false),
            ("/users/:id", "/users/ann", true),
            ("/users/:id", "/users/", false),
            ("/users/:id", "/users//", false),
            ("/users/:id/edit", "/users//edit", false),
            ("/users/:id/edit", "/users/a/edit", true),
            ("/users/:id/edit", "/users/a/b/edit", false),
            ("/docs/*", "/docs", true),
            ("/docs/*", "/docs/a/b?c", true),
            ("/docs/*", "/docsearch", false),
            ("/*", "/anything/at/all", true),
            ("/a*", "/ab", false),
        ];
        for (pattern, path, expected) in table {
            assert_eq!(matches(pattern, path), expected, "{pattern} {path}");
        }
    }
}
