//! What the coordinates of a row mean, and which ones a situation and an arm have. Must not let anything personal in, nor hold
//! more than `MOST` coordinates with names and `MOST_CROSSED` with their pairs, whatever a definition says.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::cross::{Crossing, Crossings, Span};
use super::features::Features;
use super::lesson::Stage;
use super::sums::Shape;
use crate::definition::condition::Status;
use crate::definition::{
    AttributeForm, Component, Definition, Feature, Guide, Intent, Piece, Template, Variant,
};
use crate::hash::uniform;
use crate::rules::Situation;
use crate::signature;
use crate::value::Value;

/// The most coordinates that have a name.
pub const MOST: usize = 64;
/// The most coordinates of a space, those of pairs among them.
pub const MOST_CROSSED: usize = 96;
/// The most coordinates of one feature.
const MOST_OF_ONE: usize = 8;
/// The most own coordinates of an arm, the intercept among them.
const MOST_OWN: usize = 7;
/// So many of what an arm looks like, `arms`' first, are crossed with a situation's features: all others are many or follow
/// from the rules, which say themselves whom a guide is for.
const CROSSED: usize = 2;
/// How many coordinates values share whose number is not known.
const FOLDED: usize = 4;

/// Names with their coordinates. A name stays what it is from one definition to the next; its number may change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Space {
    /// Coordinates by name: `tier=trial`, or `locale#2` where values share a few coordinates by their hash.
    pub places: BTreeMap<Box<str>, u16>,
    /// How many coordinates the blocks have whose values share them.
    pub folded: BTreeMap<Box<str>, u16>,
    /// The first so many are a situation's; the others are an arm's. Advice comes first among those.
    pub ground: u16,
    /// The situation's coordinates in which each arm has an effect of its own: 0, and the first feature's.
    pub segments: Vec<u16>,
    /// Pairs of the two, after all that have a name.
    pub crossings: Crossings,
}

/// A feature and its values.
struct Block {
    name: Box<str>,
    values: Values,
}

enum Values {
    /// One coordinate each.
    Listed(Vec<Box<str>>),
    /// So many coordinates, by hash.
    Folded(usize),
}

impl Values {
    fn count(&self) -> usize {
        match self {
            Self::Listed(values) => values.len(),
            Self::Folded(count) => *count,
        }
    }

    /// Values beyond so many share them.
    fn at_most(self, most: usize) -> Self {
        if self.count() <= most { self } else { Self::Folded(most) }
    }
}

impl Space {
    /// The space of a definition.
    pub fn of(definition: &Definition) -> Self {
        let (statuses, arms) = (statuses(definition), arms(definition));
        let fixed =
            2 + [&statuses, &arms].into_iter().flatten().map(|b| b.values.count()).sum::<usize>();
        let features = fitted(features(definition), MOST.saturating_sub(fixed));
        let mut space = Self {
            places: BTreeMap::from([("1".into(), 0)]),
            folded: BTreeMap::new(),
            ground: 0,
            segments: vec![0],
            crossings: Crossings::default(),
        };
        let mut listed = Vec::new();
        for (place, block) in features.into_iter().enumerate() {
            let is_listed = matches!(block.values, Values::Listed(_));
            let span = space.add(block);
            if place == 0 && span.count() < MOST_OWN {
                space.segments.extend(span.from..span.to);
            }
            listed.extend(is_listed.then_some(span));
        }
        for block in statuses {
            space.add(block);
        }
        space.ground = space.named() as u16;
        space.name("advice");
        let looks: Vec<Span> = arms.into_iter().map(|block| space.add(block)).collect();
        space.cross(&listed, looks.get(..CROSSED).unwrap_or(&[]));
        space
    }

