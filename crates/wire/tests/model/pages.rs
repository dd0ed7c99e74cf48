//! The manual's page about the ladder has a section for each rung, and each section a rung.

use pilotage_domain::advise::Rung;

const PAGE: &str = include_str!("../../../../docs/model.md");

#[test]
fn each_refusal_has_its_section() {
    let sections: Vec<&str> = PAGE.lines().filter_map(|line| line.strip_prefix("### L")).collect();
    let rungs: Vec<String> = Rung::ALL.iter().map(|rung| rung.to_string().split_off(1)).collect();
    assert_eq!(sections, rungs);
}
