//! The columns of the status table: which of them a width has room for, and their cells.

use super::words::{gap, percent};

/// Which columns the width has room for.
pub(super) struct Columns {
    pub(super) bar: bool,
    ceiling: bool,
    claims: bool,
    level: bool,
    age: bool,
}

impl Columns {
    /// The columns that fit into `width`; the most important ones first. `title` is the widest of the rows' titles.
    pub(super) fn that_fit(width: usize, claims: bool, title: Option<usize>) -> Columns {
        // Widths with the gap behind each column; a title wraps below 16 columns only where nothing else gives way.
        let mut room = width.saturating_sub(title.unwrap_or(9).clamp(9, 16) + 2 + 10);
        let mut fits = |wanted: bool, needed: usize| {
            let fits = wanted && room >= needed;
            if fits {
                room -= needed;
            }
            fits
        };
        let claims = fits(claims, 9 + 5);
        let ceiling = fits(true, 9);
        let level = fits(true, 11);
        let bar = fits(true, 12);
        let age = fits(true, 6);
        Columns {
            bar,
            ceiling,
            claims,
            level,
            age,
        }
    }

    /// The names of the columns.
    pub(super) fn header(&self) -> Vec<String> {
        self.pick(
            "Component",
            self.bar.then_some(""),
            "Verified",
            self.ceiling.then_some("Ceiling"),
            self.claims.then_some(("Claimed", "Gap")),
            self.level.then_some("Level"),
            self.age.then_some("Age"),
        )
    }

    /// The cells of a row.
    pub(super) fn cells(
        &self,
        title: String,
        bar: String,
        [verified, ceiling]: [f64; 2],
        claim: Option<(f64, f64)>,
        level: String,
        age: String,
    ) -> Vec<String> {
        let claim = claim
            .map(|(claimed, points)| (percent(claimed), gap(claimed, points)))
            .unwrap_or_default();
        self.pick(
            &title,
            self.bar.then_some(&bar),
            &percent(verified),
            self.ceiling.then_some(&percent(ceiling)),
            self.claims.then_some((&claim.0, &claim.1)),
            self.level.then_some(&level),
            self.age.then_some(&age),
        )
    }

    #[allow(
        clippy::too_many_arguments,
        reason = "one for each column, in their order"
    )]
    fn pick(
        &self,
        title: &str,
        bar: Option<&str>,
        verified: &str,
        ceiling: Option<&str>,
        claim: Option<(&str, &str)>,
        level: Option<&str>,
        age: Option<&str>,
    ) -> Vec<String> {
        let (claimed, gap) = claim.unzip();
        let cells = [
            Some(title),
            bar,
            Some(verified),
            ceiling,
            claimed,
            gap,
            level,
            age,
        ];
        cells.into_iter().flatten().map(str::to_string).collect()
    }

    /// Figures stand to the right.
    pub(super) fn right_aligned(&self, at: usize) -> bool {
        let figures = 1 + usize::from(self.ceiling) + 2 * usize::from(self.claims);
        let first = 1 + usize::from(self.bar);
        (first..first + figures).contains(&at)
    }
}
