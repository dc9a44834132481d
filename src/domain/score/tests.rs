//! Worked examples, and what must be true of every set of checks.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::super::ratio::{decimal, of};
use super::super::testing::same_every_time;
use super::Level::*;
use super::*;

fn weighed(weight: f64, level: Level, (credit, potential): (Ratio, Ratio)) -> Weighed {
    Weighed {
        weight: decimal(weight),
        credit,
        potential,
        level,
        attested: false,
    }
}

fn verified(weight: f64, level: Level) -> Weighed {
    weighed(weight, level, (Ratio::one(), Ratio::one()))
}

fn failed(weight: f64, level: Level) -> Weighed {
    weighed(weight, level, (Ratio::zero(), Ratio::zero()))
}

fn unverified(weight: f64, level: Level) -> Weighed {
    weighed(weight, level, (Ratio::zero(), Ratio::one()))
}

/// Of ten results, so many passed and so many were skipped.
fn partial(weight: f64, level: Level, passed: u64, skipped: u64) -> Weighed {
    weighed(weight, level, (of(passed, 10), of(passed + skipped, 10)))
}

fn attested(weight: f64) -> Weighed {
    Weighed {
        attested: true,
        ..failed(weight, Attested)
    }
}

fn rate(checks: &[Weighed]) -> ComponentStanding {
    component(checks, &Caps::default(), None)
}

