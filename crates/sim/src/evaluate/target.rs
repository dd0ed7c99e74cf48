//! The policy to be evaluated: how likely it draws each action of a row. Must not look at what came of the row.

use std::fmt;
use std::str::FromStr;

use pilotage_wire::decision_log::{NO_GUIDE, Row};
use thiserror::Error;

/// How far a law may be from summing to 1.
const TOLERANCE: f64 = 1e-6;

/// The policy to be evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The one that drew.
    Logged,
    /// Every action alike.
    Random,
    /// The first guide in the file's order; nothing where there is none.
    Static,
    /// What each row says in `evaluation`.
    Given,
    /// This action wherever it could be drawn, else nothing.
    Always(String),
}

/// Not the name of a policy.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "`{0}` is not a policy that can be worked out from a log: logged, random, static, given (the log's own `evaluation`) or \
     always:ACTION. For any other, let `pilotage replay --policy … --decisions FILE` write its law down, and evaluate FILE with \
     `--policy given`"
)]
pub struct NoTarget(String);

impl FromStr for Target {
    type Err = NoTarget;

    fn from_str(text: &str) -> Result<Self, NoTarget> {
        Ok(match text {
            "logged" => Self::Logged,
            "random" => Self::Random,
            "static" => Self::Static,
            "given" => Self::Given,
            _ => match text.strip_prefix("always:").filter(|action| !action.is_empty()) {
                Some(action) => Self::Always(action.to_owned()),
                None => return Err(NoTarget(text.to_owned())),
            },
        })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Logged => f.write_str("logged"),
            Self::Random => f.write_str("random"),
            Self::Static => f.write_str("static"),
            Self::Given => f.write_str("given"),
            Self::Always(action) => write!(f, "always:{action}"),
        }
    }
}

