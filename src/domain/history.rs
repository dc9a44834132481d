//! The trend over recorded runs: what was verified in each, how steady every check was, how long it took.
//!
//! A check is flaky where its verdict changes though nothing of it did: between runs over the same files (artifact and
//! environment, where they were named) with the same definition. Only runs that looked at it are compared, and only
//! verdicts that say something: what nobody could tell is no change.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;

use super::level::Level;
use super::reason::Code;
use super::report::{CheckRow, Report, Run};
use super::verdict::Verdict;

/// Several runs, the oldest first, and what they say of each check together.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct History {
    /// The oldest first.
    pub runs: Vec<RunPoint>,
    /// In the order of the newest run; behind them those that it no longer has.
    pub checks: Vec<CheckTrend>,
}

/// What one run reached.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunPoint {
    /// Its id.
    pub id: String,
    /// When it began.
    pub started: Timestamp,
    /// Percent.
    pub verified: f64,
    /// Percent.
    pub ceiling: f64,
    /// Percent; none where nothing was claimed.
    pub claimed: Option<f64>,
    /// Whether what decided was open.
    pub gate: Door,
    /// The gates that decided; none where the selected checks did.
    pub decided_by: Vec<String>,
    /// The git commit.
    pub commit: Option<String>,
    /// The digest of the files.
    pub tree: Option<String>,
    /// Whether files differed from the commit.
    pub dirty: Option<bool>,
    /// Whether every check was due and got its turn.
    pub complete: bool,
    /// Every component.
    pub components: Vec<ComponentPoint>,
    /// Every check.
    pub checks: Vec<CheckPoint>,
}

/// Open or closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Door {
    /// Open.
    Open,
    /// Closed.
    Closed,
}

impl Door {
    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Door::Open => "open",
            Door::Closed => "closed",
        }
    }
}

/// What a component reached in one run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ComponentPoint {
    /// Its id.
    pub id: String,
    /// Its name in the table.
    pub title: String,
    /// Percent.
    pub verified: f64,
    /// Percent.
    pub ceiling: f64,
    /// The level that carried it.
    pub level: Option<Level>,
}

/// What one run says of a check.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CheckPoint {
    /// Its id.
    pub id: String,
    /// The verdict.
    pub verdict: Verdict,
    /// The reason's code.
    pub reason: Code,
    /// 0 to 1.
    pub credit: f64,
    /// How long it took; none where this run did not look at it.
    pub duration_ms: Option<u64>,
    /// Whether this run looked at it, rather than take what was recorded before.
    pub observed: bool,
}

/// What several runs say of a check together.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CheckTrend {
    /// Its id.
    pub id: String,
    /// The runs that looked at it.
    pub runs: u64,
    /// Those of them that another looked at the same thing in the same way as, with a verdict.
    pub compared: u64,
    /// How often the verdict changed from one of these to the next.
    pub changes: u64,
    /// The changes as a share of the times when there could have been one, 0 to 1; none where there could be none.
    pub flakiness: Option<f64>,
    /// The median of how long it took where it came to a verdict.
    pub median_ms: Option<u64>,
}

impl History {
    /// The history that these reports tell, the oldest first. Reports that are not about a run have no place in it.
    pub fn of(reports: &[Report]) -> History {
        let newest_first = reports.iter().rev().flat_map(|report| &report.checks);
        let mut known = BTreeSet::new();
        let ids = newest_first
            .map(|row| row.id.as_str())
            .filter(|id| known.insert(*id))
            .collect::<Vec<_>>();
        let runs = reports.iter().filter_map(|report| {
            let run = report.run.as_ref()?;
            Some(run_point(report, run))
        });
        History {
            runs: runs.collect(),
            checks: ids.into_iter().map(|id| trend(id, reports)).collect(),
        }
    }

