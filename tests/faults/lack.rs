//! What the machine lacks: descriptors, processes, room, somebody who reads.

use std::process::Command;

use crate::support::{Done, Project, Running, check};
use crate::tools;
use crate::{is_root, nobody, without_rights};

/// `ready check --format json` with limits of the shell.
fn limited(project: &Project, limits: &str) -> Done {
    let mut command = Command::new("sh");
    command.args([
        "-c",
        &format!("{limits} exec \"$0\" check --format json --jobs 8"),
        env!("CARGO_BIN_EXE_ready"),
    ]);
    project.prepare(&mut command);
    Running::new(command).finish()
}

#[test]
fn few_descriptors_are_no_fault_of_a_check_and_never_green() {
    let checks = (0..8)
        .map(|n| {
            check(
                &format!("c{n}"),
                &format!("touch runs-{n}; [ -e runs-0 ]; exit 1"),
                "",
            )
        })
        .collect::<String>();
    let mut starved = 0;
    for descriptors in 4..40 {
        let project = Project::new(&checks);
        let done = limited(&project, &format!("ulimit -n {descriptors};"));
        project.nothing_runs();
        match done.status {
            Some(3) => {
                let unrecorded = done.stdout.windows(12).any(|part| part == b"not recorded");
                assert!(
                    unrecorded || done.stderr.starts_with("error: "),
                    "{}",
                    done.stderr
                );
            }
            Some(1) => {
                for n in 0..8 {
                    let id = format!("c{n}");
                    match done.verdict(&id).as_str() {
                        "failed exit-status" => {}
                        "unverified cannot-tell" => {
                            starved += 1;
                            assert!(
                                done.reason(&id).contains("Too many open files"),
                                "{}",
                                done.reason(&id)
                            );
                        }
                        other => panic!("{descriptors}: {other}: {}", done.reason(&id)),
                    }
                }
            }
            // The system's loader needs descriptors as well.
            Some(127) => {}
            other => panic!("{descriptors}: {other:?} {}", done.stderr),
        }
    }
    assert!(starved > 0);
}

#[test]
fn few_processes_are_no_fault_of_a_check_and_never_green() {
    if !is_root() || !std::path::Path::new("/usr/bin/setpriv").exists() {
        tools::without("few processes", "setpriv for root");
        return; // The limit counts every process of the user: only one who has no others gives the same result twice.
    }
    let mut starved = 0;
    for (processes, user) in (1..12).map(|number| (number, nobody(number))) {
        let project = Project::new(&(check("a", "exit 1", "") + &check("b", "exit 1", "")));
        // dash knows the limit as -p, others as -u.
        let done = without_rights(
            &project,
            user,
            &format!("ulimit -p {processes} 2> /dev/null || ulimit -u {processes};"),
        )
        .finish();
        match done.status {
            Some(3) => assert!(
                done.stderr.contains("error: ") || !done.warnings().is_empty(),
                "{}",
                done.stderr
            ),
            Some(1) => {
                for id in ["a", "b"] {
                    match done.verdict(id).as_str() {
                        "failed exit-status" => {}
                        "unverified cannot-tell" => {
                            starved += 1;
                            assert!(
                                done.reason(id).contains("Resource temporarily unavailable"),
                                "{}",
                                done.reason(id)
                            );
                        }
                        other => panic!("{processes}: {other}: {}", done.reason(id)),
                    }
                }
            }
            other => panic!("{processes}: {other:?} {}", done.stderr),
        }
    }
    assert!(starved > 0);
}

/// `ready` in a script of the shell, which gives its exit status as its last line.
fn in_shell(project: &Project, script: &str) -> Done {
    let mut command = Command::new("bash");
    command.args(["-c", script, env!("CARGO_BIN_EXE_ready")]);
    project.prepare(&mut command);
    Running::new(command).finish()
}

#[test]
fn a_reader_that_goes_away_changes_nothing() {
    for (script, status) in [
        ("exit 0", 0),
        ("head -c 100000 /dev/zero | tr '\\0' x; exit 1", 1),
    ] {
        for verb in ["check --format json", "check --verbose", "check 2>&1"] {
            let project = Project::script(script, "");
            let done = in_shell(
                &project,
                &format!("\"$0\" {verb} | true; exit ${{PIPESTATUS[0]}}"),
            );
            assert_eq!(done.status, Some(status), "{verb}: {}", done.stderr);
            assert_eq!(project.recorded_runs().len(), 1);
        }
        let project = Project::script(script, "");
        assert_eq!(
            in_shell(
                &project,
                "\"$0\" check | head -1 > first; exit ${PIPESTATUS[0]}"
            )
            .status,
            Some(status)
        );
        assert_eq!(
            std::fs::read_to_string(project.path("first")).unwrap(),
            "faults\n"
        );
        assert_eq!(
            in_shell(&project, "exec \"$0\" check >&- 2>&-").status,
            Some(status)
        );
    }
}

#[test]
fn a_report_that_cannot_be_written_is_no_success() {
    let project = Project::script("exit 0", "");
    let done = in_shell(&project, "exec \"$0\" check > /dev/full");
    assert_eq!(done.status, Some(3));
    assert!(
        done.stderr.contains("No space left on device"),
        "{}",
        done.stderr
    );
}
