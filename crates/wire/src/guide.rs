//! A guide as it leaves the process: everything a page needs to draw it. Must hold only what the rules have passed.

use pilotage_domain::decide::ValidGuide;
use pilotage_domain::id::{GuideId, MilestoneId, VariantId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A guide to be drawn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Guide")]
pub struct GuideBody {
    /// Its identifier.
    #[schemars(with = "String")]
    pub id: GuideId,
    /// Its wording.
    #[schemars(with = "String")]
    pub variant: VariantId,
    /// `tooltip`, `modal`, `banner`, `hotspot`, `checklist` or `headless`.
    pub component: Box<str>,
    /// Where it belongs.
    pub target: TargetBody,
    /// What it says.
    pub copy: CopyBody,
    /// Where its call to action leads.
    pub action: Option<ActionBody>,
    /// The milestone that it serves.
    #[schemars(with = "String")]
    pub milestone: MilestoneId,
}

/// A place in the product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Target")]
pub struct TargetBody {
    /// The page's path pattern; any page where absent.
    pub path: Option<Box<str>>,
    /// The element's selector; none for banners and modals.
    pub anchor: Option<Box<str>>,
}

/// Rendered copy: plain text, never markup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Copy")]
pub struct CopyBody {
    /// The headline.
    pub title: Box<str>,
    /// The sentence below.
    pub body: Option<Box<str>>,
    /// The call to action.
    pub cta: Option<Box<str>>,
    /// The locale that it is written in.
    pub locale: Box<str>,
}

/// Where a call to action leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Action")]
pub struct ActionBody {
    /// A path of the product.
    pub path: Box<str>,
}

impl From<&ValidGuide> for GuideBody {
    fn from(guide: &ValidGuide) -> Self {
        let copy = guide.copy();
        Self {
            id: guide.id().clone(),
            variant: guide.variant().clone(),
            component: guide.component().into(),
            target: TargetBody {
                path: guide.target_path().map(Into::into),
                anchor: guide.anchor().map(Into::into),
            },
            copy: CopyBody {
                title: copy.title.clone(),
                body: copy.body.clone(),
                cta: copy.cta.clone(),
                locale: copy.locale.clone(),
            },
            action: guide.action_path().map(|path| ActionBody { path: path.into() }),
            milestone: guide.milestone().clone(),
        }
    }
}