    /// The ids of every component that stands in one of the runs.
    pub fn components(&self) -> impl Iterator<Item = &str> {
        let all = self.runs.iter().flat_map(|run| &run.components);
        all.map(|component| component.id.as_str())
    }

    /// What is left where only these checks and components are asked for.
    #[must_use]
    pub fn only(mut self, checks: &[String], components: &[String]) -> History {
        self.checks.retain(|trend| checks.contains(&trend.id));
        for run in &mut self.runs {
            run.checks.retain(|point| checks.contains(&point.id));
            run.components
                .retain(|point| components.contains(&point.id));
        }
        self
    }
}

fn run_point(report: &Report, run: &Run) -> RunPoint {
    let components = report.components.iter().filter(|row| row.applicable);
    RunPoint {
        id: run.id.clone(),
        started: run.started,
        verified: report.score.verified,
        ceiling: report.score.ceiling,
        claimed: report.score.claimed,
        gate: match report.decision.open {
            true => Door::Open,
            false => Door::Closed,
        },
        decided_by: report.decision.gates.clone(),
        commit: run.commit.clone(),
        tree: run.tree.clone(),
        dirty: run.dirty,
        complete: run.complete,
        components: components
            .map(|row| ComponentPoint {
                id: row.id.clone(),
                title: row.title.clone(),
                verified: row.verified,
                ceiling: row.ceiling,
                level: row.level,
            })
            .collect(),
        checks: report.checks.iter().map(check_point).collect(),
    }
}

fn check_point(row: &CheckRow) -> CheckPoint {
    CheckPoint {
        id: row.id.clone(),
        verdict: row.verdict,
        reason: row.reason.code,
        credit: row.credit,
        duration_ms: row.duration_ms.filter(|_| row.was_observed()),
        observed: row.was_observed(),
    }
}

/// What a run was about: its files, its artifact, its environment.
type About<'a> = (&'a str, Option<&'a str>, Option<&'a str>);

fn trend(id: &str, reports: &[Report]) -> CheckTrend {
    let looks = reports.iter().filter_map(|report| {
        let row = report.checks.iter().find(|row| row.id == id)?;
        let run = report.run.as_ref().filter(|_| row.was_observed())?;
        Some((run, row))
    });
    let looks = looks.collect::<Vec<_>>();
    let mut alike: BTreeMap<About<'_>, Vec<Vec<&CheckRow>>> = BTreeMap::new();
    let says_something = |(_, row): &&(&Run, &CheckRow)| row.verdict != Verdict::Unverified;
    let telling = || looks.iter().filter(says_something);
    for (run, row) in telling() {
        // Files that changed while it ran are like no others.
        let Some(tree) = &run.tree else { continue };
        let about = (
            tree.as_str(),
            run.artifact.as_deref(),
            run.environment.as_deref(),
        );
        let groups = alike.entry(about).or_default();
        let same = |group: &&mut Vec<&CheckRow>| group[0].definition.asks_like(&row.definition);
        match groups.iter_mut().find(same) {
            Some(group) => group.push(row),
            None => groups.push(vec![row]),
        }
    }
    let groups = || alike.values().flatten().filter(|group| group.len() > 1);
    let pairs = groups().flat_map(|group| group.windows(2));
    let changes = pairs
        .filter(|pair| pair[0].verdict != pair[1].verdict)
        .count() as u64;
    let compared = groups().map(Vec::len).sum::<usize>() as u64;
    let chances = compared - groups().count() as u64;
    CheckTrend {
        id: id.to_string(),
        runs: looks.len() as u64,
        compared,
        changes,
        flakiness: (chances > 0).then(|| changes as f64 / chances as f64),
        median_ms: median(telling().filter_map(|(_, row)| row.duration_ms).collect()),
    }
}

/// The median, rounded down; none of nothing.
pub fn median(mut values: Vec<u64>) -> Option<u64> {
    values.sort_unstable();
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    if values.len() % 2 == 1 {
        return Some(upper);
    }
    let lower = values[middle - 1];
    Some(lower + (upper - lower) / 2)
}

