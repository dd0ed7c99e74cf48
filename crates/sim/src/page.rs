//! Pictures of reports as numbers that templates draw: bars and intervals. Must not know what they stand for.

/// How wide the part of a picture is that numbers fill.
const WIDTH: f64 = 520.0;
/// How high a line of it is.
const LINE: f64 = 26.0;
/// How many characters of a name stand beside it.
const NAME: usize = 22;

/// A number with its interval.
#[derive(Debug, Clone)]
pub(crate) struct Span {
    pub(crate) name: String,
    pub(crate) low: f64,
    pub(crate) value: f64,
    pub(crate) high: f64,
}

/// Intervals below each other, ready to be drawn.
#[derive(Debug, Clone)]
pub(crate) struct Spans {
    pub(crate) height: f64,
    pub(crate) marks: Vec<(f64, String)>,
    pub(crate) lines: Vec<SpanLine>,
}

/// One of them: all in the picture's units.
#[derive(Debug, Clone)]
pub(crate) struct SpanLine {
    pub(crate) name: String,
    pub(crate) y: f64,
    pub(crate) from: f64,
    pub(crate) at: f64,
    pub(crate) to: f64,
}

/// Places the intervals on one axis; `None` where there are none or their numbers are not finite.
pub(crate) fn spans(all: &[Span]) -> Option<Spans> {
    let low = all.iter().map(|span| span.low).fold(f64::INFINITY, f64::min);
    let high = all.iter().map(|span| span.high).fold(f64::NEG_INFINITY, f64::max);
    if !low.is_finite() || !high.is_finite() {
        return None;
    }
    let width = if high > low { high - low } else { 1.0 };
    let x = |number: f64| WIDTH * (number - low) / width;
    let line = |(place, span): (usize, &Span)| SpanLine {
        name: short(&span.name),
        y: LINE * (place as f64 + 0.5),
        from: x(span.low),
        at: x(span.value),
        to: x(span.high),
    };
    let mark = |part: f64| (WIDTH * part, format!("{:.4}", low + part * width));
    Some(Spans {
        height: LINE * all.len() as f64,
        marks: [0.0, 0.5, 1.0].map(mark).to_vec(),
        lines: all.iter().enumerate().map(line).collect(),
    })
}

/// As much of a name as stands beside a picture.
fn short(name: &str) -> String {
    if name.chars().count() <= NAME {
        return name.to_owned();
    }
    name.chars().take(NAME - 1).chain(['…']).collect()
}

/// A named row of numbers.
#[derive(Debug, Clone)]
pub(crate) struct Bar {
    pub(crate) name: String,
    pub(crate) parts: Vec<f64>,
}

/// Bars below each other, ready to be drawn.
#[derive(Debug, Clone)]
pub(crate) struct Bars {
    pub(crate) height: f64,
    pub(crate) key: Vec<(f64, &'static str, &'static str)>,
    pub(crate) lines: Vec<BarLine>,
}

/// One row of them: all in the picture's units.
#[derive(Debug, Clone)]
pub(crate) struct BarLine {
    pub(crate) name: String,
    pub(crate) y: f64,
    pub(crate) parts: Vec<BarPart>,
}

/// One bar.
#[derive(Debug, Clone)]
pub(crate) struct BarPart {
    pub(crate) y: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
    pub(crate) colour: &'static str,
    pub(crate) told: String,
}

const COLOURS: [&str; 3] = ["#8a8f98", "#2f6f9f", "#b07d2b"];

/// Places the bars; `of` names their parts.
pub(crate) fn bars(of: &[&'static str], all: &[Bar]) -> Bars {
    let most = all.iter().flat_map(|bar| &bar.parts).copied().fold(0.0, f64::max).max(1.0);
    let colour = |place: usize| COLOURS[place % COLOURS.len()];
    let line = |(place, bar): (usize, &Bar)| {
        let top = LINE * (place as f64 + 1.0);
        let height = (LINE - 6.0) / bar.parts.len().max(1) as f64;
        let part = |(n, count): (usize, &f64)| BarPart {
            y: top + 3.0 + height * n as f64,
            width: WIDTH * count / most,
            height,
            colour: colour(n),
            told: format!("{count}"),
        };
        let parts = bar.parts.iter().enumerate().map(part).collect();
        BarLine { name: short(&bar.name), y: top + LINE / 2.0 + 4.0, parts }
    };
    Bars {
        height: LINE * (all.len() as f64 + 1.0),
        key: of.iter().enumerate().map(|(n, name)| (130.0 * n as f64, *name, colour(n))).collect(),
        lines: all.iter().enumerate().map(line).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_fill_the_axis_and_keep_their_order() {
        let span = |low, value, high| Span { name: "n".into(), low, value, high };
        let drawn = spans(&[span(1.0, 2.0, 3.0), span(0.0, 1.0, 5.0)]).expect("drawn");
        let [first, second] = &drawn.lines[..] else { panic!("two") };
        assert_eq!((second.from, second.to), (0.0, WIDTH));
        assert!(first.from < first.at && first.at < first.to && first.y < second.y);
        assert!(spans(&[]).is_none());
        assert!(spans(&[span(f64::NAN, f64::NAN, f64::NAN)]).is_none());
        let point = spans(&[span(1.0, 1.0, 1.0)]).expect("a point is an interval");
        assert_eq!(point.lines[0].at, 0.0);
    }

    #[test]
    fn the_longest_bar_fills_the_picture() {
        let bar = |parts: &[f64]| Bar { name: "n".into(), parts: parts.to_vec() };
        let drawn = bars(&["a", "b"], &[bar(&[1.0, 4.0]), bar(&[0.0, 2.0])]);
        let widths: Vec<Vec<f64>> =
            drawn.lines.iter().map(|l| l.parts.iter().map(|p| p.width).collect()).collect();
        assert_eq!(widths, [[WIDTH / 4.0, WIDTH], [0.0, WIDTH / 2.0]]);
        assert_eq!(bars(&["a"], &[bar(&[0.0])]).lines[0].parts[0].width, 0.0);
    }

    #[test]
    fn long_names_are_cut() {
        assert_eq!(short("create-project"), "create-project");
        let cut = short(&"ü".repeat(64));
        assert_eq!((cut.chars().count(), cut.ends_with('…')), (NAME, true));
    }
}