    /// Crosses features with what arms look like, a feature after the other, as far as there is room for whole crossings. Values
    /// that share coordinates are in none: a pair of them would mean nothing.
    fn cross(&mut self, features: &[Span], looks: &[Span]) {
        let mut room = MOST_CROSSED.saturating_sub(self.named());
        let all = features.iter().flat_map(|feature| looks.iter().map(|look| (*feature, *look)));
        let blocks = all.map(|(context, arms)| Crossing { context, arms }).filter(|crossing| {
            let fits = crossing.count() <= room;
            room -= if fits { crossing.count() } else { 0 };
            fits
        });
        self.crossings = Crossings::new(self.named() as u16, blocks.collect());
    }

    /// A space without names, for data that is no product's: so many coordinates of situations, so many of arms, and
    /// the situations' coordinates in which arms have effects of their own.
    pub fn plain(ground: u16, arms: u16, segments: Vec<u16>) -> Self {
        let mut space = Self {
            places: BTreeMap::new(),
            folded: BTreeMap::new(),
            ground,
            segments,
            crossings: Crossings::default(),
        };
        (0..ground).for_each(|n| space.name(&format!("x{n}")));
        space.name("advice");
        (0..arms).for_each(|n| space.name(&format!("a{n}")));
        space
    }

    /// The same with pairs of these blocks.
    pub fn with_crossings(self, blocks: Vec<Crossing>) -> Self {
        let crossings = Crossings::new(self.named() as u16, blocks);
        Self { crossings, ..self }
    }

    fn add(&mut self, block: Block) -> Span {
        let from = self.named() as u16;
        match block.values {
            Values::Listed(values) => {
                values.iter().for_each(|value| self.name(&format!("{}={value}", block.name)));
            }
            Values::Folded(count) => {
                (0..count).for_each(|n| self.name(&format!("{}#{n}", block.name)));
                self.folded.insert(block.name, count as u16);
            }
        }
        Span { from, to: self.named() as u16 }
    }

    fn name(&mut self, name: &str) {
        let place = self.named() as u16;
        self.places.entry(name.into()).or_insert(place);
    }

    /// The names by coordinate; pairs have none of their own.
    pub fn names(&self) -> Vec<Box<str>> {
        let mut names = vec![Box::default(); self.named()];
        for (name, place) in &self.places {
            names.get_mut(usize::from(*place)).into_iter().for_each(|entry| *entry = name.clone());
        }
        names
    }

    /// The coordinate of that name.
    pub fn place(&self, name: &str) -> Option<u16> {
        self.places.get(name).copied()
    }

    /// How many coordinates there are, pairs among them.
    pub fn size(&self) -> usize {
        self.named() + self.crossings.count()
    }

    /// How many coordinates have a name.
    fn named(&self) -> usize {
        self.places.len()
    }

    /// The coordinate of advice.
    pub fn advice(&self) -> u16 {
        self.ground
    }

    /// The own coordinates of a key in that stage.
    pub fn own(&self, stage: Stage) -> &[u16] {
        match stage {
            Stage::Click | Stage::Goal => &self.segments,
            Stage::Step | Stage::Base | Stage::Onward => self.segments.get(..1).unwrap_or(&[]),
        }
    }

    /// Which coordinates the stage's regression has.
    pub fn shape(&self, stage: Stage) -> Shape {
        let size = match stage {
            Stage::Click | Stage::Step | Stage::Goal => self.size(),
            Stage::Base => self.named(),
            Stage::Onward => usize::from(self.ground),
        };
        Shape { size, own: self.own(stage).to_vec() }
    }

    /// For each coordinate of this space the one that has its name in the other; for a pair, that of the same pair.
    pub fn renumbering(&self, other: &Self) -> Vec<Option<u16>> {
        let mut places = vec![None; self.named()];
        for (name, place) in &self.places {
            if let Some(entry) = places.get_mut(usize::from(*place)) {
                *entry = other.places.get(name).copied();
            }
        }
        let moved = |place: u16| places.get(usize::from(place)).copied().flatten();
        let pairs = self
            .crossings
            .all()
            .map(|((context, arm), _)| other.crossings.place(moved(context)?, moved(arm)?));
        let pairs: Vec<Option<u16>> = pairs.collect();
        places.extend(pairs);
        places
    }

