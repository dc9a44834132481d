//! What the evidence makes of one claim: a figure, a ratio, a mark, a count or a change, held against what it is about.

use std::collections::BTreeMap;

use num_traits::Zero;

use super::super::super::check::Reader;
use super::super::super::claim::{ClaimState, Mark, Said, percent_state};
use super::super::super::evidence::{Counts, Observed, Reading, Results};
use super::super::super::gate::Judged;
use super::super::super::level::Level;
use super::super::super::ratio;
use super::super::super::score::{self, Standing, Weighed};
use super::super::super::verdict::Verdict;
use super::super::Seen;
use super::super::rated::RatedComponent;
use super::Facts;
use super::names::{Target, normalised};

/// What became of a claim.
pub(super) struct Outcome {
    pub(super) state: ClaimState,
    /// Percent.
    pub(super) verified: Option<f64>,
    pub(super) why: String,
    /// The checks that say so, by place.
    pub(super) checks: Vec<usize>,
}

/// How many checks are named as those that say so.
const NAMED: usize = 3;
/// Evidence that is weaker has not seen the thing at work: it backs no mark that says that it is done.
const ENOUGH_FOR_A_MARK: Level = Level::Validated;

impl Facts<'_> {
    /// What the evidence makes of what is said about the target.
    pub(super) fn weigh(&self, said: &Said, target: &Target) -> Outcome {
        let members = self.members(target);
        if members.is_empty() {
            let why = "no check stands for it".to_string();
            return self.outcome(ClaimState::Unbacked, why, vec![]);
        }
        match said {
            Said::Percent { value, .. } => self.percent(*value, target, &members),
            Said::Ratio { passed, total } => self.ratio(*passed, *total, target, &members),
            Said::Mark { mark } => self.mark(*mark, &members),
            Said::Count { count, of } => self.count(*count, of, &members),
            Said::Delta { from, to, by, of } => self.delta([*from, *to, *by], of, &members),
        }
    }

    fn outcome(&self, state: ClaimState, why: String, checks: Vec<usize>) -> Outcome {
        Outcome {
            state,
            verified: None,
            why,
            checks,
        }
    }

    /// The checks that stand for a target: those that apply, and of several those that count.
    pub(super) fn members(&self, target: &Target) -> Vec<usize> {
        let counts = |at: &usize| self.judged[*at].applicable && !self.judged[*at].check.optional;
        match target {
            Target::Whole => (0..self.judged.len()).filter(counts).collect(),
            Target::Check(at) => (self.judged[*at].applicable)
                .then_some(*at)
                .into_iter()
                .collect(),
            Target::Components(places) => {
                let of = |at: &usize| self.rated[*at].checks.iter().copied();
                places.iter().flat_map(of).filter(counts).collect()
            }
        }
    }

    /// What the target reaches.
    fn standing(&self, target: &Target) -> Option<Standing> {
        match target {
            Target::Whole => self.whole.cloned(),
            Target::Components(places) => {
                let members = places.iter().map(|at| &self.rated[*at]);
                let applicable = members.filter(|rated| rated.applicable);
                score::mean(applicable.map(|rated| (&rated.weight, &rated.standing.standing)))
            }
            Target::Check(at) => Some(self.of_check(*at)),
        }
    }

    /// What a single check reaches, its evidence as strong as it is.
    pub(super) fn of_check(&self, at: usize) -> Standing {
        let judged = &self.judged[at];
        let weighed = Weighed {
            weight: ratio::decimal(1.0),
            credit: judged.judgement.credit.clone(),
            potential: judged.judgement.potential.clone(),
            level: judged.check.level,
            attested: judged.judgement.attested(),
        };
        score::component(&[weighed], &self.project.caps, self.enough(at)).standing
    }

    /// The level that is all there is to know of what the check is about.
    fn enough(&self, at: usize) -> Option<Level> {
        let mut rated = self.rated.iter();
        rated
            .find(|rated| rated.checks.contains(&at))?
            .component
            .enough
    }

    fn percent(&self, value: f64, target: &Target, members: &[usize]) -> Outcome {
        let Some(standing) = self.standing(target) else {
            return self.outcome(
                ClaimState::Unbacked,
                "nothing counts for it".to_string(),
                vec![],
            );
        };
        let state = percent_state(value, &standing, true);
        let figures = [&standing.verified, &standing.ceiling].map(floor);
        let checks = self.short_of(members);
        let mut why = match figures[0] == figures[1] {
            true => format!("verified {} %", figures[0]),
            false => format!("verified {} %, at best {} %", figures[0], figures[1]),
        };
        if state != ClaimState::Backed {
            why += &match checks.is_empty() {
                true => ": the evidence is too weak for more".to_string(),
                false => format!(": {}", self.named(&checks)),
            };
        }
        Outcome {
            verified: Some(ratio::to_percent(&standing.verified)),
            ..self.outcome(state, why, checks)
        }
    }

    /// Number by number: as many pass, as many are there, and no more of them fail.
    fn ratio(&self, passed: u64, total: u64, target: &Target, members: &[usize]) -> Outcome {
        let counting = members
            .iter()
            .copied()
            .filter(|at| self.judged[*at].judgement.counts.is_some());
        let counting = counting.collect::<Vec<_>>();
        let unsure =
            |why: &str, checks| self.outcome(ClaimState::Unproved, why.to_string(), checks);
        if counting.is_empty() {
            let short = self.short_of(members);
            return match short.is_empty() {
                true => unsure("no check of it counts results", members.to_vec()),
                false => unsure(&self.named(&short), short),
            };
        }
        if *target == Target::Whole && counting.len() > 1 {
            return unsure(
                "several checks count results, and it is about none of them by name",
                counting,
            );
        }
        if let Some(at) = counting
            .iter()
            .find(|at| self.judged[**at].judgement.verdict == Verdict::Unverified)
        {
            return unsure(&self.named(&[*at]), vec![*at]);
        }
        let mut seen = Counts::default();
        for counts in counting
            .iter()
            .filter_map(|at| self.judged[*at].judgement.counts)
        {
            seen.passed = seen.passed.saturating_add(counts.passed);
            seen.failed = seen.failed.saturating_add(counts.failed);
            seen.skipped = seen.skipped.saturating_add(counts.skipped);
        }
        let claimed_rest = total.saturating_sub(passed);
        let reaches = |passing: u64, rest: u64| {
            passing >= passed && passing.saturating_add(rest) >= total && rest <= claimed_rest
        };
        // A suite that nobody could run may hold what is lacking, but mends no failure.
        let is_open = |at: &usize| {
            let judged = &self.judged[*at];
            let counts = judged.check.probe.reader().is_some_and(Reader::counts);
            counts && judged.judgement.verdict == Verdict::Unverified
        };
        let open = members.iter().any(is_open);
        let state = if (seen.passed, seen.total()) == (passed, total) {
            ClaimState::Backed
        } else if reaches(seen.passed, seen.failed.saturating_add(seen.skipped)) {
            ClaimState::Unclaimed
        } else if reaches(seen.passed.saturating_add(seen.skipped), seen.failed)
            || (open && seen.failed <= claimed_rest)
        {
            ClaimState::Unproved
        } else {
            ClaimState::Contradicted
        };
        let skipped = match seen.skipped {
            0 => String::new(),
            skipped => format!(", {skipped} skipped"),
        };
        let why = format!(
            "{} of {} passed{skipped}: {}",
            seen.passed,
            seen.total(),
            self.ids(&counting)
        );
        let share = ratio::of(seen.passed, seen.total().max(1));
        Outcome {
            verified: Some(ratio::to_percent(&share)),
            ..self.outcome(state, why, counting)
        }
    }

    fn mark(&self, mark: Mark, members: &[usize]) -> Outcome {
        let verdict = |at: &usize| self.judged[*at].judgement.verdict;
        let failing = |at: &usize| matches!(verdict(at), Verdict::Failed | Verdict::Partial);
        let short = self.short_of(members);
        let weak = |at: &usize| {
            let (level, enough) = (self.judged[*at].check.level, self.enough(*at));
            level < ENOUGH_FOR_A_MARK && enough.is_none_or(|enough| level < enough)
        };
        // One strong check is proof enough for what weak ones say beside it, of one thing and not of the next.
        let mut parts: BTreeMap<Option<usize>, Vec<usize>> = BTreeMap::new();
        for at in members {
            let of = |rated: &RatedComponent| rated.checks.contains(at);
            parts
                .entry(self.rated.iter().position(of))
                .or_default()
                .push(*at);
        }
        let weakest = parts.values().find(|part| part.iter().all(weak));
        let all_weak = weakest.is_some();
        let named = || self.named(&short);
        let (state, why) = match mark {
            Mark::Done if members.iter().any(failing) => (ClaimState::Contradicted, named()),
            Mark::Done if !short.is_empty() => (ClaimState::Unproved, named()),
            Mark::Done if all_weak => {
                let part = weakest.into_iter().flatten();
                let level = part.clone().map(|at| self.judged[*at].check.level).max();
                let level = level.map_or("no", Level::word);
                let ids = self.ids(&part.copied().collect::<Vec<_>>());
                let why = format!("{level} evidence only, nothing has seen it at work: {ids}");
                (ClaimState::Unproved, why)
            }
            Mark::Done => (
                ClaimState::Backed,
                format!("verified: {}", self.ids(members)),
            ),
            _ if short.is_empty() && !all_weak => {
                let why = format!("it is verified: {}", self.ids(members));
                (ClaimState::Unclaimed, why)
            }
            // Whoever says that something is not done needs no proof.
            _ if short.is_empty() => (
                ClaimState::Backed,
                "nothing has seen it at work".to_string(),
            ),
            _ => (ClaimState::Backed, named()),
        };
        let checks = if short.is_empty() {
            members.to_vec()
        } else {
            short
        };
        self.outcome(state, why, checks)
    }

    fn count(&self, count: u64, of: &str, members: &[usize]) -> Outcome {
        let Some((at, figure)) = self.figure(of, Noun::of(of), members) else {
            let why = format!("no check of it measures {of}");
            return self.outcome(ClaimState::Unproved, why, members.to_vec());
        };
        if self.judged[at].judgement.verdict == Verdict::Unverified {
            return self.outcome(ClaimState::Unproved, self.named(&[at]), vec![at]);
        }
        let holds = match Noun::of(of) {
            Noun::Tests | Noun::Passing => figure >= count as f64,
            _ => figure <= count as f64,
        };
        let state = if holds {
            ClaimState::Backed
        } else {
            ClaimState::Contradicted
        };
        let why = format!("{figure} {of}: {}", self.judged[at].check.id);
        self.outcome(state, why, vec![at])
    }

    /// A change is seen only where the ledger holds what was before: the highest figure that was ever recorded.
    fn delta(&self, [from, to, by]: [Option<u64>; 3], of: &str, members: &[usize]) -> Outcome {
        // What is fixed of tests are those that fail.
        let noun = match Noun::of(of) {
            Noun::Tests => Noun::Failing,
            noun => noun,
        };
        let Some((at, now)) = self.figure(of, noun, members) else {
            let why = format!("no check of it measures {of}");
            return self.outcome(ClaimState::Unproved, why, members.to_vec());
        };
        let id = &self.judged[at].check.id;
        if self.judged[at].judgement.verdict == Verdict::Unverified {
            return self.outcome(ClaimState::Unproved, self.named(&[at]), vec![at]);
        }
        if let Some(to) = to.filter(|to| now > *to as f64) {
            let why = format!("it is {now}, not {to}: {id}");
            return self.outcome(ClaimState::Contradicted, why, vec![at]);
        }
        let before = noun.name(of, &self.seen[at].earlier);
        let Some(before) = before.filter(|before| *before > now) else {
            let why = format!("it is {now}; no run is recorded in which it was more: {id}");
            return self.outcome(ClaimState::Unproved, why, vec![at]);
        };
        let least = match (from, to, by) {
            (Some(from), _, _) => from as f64 <= before,
            (None, _, Some(by)) => by as f64 <= before - now,
            (None, _, None) => true,
        };
        let state = if least {
            ClaimState::Backed
        } else {
            ClaimState::Contradicted
        };
        let why = format!("recorded: {before} at most, now {now}: {id}");
        self.outcome(state, why, vec![at])
    }

    /// The figure of that name and the one check that has it; none where several have.
    fn figure(&self, of: &str, noun: Noun, members: &[usize]) -> Option<(usize, f64)> {
        let have = |at: &usize| {
            let figures = results(&self.seen[*at])?.figures();
            Some((*at, noun.name(of, &figures)?))
        };
        let mut having = members.iter().filter_map(have);
        let one = having.next()?;
        having.next().is_none().then_some(one)
    }

    /// The one check of all that measures what the words name as they name it.
    pub(super) fn only_measure(&self, of: &str) -> Option<usize> {
        let all = (0..self.judged.len()).collect::<Vec<_>>();
        let own = |at: &usize| {
            let results = results(&self.seen[*at]);
            results.is_some_and(|results| {
                let mut names = results.measures.keys();
                names.any(|name| normalised(name) == normalised(of))
            })
        };
        let mut having = all.into_iter().filter(own);
        let one = having.next()?;
        having.next().is_none().then_some(one)
    }

    /// Those of them that are not verified: failed ones first, then partial ones.
    fn short_of(&self, members: &[usize]) -> Vec<usize> {
        let rank = |at: &usize| match self.judged[*at].judgement.verdict {
            Verdict::Failed => 0,
            Verdict::Partial => 1,
            Verdict::Unverified => 2,
            Verdict::Verified => 3,
        };
        let mut short = members
            .iter()
            .copied()
            .filter(|at| rank(at) < 3)
            .collect::<Vec<_>>();
        short.sort_by_key(rank);
        short
    }

    /// The checks with what became of them; of a single one also why.
    fn named(&self, checks: &[usize]) -> String {
        let words = |judged: &Judged<'_>| {
            let (id, judgement) = (&judged.check.id, judged.judgement);
            match checks.len() {
                1 => format!(
                    "{id} is {}, {}",
                    judgement.verdict.word(),
                    judgement.reason.text
                ),
                _ => format!("{id} is {}", judgement.verdict.word()),
            }
        };
        let first = checks.iter().take(NAMED).map(|at| words(&self.judged[*at]));
        and_more(first.collect::<Vec<_>>().join(", "), checks.len())
    }

    fn ids(&self, checks: &[usize]) -> String {
        let first = checks
            .iter()
            .take(NAMED)
            .map(|at| &*self.judged[*at].check.id);
        and_more(first.collect::<Vec<_>>().join(", "), checks.len())
    }
}