/// What a row does not say and a policy needs, or says wrongly.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum RowFault {
    /// Not a probability that something is drawn with.
    #[error("`{0}` must be above 0 and at most 1")]
    Propensity(&'static str),
    /// Not a probability.
    #[error("`{0}` must be from 0 to 1")]
    Probability(&'static str),
    /// Not a number to reckon with.
    #[error("`{0}` must be a finite number")]
    NotFinite(&'static str),
    /// No list of actions.
    #[error("`actions` must name what could be drawn: the policy can't be worked out without")]
    NoActions,
    /// The drawn action is not in the list.
    #[error("`actions` does not hold the drawn action `{0}`")]
    NotAmong(String),
    /// Two of a name.
    #[error("`actions` holds `{0}` twice")]
    Twice(String),
    /// Row and list disagree.
    #[error("`propensity` is {row}, but `actions` says {list} of the drawn action")]
    Disagree {
        /// What the row says.
        row: f64,
        /// What its list says.
        list: f64,
    },
    /// Not a law.
    #[error("the `{name}` of all actions sum to {sum}, not to 1")]
    Sum {
        /// Which numbers.
        name: &'static str,
        /// To what they sum.
        sum: f64,
    },
    /// The row has no law for the policy `given`.
    #[error("an action has no `evaluation`, which the policy `given` needs of every one")]
    NoEvaluation,
    /// Nothing to fall back on.
    #[error("`actions` holds neither `{0}` nor `no_guide`")]
    NothingElse(String),
}

/// Holds the row's numbers against what they must be.
pub(super) fn check(row: &Row) -> Result<(), RowFault> {
    let is_drawn = |p: f64| p > 0.0 && p <= 1.0;
    if row.propensity.is_some_and(|p| !is_drawn(p)) {
        return Err(RowFault::Propensity("propensity"));
    }
    if row.reward.is_some_and(|r| !r.is_finite()) {
        return Err(RowFault::NotFinite("reward"));
    }
    let is_probability = |p: Option<f64>| p.is_none_or(|p| (0.0..=1.0).contains(&p));
    for (place, action) in row.actions.iter().enumerate() {
        if !is_probability(action.propensity) {
            return Err(RowFault::Probability("actions.propensity"));
        }
        if !is_probability(action.evaluation) {
            return Err(RowFault::Probability("actions.evaluation"));
        }
        if action.estimate.is_some_and(|e| !e.is_finite()) {
            return Err(RowFault::NotFinite("actions.estimate"));
        }
        if row.actions[..place].iter().any(|other| other.action == action.action) {
            return Err(RowFault::Twice(action.action.clone()));
        }
    }
    check_law(row)
}

/// What was drawn stands among what could be, and all of it makes up 1 where all of it is told.
fn check_law(row: &Row) -> Result<(), RowFault> {
    let Some(propensity) = row.propensity.filter(|_| !row.actions.is_empty()) else {
        return Ok(());
    };
    let place = chosen(row).ok_or_else(|| RowFault::NotAmong(row.action.clone()))?;
    match row.actions[place].propensity {
        Some(list) if (list - propensity).abs() > TOLERANCE => {
            return Err(RowFault::Disagree { row: propensity, list });
        }
        _ => {}
    }
    let told: Option<Vec<f64>> = row.actions.iter().map(|action| action.propensity).collect();
    told.map_or(Ok(()), |law| sums_to_one("propensity", &law))
}

fn sums_to_one(name: &'static str, law: &[f64]) -> Result<(), RowFault> {
    let sum: f64 = law.iter().sum();
    if (sum - 1.0).abs() > TOLERANCE { Err(RowFault::Sum { name, sum }) } else { Ok(()) }
}

/// The place of what was drawn among what could be.
pub(super) fn chosen(row: &Row) -> Option<usize> {
    row.actions.iter().position(|action| action.action == row.action)
}

impl Target {
    /// How likely the policy draws each of the row's actions. `None` where that is not to be known and not needed: the policy
    /// that drew, in a row that tells the propensity of what was drawn and no other.
    pub(super) fn law(&self, row: &Row) -> Result<Option<Vec<f64>>, RowFault> {
        if *self == Self::Logged {
            return Ok(row.actions.iter().map(|a| a.propensity).collect::<Option<Vec<f64>>>())
                .map(|law| law.filter(|law| !law.is_empty()));
        }
        if row.actions.is_empty() {
            return Err(RowFault::NoActions);
        }
        match self {
            Self::Logged => Ok(None),
            Self::Random => Ok(Some(vec![1.0 / row.actions.len() as f64; row.actions.len()])),
            Self::Static => {
                let first = row.actions.iter().position(|action| action.action != NO_GUIDE);
                Ok(Some(certain(row, first.unwrap_or(0))))
            }
            Self::Given => {
                let law: Option<Vec<f64>> = row.actions.iter().map(|a| a.evaluation).collect();
                let law = law.ok_or(RowFault::NoEvaluation)?;
                sums_to_one("evaluation", &law).map(|()| Some(law))
            }
            Self::Always(wanted) => {
                let place = |name: &str| row.actions.iter().position(|a| a.action == name);
                let place = place(wanted).or_else(|| place(NO_GUIDE));
                let place = place.ok_or_else(|| RowFault::NothingElse(wanted.clone()))?;
                Ok(Some(certain(row, place)))
            }
        }
    }
}

fn certain(row: &Row, place: usize) -> Vec<f64> {
    (0..row.actions.len()).map(|at| if at == place { 1.0 } else { 0.0 }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(line: &str) -> Row {
        Row::read(line).expect("a row")
    }

    const DRAWN: &str = "{\"action\":\"b\",\"propensity\":0.25,\"actions\":[\
        {\"action\":\"a\",\"propensity\":0.5,\"evaluation\":0.9},\
        {\"action\":\"b\",\"propensity\":0.25,\"evaluation\":0.1},\
        {\"action\":\"no_guide\",\"propensity\":0.25,\"evaluation\":0}]}";

    #[test]
    fn each_policy_has_its_law() {
        let row = row(DRAWN);
        assert_eq!(check(&row), Ok(()));
        let table = [
            ("logged", vec![0.5, 0.25, 0.25]),
            ("random", vec![1.0 / 3.0; 3]),
            ("static", vec![1.0, 0.0, 0.0]),
            ("given", vec![0.9, 0.1, 0.0]),
            ("always:b", vec![0.0, 1.0, 0.0]),
            ("always:z", vec![0.0, 0.0, 1.0]),
        ];
        for (name, law) in table {
            let target: Target = name.parse().expect("a policy");
            assert_eq!((target.law(&row), target.to_string()), (Ok(Some(law)), name.to_owned()));
        }
        for name in ["learner", "always:", ""] {
            let error = name.parse::<Target>().expect_err("no such policy");
            assert!(error.to_string().contains("pilotage replay"), "{error}");
        }
    }

    #[test]
    fn what_a_row_says_wrongly_is_named() {
        let table = [
            (DRAWN.replacen("0.25", "0", 1), RowFault::Propensity("propensity")),
            (DRAWN.replacen("0.25", "1.5", 1), RowFault::Propensity("propensity")),
            (DRAWN.replacen("0.25", "0.3", 1), RowFault::Disagree { row: 0.3, list: 0.25 }),
            (DRAWN.replace("0.5", "0.625"), RowFault::Sum { name: "propensity", sum: 1.125 }),
            (DRAWN.replace("0.5", "-0.5"), RowFault::Probability("actions.propensity")),
            (DRAWN.replace("0.9", "2"), RowFault::Probability("actions.evaluation")),
            (DRAWN.replace("no_guide", "a"), RowFault::Twice("a".into())),
            (DRAWN.replacen("\"b\"", "\"c\"", 1), RowFault::NotAmong("c".into())),
        ];
        for (line, fault) in table {
            assert_eq!(check(&row(&line)), Err(fault), "{line}");
        }
    }

    #[test]
    fn what_a_row_does_not_say_is_asked_for() {
        let bare = row("{\"action\":\"b\",\"propensity\":0.25}");
        assert_eq!(check(&bare), Ok(()));
        assert_eq!(Target::Logged.law(&bare), Ok(None));
        assert_eq!(Target::Random.law(&bare), Err(RowFault::NoActions));
        let listed = row(&DRAWN.replace(",\"evaluation\":0.9", ""));
        assert_eq!(Target::Given.law(&listed), Err(RowFault::NoEvaluation));
        let listed = row(&DRAWN.replace("0.9", "0.8"));
        assert!(matches!(
            Target::Given.law(&listed),
            Err(RowFault::Sum { name: "evaluation", .. })
        ));
        let listed = row(&DRAWN.replace("no_guide", "c"));
        let always = Target::Always("z".into());
        assert_eq!(always.law(&listed), Err(RowFault::NothingElse("z".into())));
    }
}