    /// The situation's coordinates.
    pub fn context(&self, situation: &Situation<'_>) -> Features {
        let buckets = signature::features(situation);
        let features = buckets.iter().filter_map(|(name, bucket)| match bucket {
            Value::Text(text) => self.find(name, text),
            Value::Number(number) => self.find(name, &number.to_string()),
            Value::Bool(flag) => self.find(name, if *flag { "true" } else { "false" }),
            Value::Null | Value::List(_) | Value::Map(_) => None,
        });
        let milestones = situation.view.definition.milestones.entries();
        let statuses = milestones.filter_map(|(ix, milestone)| {
            let block = match situation.status(ix) {
                Status::Reached => "@reached",
                Status::Blocked => "@blocked",
                Status::Open | Status::Locked => return None,
            };
            self.find(block, milestone.id.as_str())
        });
        Features::indicators(std::iter::once(0).chain(features).chain(statuses))
    }

    /// An arm's coordinates. `advice` is what a model's advice says for it (`advice_for`), 0 without one.
    pub fn arm(
        &self,
        definition: &Definition,
        guide: &Guide,
        variant: &Variant,
        advice: f64,
    ) -> Features {
        let copy = variant.copy.get(&definition.default_locale);
        let serves = definition.milestones[guide.serves].id.as_str();
        let action = copy.and_then(|copy| copy.cta.as_ref()).and_then(first_word);
        let length =
            copy.map_or(0, |copy| letters(&copy.title) + copy.body.as_ref().map_or(0, letters));
        let places = [
            self.find("@component", component(guide.component)),
            self.find("@intent", intent(guide.intent)),
            self.find("@serves", serves),
            self.find("@length", length_name(length)),
            action.and_then(|word| self.find("@action", &word)),
        ];
        Features::indicators(places.into_iter().flatten())
            .join(&Features::new([(self.advice(), advice)]))
    }

    fn find(&self, block: &str, value: &str) -> Option<u16> {
        let name = match self.folded.get(block) {
            Some(count) => {
                let hash = uniform("fold", &[block.as_bytes(), value.as_bytes()]);
                format!("{block}#{}", hash % u64::from(*count).max(1))
            }
            None => format!("{block}={value}"),
        };
        self.places.get(name.as_str()).copied()
    }
}

/// What an advice that gives this arm `share` of all, among so many `options`, says for it: 0 where it is as likely as any, at most
/// 1 for and 1 against it, times what is left of the advice.
pub fn advice_for(share: f64, options: usize, strength: f64) -> f64 {
    (share * options as f64 - 1.0).clamp(-1.0, 1.0) * strength.clamp(0.0, 1.0)
}

/// Features with as many values each as fit together.
fn fitted(features: Vec<Block>, room: usize) -> Vec<Block> {
    let needed = |most: usize| features.iter().map(|b| b.values.count().min(most)).sum::<usize>();
    let most = (1..=MOST_OF_ONE).rev().find(|most| needed(*most) <= room).unwrap_or(1);
    features
        .into_iter()
        .take(room.max(1))
        .map(|block| Block { values: block.values.at_most(most), ..block })
        .collect()
}

fn features(definition: &Definition) -> Vec<Block> {
    definition.features.iter().map(|feature| block(definition, feature)).collect()
}

