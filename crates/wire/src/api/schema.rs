//! The closed lists of the domain as schemas, since the domain knows none. Must name every value, as the domain writes it.

use pilotage_domain::advise::mode::Mode;
use pilotage_domain::decide;
use schemars::JsonSchema;

use crate::record::decision::OutcomeName;

/// A schema for a list of the domain's. A value that is missing here does not compile.
macro_rules! closed_list {
    ($(#[doc = $doc:literal])+ $name:ident of $domain:ty: $($value:ident),+) => {
        $(#[doc = $doc])+
        #[derive(JsonSchema)]
        #[schemars(rename_all = "snake_case")]
        #[allow(dead_code, reason = "stands for a list in the schema and is never made")]
        pub(super) enum $name { $($value),+ }

        impl $name {
            #[cfg(test)]
            const ALL: &'static [$domain] = &[$(<$domain>::$value),+];

            const _COMPLETE: fn($domain) = |value| match value { $(<$domain>::$value => (),)+ };
        }
    };
}

closed_list!(
    /// What comes of a decision.
    Outcome of OutcomeName: Show, Withhold
);
closed_list!(
    /// Why no guide is shown.
    Reason of decide::Reason: Holdout, NoCandidate, Contact, Policy, Degraded
);
closed_list!(
    /// Which of the four groups a user is in.
    Group of decide::Group: Guided, Holdout, Random, Static
);
closed_list!(
    /// The gates that a guide must pass, in their order.
    Gate of decide::Gate: Holdout, State, When, Never, Lifecycle, Surface, Copy, Text, Limits, Contact
);
closed_list!(
    /// How much say a model's advice has.
    ModelMode of Mode: Off, Shadow, Review, Canary, Live
);

#[cfg(test)]
mod tests {
    use super::*;

    fn names<T: serde::Serialize>(all: &[T]) -> serde_json::Value {
        serde_json::to_value(all).expect("writable")
    }

    /// The values that a schema lists, with or without a description of each.
    fn listed<T: JsonSchema>() -> serde_json::Value {
        let schema = schemars::schema_for!(T).to_value();
        schema["enum"].clone()
    }

    #[test]
    fn schemas_list_what_the_domain_writes() {
        assert_eq!(listed::<Outcome>(), names(Outcome::ALL));
        assert_eq!(listed::<Reason>(), names(Reason::ALL));
        assert_eq!(listed::<Group>(), names(Group::ALL));
        assert_eq!(listed::<Gate>(), names(Gate::ALL));
        assert_eq!(listed::<ModelMode>(), names(ModelMode::ALL));
    }
}
