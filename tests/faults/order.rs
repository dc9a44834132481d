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

/// A script that must be the only one of its kind between its begin and its end.
fn exclusive(place: &str) -> String {
    format!("mkdir {place} || exit 9\nsleep 0.05\nrmdir {place}\n")
}

#[test]
fn alone_locks_and_failed_needs_go_together() {
    let apart = exclusive("apart");
    // Whoever is alone finds no trace of another; whoever is not leaves one for its time.
    let alone = "ls -d running-* 2> /dev/null && exit 8\nsleep 0.05\nls -d running-* 2> /dev/null && exit 8\nexit 0";
    let beside = |id: &str, script: &str, more: &str| {
        check(
            id,
            &format!("touch running-{id}\n{script}\nstatus=$?\nrm running-{id}\nexit $status"),
            more,
        )
    };
    let locked = (0..6).map(|n| beside(&format!("locked-{n}"), &apart, "locks = [\"db\"]"));
    let free = (0..4).map(|n| beside(&format!("free-{n}"), "sleep 0.02", ""));
    let only = (0..3).map(|n| {
        let locks = if n == 0 { "locks = [\"db\"]" } else { "" };
        check(
            &format!("alone-{n}"),
            alone,
            &format!("alone = true\n{locks}"),
        )
    });
    let manifest = locked.chain(free).chain(only).collect::<String>()
        + &beside("broken", "exit 1", "locks = [\"db\", \"cache\"]")
        + &check(
            "needs-broken",
            "touch never",
            "needs = [\"broken\"]\nalone = true\nlocks = [\"cache\"]",
        )
        + &check(
            "needs-that",
            "touch never",
            "needs = [\"needs-broken\", \"free-0\"]\nlocks = [\"db\"]",
        )
        + &beside("needs-alone", "true", "needs = [\"alone-1\"]");
    let project = Project::new(&manifest);
    let done = project
        .start(&["check", "--format", "json", "--jobs", "8"])
        .finish();
    project.nothing_runs();
    assert_eq!(done.status, Some(1), "{}", done.stderr);
    for row in done.report()["checks"].as_array().unwrap() {
        let id = row["id"].as_str().unwrap();
        let expected = match id {
            "broken" => "failed exit-status",
            "needs-broken" | "needs-that" => "unverified needs-failed",
            _ => "verified held",
        };
        assert_eq!(done.verdict(id), expected, "{id}: {}", done.reason(id));
    }
    assert_eq!(
        done.reason("needs-that"),
        "it needs `needs-broken`, which does not hold"
    );
    assert!(!project.has("never"));

    // A circle among them is found before anything runs.
    let circle = manifest.replace(
        "[checks.broken]",
        "[checks.broken]\nneeds = [\"needs-that\"]",
    );
    let project = Project::new(&circle.replace("touch running", "touch ever running"));
    let done = project.start(&["check", "--jobs", "8"]).finish();
    assert_eq!(done.status, Some(2), "{}", done.stderr);
    for words in ["needs-that", "needs-broken", "broken", "nothing was run"] {
        assert!(done.stderr.contains(words), "{}", done.stderr);
    }
    assert_eq!(done.text(), "");
    assert!(!project.has("ever") && !project.has(".ready"));
}
