use super::*;

fn small() -> Shape {
    Shape {
        townships: 1,
        rooms: 3,
        days: 3,
        fixed: true,
    }
}

#[test]
fn small_counties_come_through_days_of_faults() {
    for seed in 900..904 {
        let verdict = run_seed(seed, &small());
        assert_eq!(verdict.failure, None, "seed {seed}");
        assert!(verdict.faults.total() > 0 && verdict.deeds > 0, "seed {seed}");
    }
}

#[test]
fn a_seed_is_one_story_and_another_seed_another() {
    let trace = |seed| Story::draw(seed, &small()).run(None).trace;
    assert_eq!(trace(905), trace(905));
    assert_ne!(trace(905), trace(906));
}

#[test]
fn a_story_is_told_with_time_place_and_deed() {
    let mut told = Vec::new();
    Story::draw(907, &small()).run(Some(&mut |line| told.push(line.to_owned())));
    assert!(
        told.iter().any(|line| line.contains("everything is healed")),
        "{told:#?}"
    );
    assert!(told.iter().all(|line| line.starts_with("day ")), "{told:#?}");
}

#[test]
fn actions_can_be_left_out_of_a_story_and_the_others_stay_what_they_were() {
    let whole = Story::draw(908, &small());
    let mut part = whole.clone();
    part.actions.retain(|action| matches!(action.what, What::Deed(_)));
    assert!(part.actions.len() < whole.actions.len());
    assert_eq!(part.run(None).failure, None);
}
