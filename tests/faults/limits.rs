//! Time limits, and who tries to outlive them.

use crate::done;
use crate::support::Project;

#[test]
fn a_grandchild_that_ignores_term_is_ended_at_the_time_limit() {
    for (how, name) in [
        ("sh", "in the group"),
        ("setsid sh", "in a session of its own"),
    ] {
        let script = format!("{how} -c 'trap \"\" TERM; while :; do sleep 300; done' &\nwait");
        assert_eq!(
            done(&script, "timeout = \"500ms\"").verdict("it"),
            "failed timed-out",
            "{name}"
        );
    }
}

#[test]
fn a_program_that_ignores_term_is_ended_at_the_time_limit() {
    let done = done(
        "trap '' TERM\nwhile :; do sleep 300; done",
        "timeout = \"300ms\"",
    );
    assert_eq!(done.verdict("it"), "failed timed-out");
    assert_eq!(
        done.reason("it"),
        "still running after 300 ms, its time limit"
    );
}

#[test]
fn a_program_that_stopped_itself_is_asked_to_end_and_goes_on_to_do_so() {
    let done = done(
        "trap 'echo bye; exit 0' TERM\nkill -STOP $$\nwhile :; do sleep 1; done",
        "timeout = \"500ms\"",
    );
    assert_eq!(done.verdict("it"), "failed timed-out");
    assert_eq!(done.attempt("it")["stdout"]["tail"], "bye\n");
}

#[test]
fn a_status_after_the_time_limit_does_not_matter() {
    let done = done(
        "trap 'exit 0' TERM\nwhile :; do sleep 0.05; done",
        "timeout = \"300ms\"",
    );
    assert_eq!(done.verdict("it"), "failed timed-out");
    assert_eq!(done.attempt("it")["outcome"]["timeout"], 300);
}

#[test]
fn a_child_has_its_time_to_end_where_its_parent_took_none() {
    // A shell ends on TERM at once; what it waits for still has to put things in order.
    let child =
        "trap \"sleep 0.3; echo in order; exit 0\" TERM; echo ready; while :; do sleep 0.05; done";
    let done = done(&format!("sh -c '{child}' &\nwait"), "timeout = \"1s\"");
    assert_eq!(done.verdict("it"), "failed timed-out");
    assert_eq!(done.attempt("it")["stdout"]["tail"], "ready\nin order\n");
}

#[test]
fn a_fork_storm_ends_with_its_time_limit() {
    let project = Project::script(
        "./in-group & ./in-group & ./outside & ./outside & wait; sleep 300",
        "timeout = \"400ms\"",
    );
    // Each starts its successor and ends: nothing has the same process id for long.
    project.executable("in-group", "#!/bin/sh\n[ -e stop ] || ./in-group &\n");
    project.executable("outside", "#!/bin/sh\n[ -e stop ] || setsid ./outside &\n");
    let done = project.check();
    project.write("stop", "");
    project.nothing_runs();
    assert_eq!(done.verdict("it"), "failed timed-out");
}
