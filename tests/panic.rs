//! Whoever is told how a run goes may fail at it: what was started ends in order all the same. A test program of its own,
//! since a run in this process ends whatever is left of it.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;

use readiness::domain::event::{Event, ServiceNow};
use readiness::domain::evidence::Binding;
use readiness::manifest::{self, Formats};
use readiness::mask::Masker;
use readiness::probe::{Context, Ports, http::Clients};
use readiness::process::Cancel;
use readiness::runner::{self, Job};

const MANIFEST: &str = r#"
[project]
name = "told"

[services.db]
shell = true
run = "trap 'echo stopped > stopped; exit 0' TERM; echo $$ > pid; echo up; sleep 300 & wait"
healthy = { log = "^up$" }

[checks.it]
says = "x"
run = ["sleep", "300"]
needs = ["db"]
"#;

/// Runs it, and panics at each event of that kind.
fn told(fails: impl Fn(&Event) -> bool) {
    let folder = tempfile::tempdir().unwrap();
    let formats = Formats {
        names: || vec![],
        exits: |_| None,
        query: |_| Ok(()),
    };
    let today = jiff::civil::date(2030, 1, 1);
    let project = manifest::parse("readiness.toml", MANIFEST, today, formats).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let cancel = Cancel::new().unwrap();
    let (clients, ports) = (Clients::new(runtime.handle().clone()), Ports::default());
    let masker = Masker::new([]);
    let job = Job {
        project: &project,
        due: &BTreeSet::from([0]),
        applicable: &[true],
        durations: &[None],
        fail_fast: false,
        jobs: 1,
        host: "here",
        bindings: &[Binding::default()],
        reused: &BTreeSet::new(),
        context: Context {
            folder: folder.path(),
            run: "told",
            cancel: &cancel,
            masker: &masker,
            ports: &ports,
            clients: &clients,
            read: readiness::reader::read,
        },
    };
    let (_sender, stopping) = mpsc::channel();
    let mut failed = 0;
    let ran = catch_unwind(AssertUnwindSafe(|| {
        runner::run(&job, stopping, |event| {
            if fails(&event) {
                failed += 1;
                panic!("no more of this");
            }
        })
    }));
    // It is not asked again, and what it said is not lost.
    assert_eq!(failed, 1);
    let panic = ran.unwrap_err();
    assert_eq!(panic.downcast_ref(), Some(&"no more of this"));
    if let Ok(pid) = std::fs::read_to_string(folder.path().join("pid")) {
        let pid = rustix::process::Pid::from_raw(pid.trim().parse().unwrap()).unwrap();
        assert!(rustix::process::test_kill_process(pid).is_err(), "it lives");
    }
}

#[test]
fn a_panic_of_the_one_who_is_told_leaves_nothing_running() {
    let service = |wanted: fn(&ServiceNow) -> bool| move |event: &Event| matches!(event, Event::Service { now, .. } if wanted(now));
    told(service(|now| matches!(now, ServiceNow::Starting)));
    told(service(|now| matches!(now, ServiceNow::Healthy(..))));
    told(|event| matches!(event, Event::Started { .. }));
}
