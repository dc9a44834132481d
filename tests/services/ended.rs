//! A run with a service that is ended before its end: by Ctrl-C, once, twice, three times, while the service starts, while a
//! check uses it, while it is stopped; by its own time limit.

use rustix::process::Signal;

use super::support::{Project, Running, check, wait_until};
use super::{lasting, lines, of, service, uses, warnings};

const ASKED: &str = "running checks are asked to end";
const MADE: &str = "running checks are made to end";

/// Which part of a service's life a run is in.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Stage {
    Start,
    Check,
    Teardown,
}

/// A project whose run stays in that stage. Its service ends when it is asked to, or only once it is made to.
fn staying(stage: Stage, stubborn: bool) -> Project {
    let trap = match (stage, stubborn) {
        // It takes its time to end: until `release` is there.
        (Stage::Teardown, false) => {
            "trap 'touch there; while [ ! -e release ]; do sleep 0.01; done; exit 0' TERM\n"
        }
        (Stage::Teardown, true) => "trap 'touch there; while :; do sleep 0.01; done' TERM\n",
        (_, false) => "trap 'exit 0' TERM\n",
        (_, true) => "trap '' TERM\n",
    };
    let says = match stage {
        Stage::Start => "touch there\n",
        _ => "echo up\n",
    };
    let api = format!("{trap}{says}while :; do sleep 0.02; done\n");
    let script = match (stage, stubborn) {
        (Stage::Check, false) => "touch there\nexec sleep 300",
        (Stage::Check, true) => "trap '' TERM\ntouch there\nwhile :; do sleep 0.02; done",
        _ => "exit 0",
    };
    let more = "healthy = { log = '^up$', within = '300s' }\nstop = { within = '300s' }";
    Project::new(&(service("api", &api, more) + &check("it", script, "needs = ['api']")))
}

fn interrupted(stage: Stage, stubborn: bool, times: usize) {
    let name = format!(
        "{stage:?}, {}, {times} times",
        if stubborn { "stubborn" } else { "polite" }
    );
    let project = staying(stage, stubborn);
    let mut running = project.start(&["check", "--format", "table"]);
    wait_until(&name, || project.has("there"));
    for words in [ASKED, MADE, ""].iter().take(times) {
        // The third may come after the end.
        if rustix::process::kill_process(running.pid(), Signal::INT).is_ok() && !words.is_empty() {
            running.wait_for_line(words);
        }
    }
    if stage == Stage::Teardown && !stubborn {
        project.write("release", "");
    }
    let done = running.finish();
    project.nothing_runs();
    assert_eq!(done.status, Some(130), "{name}: {}", done.stderr);
    let runs = match project.has(".ready/ledger.sqlite") {
        true => project.recorded_runs(),
        false => vec![],
    };
    match times {
        // It ends at once: what it was about to record is recorded whole, or not at all.
        3 => assert!(runs.len() <= 1, "{name}"),
        _ => {
            assert_eq!(runs.len(), 1, "{name}");
            assert_eq!(runs[0]["interrupted"], true, "{name}");
            let state = match stage {
                Stage::Start => "not-started",
                _ => "healthy",
            };
            assert_eq!(runs[0]["services"][0]["state"], state, "{name}");
        }
    }
    let left = std::fs::read_dir(project.path(".")).unwrap().flatten();
    let left = left.map(|file| file.file_name().into_string().unwrap());
    let known = ["readiness.toml", ".ready", "there", "release"];
    let left = left
        .filter(|name| !known.contains(&name.as_str()))
        .collect::<Vec<_>>();
    assert!(left.is_empty(), "{name} left {left:?}");
}

#[test]
fn ctrl_c_while_a_service_starts() {
    interrupted(Stage::Start, false, 1);
    interrupted(Stage::Start, true, 2);
    interrupted(Stage::Start, true, 3);
}

#[test]
fn ctrl_c_while_a_check_uses_a_service() {
    interrupted(Stage::Check, false, 1);
    interrupted(Stage::Check, true, 2);
    interrupted(Stage::Check, true, 3);
}

#[test]
fn ctrl_c_while_a_service_is_stopped() {
    interrupted(Stage::Teardown, false, 1);
    interrupted(Stage::Teardown, true, 2);
    interrupted(Stage::Teardown, true, 3);
}

#[test]
fn a_run_that_is_out_of_time_ends_and_says_so() {
    let checks = service("api", &lasting("api"), "")
        + &check("long", "touch there\nexec sleep 300", "needs = ['api']")
        + &check("later", "exit 0", "needs = ['long']")
        + &uses("waiting", "api");
    let project = Project::new(&(checks + &check("quick", "exit 0", "")));
    // The time is up only once the long one runs: a limit that is long enough for that on any machine, and no longer.
    let done = project
        .start(&[
            "check",
            "--format",
            "json",
            "--jobs",
            "1",
            "--timeout",
            "3s",
        ])
        .finish();
    project.nothing_runs();
    assert_eq!(done.status, Some(1));
    assert_eq!(done.verdict("later"), "unverified not-run");
    assert_eq!(
        warnings(&done),
        ["the run reached its time limit of 3.0 s: what had not ended by then is unverified"]
    );
    assert!(done.stderr.contains("out of time") || !done.stderr.contains("asked to end"));
    if project.has("there") {
        assert_eq!(done.verdict("long"), "unverified interrupted");
        assert_eq!(lines(&project, "stops"), ["api"]);
        assert_eq!(of(&done, "api")["state"], "healthy");
    }
    let runs = project.recorded_runs();
    assert_eq!((runs.len(), &runs[0]["complete"]), (1, &false.into()));
}

#[test]
fn a_limit_of_the_run_that_is_none_is_refused() {
    let project = Project::new(&check("it", "exit 0", ""));
    for limit in ["0s", "soon", "-1s"] {
        let running = Running::new(project.command(&["check", "--timeout", limit]));
        assert_eq!(running.finish().status, Some(2), "{limit}");
    }
}
