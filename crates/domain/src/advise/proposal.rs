//! What a model is said to have answered. Must not be trusted: anybody can make one up.

/// An answer, as far as its bytes say.
#[derive(Debug, Clone, PartialEq)]
pub enum Proposal {
    /// A probability for each option.
    Weighed {
        /// By option, as the answer names them.
        options: Vec<(Box<str>, f64)>,
        /// The option that the answer itself calls the best.
        chosen: Option<Box<str>>,
    },
    /// Options from the best on, without a number; usually the first two.
    Ranked(Vec<Box<str>>),
}