fn and_more(text: String, all: usize) -> String {
    match all.saturating_sub(NAMED) {
        0 => text,
        more => format!("{text} and {more} more"),
    }
}

/// What is counted, as far as the words tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Noun {
    Tests,
    Passing,
    Failing,
    Findings,
    /// A measure of that very name.
    Other,
}

impl Noun {
    fn of(words: &str) -> Noun {
        let words = normalised(words);
        let last = words.split(' ').next_back().unwrap_or_default();
        match (&*words, last) {
            ("passing test" | "passed test" | "passing" | "passed", _) => Noun::Passing,
            ("failing test" | "failed test" | "failing" | "failed" | "failure", _) => Noun::Failing,
            (_, "test") => Noun::Tests,
            (_, "failure") => Noun::Failing,
            (
                _,
                "vulnerability" | "vulnerabilitie" | "finding" | "issue" | "problem" | "error"
                | "warning" | "cve",
            ) => Noun::Findings,
            _ => Noun::Other,
        }
    }

    /// The figure that the words name: a measure of that very name first.
    fn name(self, words: &str, figures: &BTreeMap<String, f64>) -> Option<f64> {
        let same = figures
            .iter()
            .find(|(name, _)| normalised(name) == normalised(words));
        let known = match self {
            Noun::Tests => "total",
            Noun::Passing => "passed",
            Noun::Failing => "failed",
            Noun::Findings => "findings",
            Noun::Other => "",
        };
        same.map(|(_, figure)| *figure)
            .or_else(|| figures.get(known).copied())
    }
}

/// What a reader made of the last attempt.
fn results(seen: &Seen) -> Option<&Results> {
    let Observed::Evidence(evidence) = &seen.observed else {
        return None;
    };
    match evidence.attempts.last()?.reading.as_ref()? {
        Reading::Results(results) => Some(results),
        _ => None,
    }
}

/// A share in whole percent, never rounded up.
fn floor(share: &ratio::Ratio) -> String {
    match share.is_zero() {
        true => "0".to_string(),
        false => format!("{}", ratio::to_percent(share).floor()),
    }
}
