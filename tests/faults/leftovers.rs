//! Processes that outlive the program that started them.

use std::os::unix::fs::PermissionsExt;

use crate::support::{Project, processes, wait_until};
use crate::tools;
use crate::{done, is_root, nobody, without_rights};
use rustix::process::Signal;

#[test]
fn a_background_process_is_named_and_ended() {
    let done = done("sleep 300 & exit 0", "");
    assert_eq!(done.verdict("it"), "verified held");
    assert!(
        done.leaked("it")[0].starts_with("sleep 300 ("),
        "{:?}",
        done.leaked("it")
    );
}

#[test]
fn so_is_one_that_holds_no_pipe() {
    let done = done("sleep 300 > /dev/null 2>&1 & exit 0", "");
    assert!(
        done.leaked("it")[0].starts_with("sleep 300 ("),
        "{:?}",
        done.leaked("it")
    );
}

#[test]
fn so_is_one_in_a_session_of_its_own() {
    for pipe in ["", "> /dev/null 2>&1"] {
        let done = done(&format!("setsid -f sleep 300 {pipe}\nexit 0"), "");
        assert_eq!(done.verdict("it"), "verified held");
        assert!(
            done.leaked("it")[0].starts_with("sleep 300 ("),
            "{:?}",
            done.leaked("it")
        );
    }
}

#[test]
fn one_that_nothing_marks_is_ended_with_the_run() {
    let project = Project::script(&unmarked("sleep 300.125"), "");
    let done = project.check();
    let left = processes(|folder| {
        std::fs::read(folder.join("cmdline")).unwrap_or_default() == b"sleep\x00300.125\0"
    });
    assert_eq!(left, []);
    assert!(
        done.warnings()
            .iter()
            .any(|warning| warning.contains("300.125")),
        "{:?}",
        done.warnings()
    );
}

/// Starts a daemon without our variables, and ends once it is that daemon.
fn unmarked(program: &str) -> String {
    format!(
        "setsid -f env -i sh -c 'touch up; exec {program}' > /dev/null 2>&1\nwhile [ ! -e up ]; do sleep 0.01; done"
    )
}

#[test]
fn one_that_may_live_lives() {
    let project = Project::script(
        "setsid -f sleep 300 > /dev/null 2>&1",
        "leaves_running = true",
    );
    let done = project.check();
    let left = project.running();
    left.iter()
        .for_each(|(pid, _)| rustix::process::kill_process(*pid, Signal::KILL).unwrap());
    assert_eq!(
        left.iter()
            .map(|(_, line)| line.as_str())
            .collect::<Vec<_>>(),
        ["sleep 300"]
    );
    assert_eq!(done.leaked("it"), [""; 0]);
    assert_eq!(done.warnings(), [""; 0]);
}

#[test]
fn one_that_may_live_lives_even_where_it_wiped_its_environment() {
    let project = Project::script(&unmarked("sleep 300.25"), "leaves_running = true");
    let done = project.check();
    let left = || {
        processes(|folder| {
            std::fs::read(folder.join("cmdline")).unwrap_or_default() == b"sleep\x00300.25\0"
        })
    };
    wait_until("it is seen to live", || !left().is_empty());
    let left = left();
    left.iter()
        .for_each(|(pid, _)| rustix::process::kill_process(*pid, Signal::KILL).unwrap());
    assert_eq!(left.len(), 1, "{left:?}");
    assert!(
        done.warnings()
            .iter()
            .any(|warning| warning.contains("left alone") && warning.contains("300.25")),
        "{:?}",
        done.warnings()
    );
}

#[test]
fn one_that_may_live_is_ended_at_the_time_limit_all_the_same() {
    let done = done(
        "setsid -f sleep 300 > /dev/null 2>&1\nsleep 300",
        "leaves_running = true\ntimeout = \"500ms\"",
    );
    assert_eq!(done.verdict("it"), "failed timed-out");
}

#[test]
fn what_a_leftover_leaves_behind_in_turn_is_ended_too() {
    // Each outlives its parent only once that one is killed.
    let tree = "setsid sh -c 'setsid sh -c \"setsid sleep 300 & wait\" & wait' > /dev/null 2>&1 &\n(setsid sleep 301 & sleep 302) &\nexit 0";
    let done = done(tree, "");
    assert_eq!(done.verdict("it"), "verified held");
    assert!(!done.leaked("it").is_empty());
}

#[test]
fn orphans_are_reaped_while_their_check_runs() {
    // As `start-stop-daemon --stop` does: it waits until the process id is gone, and a zombie is not gone.
    let script =
        "(sleep 0 & echo $! > pid)\nwhile kill -0 $(cat pid) 2> /dev/null; do sleep 0.01; done";
    assert_eq!(
        done(script, "timeout = \"20s\"").verdict("it"),
        "verified held"
    );
}

