//! The draw that stays the same within a session. Must not depend on anything that an earlier draw of the session changed:
//! then it would no longer follow its law.

use super::ArmView;
use crate::hash::{ContentHash, uniform};
use crate::id::{SessionId, UserId};

/// The number that decides a draw, one for as long as this user, in this session and situation, has these arms.
///
/// A page that asks again gets the same answer. Once a guide goes, or the situation is another one, the number is a fresh one,
/// so that each choice follows its law whatever was chosen before. The situation is its signature; `policy` is the policy's
/// name and version.
pub fn sticky_number(
    user: &UserId,
    session: &SessionId,
    situation: &ContentHash,
    arms: &[ArmView<'_>],
    policy: &str,
) -> u32 {
    let mut sorted = arms.to_vec();
    sorted.sort_unstable();
    let mut parts: Vec<&[u8]> = vec![
        user.as_str().as_bytes(),
        session.as_str().as_bytes(),
        situation.as_bytes(),
        policy.as_bytes(),
    ];
    for arm in &sorted {
        parts.extend([arm.guide.as_str().as_bytes(), arm.variant.as_str().as_bytes()]);
    }
    (uniform("sticky", &parts) >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{GuideId, VariantId};

    #[test]
    fn it_stays_until_arms_session_or_situation_change() {
        let guides: Vec<GuideId> =
            ["a", "b", "c"].iter().map(|id| GuideId::new(id).expect("an identifier")).collect();
        let variant = VariantId::new("v").expect("an identifier");
        let arms: Vec<ArmView<'_>> =
            guides.iter().map(|guide| ArmView { guide, variant: &variant }).collect();
        let mixed = [arms[2], arms[0], arms[1]];
        let user = UserId::new("ann").expect("a user");
        let session = |id| SessionId::new(id).expect("a session");
        let situation = |text: &str| ContentHash::of_bytes(text.as_bytes());
        let drawn = |session: &SessionId, at: &str, arms: &[ArmView<'_>], policy| {
            sticky_number(&user, session, &situation(at), arms, policy)
        };
        let first = drawn(&session("s1"), "x", &arms, "p");
        assert_eq!(first, drawn(&session("s1"), "x", &mixed, "p"), "whatever the file's order");
        let others = [
            drawn(&session("s2"), "x", &arms, "p"),
            drawn(&session("s1"), "y", &arms, "p"),
            drawn(&session("s1"), "x", &arms[..2], "p"),
            drawn(&session("s1"), "x", &arms, "p2"),
        ];
        assert!(others.iter().all(|other| *other != first), "{first} {others:?}");
        // Worked out by another program from the description of `uniform`.
        assert_eq!(first, 204_025_182);
    }
}
