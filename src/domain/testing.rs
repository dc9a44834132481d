//! Hand-made checks, evidence and projects for the tests of the rules. Everything is whole as it is made; a test changes
//! the one thing that it is about: `Check { pass_at: Some(0.95), ..counted("a") }`.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use proptest::test_runner::{Config, RngSeed};

use super::about::About;
use super::assess::{Deciding, Seen, Setting, assess};
use super::check::*;
use super::evidence::*;
use super::expectation::*;
use super::gate::Gate;
use super::level::Level;
use super::limit::Limit;
use super::listen::ListenProbe;
use super::project::{Claimed, Component, Project};
use super::reason::{Code, Reason};
use super::regression::Base;
use super::report::{Host, Report, Run};
use super::service::{Health, Service, Start};
use super::waiver::Waiver;

/// The moment at which everything here is judged: noon of 2026-11-22, UTC.
pub(crate) fn now() -> Timestamp {
    time("2026-11-22T12:00:00Z")
}

pub(crate) fn time(text: &str) -> Timestamp {
    text.parse()
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}

pub(crate) fn day(text: &str) -> Date {
    text.parse()
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}

pub(crate) fn limit(text: &str) -> Limit {
    Limit::parse(text).unwrap_or_else(|error| panic!("{error}"))
}

/// So many cases, the same in every run, and no file of failures.
pub(crate) fn same_every_time(cases: u32) -> Config {
    Config {
        cases,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(20261122),
        ..Config::default()
    }
}

// Checks, each of weight 1, without a component.

pub(crate) fn check(id: &str, probe: Probe) -> Check {
    Check {
        id: id.to_string(),
        component: None,
        says: format!("{id} is as it should be"),
        tags: vec![],
        owner: None,
        weight: 1.0,
        priority: None,
        risk: None,
        fix: Fix::default(),
        blocking: Blocking::No,
        optional: false,
        claim: None,
        aliases: vec![],
        probe,
        limits: BTreeMap::new(),
        pass_at: None,
        at_least: None,
        expected_skips: 0,
        level: Level::Exercised,
        needs: vec![],
        applies: None,
        os: vec![],
        on_demand: false,
        alone: false,
        locks: vec![],
        timeout: Duration::from_secs(600),
        retries: 0,
        leaves_running: false,
        cwd: None,
        env: BTreeMap::new(),
        clean_env: false,
        inputs: vec![],
        max_age: None,
        secrets: vec![],
        needs_tool: None,
        cannot_tell: CannotTell::default(),
        control: None,
        by_exit_alone: false,
        library: None,
        source: Source {
            file: "readiness.toml".to_string(),
            line: 7,
        },
    }
}

/// A program, judged by its exit status.
pub(crate) fn run(id: &str) -> Check {
    let probe = RunProbe {
        argv: vec![id.to_string()],
        shell: false,
        files: vec![],
        reader: None,
        expect: RunExpect::default(),
        listen: None,
        cleanup: vec![],
    };
    Check {
        level: Level::Validated,
        ..check(id, Probe::Run(probe))
    }
}

/// A call, any call.
pub(crate) fn listening() -> ListenProbe {
    ListenProbe {
        port: None,
        method: None,
        path: "/**".to_string(),
        headers: BTreeMap::new(),
        body: TextExpect::default(),
        json: BTreeMap::new(),
        count: Limit::at_least(1.0),
        within: Duration::from_secs(15),
    }
}

/// A program whose results a reader counts, with pytest's exit table: 0 is well, 5 is that nothing ran.
pub(crate) fn counted(id: &str) -> Check {
    let exits = Exits {
        passed: vec![0],
        no_results: vec![5],
        failed: vec![],
    };
    let reader = Reader {
        format: "junit".to_string(),
        queries: None,
        input: ReaderInput::Stdout,
        exits,
    };
    let probe = RunProbe {
        argv: vec![id.to_string()],
        shell: false,
        files: vec![],
        reader: Some(reader),
        expect: RunExpect::default(),
        listen: None,
        cleanup: vec![],
    };
    check(id, Probe::Run(probe))
}

