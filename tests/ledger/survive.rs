//! What may happen to a ledger, and what is left of it then.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use readiness::ledger::Ledger;
use rustix::process::{Flock, FlockType, Signal, fcntl_getlk};

use crate::support::Running;
use crate::{Project, checked, ran, ready, tools};

/// Whether a process is in the middle of a transaction that writes: it holds the byte of the shared memory by which
/// SQLite's write-ahead log knows its writer (WAL_WRITE_LOCK, byte 120).
fn is_writing(project: &Project) -> bool {
    let Ok(shared) = File::open(project.path(".ready/ledger.sqlite-shm")) else {
        return false;
    };
    let mut asked = Flock::from(FlockType::ReadLock);
    (asked.start, asked.length) = (120, 1);
    fcntl_getlk(&shared, &asked).unwrap().is_some()
}

/// What one killed run was doing.
#[derive(Clone, Copy, PartialEq)]
enum Killed {
    Outside,
    Inside,
    /// It had ended before.
    Not,
}

/// Starts a run, and kills it once `when` says so. One that ends before must have ended well.
fn killed(project: &Project, when: impl Fn(Duration) -> bool) -> Killed {
    let mut command = project.command(&["check", "-q"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let started = Instant::now();
    let mut inside = None;
    while inside.is_none() && child.try_wait().unwrap().is_none() {
        if when(started.elapsed()) {
            inside = Some(is_writing(project));
            let pid = rustix::process::Pid::from_child(&child);
            let _ = rustix::process::kill_process(pid, Signal::KILL);
        }
        std::hint::spin_loop();
    }
    let ended = child.wait_with_output().unwrap();
    match (ended.status.code(), inside) {
        (None, Some(true)) => Killed::Inside,
        (None, Some(false)) => Killed::Outside,
        (Some(0), _) => Killed::Not,
        _ => panic!("it was not killed and ended so: {ended:?}"),
    }
}

#[test]
fn a_run_may_be_killed_at_any_moment() {
    /// Runs that are killed at evenly spread moments.
    const TIMES: u32 = 200;
    const INSIDE: u32 = 50;
    // Much to write, so that writing takes its time.
    let checks = (0..12).map(|at| {
        let script = "head -c 20000 /dev/urandom | base64";
        crate::check(&format!("c{at}"), script, "")
    });
    let project = Project::new(&checks.collect::<String>());
    let whole = Instant::now();
    assert_eq!(ready(&project, &["check", "-q"]).status, Some(0));
    let whole = whole.elapsed();
    let mut tally = Tally {
        finished: 1,
        ..Tally::default()
    };
    // Spread evenly over the run…
    for at in 0.. {
        // Of those that had ended before their moment came, another takes the place.
        if tally.inside + tally.outside >= TIMES {
            break;
        }
        let moment = whole * (at % TIMES) / TIMES;
        tally.count(killed(&project, |elapsed| elapsed >= moment));
        tally.check(&project, at % 50 == 0);
    }
    // …and, as long as too few of them were, inside of a transaction, at its beginning or a little later.
    let mut more = 0u32;
    while tally.inside < INSIDE {
        more += 1;
        assert!(more < 1_000, "the moment is never met: {tally:?}");
        // How long a transaction takes differs by machine: every other one is killed as soon as it is seen.
        let later = Duration::from_micros(u64::from(more % 2 * (more % 20)) * 200);
        let since = std::cell::Cell::new(None);
        tally.count(killed(&project, |elapsed| {
            if since.get().is_none() && is_writing(&project) {
                since.set(Some(elapsed));
            }
            since.get().is_some_and(|since| elapsed >= since + later)
        }));
        tally.check(&project, false);
    }
    assert!(tally.inside + tally.outside >= TIMES && tally.inside >= INSIDE);
    assert_eq!(ready(&project, &["check", "-q"]).status, Some(0));
    tally.finished += 1;
    tally.check(&project, true);
}

/// What became of the runs that were started.
#[derive(Debug, Default)]
struct Tally {
    /// They ended by themselves.
    finished: u64,
    /// Killed in the middle of a transaction.
    inside: u32,
    /// Killed elsewhere.
    outside: u32,
}

impl Tally {
    fn count(&mut self, killed: Killed) {
        match killed {
            Killed::Not => self.finished += 1,
            Killed::Inside => self.inside += 1,
            Killed::Outside => self.outside += 1,
        }
    }

    /// The ledger opens, and no finished run is lost; with `all`, every row of it is as it was written.
    fn check(&self, project: &Project, all: bool) {
        let ledger = Ledger::open_existing(&project.path(".")).unwrap().unwrap();
        let runs = ledger.head().unwrap().unwrap().runs;
        let started = self.finished + u64::from(self.inside + self.outside);
        assert!(
            (self.finished..=started).contains(&runs),
            "{runs}: {self:?}"
        );
        if all {
            let verified = ledger.verify(None).unwrap();
            assert_eq!(verified.faults, []);
            assert_eq!(
                verified.compared,
                runs * 12,
                "a run is there whole or not at all"
            );
        }
    }
}

#[test]
fn eight_at_once_are_all_recorded() {
    let project = ran(0);
    for round in 1..=3 {
        let running = (0..8).map(|_| project.start(&["check", "-q"]));
        for running in running.collect::<Vec<_>>() {
            assert_eq!(running.finish().status, Some(1));
        }
        let verified = Ledger::open_existing(&project.path("."))
            .unwrap()
            .unwrap()
            .verify(None)
            .unwrap();
        assert_eq!((verified.faults, verified.compared), (vec![], round * 16));
    }
    assert_eq!(project.recorded_runs().len(), 24);
}

/// Runs a script in a mount namespace of its own, where it may mount what it likes. None where this system does not let it.
fn in_namespace(project: &Project, script: &str) -> Option<()> {
    let unshare = |script: &str| {
        let mut command = Command::new("unshare");
        command.args(["--mount", "--map-root-user", "sh", "-ec", script]);
        command.env("READY", env!("CARGO_BIN_EXE_ready"));
        project.prepare(&mut command);
        command
    };
    if !unshare("mount -t tmpfs tmpfs /mnt")
        .output()
        .is_ok_and(|output| output.status.success())
    {
        tools::without("a ledger where nothing can be written", "a mount namespace");
        return None;
    }
    // What the script writes is no change of what is judged.
    project.write(".gitignore", "*.json\nverify\nagain\nfull.status\n");
    let done = Running::new(unshare(script)).finish();
    assert_eq!(done.status, Some(0), "{}", done.stderr);
    Some(())
}

#[test]
fn a_full_disk_loses_nothing_that_was_there() {
    let project = Project::script("head -c 30000 /dev/urandom | base64", "");
    let script = "
        mkdir .ready; mount -t tmpfs -o size=512k tmpfs .ready
        $READY check -q
        dd if=/dev/zero of=.ready/fill bs=1k 2> /dev/null || true
        $READY check --format json > full.json || echo $? > full.status
        $READY status --format json > beside.json
        rm .ready/fill
        $READY status --format json > after.json
        $READY ledger verify > verify
        $READY check -q; $READY ledger verify > again";
    if in_namespace(&project, script).is_none() {
        return;
    }
    let read = |name: &str| std::fs::read_to_string(project.path(name)).unwrap();
    assert_eq!(read("full.status"), "3\n");
    let json = |name: &str| serde_json::from_str::<serde_json::Value>(&read(name)).unwrap();
    let full = json("full.json");
    assert_eq!(full["checks"][0]["verdict"], "verified");
    assert_eq!(full["ledger"], serde_json::Value::Null);
    let warnings = full["warnings"].to_string();
    assert!(
        warnings.contains("this run is not recorded") && warnings.contains("full"),
        "{warnings}"
    );
    for name in ["beside.json", "after.json"] {
        let status = json(name);
        assert_eq!(status["checks"][0]["verdict"], "verified");
        assert_eq!(status["ledger"]["runs"], 1);
    }
    assert!(read("verify").starts_with("1 run, 1 piece of evidence: the chain holds"));
    assert!(read("again").starts_with("2 runs, 2 pieces of evidence: the chain holds"));
}

#[test]
fn a_folder_that_may_not_be_written_is_no_failure() {
    let project = ran(1);
    let script = "
        mount --bind . /mnt; mount -o remount,bind,ro /mnt
        touch /mnt/probe 2> /dev/null && exit 9
        cd /mnt
        $READY check a --format json > /proc/self/fd/3
        $READY status --format json > /proc/self/fd/4
        $READY ledger verify > /proc/self/fd/5";
    let script = format!("exec 3> check.json 4> status.json 5> verify\n{script}");
    if in_namespace(&project, &script).is_none() {
        return;
    }
    let read = |name: &str| std::fs::read_to_string(project.path(name)).unwrap();
    let check = serde_json::from_str::<serde_json::Value>(&read("check.json")).unwrap();
    assert!(
        check["warnings"]
            .to_string()
            .contains("this run is not recorded"),
        "{check}"
    );
    let status = serde_json::from_str::<serde_json::Value>(&read("status.json")).unwrap();
    assert_eq!(status["ledger"]["runs"], 1);
    assert!(read("verify").contains("the chain holds"));
    assert_eq!(project.recorded_runs().len(), 1);
}

#[test]
fn a_ledger_of_another_version_is_refused_clearly() {
    let project = ran(1);
    let before = |version: i64| {
        crate::database(&project)
            .pragma_update(None, "user_version", version)
            .unwrap();
        std::fs::read(project.path(".ready/ledger.sqlite")).unwrap()
    };
    for (version, words) in [
        (99, "is from a newer `ready`"),
        (1, "before its first release"),
    ] {
        let bytes = before(version);
        for args in [&["status"][..], &["ledger", "verify"]] {
            let done = ready(&project, args);
            assert_eq!(done.status, Some(3));
            assert!(done.stderr.contains(words), "{}", done.stderr);
        }
        let done = checked(&project, &[]);
        assert_eq!(done.status, Some(3));
        let warnings = done.report()["warnings"].to_string();
        assert!(
            warnings.contains("this run is not recorded") && warnings.contains(words),
            "{warnings}"
        );
        assert_eq!(
            std::fs::read(project.path(".ready/ledger.sqlite")).unwrap(),
            bytes
        );
    }
}

#[test]
fn a_damaged_page_is_told_and_the_rest_is_kept() {
    let project = Project::new(
        &[
            crate::check("a", "seq 1 3000", ""),
            crate::check("b", "exit 1", ""),
            crate::check("c", "head -c 30000 /dev/urandom | base64", ""),
        ]
        .concat(),
    );
    for _ in 0..3 {
        checked(&project, &[]);
    }
    let file = project.path(".ready/ledger.sqlite");
    let page = crate::database(&project)
        .query_row("PRAGMA page_size", [], |row| row.get::<_, i64>(0))
        .unwrap()
        .unsigned_abs();
    let sound = std::fs::read(&file).unwrap();
    let expected = ["verified held", "failed exit-status", "verified held"];
    let pages = sound.len() as u64 / page;
    let mut told = 0;
    for at in 0..pages {
        let remains = std::fs::read_dir(project.path(".ready")).unwrap();
        for remain in remains
            .map(|entry| entry.unwrap().path())
            .filter(|path| !path.ends_with(".gitignore"))
        {
            std::fs::remove_file(remain).unwrap();
        }
        std::fs::write(&file, &sound).unwrap();
        let mut opened = File::options().write(true).open(&file).unwrap();
        opened.seek(SeekFrom::Start(at * page)).unwrap();
        opened.write_all(&vec![0xa5; page as usize]).unwrap();
        drop(opened);

        let status = ready(&project, &["status", "--format", "json"]);
        match status.status {
            Some(0) => {
                let seen = ["a", "b", "c"].map(|id| status.verdict(id));
                assert_eq!(seen, expected, "page {at}: what is lost was not told");
            }
            Some(3) => told += 1,
            other => panic!("page {at}: {other:?}: {}", status.stderr),
        }
        let verify = ready(&project, &["ledger", "verify"]);
        assert!(
            matches!(verify.status, Some(1 | 3)),
            "page {at}: {}",
            verify.text()
        );
        let check = checked(&project, &[]);
        let warnings = check.report()["warnings"].to_string();
        match check.status {
            Some(1) => assert_eq!(check.report()["ledger"]["runs"], 4, "page {at}"),
            Some(3) => assert!(warnings.contains("ledger"), "page {at}: {warnings}"),
            other => panic!("page {at}: {other:?}: {}", check.stderr),
        }
        let repaired = ready(&project, &["ledger", "repair"]);
        if at == 0 {
            // Without its first page it is no ledger at all.
            assert_eq!(repaired.status, Some(3));
            assert!(
                repaired.stderr.contains("nothing of `"),
                "{}",
                repaired.stderr
            );
            continue;
        }
        // What is lost is named, and no success.
        let lost = repaired.text().contains("lost: a part of");
        let status = if lost { Some(3) } else { Some(0) };
        assert_eq!(
            repaired.status,
            status,
            "page {at}: {}{}",
            repaired.text(),
            repaired.stderr
        );
        assert!(
            repaired.text().contains("the damaged ledger is kept as ")
                || repaired.text().contains("nothing of the ledger is damaged"),
            "{}",
            repaired.text()
        );
        assert_eq!(
            ready(&project, &["check", "-q"]).status,
            Some(1),
            "page {at}"
        );
        let status = ready(&project, &["status", "--format", "json"]);
        assert_eq!(status.status, Some(0), "page {at}: {}", status.text());
        assert_eq!(
            ["a", "b", "c"].map(|id| status.verdict(id)),
            expected,
            "page {at}"
        );
    }
    assert!(told > 3, "{told} of {pages} pages");
}
