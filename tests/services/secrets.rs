//! Secrets of services and of calls are masked in all that is kept and printed.

use crate::support::{Project, Running, check};
use crate::{of_service, service};

const SECRET: &str = "s3cr3t-of-the-service";

#[test]
fn what_a_service_is_started_with_and_says_is_masked() {
    let script = "echo \"with $TOKEN {env.TOKEN}\" >&2; [ \"$BROKEN\" ] && exit 3; echo up; sleep 300 & wait";
    let more = "secrets = [\"TOKEN\"]\nhealthy = { log = \"^up$\" }";
    let project =
        Project::new(&(service("db", script, more) + &check("it", "exit 0", "needs = [\"db\"]")));
    for (broken, format) in [("", "json"), ("1", "json"), ("1", "table")] {
        let mut command = project.command(&["check", "--format", format]);
        command.env("TOKEN", SECRET).env("BROKEN", broken);
        let done = Running::new(command).finish();
        project.nothing_runs();
        let said = String::from_utf8_lossy(&done.stdout).into_owned() + &done.stderr;
        assert!(!said.contains(SECRET), "{said}");
        if format == "json" {
            let db = of_service(&done, "db");
            assert_eq!(db["stderr"]["tail"], "with *** ***\n");
            assert!(
                db["command"][0]
                    .as_str()
                    .unwrap()
                    .contains("with $TOKEN ***"),
                "{db}"
            );
        }
    }
    let ledger = project.ledger_bytes();
    let found = ledger
        .windows(SECRET.len())
        .any(|part| part == SECRET.as_bytes());
    assert!(!found, "the ledger has it");
    assert_eq!(project.recorded_runs().len(), 3);
}
