//! Which check is next: those whose needs have ended, the longest first as far as that is known, then in order of the
//! manifest. What a check needs to itself it takes all at once, so that nothing waits in a circle, and first come is first
//! served, so that nothing waits for ever.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Duration;

use crate::domain::project::Project;

/// The longest known duration first; what is not known before all, since it may be anything.
type Rank = (Reverse<Duration>, usize);

/// The checks of a run that have not begun and the services that they need, and what each still waits for. The places of
/// services come behind those of checks.
#[derive(Debug)]
pub(super) struct Queue {
    ready: BTreeSet<Rank>,
    /// Services that may be started. They take no place of a check, so nothing else is asked of them.
    startable: Vec<usize>,
    checks: usize,
    ranks: Vec<Rank>,
    alone: Vec<bool>,
    locks: Vec<Vec<String>>,
    waits_for: Vec<usize>,
    needed_by: Vec<Vec<usize>>,
    unfinished: usize,
    running: usize,
    running_alone: bool,
    held: HashSet<String>,
}

impl Queue {
    /// The checks and the services at these places of the project; what they need is among them. `durations` are those of
    /// earlier runs, by the places of checks.
    pub(super) fn new(
        project: &Project,
        due: &BTreeSet<usize>,
        services: &BTreeSet<usize>,
        durations: &[Option<Duration>],
    ) -> Queue {
        let checks = project.checks.len();
        let rank = |at: usize| {
            let known = durations.get(at).copied().flatten();
            (Reverse(known.unwrap_or(Duration::MAX)), at)
        };
        let nodes = checks + project.services.len();
        let mut queue = Queue {
            ready: BTreeSet::new(),
            startable: vec![],
            checks,
            ranks: (0..checks).map(rank).collect(),
            alone: project.checks.iter().map(|check| check.alone).collect(),
            locks: project
                .checks
                .iter()
                .map(|check| check.locks.clone())
                .collect(),
            waits_for: vec![0; nodes],
            needed_by: vec![vec![]; nodes],
            unfinished: due.len(),
            running: 0,
            running_alone: false,
            held: HashSet::new(),
        };
        let of_checks = due
            .iter()
            .map(|at| (*at, &project.checks[*at].id, &project.checks[*at].needs));
        let of_services = services.iter().map(|at| {
            (
                checks + at,
                &project.services[*at].id,
                &project.services[*at].needs,
            )
        });
        let wanted = of_checks.chain(of_services).collect::<Vec<_>>();
        let place = wanted.iter().map(|(node, id, _)| (id.as_str(), *node));
        let place = place.collect::<HashMap<_, _>>();
        for (node, _, needs) in wanted {
            let needs = needs
                .iter()
                .filter_map(|need| place.get(need.as_str()).copied());
            for need in needs.collect::<BTreeSet<_>>() {
                queue.waits_for[node] += 1;
                queue.needed_by[need].push(node);
            }
            if queue.waits_for[node] == 0 {
                queue.release(node);
            }
        }
        queue
    }

    fn release(&mut self, node: usize) {
        match node.checked_sub(self.checks) {
            Some(service) => self.startable.push(service),
            None => _ = self.ready.insert(self.ranks[node]),
        }
    }

    /// The services that may be started by now; [`Queue::settled`] notes that one is healthy or will not be.
    pub(super) fn take_services(&mut self) -> Vec<usize> {
        std::mem::take(&mut self.startable)
    }

    /// Notes that it is known how a service stands; what waited for it may begin, or learn that it cannot.
    pub(super) fn settled(&mut self, service: usize) {
        self.wake(self.checks + service);
    }

    fn wake(&mut self, node: usize) {
        for waiting in std::mem::take(&mut self.needed_by[node]) {
            self.waits_for[waiting] -= 1;
            if self.waits_for[waiting] == 0 {
                self.release(waiting);
            }
        }
    }

