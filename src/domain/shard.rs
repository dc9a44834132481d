//! The checks of a project, split so that several machines share them and end together. Checks that need each other stay
//! together, so that none waits for what another machine does; a service may be started on several. The same project and
//! the same durations give the same split on every machine.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::evidence::Outcome;
use super::project::Project;
use super::report::Report;

/// How long each check of the project took in a report, where it says so.
pub fn durations(project: &Project, report: &Report) -> Vec<Option<Duration>> {
    let of = |id: &String| {
        let row = report.checks.iter().find(|row| row.id == *id)?;
        let evidence = row.evidence.as_ref()?;
        // What was never begun or not ended does not say how long it takes.
        let cut = |outcome: &Outcome| matches!(outcome, Outcome::Spawn(_) | Outcome::Cancelled);
        let whole = evidence
            .attempts
            .iter()
            .all(|attempt| !cut(&attempt.outcome));
        whole.then(|| Duration::from_millis(evidence.duration_ms))
    };
    project.checks.iter().map(|check| of(&check.id)).collect()
}

/// The shard, from 1 to `of`, of each check that is due, by place: the longest group of checks first, each to the shard
/// that has least to do. Where a duration is not known, the mean of the others stands for it.
pub fn split(
    project: &Project,
    due: &BTreeSet<usize>,
    durations: &[Option<Duration>],
    of: u32,
) -> BTreeMap<usize, u32> {
    let costs = costs(due, durations);
    let mut groups = groups(project, due);
    let cost = |group: &Vec<usize>| group.iter().map(|at| costs[at]).sum::<u128>();
    groups.sort_by_key(|group| (Reverse(cost(group)), group.first().copied()));
    let mut loads = vec![0; of.max(1) as usize];
    let mut shards = BTreeMap::new();
    for group in groups {
        let least = (0..loads.len()).min_by_key(|shard| loads[*shard]);
        let least = least.unwrap_or(0);
        loads[least] += cost(&group);
        shards.extend(group.into_iter().map(|at| (at, least as u32 + 1)));
    }
    shards
}

/// What each check costs, in nanoseconds; nothing is free, or many of that kind would be heaped on one shard.
fn costs(due: &BTreeSet<usize>, durations: &[Option<Duration>]) -> BTreeMap<usize, u128> {
    let known = |at: &usize| {
        let duration = durations.get(*at).copied().flatten()?;
        Some(duration.as_nanos().max(1_000_000))
    };
    let all = due.iter().filter_map(known).collect::<Vec<_>>();
    let mean = match all.len() as u128 {
        0 => 1,
        many => all.iter().sum::<u128>() / many,
    };
    let costs = due.iter().map(|at| (*at, known(at).unwrap_or(mean)));
    costs.collect()
}

/// The checks that are due, those together of which one needs another: itself, or by way of a service that does.
fn groups(project: &Project, due: &BTreeSet<usize>) -> Vec<Vec<usize>> {
    let mut joined: BTreeMap<usize, usize> = due.iter().map(|at| (*at, *at)).collect();
    for at in due {
        for need in needed(project, *at) {
            let Some(of_need) = joined.get(&need).copied() else {
                continue;
            };
            let of_it = joined[at];
            let (keep, give_up) = (of_it.min(of_need), of_it.max(of_need));
            let members = joined.values_mut().filter(|group| **group == give_up);
            members.for_each(|group| *group = keep);
        }
    }
    let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (at, group) in joined {
        groups.entry(group).or_default().push(at);
    }
    groups.into_values().collect()
}

