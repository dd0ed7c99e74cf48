//! First lines and sizes of files and functions. Must not judge what the code does.

use super::Finding;
use super::source::Function;
use super::tree::Tree;

const FILE_LINES: usize = 600;
const FUNCTION_LINES: usize = 70;
const PARAMETERS: usize = 7;

/// The kinds of file that are written by hand, and long when they are too long.
const CODE: &[&str] = &[".rs", ".js", ".mjs", ".ts", ".css", ".html"];
/// One document has a bound of its own: it is read as a whole.
const ARCHITECTURE: (&str, usize) = ("ARCHITECTURE.md", 400);

pub(crate) fn first_line(tree: &Tree) -> Vec<Finding> {
    let rust = tree.ending(&[".rs"]).map(|file| (file, &["//! "][..]));
    let script =
        tree.ending(&[".js", ".mjs", ".ts"]).map(|file| (file, &["// ", "/** ", "/* "][..]));
    rust.chain(script)
        .filter(|((_, text), starts)| {
            // A script that is run by name starts with the name of its interpreter.
            let first = text.lines().find(|line| !line.starts_with("#!")).unwrap_or_default();
            !starts.iter().any(|start| first.starts_with(start))
        })
        .map(|((path, _), starts)| {
            Finding::new(
                path,
                1,
                format!("the first line does not start with `{}`", starts[0].trim()),
            )
        })
        .collect()
}

pub(crate) fn file_length(tree: &Tree) -> Vec<Finding> {
    let code = tree.ending(CODE).map(|(path, text)| (path, text, FILE_LINES));
    let (document, bound) = ARCHITECTURE;
    let architecture = tree.files.get(document).map(|text| (document, text.as_str(), bound));
    code.chain(architecture)
        .filter(|(_, text, bound)| text.lines().count() > *bound)
        .map(|(path, text, bound)| {
            Finding::new(path, 0, format!("{} lines, at most {bound}", text.lines().count()))
        })
        .collect()
}

pub(crate) fn function_length(tree: &Tree) -> Vec<Finding> {
    functions(tree, |function| {
        let Function { name, lines, .. } = function;
        (*lines > FUNCTION_LINES)
            .then(|| format!("`{name}` has {lines} lines, at most {FUNCTION_LINES}"))
    })
}

pub(crate) fn parameters(tree: &Tree) -> Vec<Finding> {
    functions(tree, |function| {
        let Function { name, parameters, .. } = function;
        (*parameters > PARAMETERS)
            .then(|| format!("`{name}` has {parameters} parameters, at most {PARAMETERS}"))
    })
}

pub(crate) fn no_bool_parameter(tree: &Tree) -> Vec<Finding> {
    functions(tree, |function| {
        function.public_bool.then(|| format!("the public `{}` takes a bool", function.name))
    })
}

fn functions(tree: &Tree, fault: impl Fn(&Function) -> Option<String>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, source) in &tree.rust {
        for function in &source.functions {
            findings.extend(fault(function).map(|what| Finding::new(path, function.line, what)));
        }
    }
    findings
}
