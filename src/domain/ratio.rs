//! Exact fractions for credits and scores, and their honest way to a printed number: never rounded up.

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{FromPrimitive, One, ToPrimitive, Zero};

/// An exact fraction. Credits and scores lie in 0..=1; weights are positive.
pub type Ratio = BigRational;

/// `part / whole`; 0 when `whole` is 0.
pub fn of(part: u64, whole: u64) -> Ratio {
    if whole == 0 {
        return Ratio::zero();
    }
    let (mut divisor, mut rest) = (part, whole);
    while rest > 0 {
        (divisor, rest) = (rest, divisor % rest);
    }
    Ratio::new_raw((part / divisor).into(), (whole / divisor).into())
}

/// The exact value of a number as a person wrote it: `0.1` is one tenth, not the nearest binary fraction. Not a finite
/// number: 0.
pub fn decimal(number: f64) -> Ratio {
    if number.fract() == 0.0 && number.abs() < 9e15 {
        return Ratio::from_integer(BigInt::from(number as i64));
    }
    let text = format!("{number}");
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    match format!("{whole}{fraction}").parse::<BigInt>() {
        Ok(digits) => Ratio::new(digits, BigInt::from(10u8).pow(fraction.len() as u32)),
        Err(_) => Ratio::zero(),
    }
}

/// The product. Most weights and credits are 0 or 1, for which no common divisors need be looked for.
pub(super) fn times(one: &Ratio, other: &Ratio) -> Ratio {
    match () {
        () if one.is_one() => other.clone(),
        () if other.is_one() => one.clone(),
        () if one.is_zero() || other.is_zero() => Ratio::zero(),
        () => one * other,
    }
}

/// The quotient by a divisor that is not 0; most are 1.
pub(super) fn over(one: &Ratio, divisor: &Ratio) -> Ratio {
    match () {
        () if divisor.is_one() || one.is_zero() => one.clone(),
        () => one / divisor,
    }
}

/// A sum while it grows: of fractions with the same denominator only the numerators are added, and a common divisor is
/// looked for once, at the end. A tenth of the time of adding one fraction to the other.
#[derive(Clone, Debug, Default)]
pub(super) struct Total {
    numerator: BigInt,
    /// 0 before anything was added.
    denominator: BigInt,
}

impl Total {
    pub(super) fn add(&mut self, part: &Ratio) {
        if part.is_zero() {
            return;
        }
        if self.denominator.is_zero() {
            self.denominator = part.denom().clone();
        }
        if self.denominator == *part.denom() {
            self.numerator += part.numer();
        } else {
            let sum = Ratio::new_raw(self.numerator.clone(), self.denominator.clone()) + part;
            (self.numerator, self.denominator) = sum.into_raw();
        }
    }

    pub(super) fn ratio(self) -> Ratio {
        match self.denominator.is_zero() {
            true => Ratio::zero(),
            false if self.denominator.is_one() => Ratio::from_integer(self.numerator),
            false => Ratio::new(self.numerator, self.denominator),
        }
    }
}

/// The sum of several.
pub(super) fn sum<'a>(parts: impl IntoIterator<Item = &'a Ratio>) -> Ratio {
    let mut total = Total::default();
    parts.into_iter().for_each(|part| total.add(part));
    total.ratio()
}

/// A figure in percent (0 to 100) as an exact fraction of 1.
pub fn percent(number: f64) -> Ratio {
    match number.fract() == 0.0 && (0.0..=100.0).contains(&number) {
        true => of(number as u64, 100),
        false => decimal(number) / Ratio::from_integer(100.into()),
    }
}

/// Integers up to this one are exact as plain numbers.
const EXACT: i64 = 1 << 53;

/// Numerator and denominator where both are plain numbers exactly.
fn plain(ratio: &Ratio) -> Option<(i64, i64)> {
    let exact = |number: &BigInt| number.to_i64().filter(|number| number.abs() <= EXACT);
    Some((exact(ratio.numer())?, exact(ratio.denom())?))
}

/// The fraction as a plain number, rounded toward zero where it has no exact binary form.
pub fn number(ratio: &Ratio) -> f64 {
    // Most are 0, 1 or a half, of which no rounding need be undone.
    if let Some((part, whole)) = plain(ratio).filter(|(_, whole)| whole.count_ones() == 1) {
        return part as f64 / whole as f64;
    }
    let nearest = ratio.to_f64().unwrap_or(0.0);
    match Ratio::from_f64(nearest) {
        Some(exact) if nearest > 0.0 && exact > *ratio => nearest.next_down(),
        Some(exact) if nearest < 0.0 && exact < *ratio => nearest.next_up(),
        _ => nearest,
    }
}

