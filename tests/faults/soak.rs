//! Run after run, with services and faults in each: nothing of any of them is left. `READY_SOAK_RUNS=2000` makes it long.

use crate::support::{Project, check};

/// A service, what uses it, and what programs do wrong.
const SERVICE: &str = "[services.web]\nrun = [\"python3\", \"-m\", \"http.server\", \"-b\", \"127.0.0.1\", \"{port}\"]\n\
                       port = \"auto\"\nhealthy = { http = \"http://127.0.0.1:{port}/\", within = \"60s\" }\n";

#[test]
fn runs_leave_nothing_behind() {
    let runs = std::env::var("READY_SOAK_RUNS").map_or(10, |runs| runs.parse().unwrap());
    let checks = [
        check("good", "exit 0", ""),
        check("leader", "sleep 300 & exit 0", ""),
        check("apart", "setsid sleep 300 > /dev/null 2>&1 & exit 0", ""),
        check("endless", "while :; do sleep 300; done", "timeout = \"100ms\""),
        check("loud", "head -c 3000000 /dev/zero | tr '\\0' x; exit 1", ""),
        check("temporary", "mktemp > /dev/null; exit 3", "cleanup = [\"sh\", \"-c\", \"rm \\\"$TMPDIR\\\"/tmp.*\"]"),
        "[checks.page]\nsays = \"It answers\"\nneeds = [\"web\"]\nhttp = \"http://127.0.0.1:{services.web.port}/\"\n".to_string(),
        "[checks.absent]\nsays = \"It is there\"\nrun = [\"./absent\"]\n".to_string(),
    ];
    let project = Project::new(&(SERVICE.to_string() + &checks.concat()));
    let temporary = tempfile::tempdir().unwrap();
    for run in 1..=runs {
        let mut command = project.command(&["check", "--format", "json", "--jobs", "8"]);
        command.env("TMPDIR", temporary.path());
        let done = crate::support::Running::new(command).finish();
        assert_eq!(done.status, Some(1), "run {run}: {}", done.stderr);
        for (id, verdict) in [
            ("good", "verified"),
            ("endless", "failed"),
            ("loud", "failed"),
            ("page", "verified"),
            ("absent", "unverified"),
        ] {
            let seen = done.verdict(id);
            assert!(seen.starts_with(verdict), "run {run}, {id}: {seen}");
        }
        project.nothing_runs();
        let left = std::fs::read_dir(temporary.path()).unwrap().count();
        assert_eq!(left, 0, "run {run} left temporary files");
        let files = std::fs::read_dir(project.path(".ready")).unwrap();
        let names = files
            .map(|file| file.unwrap().file_name())
            .collect::<Vec<_>>();
        assert!(names.len() <= 2, "run {run}: {names:?}");
    }
    let done = project.start(&["ledger", "verify"]).finish();
    assert_eq!(done.status, Some(0), "{}", done.text());
}