/// A counted program that is held to limits alone.
pub(crate) fn limited(limits: &[(&str, &str)]) -> Check {
    let limits = limits
        .iter()
        .map(|(name, bound)| (name.to_string(), limit(bound)))
        .collect();
    Check {
        limits,
        ..counted("load")
    }
}

pub(crate) fn http(id: &str) -> Check {
    check(
        id,
        Probe::Http(HttpProbe {
            reader: None,
            url: "http://127.0.0.1:8000/health".to_string(),
            method: "GET".to_string(),
            headers: BTreeMap::new(),
            body: None,
            redirects: 0,
            expect: HttpExpect::default(),
        }),
    )
}

pub(crate) fn file(id: &str) -> Check {
    let probe = FileProbe {
        pattern: "LICENSE*".to_string(),
        expect: FileExpect::default(),
    };
    Check {
        level: Level::Present,
        ..check(id, Probe::File(probe))
    }
}

pub(crate) fn variable(id: &str) -> Check {
    let probe = VariableProbe {
        name: "SENTRY_DSN".to_string(),
        file: None,
        expect: TextExpect::default(),
    };
    Check {
        level: Level::Present,
        ..check(id, Probe::Variable(probe))
    }
}

/// A person's word, good until the end of the month.
pub(crate) fn manual(id: &str) -> Check {
    let word = Attestation {
        by: "release manager".to_string(),
        on: day("2026-11-01"),
        expires: day("2026-11-30"),
        link: None,
    };
    Check {
        level: Level::Attested,
        ..check(id, Probe::Manual(word))
    }
}

// What attempts gave.

pub(crate) fn attempt(outcome: Outcome) -> Attempt {
    Attempt::new(now(), 1_000, outcome)
}

pub(crate) fn exit(status: i32) -> Attempt {
    attempt(Outcome::Exit(status))
}

/// A program that ended with that status and these results.
pub(crate) fn read(status: i32, results: Results) -> Attempt {
    Attempt {
        reading: Some(Reading::Results(results)),
        ..exit(status)
    }
}

pub(crate) fn counts(passed: u64, failed: u64, skipped: u64) -> Results {
    let counts = Counts {
        passed,
        failed,
        skipped,
    };
    Results::counted(counts, vec![])
}

pub(crate) fn findings(found: u64) -> Results {
    Results {
        findings: Some(found),
        ..Results::default()
    }
}

pub(crate) fn measured(figures: &[(&str, f64)]) -> Results {
    let measures = figures
        .iter()
        .map(|(name, figure)| (name.to_string(), *figure))
        .collect();
    Results {
        measures,
        ..Results::default()
    }
}

/// The attempt with expectations of which these held.
pub(crate) fn expecting(attempt: Attempt, held: &[Held]) -> Attempt {
    let checked = held.iter().enumerate().map(|(at, held)| Checked {
        what: format!("expectation {}", at + 1),
        held: *held,
        seen: format!("it is {held:?}"),
    });
    Attempt {
        checked: checked.collect(),
        ..attempt
    }
}

// What a run can say of a check.

/// Evidence of these attempts, had a second ago.
pub(crate) fn evidence(attempts: Vec<Attempt>) -> Evidence {
    Evidence {
        probe: "run".to_string(),
        command: vec!["tool".to_string()],
        target: None,
        cwd: None,
        env: vec![],
        started: time("2026-11-22T11:59:59Z"),
        duration_ms: 1_000,
        host: "here".to_string(),
        slot: 1,
        binding: Binding {
            definition: "blake3:00".to_string(),
            ..Binding::default()
        },
        attempts,
    }
}

pub(crate) fn observed(attempts: Vec<Attempt>) -> Observed {
    Observed::Evidence(Box::new(evidence(attempts)))
}

