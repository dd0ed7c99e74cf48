//! How likely each of several uncertain scores is the highest. Must not draw, nor know what the scores are of.
//!
//! Scores are independent normal numbers. P(k is best) = ∫ Π_{i≠k} F_i dF_k, computed on one grid for all: as fine, at every
//! place, as the narrowest score there needs (31 nodes over its ten standard deviations), and only where somebody can
//! win. Between three neighbouring nodes both factors count as parabolas, so the integral is a sum of products of
//! distribution functions (Simpson's rule for Stieltjes integrals). A score that is a step to its neighbours is no worse
//! for that: its own grid is fine enough. Gauss and Hermite's nodes, which follow one score alone, miss such steps.

#[cfg(test)]
mod tests;

use super::math::NormalTable;

/// A score: a normal distribution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Normal {
    /// Its mean.
    pub mean: f64,
    /// Its standard deviation.
    pub sd: f64,
}

/// How many standard deviations a score reaches to either side; beyond are 6·10⁻⁷ of it.
const REACH: f64 = 5.0;
/// No score is narrower than this share of the widest: what is left between is below any error that counts.
const NARROWEST: f64 = 1e-5;
/// How wide a panel may be, in standard deviations of the narrowest score there: errors stay below 6·10⁻⁵.
const PANEL: f64 = 2.0 / 3.0;
/// How many scores are compared; of more, those with the lowest upper ends are left out.
pub const COMPARED: usize = 32;

/// The chance of each score to be the highest, in their order; they sum to 1 but for rounding. Scores that are certain and
/// alike share theirs. Where a score is no number, all are alike.
pub fn chances(scores: &[Normal]) -> Vec<f64> {
    let sound = |score: &Normal| score.mean.is_finite() && score.sd.is_finite() && score.sd >= 0.0;
    if !scores.iter().all(sound) {
        return vec![1.0 / scores.len() as f64; scores.len()];
    }
    let widest = scores.iter().fold(0.0, |most: f64, score| most.max(score.sd));
    if widest <= f64::MIN_POSITIVE {
        return certain(scores);
    }
    let widened = |score: &Normal| Normal { sd: score.sd.max(widest * NARROWEST), ..*score };
    let scores: Vec<Normal> = scores.iter().map(widened).collect();
    let low = lowest_win(&scores);
    let mut rivals: Vec<usize> = places(&scores, |score| score.mean + REACH * score.sd > low);
    let upper = |place: &usize| scores.get(*place).map_or(low, |s| s.mean + 3.0 * s.sd);
    rivals.sort_by(|a, b| upper(b).total_cmp(&upper(a)));
    rivals.truncate(COMPARED);
    // Sums depend on their order in the last bits; this order does not depend on the caller's but where scores are alike.
    let chosen: Vec<Normal> =
        rivals.iter().filter_map(|place| scores.get(*place)).copied().collect();
    let mut chances = vec![0.0; scores.len()];
    for (place, chance) in rivals.iter().zip(integrate(&chosen, low)) {
        if let Some(entry) = chances.get_mut(*place) {
            *entry = chance;
        }
    }
    chances
}

/// Nobody below the highest lower end wins.
fn lowest_win(scores: &[Normal]) -> f64 {
    scores.iter().fold(f64::NEG_INFINITY, |low, score| low.max(score.mean - REACH * score.sd))
}

fn places(scores: &[Normal], holds: impl Fn(&Normal) -> bool) -> Vec<usize> {
    let places = scores.iter().enumerate().filter(|(_, score)| holds(score));
    places.map(|(place, _)| place).collect()
}

fn certain(scores: &[Normal]) -> Vec<f64> {
    let highest = scores.iter().fold(f64::NEG_INFINITY, |most, score| most.max(score.mean));
    let winners = places(scores, |score| score.mean >= highest).len().max(1) as f64;
    scores.iter().map(|s| if s.mean >= highest { 1.0 / winners } else { 0.0 }).collect()
}

