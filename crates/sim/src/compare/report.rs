//! Comparisons for people: a table for the terminal, a page with pictures. Must load nothing from anywhere.

use std::fmt::Write;

use super::outcome::{Compared, Outcome};

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 220.0;
const COLOURS: [&str; 8] =
    ["#777777", "#b07d2b", "#a33b3b", "#7a4fa3", "#2f6f9f", "#3c8d8d", "#1f7a3d", "#c2578c"];

/// The numbers as lines of plain text, at most 100 columns wide.
pub fn table(compared: &Compared) -> String {
    let Compared { world, about, visitors, seed, followed_days, .. } = compared;
    let mut text = format!("{world}: {about}\n");
    // Writing to memory can't fail; so below.
    let _ = writeln!(
        text,
        "{visitors} visitors, seed {seed}, each followed for {followed_days} days\n"
    );
    // A terminal of a hundred columns holds it: `against` is the mean against the sequence's.
    text += "way to guide    active % median h  mean h against  shown clicks closed invalid  calls cost $ wait ms\n";
    for outcome in &compared.outcomes {
        let Outcome { shown, clicked, dismissed, invalid, model_calls, cost_usd, waits_ms, .. } =
            outcome;
        let _ = writeln!(
            text,
            "{:15} {:>8.1} {:>8} {:>7.1} {:>7} {shown:>6} {clicked:>6} {dismissed:>6} {invalid:>7} {model_calls:>6} {cost_usd:>6.2} {waits_ms:>7}",
            outcome.method.name(),
            100.0 * outcome.activation_rate,
            outcome.median_hours.map_or_else(|| "-".to_owned(), |hours| format!("{hours:.1}")),
            outcome.restricted_mean_hours,
            percent(outcome.against_sequence),
        );
    }
    text
}

fn percent(change: Option<f64>) -> String {
    change.map_or_else(|| "-".to_owned(), |change| format!("{:+.1}%", 100.0 * change))
}

/// A page of its own with a table and a picture for each world.
pub fn html(all: &[Compared]) -> String {
    let mut page = String::from(HEAD);
    for compared in all {
        let about = escaped(compared.about);
        let _ = write!(page, "<h2>{}</h2>\n<p>{about}</p>\n", escaped(compared.world));
        picture(&mut page, compared);
        rows(&mut page, compared);
    }
    page + "</main>\n"
}

const HEAD: &str = "<!doctype html>
<html lang=\"en\">
<meta charset=\"utf-8\">
<title>Ways to guide, compared</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem; color: #222; background: #fff; }
table { border-collapse: collapse; }
th, td { padding: .2rem .8rem; text-align: right; border-bottom: 1px solid #ddd; }
th:first-child, td:first-child { text-align: left; }
svg { max-width: 100%; }
</style>
<main>
<h1>Ways to guide, compared</h1>
<p>Simulated visitors: every number follows from the seed. Times are hours from signing up to activation; the mean counts who was
not activated with all of the followed time.</p>
";

fn rows(page: &mut String, compared: &Compared) {
    *page += "<table>\n<tr><th>Way to guide<th>Activated<th>Median, h<th>Mean, h<th>Mean against the sequence\
        <th>Shown<th>Clicked<th>Closed<th>Invalid<th>Model calls<th>Cost<th>Waits\n";
    for outcome in &compared.outcomes {
        let median = outcome.median_hours.map_or_else(|| "–".to_owned(), |h| format!("{h:.1}"));
        let _ = writeln!(
            page,
            "<tr><td>{}<td>{:.1} %<td>{median}<td>{:.1}<td>{}<td>{}<td>{}<td>{}<td>{}<td>{}<td>${:.2}<td>{} ms",
            outcome.method.name(),
            100.0 * outcome.activation_rate,
            outcome.restricted_mean_hours,
            percent(outcome.against_sequence),
            outcome.shown,
            outcome.clicked,
            outcome.dismissed,
            outcome.invalid,
            outcome.model_calls,
            outcome.cost_usd,
            outcome.waits_ms,
        );
    }
    *page += "</table>\n";
}

/// The share of the activated by time since signing up.
fn picture(page: &mut String, compared: &Compared) {
    let label = format!("Activated by days since signing up, world {}", compared.world);
    let _ = writeln!(
        page,
        "<svg viewBox=\"0 0 {} {}\" width=\"{}\" role=\"img\" aria-label=\"{}\">",
        WIDTH + 180.0,
        HEIGHT + 30.0,
        WIDTH + 180.0,
        escaped(&label)
    );
    for part in [0.0, 0.25, 0.5, 0.75, 1.0] {
        let y = HEIGHT * (1.0 - part) + 5.0;
        let _ = writeln!(
            page,
            "<line x1=\"40\" y1=\"{y:.1}\" x2=\"{WIDTH}\" y2=\"{y:.1}\" stroke=\"#ddd\"/>\
             <text x=\"0\" y=\"{:.1}\" font-size=\"12\">{:.0} %</text>",
            y + 4.0,
            100.0 * part
        );
    }
    for (place, outcome) in compared.outcomes.iter().enumerate() {
        let colour = COLOURS[place % COLOURS.len()];
        let steps = outcome.curve.len().max(1) as f64;
        let mut points = format!("40,{:.1}", HEIGHT + 5.0);
        for (n, share) in outcome.curve.iter().enumerate() {
            let x = 40.0 + (WIDTH - 40.0) * (n + 1) as f64 / steps;
            let _ = write!(points, " {x:.1},{:.1}", HEIGHT * (1.0 - share) + 5.0);
        }
        let y = 18.0 + 20.0 * place as f64;
        let name = outcome.method.name();
        let _ = writeln!(
            page,
            "<polyline points=\"{points}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>\
             <text x=\"{:.1}\" y=\"{y:.1}\" font-size=\"13\" fill=\"{colour}\">{name}</text>",
            WIDTH + 12.0
        );
    }
    let _ = writeln!(
        page,
        "<text x=\"40\" y=\"{:.1}\" font-size=\"12\">0</text>\
         <text x=\"{:.1}\" y=\"{:.1}\" font-size=\"12\">{} days</text>\n</svg>",
        HEIGHT + 22.0,
        WIDTH - 40.0,
        HEIGHT + 22.0,
        compared.followed_days
    );
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}
