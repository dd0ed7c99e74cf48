//! What stands in the book of asking models, page by page: answers with their verdicts, and what people and alarms made of
//! them. Must read what every past version wrote.

use pilotage_domain::advise::mode::{Cause, Mode};
use pilotage_domain::id::GuideId;
use serde::{Deserialize, Serialize};

use super::record::{AnswerRecord, ReviewName};
use crate::record::RecordError;

const VERSION: u64 = 1;
/// The longest name of who has reviewed or set something, in bytes.
pub const MAX_BY: usize = 100;

/// One page.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PageBody {
    /// A call was made, and this came of it.
    Answer(Box<AnswerRecord>),
    /// A person has approved or rejected an answer's advice.
    Review {
        /// The page of the answer.
        answer: u64,
        /// The word.
        review: ReviewName,
        /// Who says so, where it was said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<Box<str>>,
    },
    /// A person has set how much say advice has.
    Mode {
        /// Of this guide; of the product where absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        guide: Option<GuideId>,
        /// From now on.
        mode: Mode,
        /// Who says so, where it was said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<Box<str>>,
    },
    /// The settings give the product's advice another say than they did.
    Configured {
        /// From now on.
        mode: Mode,
    },
    /// Advice has lost its say by itself: it is in shadow.
    Demoted {
        /// Of this guide; of the product where absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        guide: Option<GuideId>,
        /// The mode until then.
        from: Mode,
        /// What had risen.
        cause: Cause,
    },
}

#[derive(Serialize, Deserialize)]
struct Whole<T> {
    v: u64,
    page: T,
}

impl PageBody {
    /// The stored form.
    pub fn encode(&self) -> Vec<u8> {
        // Text, numbers and lists: nothing in it can fail to be written to memory.
        serde_json::to_vec(&Whole { v: VERSION, page: self }).expect("a page is always writable")
    }

    /// Reads a page of any version.
    ///
    /// # Errors
    /// Where it is newer than this program, or was never written by one.
    pub fn decode(body: &[u8]) -> Result<Self, RecordError> {
        #[derive(Deserialize)]
        struct Versioned {
            v: u64,
        }
        let Versioned { v } = serde_json::from_slice(body)?;
        match v {
            VERSION => Ok(serde_json::from_slice::<Whole<Self>>(body)?.page),
            found => Err(RecordError::Newer { found, known: VERSION }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_stay_as_they_are() {
        let pages = [
            PageBody::Review { answer: 7, review: ReviewName::Approved, by: Some("ann".into()) },
            PageBody::Mode { guide: GuideId::new("g").ok(), mode: Mode::Review, by: None },
            PageBody::Configured { mode: Mode::Live },
            PageBody::Demoted { guide: None, from: Mode::Live, cause: Cause::Harm },
        ];
        let texts = [
            r#"{"v":1,"page":{"review":{"answer":7,"review":"approved","by":"ann"}}}"#,
            r#"{"v":1,"page":{"mode":{"guide":"g","mode":"review"}}}"#,
            r#"{"v":1,"page":{"configured":{"mode":"live"}}}"#,
            r#"{"v":1,"page":{"demoted":{"from":"live","cause":"harm"}}}"#,
        ];
        for (page, text) in pages.iter().zip(texts) {
            assert_eq!(String::from_utf8(page.encode()).as_deref(), Ok(text));
            let read = PageBody::decode(text.as_bytes()).expect("written here");
            assert_eq!(read.encode(), text.as_bytes());
        }
        let newer = PageBody::decode(br#"{"v":2}"#).expect_err("of a later version");
        assert_eq!(newer, RecordError::Newer { found: 2, known: 1 });
    }
}