fn integrate(scores: &[Normal], low: f64) -> Vec<f64> {
    let table = NormalTable::shared();
    let nodes = grid(scores, low);
    let scales: Vec<(f64, f64)> = scores.iter().map(|s| (s.mean, 1.0 / s.sd)).collect();
    let mut totals = vec![0.0; scores.len()];
    let [mut from, mut middle, mut to] = [(); 3].map(|()| Node::new(scores.len()));
    from.move_to(low, &scales, table);
    for pair in nodes.chunks_exact(2) {
        let [half, end] = pair else { break };
        middle.move_to(*half, &scales, table);
        to.move_to(*end, &scales, table);
        add_panel(&mut totals, [&from, &middle, &to]);
        std::mem::swap(&mut from, &mut to);
    }
    // Rounding may leave a hopeless score a hair below 0.
    totals.iter_mut().for_each(|total| *total = total.max(0.0));
    let sum = totals.iter().fold(0.0, |sum, total| sum + total);
    totals.iter().map(|total| total / sum).collect()
}

/// All distribution functions at one place.
struct Node {
    /// Each score's function.
    own: Vec<f64>,
    /// The product of all others', for each score.
    others: Vec<f64>,
    product: f64,
}

impl Node {
    fn new(count: usize) -> Self {
        Self { own: vec![1.0; count], others: vec![1.0; count], product: 1.0 }
    }

    /// To that place, among scores with these means and inverse standard deviations.
    fn move_to(&mut self, place: f64, scales: &[(f64, f64)], table: &NormalTable) {
        for (own, (mean, scale)) in self.own.iter_mut().zip(scales) {
            *own = table.cdf((place - mean) * scale);
        }
        self.product = self.own.iter().fold(1.0, |product, own| product * own);
        for (others, own) in self.others.iter_mut().zip(&self.own) {
            // Above the lowest win, no function is below 10⁻⁷.
            *others = self.product / own;
        }
    }
}

/// Adds to each score's total ∫ G dF over two neighbouring panels, F the score's function and G the product of the others, both
/// as parabolas through the three nodes.
fn add_panel(totals: &mut [f64], [from, middle, to]: [&Node; 3]) {
    let step = 3.0 * (to.product - from.product);
    let own = from.own.iter().zip(&middle.own).zip(&to.own);
    let others = from.others.iter().zip(&middle.others).zip(&to.others);
    for (total, (((f0, f1), f2), ((g0, g1), g2))) in totals.iter_mut().zip(own.zip(others)) {
        let ends = step - (g0 * f2 - g2 * f0);
        *total += (ends + 4.0 * (g0 * f1 - g1 * f0) + 4.0 * (g1 * f2 - g2 * f1)) / 6.0;
    }
}

/// The nodes above `low`, ascending, an even number: a middle and an end for each panel. Panels are at most as wide as
/// `PANEL` says of the narrowest score that reaches there.
fn grid(scores: &[Normal], low: f64) -> Vec<f64> {
    let mut narrow_first: Vec<Normal> = scores.to_vec();
    narrow_first.sort_by(|a, b| a.sd.total_cmp(&b.sd).then(a.mean.total_cmp(&b.mean)));
    let mut stretches: Vec<Stretch> = Vec::new();
    for score in &narrow_first {
        let from = (score.mean - REACH * score.sd).max(low);
        let to = score.mean + REACH * score.sd;
        uncovered(&mut stretches, Stretch { from, to, width: PANEL * score.sd });
    }
    stretches.iter().flat_map(Stretch::nodes).collect()
}

/// A part of the line, and how wide its panels may be.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Stretch {
    from: f64,
    to: f64,
    width: f64,
}

impl Stretch {
    fn nodes(&self) -> impl Iterator<Item = f64> {
        let (from, to) = (self.from, self.to);
        // At most 15 panels: a stretch is a part of a score's reach. What rounding adds to a whole number opens no further one.
        let panels = ((to - from) / self.width - 1e-6).ceil().max(1.0);
        let half = (to - from) / (2.0 * panels);
        let steps = 2 * panels as usize;
        (1..=steps).map(move |step| if step == steps { to } else { from + half * step as f64 })
    }
}

/// Adds what the stretches, disjoint and ascending, do not cover of the new one.
fn uncovered(stretches: &mut Vec<Stretch>, new: Stretch) {
    let mut rest = new.from;
    let mut place = 0;
    while let Some(known) = stretches.get(place).copied().filter(|known| known.from < new.to) {
        if known.to > rest {
            if known.from > rest {
                stretches.insert(place, Stretch { from: rest, to: known.from, ..new });
                place += 1;
            }
            rest = known.to;
        }
        place += 1;
    }
    if rest < new.to {
        stretches.insert(place, Stretch { from: rest, ..new });
    }
}