/// A claimed fraction in percent, as the nearest plain number: what was said as 14.8 is shown as 14.8.
pub fn to_said_percent(ratio: &Ratio) -> f64 {
    (ratio * Ratio::from_integer(100.into()))
        .to_f64()
        .unwrap_or(0.0)
}

/// The fraction in percent, rounded toward zero where it has no exact binary form.
pub fn to_percent(ratio: &Ratio) -> f64 {
    let hundredfold = |(part, whole): (i64, i64)| Some((part.checked_mul(100)?, whole));
    let whole = plain(ratio).and_then(hundredfold);
    let exact = |(part, whole): &(i64, i64)| part % whole == 0 && (part / whole).abs() <= EXACT;
    if let Some((part, whole)) = whole.filter(exact) {
        return (part / whole) as f64;
    }
    number(&(ratio * Ratio::from_integer(100.into())))
}

#[cfg(test)]
mod tests {
    use super::super::testing::same_every_time;
    use super::*;
    use num_traits::Signed;
    use proptest::prelude::*;

    #[test]
    fn a_decimal_is_what_was_written() {
        assert_eq!(decimal(0.1), Ratio::new(1.into(), 10.into()));
        assert_eq!(decimal(57.0), Ratio::from_integer(57.into()));
        assert_eq!(decimal(99.95), Ratio::new(9995.into(), 100.into()));
        assert_eq!(decimal(f64::NAN), Ratio::zero());
        assert_eq!(percent(57.0), of(57, 100));
    }

    #[test]
    fn a_percentage_never_comes_out_above_the_fraction() {
        assert_eq!(to_percent(&of(57, 100)), 57.0);
        assert_eq!(to_percent(&Ratio::one()), 100.0);
        for whole in 1..=100u64 {
            for part in 0..=whole {
                let exact = of(part, whole) * Ratio::from_integer(100.into());
                assert!(
                    Ratio::from_f64(to_percent(&of(part, whole)))
                        .is_some_and(|printed| printed <= exact)
                );
            }
        }
    }

    #[test]
    fn a_hair_below_a_whole_percent_stays_below() {
        let hair = Ratio::new(1.into(), BigInt::from(10u8).pow(40));
        assert!(to_percent(&(of(57, 100) - hair)) < 57.0);
    }

    #[test]
    fn below_zero_it_is_rounded_toward_zero_too() {
        let gap = of(57, 100) - of(2, 3);
        assert!(
            Ratio::from_f64(to_percent(&gap))
                .is_some_and(|printed| printed >= gap * Ratio::from_integer(100.into()))
        );
        assert_eq!(to_percent(&-of(1, 4)), -25.0);
        assert_eq!(
            to_percent(&Ratio::zero()).to_bits(),
            0.0f64.to_bits(),
            "no minus before a zero"
        );
    }

    #[test]
    fn a_claim_is_shown_as_it_was_said() {
        for tenths in 0..=1000u32 {
            let said = f64::from(tenths) / 10.0;
            assert_eq!(to_said_percent(&percent(said)), said);
        }
    }

    proptest! {
        #![proptest_config(same_every_time(500))]

        #[test]
        fn a_number_is_the_nearest_one_toward_zero(part in any::<i64>(), whole in 1..=u64::MAX) {
            let exact = Ratio::new(part.into(), whole.into());
            let near = number(&exact);
            let of_number = |number: f64| Ratio::from_f64(number).unwrap_or_default();
            prop_assert!(of_number(near).abs() <= exact.abs());
            let beyond = if part < 0 { near.next_down() } else { near.next_up() };
            prop_assert!(of_number(beyond).abs() > exact.abs());
        }

        #[test]
        fn a_decimal_is_its_own_text(units in -1_000_000_000_000i64..1_000_000_000_000, places in 0..7u32) {
            let exact = Ratio::new(units.into(), BigInt::from(10u8).pow(places));
            let written = exact.to_f64().unwrap_or(f64::NAN);
            prop_assert_eq!(decimal(written), exact);
        }

        #[test]
        fn a_product_is_a_product(a in -3i64..3, b in 1i64..3, c in -3i64..3, d in 1i64..3) {
            let (one, other) = (Ratio::new(a.into(), b.into()), Ratio::new(c.into(), d.into()));
            prop_assert_eq!(times(&one, &other), one * other);
        }

        #[test]
        fn any_float_has_a_decimal(bits in any::<u64>()) {
            let float = f64::from_bits(bits);
            let exact = decimal(float);
            prop_assert_eq!(exact.to_f64(), Some(if float.is_finite() { float } else { 0.0 }));
        }
    }
}
