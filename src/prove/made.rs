//! The controls that are made for a probe of our own: a file without what it must hold, a variable that is not set, a port
//! where nobody listens, a program that makes no call.

use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use anyhow::Result;
use jiff::Timestamp;

use super::{NOTHING, Prover};
use crate::domain::check::{
    Check, FileProbe, PortProbe, Probe, RunProbe, ToolProbe, VariableProbe,
};
use crate::domain::evidence::{Attempt, Evidence, Observed};
use crate::domain::listen::ListenProbe;
use crate::domain::proof::{Trial, made};
use crate::domain::reason::Code;
use crate::domain::verdict::judge;
use crate::probe::{self, Ports};

/// What a look at something that does not hold may come to.
pub(super) const FAILS: [Code; 4] = [
    Code::Expectation,
    Code::Absent,
    Code::Unset,
    Code::Placeholder,
];

/// What stands in no file and no value by accident.
pub(super) const MARK: &str = "ready-control";

/// What a file holds then, by its name and what it held; none: it is gone.
type Spoil<'a> = &'a dyn Fn(&str, &[u8]) -> Option<Vec<u8>>;

impl Prover<'_> {
    /// The trials on the controls that are made for a check, given what was seen of it on the good state.
    pub(super) fn made(&self, check: &Check, good: &Evidence) -> Result<Vec<Trial>> {
        match &check.probe {
            Probe::Run(run) => {
                let mut trials = vec![];
                if let Some(listen) = &run.listen {
                    trials.push(self.without_a_call(check, run, listen));
                }
                if let Some(reader) = &run.reader {
                    trials.extend(self.on_results(check, run, reader, good)?);
                }
                Ok(trials)
            }
            Probe::Http(http) => self.on_answers(check, http, good),
            Probe::File(file) => self.on_files(check, file, good),
            Probe::Variable(variable) => self.on_variables(check, variable),
            Probe::Port(port) => self.on_port(check, port),
            Probe::Tool(tool) => Ok(vec![self.on_tool(check, tool)]),
            Probe::Manual(_) => Ok(vec![]),
        }
    }

    /// The trial on one control: the check as it is then, looked at once.
    pub(super) fn trial(&self, control: &str, check: &Check, codes: &[Code]) -> Trial {
        let ports = Ports::default();
        let look = probe::observe(check, &self.context(&ports));
        judged(control, check, look.attempt, codes)
    }

    fn without_a_call(&self, check: &Check, run: &RunProbe, listen: &ListenProbe) -> Trial {
        let silent = Check {
            probe: Probe::Run(RunProbe {
                argv: own(&[NOTHING]),
                shell: false,
                files: vec![],
                reader: None,
                cleanup: vec![],
                listen: Some(Box::new(ListenProbe {
                    // Nobody calls, so that nothing is won by waiting.
                    within: listen.within.min(Duration::from_secs(1)),
                    ..listen.clone()
                })),
                ..run.clone()
            }),
            needs_tool: None,
            retries: 0,
            ..check.clone()
        };
        self.trial("a program that makes no call", &silent, &FAILS)
    }

    fn on_files(&self, check: &Check, file: &FileProbe, good: &Evidence) -> Result<Vec<Trial>> {
        let expect = &file.expect;
        let cwd = check.cwd.as_deref().unwrap_or(".");
        let base = self.scratch.folder().join(cwd);
        // All of them, however many evidence names; by those where only a run knows the pattern.
        let found = probe::file::matching(&file.pattern, &base).into_iter();
        let found = found.filter_map(|path| {
            let name = path
                .strip_prefix(&base)
                .ok()?
                .to_string_lossy()
                .into_owned();
            Some(name)
        });
        let mut names = found.collect::<Vec<_>>();
        if names.is_empty() {
            let attempts = good.attempts.iter();
            names.extend(
                attempts
                    .filter_map(|attempt| attempt.files.clone())
                    .flatten(),
            );
        }
        let mut trials = vec![];
        let mut on = |control: &str, lay: Spoil<'_>| -> Result<()> {
            let mut laid = self.scratch.clean();
            for name in &names {
                let path = base.join(name);
                let text = std::fs::read(&path)?;
                match lay(name, &text) {
                    Some(content) => laid.put(&format!("{cwd}/{name}"), &content)?,
                    None => laid.remove(&format!("{cwd}/{name}"))?,
                }
            }
            trials.push(self.trial(control, check, &FAILS));
            Ok(())
        };
        if expect.absent {
            let plain = !file.pattern.contains(['*', '?', '[', '{']);
            if plain {
                let mut laid = self.scratch.clean();
                laid.put(&format!("{cwd}/{}", file.pattern), MARK.as_bytes())?;
                trials.push(self.trial("the file is there", check, &FAILS));
            }
            return Ok(trials);
        }
        if names.is_empty() {
            return Ok(trials);
        }
        on("no file is there", &|_, _| None)?;
        let wants = !expect.text.contains.is_empty() || !expect.text.matches.is_empty();
        if wants || !expect.keys.is_empty() || expect.keys_of.is_some() {
            on("an empty file", &|_, _| Some(vec![]))?;
        }
        let comments = |name: &str, text: &[u8]| probe::commented_out(name, text);
        let known = names.iter().all(|name| comments(name, b"x").is_some());
        if wants && !expect.comments && known {
            on("every line a comment", &|name, text| {
                comments(name, text).or_else(|| Some(vec![]))
            })?;
        }
        for unwanted in &expect.text.lacks {
            let with =
                |_: &str, text: &[u8]| Some([text, b"\n", unwanted.as_bytes(), b"\n"].concat());
            on(&format!("with `{unwanted}` in it"), &with)?;
        }
        if expect.parses.is_some() {
            on("cut where it cannot be read", &|_, _| {
                Some(b"{\"a\": [\n= \x01".to_vec())
            })?;
        }
        if expect.links {
            on("with a link that leads nowhere", &|_, text| {
                Some([text, format!("\n[x]({MARK}/no-such-file.md)\n").as_bytes()].concat())
            })?;
        }
        Ok(trials)
    }

    fn on_variables(&self, check: &Check, variable: &VariableProbe) -> Result<Vec<Trial>> {
        let name = &variable.name;
        let states = [
            ("it is not set", None),
            ("it holds a placeholder", Some("changeme")),
        ];
        let trials = states.map(|(control, value)| -> Result<Trial> {
            let Some(file) = &variable.file else {
                let env = |asked: &str| {
                    (asked == name)
                        .then_some(value)
                        .flatten()
                        .map(str::to_string)
                };
                let attempt = probe::variable::observe(variable, self.scratch.folder(), &env);
                return Ok(judged(control, check, attempt, &FAILS));
            };
            let cwd = check.cwd.as_deref().unwrap_or(".");
            let mut laid = self.scratch.clean();
            let text = value.map(|value| format!("{name}={value}\n"));
            laid.put(
                &format!("{cwd}/{file}"),
                text.unwrap_or_default().as_bytes(),
            )?;
            Ok(self.trial(control, check, &FAILS))
        });
        trials.into_iter().collect()
    }

    fn on_port(&self, check: &Check, probe: &PortProbe) -> Result<Vec<Trial>> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        let other = Check {
            probe: Probe::Port(PortProbe {
                port,
                ..probe.clone()
            }),
            ..check.clone()
        };
        let trial = match probe.listening {
            true => {
                drop(listener);
                self.trial("a port where nobody listens", &other, &FAILS)
            }
            false => self.trial("a port that is taken", &other, &FAILS),
        };
        Ok(vec![trial])
    }

    fn on_tool(&self, check: &Check, tool: &ToolProbe) -> Trial {
        let other = Check {
            probe: Probe::Tool(ToolProbe {
                name: format!("{MARK}-no-such-program"),
                ..tool.clone()
            }),
            ..check.clone()
        };
        self.trial("a program that is not there", &other, &[Code::ToolMissing])
    }
}

/// What a trial's attempt comes to.
pub(super) fn judged(control: &str, check: &Check, attempt: Attempt, codes: &[Code]) -> Trial {
    let evidence = Evidence {
        probe: check.probe.kind().to_string(),
        command: vec![],
        target: None,
        cwd: None,
        env: vec![],
        started: attempt.started,
        duration_ms: attempt.duration_ms,
        host: String::new(),
        slot: 1,
        binding: Default::default(),
        attempts: vec![attempt],
    };
    let judgement = judge(
        check,
        &Observed::Evidence(Box::new(evidence)),
        Timestamp::now(),
    );
    let shows = made(&judgement, codes);
    Trial {
        control: control.to_string(),
        declared: false,
        verdict: judgement.verdict,
        reason: judgement.reason,
        shows,
    }
}

/// This program with these words.
pub(super) fn own(words: &[&str]) -> Vec<String> {
    let program = std::env::current_exe().unwrap_or_else(|_| "ready".into());
    let program = program.to_string_lossy().into_owned();
    std::iter::once(program)
        .chain(words.iter().map(|word| word.to_string()))
        .collect()
}
