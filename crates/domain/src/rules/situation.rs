//! All that the gates look at: a user's profile at a moment, and the caller's surroundings. Must not judge.

use semver::Version;

use crate::decide::Request;
use crate::definition::Milestone;
use crate::definition::condition::Status;
use crate::definition::table::Ix;
use crate::id::GuideId;
use crate::profile::charge::Charges;
use crate::profile::session_hash;
use crate::profile::view::View;

/// A user at a moment, somewhere in the product.
#[derive(Debug)]
pub struct Situation<'a> {
    /// The profile, now.
    pub view: View<'a>,
    /// The caller's version, else the profile's.
    pub app_version: AppVersion,
    /// The caller's locale, else the profile's, else the attribute's default.
    pub locale: Option<&'a str>,
    pub(super) path: Option<&'a str>,
    pub(super) components: Option<&'a [String]>,
    pub(super) paused: &'a [GuideId],
    pub(super) charges: Charges<'a>,
    pub(super) session: u64,
    pub(super) merged: bool,
    statuses: Vec<Status>,
}

/// The version of the user's app, as far as it can be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AppVersion {
    /// Neither the caller nor the profile names one.
    Unknown,
    /// What is named is no semantic version; what the profile says is not taken instead.
    Unreadable,
    /// This one.
    Known(Version),
}

impl<'a> Situation<'a> {
    /// The user of that profile in the surroundings of that request.
    pub fn new(view: View<'a>, request: &Request<'a>) -> Self {
        let surface = request.surface;
        let milestones = view.definition.milestones.entries();
        Self {
            app_version: AppVersion::read(surface.app_version.or(view.app_version())),
            locale: surface.locale.or(view.locale()),
            path: surface.path,
            components: surface.components,
            paused: request.paused,
            charges: Charges::new(&view.profile.contact, request.pending, view.now),
            session: session_hash(request.session),
            merged: request.kin.is_merged(),
            statuses: milestones.map(|(ix, _)| view.status(ix)).collect(),
            view,
        }
    }

    /// The milestone's status, worked out once for all guides.
    pub fn status(&self, milestone: Ix<Milestone>) -> Status {
        let known = self.statuses.get(milestone.place()).copied();
        known.unwrap_or_else(|| self.view.status(milestone))
    }
}

impl AppVersion {
    fn read(text: Option<&str>) -> Self {
        match text.map(Version::parse) {
            None => Self::Unknown,
            Some(Err(_)) => Self::Unreadable,
            Some(Ok(version)) => Self::Known(version),
        }
    }

    /// The version, where it can be told.
    pub fn known(&self) -> Option<&Version> {
        match self {
            Self::Known(version) => Some(version),
            _ => None,
        }
    }
}
