//! What asking models has come to, in Prometheus' text form. Must not have a label that a caller or a provider can make up.

use pilotage_domain::advise::breaker::Light;
use pilotage_engine::advise::{Counted, OfProvider, ProviderView};

use super::Name;
use super::page::Page;

/// The figures, as they are at a scrape.
pub(crate) fn render(providers: &[ProviderView], counted: &Counted) -> String {
    let mut page = Page::default();
    let by_provider = |count: fn(&OfProvider) -> u64| {
        let each =
            |view: &ProviderView| (format!("provider=\"{}\"", view.id), count(&view.counted));
        providers.iter().map(each).collect::<Vec<_>>()
    };
    let calls = providers.iter().flat_map(|view| {
        let label = move |verdict| format!("provider=\"{}\",verdict=\"{verdict}\"", view.id);
        view.counted.verdicts().map(move |(verdict, count)| (label(verdict), count))
    });
    page.labelled(Name::ModelCalls, "counter", calls);
    page.labelled(Name::ModelBarred, "counter", by_provider(|of| of.barred));
    let tokens = providers.iter().flat_map(|view| {
        let label = |direction| format!("provider=\"{}\",direction=\"{direction}\"", view.id);
        let counted = &view.counted;
        [(label("read"), counted.tokens_read), (label("written"), counted.tokens_written)]
    });
    page.labelled(Name::ModelTokens, "counter", tokens);
    page.labelled(Name::ModelCost, "counter", by_provider(|of| of.cost.get()));
    let open = |view: &ProviderView| {
        (format!("provider=\"{}\"", view.id), u64::from(view.light != Light::Closed))
    };
    page.labelled(Name::ModelBreaker, "gauge", providers.iter().map(open));
    let Counted { known, nothing_to_ask, wanted, heard, .. } = counted;
    let situations = [("known", known), ("nothing_to_ask", nothing_to_ask), ("wanted", wanted)];
    let situations = situations.map(|(name, count)| (format!("result=\"{name}\""), *count));
    page.labelled(Name::ModelSituations, "counter", situations);
    let decisions = heard.iter().map(|(name, count)| (format!("advice=\"{name}\""), *count));
    page.labelled(Name::ModelDecisions, "counter", decisions);
    page.done()
}