fn block(definition: &Definition, feature: &Feature) -> Block {
    let listed = |values: &[&str]| Values::Listed(values.iter().map(|v| (*v).into()).collect());
    match feature {
        Feature::Attribute { attribute, buckets } => {
            let declared = &definition.attributes[*attribute];
            let values = match &declared.form {
                AttributeForm::Enum(members) => Values::Listed(members.clone()),
                AttributeForm::Bool => listed(&["true", "false"]),
                AttributeForm::Number if !buckets.is_empty() => Values::Listed(between(buckets)),
                AttributeForm::Number => Values::Folded(MOST_OF_ONE),
                AttributeForm::Version | AttributeForm::Locale | AttributeForm::Text => {
                    Values::Folded(FOLDED)
                }
            };
            Block { name: declared.name.clone(), values }
        }
        Feature::Major(attribute) => {
            let name = format!("{}.major", definition.attributes[*attribute].name);
            Block { name: name.into(), values: Values::Folded(FOLDED) }
        }
        Feature::LastError => {
            let declared = definition.errors.iter().map(|error| error.as_str());
            let values: Vec<&str> = declared.chain(["other"]).collect();
            Block { name: "lastError".into(), values: listed(&values) }
        }
        Feature::DaysSinceSignup => {
            let values = ["d0", "d1", "d2_3", "d4_7", "d8_14", "d15plus"];
            Block { name: "daysSinceSignup".into(), values: listed(&values) }
        }
    }
}

/// The names of declared buckets, as a signature writes them.
fn between(bounds: &[f64]) -> Vec<Box<str>> {
    let below = bounds.first().map(|low| format!("lt_{low}"));
    let middle = bounds.windows(2).filter_map(|pair| match pair {
        [low, high] => Some(format!("{low}_to_{high}")),
        _ => None,
    });
    let above = bounds.last().map(|high| format!("ge_{high}"));
    below.into_iter().chain(middle).chain(above).map(String::into_boxed_str).collect()
}

/// Which milestones are reached and which are blocked; open and locked ones go without saying.
fn statuses(definition: &Definition) -> Vec<Block> {
    let block = |name: &str| Block { name: name.into(), values: milestones(definition) };
    vec![block("@reached"), block("@blocked")]
}

fn arms(definition: &Definition) -> Vec<Block> {
    let listed = |name: &str, values: &[&str]| Block {
        name: name.into(),
        values: Values::Listed(values.iter().map(|v| (*v).into()).collect()),
    };
    vec![
        listed("@intent", &INTENTS.map(intent)),
        listed("@component", &COMPONENTS.map(component)),
        Block { name: "@serves".into(), values: milestones(definition) },
        listed("@length", &["short", "middle", "long"]),
        Block { name: "@action".into(), values: Values::Folded(FOLDED) },
    ]
}

fn milestones(definition: &Definition) -> Values {
    let ids = definition.milestones.iter().map(|milestone| milestone.id.as_str().into());
    Values::Listed(ids.collect()).at_most(MOST_OF_ONE)
}

const COMPONENTS: [Component; 6] = [
    Component::Tooltip,
    Component::Modal,
    Component::Banner,
    Component::Hotspot,
    Component::Checklist,
    Component::Headless,
];

const INTENTS: [Intent; 3] = [Intent::Activate, Intent::Unblock, Intent::Educate];

const fn component(component: Component) -> &'static str {
    match component {
        Component::Tooltip => "tooltip",
        Component::Modal => "modal",
        Component::Banner => "banner",
        Component::Hotspot => "hotspot",
        Component::Checklist => "checklist",
        Component::Headless => "headless",
    }
}

const fn intent(intent: Intent) -> &'static str {
    match intent {
        Intent::Activate => "activate",
        Intent::Unblock => "unblock",
        Intent::Educate => "educate",
    }
}

const fn length_name(letters: usize) -> &'static str {
    match letters {
        0..60 => "short",
        60..140 => "middle",
        _ => "long",
    }
}

/// Letters of the words as they are written; what fills slots is the user's own.
fn letters(template: &Template) -> usize {
    let count = |piece: &Piece| match piece {
        Piece::Words(words) => words.chars().count(),
        Piece::Slot { .. } => 0,
    };
    template.0.iter().map(count).sum()
}

/// The first word of a call to action: mostly its verb.
fn first_word(template: &Template) -> Option<String> {
    match template.0.first()? {
        Piece::Words(words) => words.split_whitespace().next().map(str::to_lowercase),
        Piece::Slot { .. } => None,
    }
}

#[cfg(test)]
mod tests;
