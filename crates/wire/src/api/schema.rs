//! The closed lists of the domain as schemas, since the domain knows none. Must name every value: tests compare the lists.

use schemars::JsonSchema;

macro_rules! closed_list {
    ($name:ident: $($value:ident),+) => {
        /// Stands for the domain's list of the same name.
        #[derive(JsonSchema)]
        #[schemars(rename_all = "snake_case")]
        #[allow(dead_code, reason = "stands for a list in the schema and is never made")]
        pub(super) enum $name { $($value),+ }
    };
}

closed_list!(Outcome: Show, Withhold);
closed_list!(Reason: Holdout, NoCandidate, Contact, Policy, Degraded);
closed_list!(Group: Guided, Holdout, Random, Static);
closed_list!(Gate: Holdout, State, When, Never, Lifecycle, Surface, Copy, Text, Limits, Contact);