    /// Takes the next check that may begin; [`Queue::finished`] gives back what it holds.
    pub(super) fn take(&mut self) -> Option<usize> {
        if self.running_alone {
            return None;
        }
        let mut wanted = HashSet::new();
        let next = self.ready.iter().map(|(_, at)| *at).find_map(|at| {
            if self.alone[at] {
                // What comes behind it waits, or it would never be alone.
                return Some((self.running == 0).then_some(at));
            }
            let free = self.locks[at]
                .iter()
                .all(|lock| !self.held.contains(lock) && !wanted.contains(lock));
            wanted.extend(&self.locks[at]);
            free.then_some(Some(at))
        });
        let at = next.flatten()?;
        self.ready.remove(&self.ranks[at]);
        self.running += 1;
        self.running_alone = self.alone[at];
        self.held.extend(self.locks[at].iter().cloned());
        Some(at)
    }

    /// Notes that a check has ended; what waited for it alone may begin.
    pub(super) fn finished(&mut self, at: usize) {
        self.unfinished -= 1;
        self.running -= 1;
        self.running_alone = false;
        for lock in &self.locks[at] {
            self.held.remove(lock);
        }
        self.wake(at);
    }

    /// Whether every check has ended.
    pub(super) fn is_over(&self) -> bool {
        self.unfinished == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::check::Check;
    use crate::domain::testing::run;

    fn queue(checks: Vec<Check>, durations: &[Option<u64>]) -> Queue {
        let due = (0..checks.len()).collect();
        let project = Project {
            checks,
            ..Project::default()
        };
        let durations = durations
            .iter()
            .map(|d| d.map(Duration::from_secs))
            .collect::<Vec<_>>();
        Queue::new(&project, &due, &BTreeSet::new(), &durations)
    }

    fn alone(check: Check) -> Check {
        Check {
            alone: true,
            ..check
        }
    }

    fn locking(check: Check, locks: &[&str]) -> Check {
        Check {
            locks: locks.iter().map(|lock| lock.to_string()).collect(),
            ..check
        }
    }

    #[test]
    fn the_longest_is_first_and_what_is_not_known_before_it() {
        let mut queue = queue(
            vec![run("a"), run("b"), run("c"), run("d")],
            &[Some(1), Some(3), None, Some(3)],
        );
        let order = std::iter::from_fn(|| queue.take()).collect::<Vec<_>>();
        assert_eq!(order, [2, 1, 3, 0]);
    }

    #[test]
    fn what_is_needed_comes_first_however_short() {
        let needing = Check {
            needs: vec!["b".to_string()],
            ..run("a")
        };
        let mut queue = queue(vec![needing, run("b")], &[Some(9), Some(1)]);
        assert_eq!((queue.take(), queue.take()), (Some(1), None));
        queue.finished(1);
        assert_eq!(queue.take(), Some(0));
        queue.finished(0);
        assert!(queue.is_over());
    }

    #[test]
    fn alone_is_alone_and_is_not_overtaken() {
        let mut queue = queue(
            vec![run("a"), alone(run("b")), run("c")],
            &[Some(3), Some(2), Some(1)],
        );
        assert_eq!((queue.take(), queue.take()), (Some(0), None));
        queue.finished(0);
        assert_eq!((queue.take(), queue.take()), (Some(1), None));
        queue.finished(1);
        assert_eq!((queue.take(), queue.take()), (Some(2), None));
    }

    #[test]
    fn locks_are_taken_all_at_once_and_in_turn() {
        let checks = vec![
            locking(run("a"), &["db"]),
            locking(run("b"), &["db", "net"]),
            locking(run("c"), &["net"]),
            run("d"),
        ];
        let mut queue = queue(checks, &[Some(4), Some(3), Some(2), Some(1)]);
        // `c` could have `net`, but `b` asked first.
        assert_eq!(
            (queue.take(), queue.take(), queue.take()),
            (Some(0), Some(3), None)
        );
        queue.finished(0);
        assert_eq!((queue.take(), queue.take()), (Some(1), None));
        queue.finished(1);
        assert_eq!(queue.take(), Some(2));
    }
}
