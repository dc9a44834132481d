//! Checks that depend on one another, and attempts.

use crate::support::{Project, check};

#[test]
fn what_a_check_needs_is_not_begun_after_a_failure() {
    let project = Project::new(
        &(check("base", "kill -9 $$", "") + &check("next", "touch next", "needs = [\"base\"]")),
    );
    let done = project.check();
    assert_eq!(done.verdict("next"), "unverified needs-failed");
    assert!(!project.has("next"));
}

#[test]
fn a_pass_after_a_failure_is_partial_and_keeps_both_attempts() {
    let project = Project::script(
        "[ -e again ] && exit 0; touch again; setsid -f sleep 300; exit 1",
        "retries = 2",
    );
    let done = project.check();
    project.nothing_runs();
    assert_eq!(done.verdict("it"), "partial flaky");
    let attempts = done.row("it")["evidence"]["attempts"].clone();
    assert_eq!(attempts.as_array().unwrap().len(), 2);
    assert_eq!(attempts[0]["leaked"].as_array().unwrap().len(), 1);
}
