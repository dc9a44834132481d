//! Which check is next: those whose needs have ended, in order of the manifest.

use std::collections::BTreeSet;

use crate::domain::project::Project;

/// The checks of a run that have not begun, and what each still waits for.
#[derive(Debug)]
pub(super) struct Queue {
    ready: BTreeSet<usize>,
    waits_for: Vec<usize>,
    needed_by: Vec<Vec<usize>>,
    unfinished: usize,
}

impl Queue {
    /// The checks at these places of the project; their needs are among them.
    pub(super) fn new(project: &Project, due: &BTreeSet<usize>) -> Queue {
        let places = project
            .checks
            .iter()
            .enumerate()
            .map(|(at, check)| (check.id.as_str(), at));
        let place = places.collect::<std::collections::HashMap<_, _>>();
        let mut queue = Queue {
            ready: BTreeSet::new(),
            waits_for: vec![0; project.checks.len()],
            needed_by: vec![vec![]; project.checks.len()],
            unfinished: due.len(),
        };
        for &at in due {
            let needs = project.checks[at]
                .needs
                .iter()
                .filter_map(|need| place.get(need.as_str()));
            for &need in needs
                .filter(|need| due.contains(need))
                .collect::<BTreeSet<_>>()
            {
                queue.waits_for[at] += 1;
                queue.needed_by[need].push(at);
            }
            if queue.waits_for[at] == 0 {
                queue.ready.insert(at);
            }
        }
        queue
    }

    /// Takes the next check that may begin.
    pub(super) fn take(&mut self) -> Option<usize> {
        self.ready.pop_first()
    }

    /// Notes that a check has ended; what waited for it alone may begin.
    pub(super) fn finished(&mut self, at: usize) {
        self.unfinished -= 1;
        for waiting in std::mem::take(&mut self.needed_by[at]) {
            self.waits_for[waiting] -= 1;
            if self.waits_for[waiting] == 0 {
                self.ready.insert(waiting);
            }
        }
    }

    /// Whether every check has ended.
    pub(super) fn is_over(&self) -> bool {
        self.unfinished == 0
    }
}
