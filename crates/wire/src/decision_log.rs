//! The decision log as a file: one row for each decision, read again by evaluation. Must keep to what `docs/evaluate.md` says of
//! it: others write this form, too.

use pilotage_domain::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::instant;

/// Showing nothing, as rows name it: always one of the actions.
pub const NO_GUIDE: &str = "no_guide";

/// One decision. Only `action` must be there; without `propensity` nothing was drawn, without `reward` nothing is known of
/// what came of it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision_id: Option<String>,
    /// The moment that it was made for.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "instant::optional")]
    pub at: Option<Timestamp>,
    /// For which product.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// For whom: decisions of one user are not taken for independent of each other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// In which visit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// `guided`, `random`, `static` or `holdout`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The policy that drew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// Drawn uniformly by the definition's `explore` share.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explore: Option<bool>,
    /// The same draw as an earlier one of this user: a page asked again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat: Option<bool>,
    /// The place that was decided about, where there are several: rewards are modelled for each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot: Option<String>,
    /// Why nothing was shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The situation, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
    /// The definition's content hash, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub catalogue_hash: Option<String>,
    /// What came of the draw: `GUIDE/VARIANT`, or `no_guide`.
    pub action: String,
    /// With which probability it was drawn, in (0, 1].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub propensity: Option<f64>,
    /// What it was worth: here 1 where activation is credited to it, else 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reward: Option<f64>,
    /// Whether the time in which a reward could come is over; taken to be so where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mature: Option<bool>,
    /// Where it is not: once the log reaches this moment, it is.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "instant::optional")]
    pub mature_at: Option<Timestamp>,
    /// When the guide was seen.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "instant::optional")]
    pub shown_at: Option<Timestamp>,
    /// When it was clicked.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "instant::optional")]
    pub clicked_at: Option<Timestamp>,
    /// When it was dismissed.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "instant::optional")]
    pub dismissed_at: Option<Timestamp>,
    /// What could have been drawn, guides in the file's order; the `static` policy takes the first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<Action>,
}

/// Something that could have been drawn.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Action {
    /// As `Row::action` names it.
    pub action: String,
    /// With which probability the logging policy draws it; 0 where it never does, absent where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub propensity: Option<f64>,
    /// With which probability the policy to be evaluated draws it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evaluation: Option<f64>,
    /// The reward that a model of the caller's expects of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimate: Option<f64>,
}

impl Row {
    /// Reads one line of a file of JSON lines.
    ///
    /// # Errors
    /// What serde says of the fault.
    pub fn read(line: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(line)
    }

    /// Its line, without the line's end.
    pub fn line(&self) -> String {
        // Its names are text and its numbers are finite or absent: there is nothing that JSON can't say.
        serde_json::to_string(self).expect("a row is always writable")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_needs_an_action_and_survives_its_line() {
        let least = Row::read("{\"action\":\"a\",\"propensity\":0.25,\"reward\":1}").expect("read");
        assert_eq!((least.propensity, least.reward), (Some(0.25), Some(1.0)));
        assert_eq!(least.line(), "{\"action\":\"a\",\"propensity\":0.25,\"reward\":1.0}");
        assert!(Row::read("{\"propensity\":0.25}").expect_err("no action").is_data());
        let row = Row {
            at: Some(Timestamp::from_millis(1_795_348_800_000)),
            user_id: Some("u".into()),
            repeat: Some(false),
            actions: vec![Action {
                action: "g/v".into(),
                propensity: Some(0.0),
                ..Action::default()
            }],
            ..least
        };
        assert!(row.line().contains("\"at\":\"2026-11-22T"), "{}", row.line());
        assert_eq!(Row::read(&row.line()).expect("read"), row);
    }
}
