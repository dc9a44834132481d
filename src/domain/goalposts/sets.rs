//! Whether one demand is contained in another.

use std::collections::BTreeMap;

use super::super::limit::{Limit, Operator};
use super::{Kind, Means};

pub(super) const WEAKER: Means = Means::Is(Kind::Weaker);
pub(super) const TIGHTER: Means = Means::Is(Kind::Tighter);
pub(super) const NEUTRAL: Means = Means::Is(Kind::Neutral);

/// The weaker of two.
pub(super) fn worse(one: Means, other: Means) -> Means {
    let rank = |means: Means| match means {
        Means::Is(Kind::Weaker) => 0,
        Means::Depends => 1,
        Means::Is(Kind::Tighter) => 2,
        Means::Is(Kind::Neutral) => 3,
    };
    if rank(one) <= rank(other) { one } else { other }
}

/// Of all of these.
pub(super) fn worst(all: impl IntoIterator<Item = Means>) -> Means {
    all.into_iter().fold(NEUTRAL, worse)
}

/// Of a list of demands: one less is weaker, one more tighter, another one both.
pub(super) fn demands<T: PartialEq>(before: &[T], after: &[T]) -> Means {
    match (
        before.iter().any(|item| !after.contains(item)),
        after.iter().any(|item| !before.contains(item)),
    ) {
        (true, _) => WEAKER,
        (false, true) => TIGHTER,
        (false, false) => NEUTRAL,
    }
}

/// Of a list of what is let through: one more is weaker.
pub(super) fn allowances<T: PartialEq>(before: &[T], after: &[T]) -> Means {
    demands(after, before)
}

/// Of named demands, each compared by itself where both have it.
pub(super) fn named<T: PartialEq>(
    before: &BTreeMap<String, T>,
    after: &BTreeMap<String, T>,
    compare: impl Fn(&T, &T) -> Means,
) -> Means {
    let gone = before.keys().any(|key| !after.contains_key(key));
    let new = after.keys().any(|key| !before.contains_key(key));
    let both = before.iter().filter_map(|(key, then)| {
        let now = after.get(key)?;
        (then != now).then(|| compare(then, now))
    });
    let both = worst(both);
    match (gone, new) {
        (true, _) => WEAKER,
        (false, true) => worse(both, TIGHTER),
        (false, false) => both,
    }
}

/// Of a figure that must be reached: less is weaker.
pub(super) fn least<T: PartialOrd>(before: &Option<T>, after: &Option<T>) -> Means {
    match (before, after) {
        (None, None) => NEUTRAL,
        (None, Some(_)) => TIGHTER,
        (Some(_), None) => WEAKER,
        (Some(then), Some(now)) if now < then => WEAKER,
        (Some(then), Some(now)) if now > then => TIGHTER,
        (Some(_), Some(_)) => NEUTRAL,
    }
}

/// Of a figure that may not be exceeded: more is weaker.
pub(super) fn most<T: PartialOrd>(before: &Option<T>, after: &Option<T>) -> Means {
    match (before, after) {
        (Some(then), Some(now)) if now > then => WEAKER,
        (Some(then), Some(now)) if now < then => TIGHTER,
        (Some(_), Some(_)) | (None, None) => NEUTRAL,
        (None, Some(_)) => TIGHTER,
        (Some(_), None) => WEAKER,
    }
}

/// Of what is asked or not: asking less is weaker.
pub(super) fn asked(before: bool, after: bool) -> Means {
    match (before, after) {
        (true, false) => WEAKER,
        (false, true) => TIGHTER,
        _ => NEUTRAL,
    }
}

/// Of what is forgiven or not.
pub(super) fn forgiven(before: bool, after: bool) -> Means {
    asked(after, before)
}

/// Of a bound: weaker where more figures keep it.
pub(super) fn bound(before: &Limit, after: &Limit) -> Means {
    if before == after {
        return NEUTRAL;
    }
    // Both are made of the same half line, or one of them cannot be told from the other: then it is weaker.
    let upper = |limit: &Limit| matches!(limit.operator, Operator::Less | Operator::AtMost);
    let lower = |limit: &Limit| matches!(limit.operator, Operator::Greater | Operator::AtLeast);
    let open = |limit: &Limit| matches!(limit.operator, Operator::Less | Operator::Greater);
    let tighter = match () {
        () if upper(before) && upper(after) => {
            after.bound < before.bound || (after.bound == before.bound && open(after))
        }
        () if lower(before) && lower(after) => {
            after.bound > before.bound || (after.bound == before.bound && open(after))
        }
        () => after.operator == Operator::Equal && before.holds(after.bound),
    };
    if tighter { TIGHTER } else { WEAKER }
}

/// Of a bound that may be absent.
pub(super) fn bounds(before: Option<&Limit>, after: Option<&Limit>) -> Means {
    match (before, after) {
        (Some(then), Some(now)) => bound(then, now),
        (Some(_), None) => WEAKER,
        (None, Some(_)) => TIGHTER,
        (None, None) => NEUTRAL,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::super::testing::same_every_time;
    use super::*;

    fn limit() -> impl Strategy<Value = Limit> {
        let operators = [
            Operator::Less,
            Operator::AtMost,
            Operator::Greater,
            Operator::AtLeast,
            Operator::Equal,
            Operator::NotEqual,
        ];
        (0..6usize, -3..4i32).prop_map(move |(operator, bound)| Limit {
            operator: operators[operator],
            bound: f64::from(bound),
        })
    }

    proptest! {
        #![proptest_config(same_every_time(2000))]

        #[test]
        fn what_lets_a_figure_through_that_was_not_is_never_tighter(before in limit(), after in limit()) {
            let figures = (-16..17).map(|quarter| f64::from(quarter) / 4.0);
            let lets_more = figures.clone().any(|figure| after.holds(figure) && !before.holds(figure));
            let means = bound(&before, &after);
            prop_assert!(!lets_more || means == WEAKER, "{before} {after} {means:?}");
            prop_assert_eq!(before == after, means == NEUTRAL);
        }

        #[test]
        fn a_list_that_lost_a_demand_is_weaker(before in proptest::collection::vec(0..5u8, 0..5), after in proptest::collection::vec(0..5u8, 0..5)) {
            let lost = before.iter().any(|item| !after.contains(item));
            prop_assert_eq!(demands(&before, &after) == WEAKER, lost);
            prop_assert_eq!(allowances(&after, &before) == WEAKER, lost);
        }
    }
}