#[test]
#[rustfmt::skip] // a case is a line
fn worked_examples() {
    // (what, checks, verified, ceiling, attested, carried by, capped by)
    type Case = (&'static str, Vec<Weighed>, (u64, u64), (u64, u64), (u64, u64), Option<Level>, Option<Level>);
    let cases: Vec<Case> = vec![
        ("no checks: all is possible", vec![], (0, 1), (1, 1), (0, 1), None, None),
        ("one exercised", vec![verified(1.0, Exercised)], (1, 1), (1, 1), (0, 1), Some(Exercised), None),
        ("one validated", vec![verified(1.0, Validated)], (3, 4), (3, 4), (0, 1), Some(Validated), Some(Validated)),
        ("one wired", vec![verified(1.0, Wired)], (1, 2), (1, 2), (0, 1), Some(Wired), Some(Wired)),
        ("one present", vec![verified(1.0, Present)], (1, 4), (1, 4), (0, 1), Some(Present), Some(Present)),
        ("one attested", vec![attested(1.0)], (0, 1), (0, 1), (1, 1), None, None),
        ("one failed", vec![failed(1.0, Exercised)], (0, 1), (0, 1), (0, 1), None, None),
        ("one unverified", vec![unverified(1.0, Validated)], (0, 1), (3, 4), (0, 1), None, None),
        ("partial", vec![partial(1.0, Exercised, 7, 2)], (7, 10), (9, 10), (0, 1), Some(Exercised), None),
        ("partial under a cap", vec![partial(1.0, Validated, 7, 2)], (7, 10), (3, 4), (0, 1), Some(Validated), None),
        ("a weak pass does not dilute", vec![verified(1.0, Exercised), verified(9.0, Present)], (1, 1), (1, 1), (0, 1), Some(Exercised), None),
        ("nor pad: the strong miss costs half", vec![verified(1.0, Exercised), unverified(1.0, Exercised), verified(98.0, Present)], (1, 2), (1, 1), (0, 1), Some(Exercised), None),
        ("a weak miss still costs", vec![verified(3.0, Exercised), failed(1.0, Present)], (3, 4), (3, 4), (0, 1), Some(Exercised), None),
        // Exercised 1/(1+3); validated (1+5)/(6+3), below its cap.
        ("weaker evidence may carry further", vec![verified(1.0, Exercised), verified(5.0, Validated), failed(3.0, Exercised)], (2, 3), (2, 3), (0, 1), Some(Validated), None),
        // Exercised 1/(1+1); validated 10/11, capped at 3/4; wired 20/21, capped at 1/2.
        ("up to its cap", vec![verified(1.0, Exercised), verified(9.0, Validated), verified(10.0, Wired), failed(1.0, Exercised)], (3, 4), (3, 4), (0, 1), Some(Validated), Some(Validated)),
        ("attested beside verified", vec![verified(3.0, Exercised), attested(1.0)], (3, 4), (3, 4), (1, 4), Some(Exercised), None),
        ("weights and credits", vec![partial(2.0, Exercised, 5, 0), verified(1.5, Exercised), unverified(0.5, Exercised)], (5, 8), (3, 4), (0, 1), Some(Exercised), None),
    ];
    for (what, checks, verified, ceiling, attested, level, capped) in cases {
        let part = |(part, whole)| of(part, whole);
        let standing = Standing { verified: part(verified), ceiling: part(ceiling), attested: part(attested) };
        assert_eq!(rate(&checks), ComponentStanding { standing, level, capped }, "{what}");
    }
}

#[test]
fn enough_lifts_the_cap_of_its_level_and_of_none_below() {
    let reached =
        |level, enough| component(&[verified(1.0, level)], &Caps::default(), Some(enough));
    let cases = [
        (Present, Present, of(1, 1), None),
        (Wired, Present, of(1, 1), None),
        (Validated, Wired, of(1, 1), None),
        (Present, Wired, of(1, 4), Some(Present)),
        (Wired, Validated, of(1, 2), Some(Wired)),
    ];
    for (level, enough, verified, capped) in cases {
        let rated = reached(level, enough);
        assert_eq!(
            (rated.standing.verified, rated.capped),
            (verified, capped),
            "{level} where {enough} is enough"
        );
    }
}

#[test]
fn caps_that_were_lowered() {
    let caps = Caps {
        exercised: 90.0,
        present: 0.0,
        ..Caps::default()
    };
    let rated = component(&[verified(1.0, Exercised)], &caps, None);
    assert_eq!(
        (rated.standing.verified, rated.capped),
        (of(9, 10), Some(Exercised))
    );
    assert_eq!(
        component(&[verified(1.0, Present)], &caps, None)
            .standing
            .verified,
        Ratio::zero()
    );
}

#[test]
fn a_mean_is_exact() {
    let third = Standing {
        verified: of(1, 3),
        ceiling: of(1, 3),
        attested: of(1, 3),
    };
    let weights = [decimal(0.1), decimal(0.2), decimal(1000.0)];
    assert_eq!(
        mean(weights.iter().map(|weight| (weight, &third))),
        Some(third)
    );
    assert_eq!(mean([]), None);

    let full = Standing {
        verified: Ratio::one(),
        ceiling: Ratio::one(),
        attested: Ratio::zero(),
    };
    let none = Standing {
        verified: Ratio::zero(),
        ceiling: Ratio::zero(),
        attested: Ratio::zero(),
    };
    let one = Ratio::one();
    let whole = mean([(&one, &full), (&one, &none), (&one, &full)]).unwrap();
    assert_eq!(whole.verified, of(2, 3));
    let whole = mean([(&decimal(57.0), &full), (&decimal(43.0), &none)]).unwrap();
    assert_eq!(whole.verified, of(57, 100));
}

fn any_weight() -> impl Strategy<Value = f64> {
    prop_oneof![
        Just(1.0),
        (1..=1000u32).prop_map(f64::from),
        (1..=100u32).prop_map(|tenths| f64::from(tenths) / 10.0)
    ]
}

fn any_level() -> impl Strategy<Value = Level> {
    select(vec![Exercised, Validated, Wired, Present])
}

fn any_check() -> impl Strategy<Value = Weighed> {
    (any_weight(), any_level(), 0..6u8, 1..10u64, 0..10u64).prop_map(
        |(weight, level, kind, passed, skipped)| match kind {
            0 | 1 => verified(weight, level),
            2 => failed(weight, level),
            3 => unverified(weight, level),
            4 => attested(weight),
            _ => partial(weight, level, passed, skipped.min(10 - passed)),
        },
    )
}

fn any_checks() -> impl Strategy<Value = Vec<Weighed>> {
    vec(any_check(), 0..7)
}

/// Caps as a manifest may lower them, and a level that may be enough.
fn any_rules() -> impl Strategy<Value = (Caps, Option<Level>)> {
    let caps = (0..=100u32, 0..=75u32, 0..=50u32, 0..=25u32).prop_map(
        |(exercised, validated, wired, present)| Caps {
            exercised: exercised.into(),
            validated: validated.into(),
            wired: wired.into(),
            present: present.into(),
        },
    );
    (
        prop_oneof![Just(Caps::default()), caps],
        proptest::option::weighted(0.2, any_level()),
    )
}

/// The most that evidence of this level or a weaker one can carry.
fn most(level: Level, caps: &Caps, enough: Option<Level>) -> Ratio {
    let cap = |weak: Level| {
        if enough.is_some_and(|enough| weak >= enough) {
            Ratio::one()
        } else {
            ratio::percent(caps.percent(weak))
        }
    };
    Level::ALL
        .into_iter()
        .filter(|weak| *weak <= level)
        .map(cap)
        .max()
        .unwrap()
}

proptest! {
    #![proptest_config(same_every_time(300))]

    #[test]
    fn figures_stay_in_their_bounds(checks in any_checks(), (caps, enough) in any_rules()) {
        let Standing { verified, ceiling, attested } = component(&checks, &caps, enough).standing;
        prop_assert!(Ratio::zero() <= verified && verified <= ceiling && ceiling <= Ratio::one());
        prop_assert!(attested >= Ratio::zero() && &verified + &attested <= Ratio::one());
        prop_assert!(checks.is_empty() || &ceiling + &attested <= Ratio::one(), "a person's word is no possible evidence");
    }

    #[test]
    fn the_level_that_carries_earned_it(checks in any_checks(), (caps, enough) in any_rules()) {
        let rated = component(&checks, &caps, enough);
        match rated.level {
            None => prop_assert!(rated.standing.verified.is_zero() && rated.capped.is_none()),
            Some(level) => {
                prop_assert!(checks.iter().any(|check| check.level >= level && !check.credit.is_zero()));
                prop_assert!(rated.standing.verified <= most(level, &caps, enough));
                prop_assert!(rated.capped.is_none_or(|capped| capped == level));
            }
        }
    }

    #[test]
    fn the_order_of_checks_is_nothing(checks in any_checks(), (caps, enough) in any_rules()) {
        let reversed = checks.iter().rev().cloned().collect::<Vec<_>>();
        prop_assert_eq!(component(&checks, &caps, enough), component(&reversed, &caps, enough));
    }

    #[test]
    fn scaling_all_weights_changes_nothing(checks in any_checks(), (caps, enough) in any_rules(), factor in any_weight()) {
        let scaled = checks.iter().map(|check| Weighed { weight: &check.weight * decimal(factor), ..check.clone() }).collect::<Vec<_>>();
        prop_assert_eq!(component(&checks, &caps, enough), component(&scaled, &caps, enough));
    }

    #[test]
    fn a_failure_in_place_of_the_unknown_raises_nothing(
        mut checks in any_checks(),
        (caps, enough) in any_rules(),
        (weight, level) in (any_weight(), any_level()),
    ) {
        checks.push(unverified(weight, level));
        let before = component(&checks, &caps, enough).standing;
        *checks.last_mut().unwrap() = failed(weight, level);
        let after = component(&checks, &caps, enough).standing;
        prop_assert_eq!(&after.verified, &before.verified);
        prop_assert!(after.ceiling <= before.ceiling);
    }

    #[test]
    fn a_further_check_raises_only_by_what_it_earns(
        mut checks in any_checks(),
        (caps, enough) in any_rules(),
        (weight, level) in (any_weight(), any_level()),
        missing in select(vec![unverified as fn(f64, Level) -> Weighed, failed, |weight, _| attested(weight)]),
    ) {
        let before = component(&checks, &caps, enough).standing;
        checks.push(missing(weight, level));
        prop_assert!(component(&checks, &caps, enough).standing.verified <= before.verified, "nothing verified, nothing raised");
        *checks.last_mut().unwrap() = verified(weight, level);
        prop_assert!(component(&checks, &caps, enough).standing.verified >= before.verified, "a verified check lowers nothing");
    }

    #[test]
    fn more_credit_never_lowers(
        mut checks in any_checks(),
        (caps, enough) in any_rules(),
        (weight, level, passed) in (any_weight(), any_level(), 0..10u64),
    ) {
        checks.push(partial(weight, level, passed, 0));
        let before = component(&checks, &caps, enough).standing;
        *checks.last_mut().unwrap() = partial(weight, level, passed + 1, 0);
        let after = component(&checks, &caps, enough).standing;
        prop_assert!(after.verified >= before.verified && after.ceiling >= before.ceiling);
    }

    /// However many weak passes there are: the component reaches what it reached without them, or what their own level may
    /// carry, whichever is more. Where stronger evidence reaches as far as their cap, they change nothing at all.
    #[test]
    fn weak_passes_never_pad_a_stronger_level(
        mut checks in any_checks(),
        (caps, enough) in any_rules(),
        level in any_level(),
        weights in vec(any_weight(), 1..5),
    ) {
        let before = component(&checks, &caps, enough).standing.verified;
        checks.extend(weights.into_iter().map(|weight| verified(weight, level)));
        let after = component(&checks, &caps, enough).standing.verified;
        let own = most(level, &caps, enough);
        prop_assert!(after >= before && after <= before.clone().max(own.clone()));
        if before >= own {
            prop_assert_eq!(after, before);
        }
    }

    #[test]
    fn a_lower_cap_never_raises(checks in any_checks(), (caps, enough) in any_rules(), level in any_level(), less in 0..=100u32) {
        let before = component(&checks, &caps, enough).standing;
        let mut lower = caps.clone();
        let cap = match level {
            Exercised => &mut lower.exercised,
            Validated => &mut lower.validated,
            Wired => &mut lower.wired,
            _ => &mut lower.present,
        };
        *cap = cap.min(less.into());
        let after = component(&checks, &lower, enough).standing;
        prop_assert!(after.verified <= before.verified && after.ceiling <= before.ceiling);
    }

    #[test]
    fn a_mean_lies_between_its_parts(parts in vec((any_weight(), any_checks()), 1..5)) {
        let parts = parts.iter().map(|(weight, checks)| (decimal(*weight), rate(checks).standing)).collect::<Vec<_>>();
        let whole = mean(parts.iter().map(|(weight, standing)| (weight, standing))).unwrap();
        let verified = || parts.iter().map(|(_, standing)| standing.verified.clone());
        prop_assert!(verified().min().unwrap() <= whole.verified && whole.verified <= verified().max().unwrap());
        prop_assert!(whole.verified <= whole.ceiling && &whole.verified + &whole.attested <= Ratio::one());
    }
}