pub(crate) fn withheld(code: Code) -> Observed {
    Observed::Withheld(Reason::new(code, "as the run says"))
}

/// The same, had of that artifact in that environment; empty: none that was named.
pub(crate) fn seen_of(artifact: &str, environment: &str, observed: Observed) -> Observed {
    let named = |name: &str| (!name.is_empty()).then(|| name.to_string());
    match observed {
        Observed::Evidence(mut evidence) => {
            evidence.binding.artifact = named(artifact);
            evidence.binding.environment = named(environment);
            Observed::Evidence(evidence)
        }
        withheld => withheld,
    }
}

/// Of a counted check: so many passed, so many failed.
pub(crate) fn ran(passed: u64, failed: u64) -> Observed {
    observed(vec![read(i32::from(failed > 0), counts(passed, failed, 0))])
}

/// Of a counted check: it holds.
pub(crate) fn holds() -> Observed {
    ran(3, 0)
}

/// Of a counted check: it does not hold.
pub(crate) fn breaks() -> Observed {
    ran(0, 3)
}

/// Of any check: nobody knows.
pub(crate) fn unknown() -> Observed {
    withheld(Code::NotRun)
}

/// Of an HTTP check: an answer came, as it should.
pub(crate) fn answered() -> Observed {
    observed(vec![expecting(attempt(Outcome::Answered), &[Held::Yes])])
}

/// Of a check of files or of a variable: there it is.
pub(crate) fn looked() -> Observed {
    observed(vec![Attempt {
        files: Some(vec!["LICENSE".to_string()]),
        ..attempt(Outcome::Looked)
    }])
}

/// Of a manual check.
pub(crate) fn word() -> Observed {
    observed(vec![attempt(Outcome::Attested)])
}

// Whole projects.

/// A program that is up while it runs.
pub(crate) fn service(id: &str) -> Service {
    Service {
        id: id.to_string(),
        start: Start::Run {
            argv: vec![id.to_string()],
            shell: false,
        },
        cwd: None,
        env: BTreeMap::new(),
        clean_env: false,
        port: None,
        health: Health::Started,
        within: Duration::from_secs(60),
        needs: vec![],
        stop_within: Duration::from_secs(10),
        secrets: vec![],
        needs_tool: None,
        cannot_tell: CannotTell::default(),
        source: Source::default(),
    }
}

pub(crate) fn component(id: &str) -> Component {
    Component {
        id: id.to_string(),
        title: format!("The {id}"),
        weight: 1.0,
        group: None,
        claim: None,
        owner: None,
        aliases: vec![],
        enough: None,
        source: Source::default(),
    }
}

pub(crate) fn within(component: &str, check: Check) -> Check {
    Check {
        component: Some(component.to_string()),
        ..check
    }
}

/// The gate of a manifest that declares none.
pub(crate) fn implicit() -> Gate {
    Gate {
        every_check: true,
        ..gate()
    }
}

/// The default gate without any rule.
pub(crate) fn gate() -> Gate {
    Gate {
        name: super::gate::DEFAULT.to_string(),
        ..Gate::default()
    }
}

/// A waiver that is in force until the end of the month.
pub(crate) fn waiver(check: &str) -> Waiver {
    Waiver {
        check: check.to_string(),
        owner: "web team".to_string(),
        reason: "OPS-91".to_string(),
        expires: day("2026-11-30"),
        down_to: None,
        source: Source::default(),
    }
}

/// A run of this moment on the machine `here`.
pub(crate) fn a_run(id: &str) -> Run {
    Run {
        id: id.to_string(),
        started: now(),
        finished: now(),
        complete: false,
        interrupted: false,
        out_of_time: false,
        selected: vec![],
        host: Host {
            name: "here".to_string(),
            os: "linux".to_string(),
            arch: "x86_64".to_string(),
            ci: None,
        },
        jobs: 2,
        commit: None,
        tree: None,
        dirty: None,
        manifest: None,
        artifact: None,
        environment: None,
        shard: None,
        merged: vec![],
        services: vec![],
    }
}

