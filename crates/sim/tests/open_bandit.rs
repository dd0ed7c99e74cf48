//! Parity with Open Bandit Pipeline on the log that it brings along, which `PILOTAGE_TEST_OPEN_BANDIT` names (docs/services.md).
//! Must work every number out from that log; the expected ones are what version 0.5.10 of the pipeline says.

#[path = "open_bandit/numpy.rs"]
mod numpy;

use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;

use numpy::RandomState;
use pilotage_sim::evaluate::estimate::{effective, estimate_at};
use pilotage_sim::evaluate::{Asked, Estimator, Evaluated, Question, Sample, Target, evaluate};
use pilotage_wire::decision_log::{Action, Row};

const ACTIONS: usize = 80;
const POSITIONS: usize = 3;

/// How likely the Thompson sampler that the shop began with shows an item at a position: `[position][item]`.
type Law = Vec<[f64; ACTIONS]>;

/// What was shown once, where, and whether it was clicked.
struct Shown {
    item: usize,
    position: usize,
    click: f64,
    propensity: f64,
}

fn folder() -> PathBuf {
    let named = std::env::var_os("PILOTAGE_TEST_OPEN_BANDIT").expect(
        "PILOTAGE_TEST_OPEN_BANDIT must name the sample log's folder: `cargo xtask services open-bandit` downloads it and prints \
         the variable",
    );
    PathBuf::from(named)
}

/// The log of the campaign `all` under that policy.
fn log(policy: &str) -> Vec<Shown> {
    let file = folder().join("dataset/obd").join(policy).join("all/all.csv");
    let text = fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    let (head, lines) = text.split_once('\n').expect("a head");
    let column = |name: &str| {
        head.split(',').position(|own| own.trim() == name).unwrap_or_else(|| panic!("{name}"))
    };
    let of = ["item_id", "position", "click", "propensity_score"].map(column);
    let shown = |line: &str| {
        let parts: Vec<&str> = line.split(',').collect();
        let number = |at: usize| parts[at].parse::<f64>().expect("a number");
        Shown {
            item: number(of[0]) as usize,
            position: number(of[1]) as usize - 1,
            click: number(of[2]),
            propensity: number(of[3]),
        }
    };
    lines.lines().map(shown).collect()
}

/// Both parameters of each item's Beta prior, from the pipeline's own file: numbers below two names below the campaign.
fn priors() -> (Vec<f64>, Vec<f64>) {
    let file = folder().join("policy/conf/prior_bts.yaml");
    let text = fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    let mut of = (String::new(), String::new());
    let (mut alpha, mut beta) = (Vec::new(), Vec::new());
    for line in text.lines() {
        if let Some(number) = line.trim().strip_prefix("- ") {
            let number = number.parse().expect("a number");
            match (&*of.0, &*of.1) {
                ("all", "alpha") => alpha.push(number),
                ("all", "beta") => beta.push(number),
                _ => {}
            }
        } else if let Some(name) = line.strip_suffix(':') {
            if line.starts_with(' ') { of.1 = name.trim().into() } else { of.0 = name.into() }
        }
    }
    assert_eq!((alpha.len(), beta.len()), (ACTIONS, ACTIONS));
    (alpha, beta)
}

/// The law after a hundred thousand draws, and after a million.
fn laws() -> &'static [Law] {
    static LAWS: OnceLock<Vec<Law>> = OnceLock::new();
    LAWS.get_or_init(|| sampler_laws([100_000, 1_000_000]))
}

/// How often each item is among the best in so many draws from its prior, as the pipeline works it out from its seed.
fn sampler_laws(checkpoints: [usize; 2]) -> Vec<Law> {
    let (alpha, beta) = priors();
    let mut random = RandomState::new(12_345);
    let mut counts = vec![[0.0; ACTIONS]; POSITIONS];
    let mut laws = Vec::new();
    for n in 1..=checkpoints[1] {
        let mut best = [(f64::NEG_INFINITY, 0); POSITIONS];
        for item in 0..ACTIONS {
            let drawn = (random.beta(alpha[item], beta[item]), item);
            if let Some(place) = best.iter().position(|known| drawn.0 > known.0) {
                best[place..].rotate_right(1);
                best[place] = drawn;
            }
        }
        for (position, (_, item)) in best.into_iter().enumerate() {
            counts[position][item] += 1.0;
        }
        if checkpoints.contains(&n) {
            let share = |of: &[f64; ACTIONS]| of.map(|count| count / n as f64);
            laws.push(counts.iter().map(share).collect());
        }
    }
    laws
}

/// The log in the neutral form, with the sampler's law beside it.
fn rows(log: &[Shown], law: &Law) -> Vec<Row> {
    let row = |shown: &Shown| {
        let action = |item: usize| Action {
            action: item.to_string(),
            propensity: None,
            evaluation: Some(law[shown.position][item]),
            estimate: None,
        };
        Row {
            action: shown.item.to_string(),
            propensity: Some(shown.propensity),
            reward: Some(shown.click),
            slot: Some(shown.position.to_string()),
            actions: (0..ACTIONS).map(action).collect(),
            ..Row::default()
        }
    };
    log.iter().map(row).collect()
}