#[test]
fn a_process_that_may_not_be_ended_bounds_the_run() {
    let setpriv = ["/usr/bin/setpriv", "/bin/setpriv"]
        .into_iter()
        .find(|path| std::path::Path::new(path).exists());
    let Some(setpriv) = setpriv.filter(|_| is_root()) else {
        tools::without("a process that may not be ended", "setpriv for root");
        return;
    };
    // `ready` without rights, and a program that gets them: what it starts cannot be killed by us.
    let script =
        "setsid -f ./with-rights --reuid 0 --regid 0 --clear-groups sleep 300.5 > /dev/null 2>&1";
    let project = Project::script(script, "");
    std::fs::copy(setpriv, project.path("with-rights")).unwrap();
    std::fs::set_permissions(
        project.path("with-rights"),
        PermissionsExt::from_mode(0o4755),
    )
    .unwrap();
    let done = without_rights(&project, nobody(0), "").finish();
    let left = processes(|folder| {
        std::fs::read(folder.join("cmdline")).unwrap_or_default() == b"sleep\x00300.5\0"
    });
    left.iter()
        .for_each(|(pid, _)| rustix::process::kill_process(*pid, Signal::KILL).unwrap());
    if done.verdict("it") != "verified held" || left.is_empty() {
        return; // Programs do not get rights on this file system.
    }
    let warnings = done
        .warnings()
        .into_iter()
        .filter(|warning| warning.contains("sleep 300.5 ("))
        .collect::<Vec<_>>();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("cannot be ended"), "{warnings:?}");
}

#[test]
fn a_program_that_is_asked_its_version_leaves_nothing_either() {
    let project = Project::new(
        "[requires]\ntools = { \"./tool\" = \">= 1.0\" }\n[checks.it]\nsays = \"x\"\nrun = [\"true\"]\n",
    );
    project.executable(
        "tool",
        "#!/bin/sh\nsetsid -f sleep 300 > /dev/null 2>&1\necho 1.2\n",
    );
    let done = project.check();
    project.nothing_runs();
    assert_eq!(done.verdict("it"), "verified held");
}

#[test]
fn output_is_not_given_to_whoever_has_none_to_take() {
    // A daemon that holds the pipes and that we do not know bounds the wait, and the run goes on.
    let script = "setsid -f env -i sleep 300.75\nexit 0";
    let done = Project::script(script, "").check();
    assert_eq!(done.verdict("it"), "verified held");
    assert_eq!(
        processes(
            |folder| std::fs::read(folder.join("cmdline")).unwrap_or_default()
                == b"sleep\x00300.75\0"
        ),
        []
    );
}

#[test]
fn what_cleans_up_runs_whatever_came_of_the_check() {
    let cleanup = "cleanup = ['sh', '-c', 'echo \"$READY_NAME $READY_CHECK\" >> cleaned']";
    let cases = [
        ("exit 0", "", "verified held"),
        ("exit 1", "", "failed exit-status"),
        ("sleep 300", "timeout = '300ms'", "failed timed-out"),
        ("kill -9 $$", "", "failed killed"),
    ];
    for (script, more, verdict) in cases {
        let project = Project::script(script, &format!("{cleanup}\n{more}"));
        let done = project.check();
        project.nothing_runs();
        assert_eq!(done.verdict("it"), verdict, "{script}");
        let cleaned = std::fs::read_to_string(project.path("cleaned")).unwrap();
        let run = done.report()["run"]["id"].as_str().unwrap().to_lowercase();
        assert_eq!(cleaned, format!("ready-{run}-it it\n"), "{script}");
    }
}

#[test]
fn it_runs_after_each_attempt_and_after_ctrl_c_and_not_where_nothing_was_started() {
    let cleanup = "cleanup = ['sh', '-c', 'echo x >> cleaned']";
    let cleaned = |project: &Project| {
        let text = std::fs::read_to_string(project.path("cleaned")).unwrap_or_default();
        text.lines().count()
    };
    let project = Project::script("exit 1", &format!("{cleanup}\nretries = 2"));
    project.check();
    assert_eq!(cleaned(&project), 3);

    let project = Project::script("touch there\nexec sleep 300", cleanup);
    let running = project.start(&["check", "--format", "json"]);
    wait_until("it runs", || project.has("there"));
    running.signal(Signal::INT);
    let done = running.finish();
    project.nothing_runs();
    assert_eq!(done.verdict("it"), "unverified interrupted");
    assert_eq!(cleaned(&project), 1);

    let missing = format!("[checks.it]\nsays = 'it'\nrun = ['ready-no-such-program']\n{cleanup}\n");
    let project = Project::new(&missing);
    assert_eq!(project.check().verdict("it"), "unverified tool-missing");
    assert_eq!(cleaned(&project), 0);
}

#[test]
fn what_does_not_clean_up_is_told_apart() {
    let project = Project::script(
        "exit 0",
        "cleanup = ['sh', '-c', 'echo still there >&2; exit 1']",
    );
    let done = project.check();
    assert_eq!(done.verdict("it"), "verified held");
    let problem = "`sh -c echo still there >&2; exit 1` did not do its work: still there";
    assert_eq!(done.attempt("it")["cleanup"], problem);
    let status = project.start(&["check"]).finish().text();
    assert!(
        status.contains("warning: it was not cleaned up after: "),
        "{status}"
    );
}
