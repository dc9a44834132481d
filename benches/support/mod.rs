//! What benchmarks share: two commands in alternating runs, processor time and time by the clock of each, and the ratio.
//! Machines are noisy: only the ratio of what ran side by side says something.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What one run took.
#[derive(Clone, Copy)]
pub(crate) struct Took {
    cpu: Duration,
    wall: Duration,
}

/// Runs two commands in turns; what each run of each took.
pub(crate) fn alternating(rounds: usize, commands: [&dyn Fn() -> Command; 2]) -> Vec<[Took; 2]> {
    // Once each beforehand, so that both find warm caches.
    for command in commands {
        once(command());
    }
    (0..rounds)
        .map(|_| commands.map(|command| once(command())))
        .collect()
}

fn once(mut command: Command) -> Took {
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let (before, clock) = (children(), Instant::now());
    let _ = command.status().unwrap();
    Took {
        wall: clock.elapsed(),
        cpu: children() - before,
    }
}

/// The processor time of all children that have ended, in the ticks of the clock that `/proc` counts in (10 ms).
fn children() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields = stat
        .rsplit_once(')')
        .unwrap()
        .1
        .split_whitespace()
        .collect::<Vec<_>>();
    let ticks = |at: usize| fields[at].parse::<u64>().unwrap();
    Duration::from_millis((ticks(13) + ticks(14)) * 10)
}

/// Prints what each took and their ratio: the mean by processor time, which is counted coarsely, the median by the clock.
pub(crate) fn cpu_and_wall(names: [&str; 2], rounds: &[[Took; 2]]) {
    for (what, pick) in [
        ("cpu", (|took: &Took| took.cpu) as fn(&Took) -> Duration),
        ("wall", |took| took.wall),
    ] {
        let medians = [0, 1].map(|side| {
            let mut all = rounds
                .iter()
                .map(|round| pick(&round[side]))
                .collect::<Vec<_>>();
            all.sort();
            match what {
                "cpu" => all.iter().sum::<Duration>() / all.len() as u32,
                _ => all[all.len() / 2],
            }
        });
        let ratio = medians[1].as_secs_f64() / medians[0].as_secs_f64().max(1e-9);
        println!(
            "{what:5} {}: {:?}   {}: {:?}   ratio {ratio:.2}",
            names[0], medians[0], names[1], medians[1]
        );
    }
}