fn value(told: &Evaluated, estimator: Estimator) -> f64 {
    let found = told.estimates.iter().find(|estimate| estimate.estimator == estimator);
    found.expect("every estimator speaks").value
}

#[track_caller]
fn same(found: f64, pipeline: f64) {
    assert!((found - pipeline).abs() < 1e-9, "{found} here, {pipeline} there");
}

fn clicks(log: &[Shown]) -> f64 {
    log.iter().map(|shown| shown.click).sum::<f64>() / log.len() as f64
}

/// The samples of a log under the sampler's law, without a model.
fn samples<'a>(log: impl Iterator<Item = &'a Shown>, law: &Law) -> Vec<Sample> {
    let sample = |(cluster, shown): (usize, &Shown)| Sample {
        cluster,
        weight: law[shown.position][shown.item] / shown.propensity,
        reward: shown.click,
        fitted: 0.0,
        value: 0.0,
    };
    (0..).zip(log).map(sample).collect()
}

#[test]
fn the_estimators_say_what_the_pipeline_says() {
    let laws = laws();
    let log = log("random");
    let rows = rows(&log, &laws[0]);
    let question = Question { target: Target::Given, rows: Asked::Drawn };
    let told = evaluate(&rows, &question).expect("sound rows");
    assert_eq!((told.used, told.refused.is_none()), (10_000, true));
    same(told.effective_sample_size, 1_639.501_873_607_944_6);
    same(told.largest_weight, 19.598_4);
    same(value(&told, Estimator::Ips), 0.004_552_88);
    same(value(&told, Estimator::Snips), 0.004_775_833_081_230_953_5);
    // What the pipeline says with the model that ours fits: means by position and item in either half of the rows.
    same(value(&told, Estimator::Dm), 0.004_361_717_904_591_872);
    same(value(&told, Estimator::Dr), 0.004_623_148_541_883_296);
    same(value(&told, Estimator::Sndr), 0.004_635_950_716_795_064);
    // The figure of the pipeline's README: the sampler's value by that of random items.
    same(value(&told, Estimator::Ips) / clicks(&log), 1.198_126_315_789_473_5);
}

/// λ is fixed there, and so it is here.
#[test]
fn damped_estimators_say_what_the_pipeline_says() {
    let laws = laws();
    let log = log("random");
    let samples = with_model(&log, &laws[0]);
    for (estimator, lambda, pipeline) in [
        (Estimator::SwitchDr, 1.0, 0.004_376_130_219_851_596),
        (Estimator::SwitchDr, 5.0, 0.004_508_130_144_903_458),
        (Estimator::Dros, 1.0, 0.004_402_165_923_503_988),
        (Estimator::Dros, 10.0, 0.004_421_632_125_009_964),
        (Estimator::Dros, 100.0, 0.004_372_264_597_723_968),
    ] {
        same(estimate_at(&samples, estimator, lambda).value, pipeline);
    }
}

/// In which half a row is.
fn half(row: usize) -> usize {
    ((row as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 63) as usize
}

/// The same model as ours, worked out in another way: of each half of the rows the sums by position and item.
fn with_model(log: &[Shown], law: &Law) -> Vec<Sample> {
    let mut sums = [[[(0.0, 0.0); ACTIONS]; POSITIONS]; 2];
    let mut all = [(0.0, 0.0); 2];
    for (n, shown) in log.iter().enumerate() {
        let cells = [&mut sums[half(n)][shown.position][shown.item], &mut all[half(n)]];
        for cell in cells {
            *cell = (cell.0 + 1.0, cell.1 + shown.click);
        }
    }
    let expects = |half: usize, position: usize, item: usize| {
        let ((rows, clicks), all) = (sums[half][position][item], all[half]);
        (clicks + 10.0 * all.1 / all.0) / (rows + 10.0)
    };
    let mut samples = samples(log.iter(), law);
    for (n, (sample, shown)) in samples.iter_mut().zip(log).enumerate() {
        let other = 1 - half(n);
        sample.fitted = expects(other, shown.position, shown.item);
        let of = |item| law[shown.position][item] * expects(other, shown.position, item);
        sample.value = (0..ACTIONS).map(of).sum();
    }
    samples
}

/// The table that the pipeline publishes: how far each estimator is from the sampler's own clicks, of those, over 30 logs drawn
/// from the log with replacement, and a law of a million draws.
#[test]
fn the_published_table_comes_out() {
    let (log, truth) = (log("random"), clicks(&log("bts")));
    assert!((truth - 0.0042).abs() < 1e-12);
    let most = u32::try_from(log.len() - 1).expect("ten thousand");
    let mut off = [0.0; 2];
    for seed in 0..30 {
        let mut random = RandomState::new(seed);
        let drawn: Vec<usize> = log.iter().map(|_| random.up_to(most) as usize).collect();
        let samples = samples(drawn.iter().map(|place| &log[*place]), &laws()[1]);
        assert!(effective(&samples) > 200.0);
        for (off, estimator) in off.iter_mut().zip([Estimator::Ips, Estimator::Snips]) {
            let value = estimate_at(&samples, estimator, f64::INFINITY).value;
            *off += (value - truth).abs() / truth / 30.0;
        }
    }
    same(off[0], 0.311_082_476_190_476_24);
    same(off[1], 0.311_794_860_790_641_17);
}