/// A project, what was seen of each of its checks, and the gates to decide.
pub(crate) struct Scene {
    pub(crate) project: Project,
    pub(crate) seen: Vec<Seen>,
    pub(crate) gates: Vec<Gate>,
    pub(crate) setting: Setting,
}

impl Scene {
    /// These checks and what was seen of them, in components of weight 1 where they name any.
    pub(crate) fn of(cases: impl IntoIterator<Item = (Check, Observed)>) -> Scene {
        let (checks, seen): (Vec<_>, Vec<_>) = cases.into_iter().unzip();
        let mut components: Vec<Component> = vec![];
        for id in checks.iter().filter_map(|check| check.component.as_deref()) {
            if components.iter().all(|known| known.id != id) {
                components.push(component(id));
            }
        }
        Scene {
            project: Project {
                name: "shop".to_string(),
                components,
                checks,
                ..Project::default()
            },
            seen: seen.into_iter().map(Seen::now).collect(),
            gates: vec![implicit()],
            setting: Setting {
                ready: "0.1.0".to_string(),
                run: None,
                about: About::default(),
                preflight: vec![],
                called_for: vec![],
                found: vec![],
                bases: BTreeMap::new(),
                against: None,
                warnings: vec![],
                deciding: Deciding::Gates(vec!["default".to_string()]),
            },
        }
    }

    /// With this gate alone.
    pub(crate) fn gate(mut self, gate: Gate) -> Scene {
        self.gates = vec![gate];
        self
    }

    /// With this component, in place of one of the same id or as a further one.
    pub(crate) fn component(mut self, component: Component) -> Scene {
        let components = &mut self.project.components;
        match components.iter_mut().find(|known| known.id == component.id) {
            Some(known) => *known = component,
            None => components.push(component),
        }
        self
    }

    /// With a further check, after the others.
    pub(crate) fn also(mut self, check: Check, observed: Observed) -> Scene {
        self.project.checks.push(check);
        self.seen.push(Seen::now(observed));
        self
    }

    /// Without the check of that id.
    pub(crate) fn without(mut self, id: &str) -> Scene {
        if let Some(at) = self.project.checks.iter().position(|check| check.id == id) {
            self.project.checks.remove(at);
            self.seen.remove(at);
        }
        self
    }

    pub(crate) fn waive(mut self, waiver: Waiver) -> Scene {
        self.project.waivers.push(waiver);
        self
    }

    /// With this as the base of the gate of that name.
    pub(crate) fn base(mut self, gate: &str, base: Base) -> Scene {
        self.setting.bases.insert(gate.to_string(), base);
        self
    }

    /// With a claim for the whole.
    pub(crate) fn claim(mut self, percent: f64) -> Scene {
        self.project.claim = Some(Claimed {
            percent,
            source: Source::default(),
        });
        self
    }

    /// Asked about that artifact in that environment; empty: not asked.
    pub(crate) fn about(mut self, artifact: &str, environment: &str) -> Scene {
        let named = |name: &str| (!name.is_empty()).then(|| name.to_string());
        self.setting.about = About {
            artifact: named(artifact),
            name: None,
            environment: named(environment),
        };
        self
    }

    /// Where the check of that id does not apply.
    pub(crate) fn inapplicable(mut self, id: &str) -> Scene {
        for (check, seen) in self.project.checks.iter().zip(&mut self.seen) {
            seen.applicable &= check.id != id;
        }
        self
    }

    /// As a run of the selected checks, which decide by themselves.
    pub(crate) fn select(mut self, ids: &[&str]) -> Scene {
        self.setting.deciding = Deciding::Selected;
        self.setting.run = Some(Run {
            selected: ids.iter().map(|id| id.to_string()).collect(),
            ..a_run("01JD000000000000000000000")
        });
        self
    }

    pub(crate) fn assess(self) -> Report {
        assess(&self.project, &self.gates, self.seen, self.setting, now())
    }
}