/// The places of the checks that one needs.
fn needed(project: &Project, at: usize) -> BTreeSet<usize> {
    let mut needed = BTreeSet::new();
    let mut services = BTreeSet::new();
    let mut open = project.checks[at].needs.iter().collect::<Vec<_>>();
    while let Some(id) = open.pop() {
        if let Some(place) = project.checks.iter().position(|check| check.id == *id) {
            needed.insert(place);
        } else if let Some(service) = project.service(id)
            && services.insert(id)
        {
            open.extend(&service.needs);
        }
    }
    needed
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::super::check::Check;
    use super::super::evidence::{Failure, SpawnFailure};
    use super::super::service::Service;
    use super::super::testing::*;
    use super::*;

    fn needing(id: &str, needs: &[&str]) -> Check {
        Check {
            needs: needs.iter().map(|need| need.to_string()).collect(),
            ..counted(id)
        }
    }

    fn project(checks: Vec<Check>, services: Vec<Service>) -> Project {
        Project {
            checks,
            services,
            ..Project::default()
        }
    }

    fn seconds(of: &[u64]) -> Vec<Option<Duration>> {
        let known = |s: &u64| (*s > 0).then(|| Duration::from_secs(*s));
        of.iter().map(known).collect()
    }

    /// The shard of each check in order; 0 for what is not due.
    fn shards(project: &Project, durations: &[u64], of: u32) -> Vec<u32> {
        let due = (0..project.checks.len()).collect();
        let split = split(project, &due, &seconds(durations), of);
        due.iter().map(|at| split[at]).collect()
    }

    #[test]
    fn the_longest_goes_first_to_whoever_has_least_to_do() {
        let five = || {
            let checks = ["a", "b", "c", "d", "e"].map(counted);
            project(checks.to_vec(), vec![])
        };
        // durations (0: not known), shards, the shard of each
        #[rustfmt::skip]
        let cases: [([u64; 5], u32, [u32; 5]); 7] = [
            ([10, 20, 30, 40, 50], 2, [1, 1, 2, 2, 1]), // 50 + 20 + 10 and 40 + 30
            ([50, 1, 1, 1, 1], 2, [1, 2, 2, 2, 2]),
            ([0, 0, 0, 0, 0], 2, [1, 2, 1, 2, 1]),
            ([30, 0, 10, 0, 0], 3, [1, 2, 3, 3, 2]), // the others count as 20
            ([1, 1, 1, 1, 1], 1, [1, 1, 1, 1, 1]),
            ([1, 1, 1, 1, 1], 9, [1, 2, 3, 4, 5]),
            ([9, 9, 9, 0, 0], 5, [1, 2, 3, 4, 5]), // in order of the manifest where nothing else tells
        ];
        for (durations, of, expected) in cases {
            assert_eq!(shards(&five(), &durations, of), expected, "{durations:?}");
        }
    }

    #[test]
    fn what_needs_each_other_stays_together_and_services_join_nothing() {
        let wanting = |id: &str, needs: &[&str]| Service {
            needs: needs.iter().map(|need| need.to_string()).collect(),
            ..service(id)
        };
        let project = project(
            vec![
                needing("a", &["server"]),
                needing("b", &["server"]),
                needing("c", &["d"]),
                counted("d"),
                needing("e", &["worker"]),
                counted("schema"),
                needing("f", &["worker", "gone"]),
            ],
            vec![
                wanting("server", &[]),
                // It wants a check to hold before it starts: who needs it needs that.
                wanting("worker", &["server", "schema"]),
            ],
        );
        let of = shards(&project, &[1; 7], 4);
        let shard = |id: &str| {
            of[project
                .checks
                .iter()
                .position(|check| check.id == id)
                .unwrap()]
        };
        assert_eq!(shard("c"), shard("d"));
        assert_eq!((shard("e"), shard("f")), (shard("schema"), shard("schema")));
        assert_ne!(shard("a"), shard("b"));
    }

    #[test]
    fn only_what_was_run_to_its_end_says_how_long_it_takes() {
        let missing = Outcome::Spawn(Failure::new(SpawnFailure::MissingProgram, "not here"));
        let report = Scene::of([
            (counted("ran"), holds()),
            (counted("failed"), breaks()),
            (counted("missing"), observed(vec![attempt(missing)])),
            (
                counted("stopped"),
                observed(vec![attempt(Outcome::Cancelled)]),
            ),
            (counted("never"), unknown()),
        ])
        .assess();
        let ids = ["never", "stopped", "missing", "failed", "ran", "new"];
        let project = project(ids.map(counted).to_vec(), vec![]);
        let second = Some(Duration::from_secs(1));
        let known = durations(&project, &report);
        assert_eq!(known, [None, None, None, second, second, None]);
    }

    proptest! {
        #![proptest_config(same_every_time(300))]

        #[test]
        fn every_check_is_in_one_shard_with_what_it_needs_and_all_end_together(
            cases in proptest::collection::vec((0..100u64, proptest::option::of(0..20usize), any::<bool>()), 1..20),
            of in 1..7u32,
        ) {
            let checks = cases.iter().enumerate().map(|(at, (_, need, _))| {
                let need = need.filter(|need| *need < at).map(|need| format!("c{need}"));
                needing(&format!("c{at}"), &need.iter().map(String::as_str).collect::<Vec<_>>())
            });
            let project = project(checks.collect(), vec![]);
            let due = cases.iter().enumerate().filter(|(_, (.., due))| *due).map(|(at, _)| at).collect::<BTreeSet<_>>();
            let known = seconds(&cases.iter().map(|(seconds, ..)| *seconds).collect::<Vec<_>>());
            let split = split(&project, &due, &known, of);
            prop_assert_eq!(split.keys().copied().collect::<BTreeSet<_>>(), due.clone());
            prop_assert!(split.values().all(|shard| (1..=of).contains(shard)));
            for at in &due {
                for need in needed(&project, *at).intersection(&due) {
                    prop_assert_eq!(split[at], split[need]);
                }
            }
            // Whoever ends last took up its last group while all had at least as much to do: no more than a fair share then.
            let costs = costs(&due, &known);
            let load = |shard: u32| split.iter().filter(|(_, of)| **of == shard).map(|(at, _)| costs[at]).sum::<u128>();
            let all = costs.values().sum::<u128>();
            let longest = groups(&project, &due).iter().map(|group| group.iter().map(|at| costs[at]).sum::<u128>()).max();
            let last = (1..=of).map(load).max().unwrap_or(0);
            prop_assert!(last <= all / u128::from(of) + longest.unwrap_or(0));
        }
    }
}