/// Percentages as heights from 0 to `highest`, rounded down: only 100 % reaches the top.
pub fn heights(percent: impl IntoIterator<Item = f64>, highest: u8) -> Vec<u8> {
    let height = |percent: f64| (percent.clamp(0.0, 100.0) / 100.0 * f64::from(highest)).floor();
    percent.into_iter().map(|p| height(p) as u8).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::check::Check;
    use super::super::evidence::Observed;
    use super::super::testing::*;
    use super::*;

    /// A run over these files in which the check `a` gave this.
    fn over(tree: Option<&str>, check: Check, observed: Observed) -> Report {
        let mut report = Scene::of([(check, observed)]).select(&[]).assess();
        report.run.as_mut().unwrap().tree = tree.map(str::to_string);
        report
    }

    fn at(tree: &str, observed: Observed) -> Report {
        over(Some(tree), counted("a"), observed)
    }

    fn only(reports: &[Report]) -> CheckTrend {
        let [trend] = History::of(reports).checks.try_into().unwrap();
        trend
    }

    /// Runs that looked, those of them compared, changes, flakiness.
    fn figures(reports: &[Report]) -> (u64, u64, u64, Option<f64>) {
        let trend = only(reports);
        (trend.runs, trend.compared, trend.changes, trend.flakiness)
    }

    #[test]
    fn nothing_has_no_trend() {
        assert_eq!(History::of(&[]), History::default());
    }

    #[test]
    fn a_change_over_the_same_files_is_flaky_and_one_over_others_is_not() {
        let (good, bad) = (|tree| at(tree, holds()), |tree| at(tree, breaks()));
        let cases = [
            (vec![good("x")], (1, 0, 0, None)),
            (vec![good("x"), bad("y")], (2, 0, 0, None)),
            (vec![good("x"), good("x")], (2, 2, 0, Some(0.0))),
            (vec![good("x"), bad("x")], (2, 2, 1, Some(1.0))),
            (
                vec![good("x"), bad("x"), good("x"), good("x"), good("x")],
                (5, 5, 2, Some(0.5)),
            ),
            // Files that were left and come back are the same files.
            (vec![good("x"), bad("y"), bad("x")], (3, 2, 1, Some(1.0))),
            (
                vec![good("x"), good("y"), bad("x"), bad("y")],
                (4, 4, 2, Some(1.0)),
            ),
        ];
        for (reports, wanted) in cases {
            assert_eq!(figures(&reports), wanted);
        }
        // Less of the same verdict is no other verdict; another verdict is, though it is no failure.
        assert_eq!(figures(&[at("x", ran(1, 2)), at("x", ran(2, 1))]).2, 0);
        assert_eq!(figures(&[at("x", ran(3, 0)), at("x", ran(2, 1))]).2, 1);
    }

    #[test]
    fn what_says_nothing_about_the_check_is_not_compared() {
        let unknown = || at("x", unknown());
        let cannot = || {
            let attempt = super::super::evidence::Attempt {
                cannot_tell: Some("no network".to_string()),
                ..exit(1)
            };
            at("x", observed(vec![attempt]))
        };
        let mut recorded = at("x", breaks());
        recorded.checks[0].recorded = Some("01JD".to_string());
        assert_eq!(
            figures(&[at("x", holds()), unknown(), at("x", holds())]),
            (2, 2, 0, Some(0.0))
        );
        assert_eq!(
            figures(&[at("x", holds()), cannot(), at("x", holds())]),
            (3, 2, 0, Some(0.0))
        );
        assert_eq!(figures(&[at("x", holds()), recorded]), (1, 0, 0, None));
        let nowhere = |observed| over(None, counted("a"), observed);
        assert_eq!(
            figures(&[nowhere(holds()), nowhere(breaks())]),
            (2, 0, 0, None)
        );
    }

    #[test]
    fn a_check_that_asks_something_else_is_another_check() {
        let with = |check: Check, observed| over(Some("x"), check, observed);
        let more = Check {
            at_least: Some(9),
            ..counted("a")
        };
        assert_eq!(
            figures(&[with(counted("a"), holds()), with(more, breaks())]),
            (2, 0, 0, None)
        );
        let dearer = Check {
            weight: 5.0,
            says: "a is as good as ever".to_string(),
            owner: Some("web team".to_string()),
            ..counted("a")
        };
        assert_eq!(
            figures(&[with(counted("a"), holds()), with(dearer, breaks())]),
            (2, 2, 1, Some(1.0))
        );
    }

    #[test]
    fn another_artifact_or_environment_is_another_thing() {
        let of = |artifact: &str, environment: &str, observed| {
            let mut report = at("x", observed);
            let run = report.run.as_mut().unwrap();
            run.artifact = Some(artifact.to_string());
            run.environment = Some(environment.to_string());
            report
        };
        let first = of("sha256:1", "staging", holds());
        for (other, compared) in [
            (of("sha256:1", "staging", breaks()), 2),
            (of("sha256:2", "staging", breaks()), 0),
            (of("sha256:1", "production", breaks()), 0),
        ] {
            assert_eq!(only(&[first.clone(), other]).compared, compared);
        }
    }

    #[test]
    fn runs_come_in_their_order_and_checks_in_that_of_the_newest() {
        let of = |ids: &[&str]| {
            let checks = ids.iter().map(|id| (counted(id), holds()));
            Scene::of(checks).select(&[]).assess()
        };
        let history = History::of(&[of(&["gone", "a"]), of(&["b", "a"])]);
        let ids = history.checks.iter().map(|trend| trend.id.as_str());
        assert_eq!(ids.collect::<Vec<_>>(), ["b", "a", "gone"]);
        assert_eq!(history.checks[1].runs, 2);
        assert_eq!(history.runs.len(), 2);
        let only = history.only(&["a".to_string()], &["b".to_string()]);
        assert_eq!(only.checks.len(), 1);
        let left = only
            .runs
            .iter()
            .map(|run| (run.checks.len(), run.components.len()));
        assert_eq!(left.collect::<Vec<_>>(), [(1, 0), (1, 1)]);
    }

    #[test]
    fn a_run_is_told_as_its_report_has_it() {
        let mut report = Scene::of([(counted("a"), ran(1, 1)), (counted("b"), unknown())])
            .claim(90.0)
            .select(&["a"])
            .assess();
        report.checks[0].duration_ms = Some(70);
        let run = &History::of(&[report]).runs[0];
        assert_eq!(
            (run.verified, run.ceiling, run.claimed),
            (25.0, 75.0, Some(90.0))
        );
        assert_eq!((run.gate, run.complete), (Door::Closed, false));
        let points = run
            .checks
            .iter()
            .map(|p| (p.verdict, p.credit, p.duration_ms, p.observed));
        assert_eq!(
            points.collect::<Vec<_>>(),
            [
                (Verdict::Partial, 0.5, Some(70), true),
                (Verdict::Unverified, 0.0, None, false)
            ]
        );
    }

    #[test]
    fn the_median_is_the_middle_one() {
        for (values, wanted) in [
            (vec![], None),
            (vec![7], Some(7)),
            (vec![9, 1], Some(5)),
            (vec![2, 1], Some(1)),
            (vec![30, 10, 20], Some(20)),
            (vec![u64::MAX, u64::MAX], Some(u64::MAX)),
        ] {
            assert_eq!(median(values), wanted);
        }
    }

    #[test]
    fn only_a_whole_reaches_the_top() {
        let percent = [0.0, 14.2, 14.3, 50.0, 99.999, 100.0, 120.0, -1.0];
        assert_eq!(heights(percent, 7), [0, 0, 1, 3, 6, 7, 7, 0]);
    }
}
