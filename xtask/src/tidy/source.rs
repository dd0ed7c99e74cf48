//! A Rust file as the rules see it: functions, paths, macros, attributes. Must not judge.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Block, FnArg, ImplItemFn, ItemFn, ItemTrait, Signature, TraitItemFn, Type, Visibility};

/// What is in the file; empty where it does not parse, which the compiler says better.
#[derive(Default)]
pub(crate) struct Source {
    pub(crate) functions: Vec<Function>,
    pub(crate) mentions: Vec<Mention>,
    pub(crate) macros: Vec<Mention>,
    pub(crate) attributes: Vec<Attribute>,
}

/// A function, method or trait method.
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) line: usize,
    /// From its `fn` to the closing brace; documentation does not count.
    pub(crate) lines: usize,
    pub(crate) parameters: usize,
    /// It is public, and one of its parameters is a `bool`.
    pub(crate) public_bool: bool,
}

/// A path such as `std::time::Instant::now`, wherever it is named, also inside macros and `use` groups.
pub(crate) struct Mention {
    pub(crate) segments: Vec<String>,
    pub(crate) line: usize,
}

impl Mention {
    /// Whether these segments follow one another in the path.
    pub(crate) fn has(&self, wanted: &str) -> bool {
        (0..self.segments.len()).any(|start| {
            let mut rest = self.segments[start..].iter();
            wanted.split("::").all(|wanted| rest.next().is_some_and(|segment| segment == wanted))
        })
    }
}

/// An attribute: its words, in order.
pub(crate) struct Attribute {
    pub(crate) words: Vec<String>,
    pub(crate) line: usize,
}

impl Source {
    pub(crate) fn parse(text: &str) -> Self {
        let Ok(tokens) = text.parse::<TokenStream>() else { return Self::default() };
        let mut source = Self::default();
        source.walk(tokens.clone(), &[]);
        if let Ok(file) = syn::parse2::<syn::File>(tokens) {
            Functions { found: &mut source.functions, in_public_trait: false }.visit_file(&file);
        }
        source
    }

    /// Collects paths, macros and attributes; `prefix` is the path that a `use` group continues.
    fn walk(&mut self, tokens: TokenStream, prefix: &[String]) {
        let mut path = Path::new(prefix);
        let mut after_hash = false;
        let mut tokens = tokens.into_iter().peekable();
        while let Some(token) = tokens.next() {
            let hash_before = std::mem::take(&mut after_hash);
            match token {
                TokenTree::Ident(word) => {
                    path.word(word.to_string(), word.span(), &mut self.mentions)
                }
                TokenTree::Punct(sign) if sign.as_char() == ':' => path.colon(),
                TokenTree::Punct(sign) => {
                    if sign.as_char() == '!' && matches!(tokens.peek(), Some(TokenTree::Group(_))) {
                        self.macros.extend(path.mention());
                    }
                    after_hash = sign.as_char() == '#' || (hash_before && sign.as_char() == '!');
                    path.end(&mut self.mentions);
                }
                TokenTree::Group(group) => {
                    if hash_before && group.delimiter() == Delimiter::Bracket {
                        self.attributes.push(attribute(&group));
                    }
                    self.walk(group.stream(), path.continued());
                    path.end(&mut self.mentions);
                }
                TokenTree::Literal(_) => path.end(&mut self.mentions),
            }
        }
        path.end(&mut self.mentions);
    }
}

fn attribute(group: &Group) -> Attribute {
    fn words(tokens: TokenStream, found: &mut Vec<String>) {
        for token in tokens {
            match token {
                TokenTree::Ident(word) => found.push(word.to_string()),
                TokenTree::Group(group) => words(group.stream(), found),
                _ => {}
            }
        }
    }
    let mut found = Vec::new();
    words(group.stream(), &mut found);
    Attribute { words: found, line: line_of(group.span()) }
}

/// The path under the reader's finger.
struct Path<'a> {
    prefix: &'a [String],
    segments: Vec<String>,
    line: usize,
    /// How many colons stand behind the last segment; two mean that the path goes on.
    colons: usize,
    /// Nothing was added to the prefix yet.
    fresh: bool,
}

impl<'a> Path<'a> {
    fn new(prefix: &'a [String]) -> Self {
        Self { prefix, segments: prefix.to_vec(), line: 0, colons: 0, fresh: true }
    }

    fn word(&mut self, word: String, span: Span, found: &mut Vec<Mention>) {
        if !self.goes_on() {
            self.end(found);
        }
        self.line = line_of(span);
        self.segments.push(word);
        (self.colons, self.fresh) = (0, false);
    }

    fn colon(&mut self) {
        self.colons += 1;
    }

    fn goes_on(&self) -> bool {
        self.colons == 2
    }

    /// What a group right behind the path continues: nothing, unless two colons stand between.
    fn continued(&self) -> &[String] {
        if self.goes_on() { &self.segments } else { &[] }
    }

    fn mention(&self) -> Option<Mention> {
        (!self.fresh).then(|| Mention { segments: self.segments.clone(), line: self.line })
    }

    fn end(&mut self, found: &mut Vec<Mention>) {
        found.extend(self.mention());
        *self = Self::new(self.prefix);
    }
}

struct Functions<'a> {
    found: &'a mut Vec<Function>,
    in_public_trait: bool,
}

impl Functions<'_> {
    fn add(&mut self, signature: &Signature, body: Option<&Block>, public: bool) {
        let start = line_of(signature.fn_token.span);
        let end = body.map_or(start, |body| line_of(body.brace_token.span.close()));
        let takes_bool = signature.inputs.iter().any(|input| match input {
            FnArg::Typed(typed) => {
                matches!(&*typed.ty, Type::Path(path) if path.path.is_ident("bool"))
            }
            FnArg::Receiver(_) => false,
        });
        self.found.push(Function {
            name: signature.ident.to_string(),
            line: start,
            lines: end + 1 - start,
            parameters: signature.inputs.len(),
            public_bool: public && takes_bool,
        });
    }
}

impl<'ast> Visit<'ast> for Functions<'_> {
    fn visit_item_fn(&mut self, function: &'ast ItemFn) {
        self.add(&function.sig, Some(&function.block), is_public(&function.vis));
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast ImplItemFn) {
        self.add(&function.sig, Some(&function.block), is_public(&function.vis));
        visit::visit_impl_item_fn(self, function);
    }

    fn visit_item_trait(&mut self, item: &'ast ItemTrait) {
        let outer = std::mem::replace(&mut self.in_public_trait, is_public(&item.vis));
        visit::visit_item_trait(self, item);
        self.in_public_trait = outer;
    }

    fn visit_trait_item_fn(&mut self, function: &'ast TraitItemFn) {
        self.add(&function.sig, function.default.as_ref(), self.in_public_trait);
        visit::visit_trait_item_fn(self, function);
    }
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

fn line_of(span: Span) -> usize {
    span.start().line
}
