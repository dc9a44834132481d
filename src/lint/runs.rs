//! Commands that cannot fail: by what a shell makes of them, by the options that they are given, and one level down, in
//! the script that they start.

use super::commands::{NEVER_FAIL, is_checker, remark, without_wrappers};
use super::scripts::{self, Below};
use super::shell::{self, Fate, Script};
use super::{Lint, Said, Severity};
use crate::domain::check::{Check, Probe, RunProbe};
use crate::manifest::Place;

/// How far down scripts are followed.
const DEPTH: usize = 3;

/// Where a script stands.
struct Stands {
    /// None: in the manifest.
    file: Option<(String, Place)>,
    /// How it is called there, as the beginning of a sentence.
    name: String,
}

impl Lint<'_> {
    /// The command of a check that its exit status alone judges: results, expected output and calls fail by themselves.
    pub(super) fn runs(&mut self, check: &Check) {
        let Probe::Run(run) = &check.probe else {
            return;
        };
        if check.leaves_running {
            self.at_check(
                check,
                "leaves_running",
                Said {
                    rule: "leaves-running",
                    severity: Severity::Warning,
                    text: format!(
                        "`{}` may leave processes running, which nobody ends",
                        check.id
                    ),
                    hint: "declare a service, which is always stopped",
                },
            );
        }
        let judged_otherwise = run.reader.is_some()
            || run.listen.is_some()
            || !run.expect.stdout.is_empty()
            || !run.expect.stderr.is_empty();
        // Where it must fail, never failing is seen.
        if judged_otherwise || !run.expect.exit.contains(&0) {
            return;
        }
        self.accepts_failure(check, run);
        let stands = Stands {
            file: None,
            name: format!("`{}`", check.id),
        };
        let cwd = check.cwd.as_deref().unwrap_or(".");
        match run.shell {
            true => {
                let text = run.argv.join(" ");
                self.script(check, &text, [false, false], cwd, &stands, DEPTH);
            }
            false => self.command(check, &run.argv, cwd, &stands, DEPTH),
        }
    }

    /// Whether a status that stands for failure is taken for well.
    fn accepts_failure(&mut self, check: &Check, run: &RunProbe) {
        let more = run.expect.exit.iter().filter(|status| **status != 0);
        let more = more.map(i32::to_string).collect::<Vec<_>>();
        let words = match run.shell {
            true => shell::read(&run.argv.join(" "), false, false)
                .and_then(|script| script.commands.last().cloned())
                .unwrap_or_default(),
            false => run.argv.clone(),
        };
        if more.contains(&"1".to_string()) && (is_checker(&words) || more.len() > 3) {
            self.at_check(
                check,
                "expect",
                Said {
                    rule: "accepts-failure",
                    severity: Severity::Error,
                    text: format!(
                        "`{}` takes exit status {} for well, by which its program says that something failed",
                        check.id,
                        more.join(" and ")
                    ),
                    hint: "expect 0, or read the tool's results with a `reader`",
                },
            );
        }
    }

    /// A program with its arguments.
    fn command(
        &mut self,
        check: &Check,
        argv: &[String],
        cwd: &str,
        stands: &Stands,
        depth: usize,
    ) {
        let words = without_wrappers(argv);
        if let Some(inner) = shell::script_of(words) {
            let flags = [inner.errexit, inner.pipefail];
            return self.script(check, &inner.text, flags, cwd, stands, depth);
        }
        let name = words
            .first()
            .map(|name| name.rsplit('/').next().unwrap_or(name));
        let fate = match name {
            Some(name) if NEVER_FAIL.contains(&name) => Fate::Never,
            _ => Fate::May,
        };
        let script = Script {
            fate,
            silenced: vec![],
            piped: vec![],
            lost: vec![],
            commands: vec![argv.to_vec()],
        };
        self.of_script(check, &script, &argv.join(" "), cwd, stands, depth);
    }

    /// A shell script, with `set -e` and `pipefail` as they are from the start.
    fn script(
        &mut self,
        check: &Check,
        text: &str,
        [errexit, pipefail]: [bool; 2],
        cwd: &str,
        stands: &Stands,
        depth: usize,
    ) {
        match shell::read(text, errexit, pipefail) {
            Some(script) => self.of_script(check, &script, text, cwd, stands, depth),
            // Of what lies elsewhere others say whether it is a script.
            None if stands.file.is_none() => self.at_check(
                check,
                "run",
                Said {
                    rule: "not-read",
                    severity: Severity::Note,
                    text: format!("the script of `{}` cannot be read here: it is no shell's language, too long or nested too deeply", check.id),
                    hint: "put it into a file, or make several checks of it",
                },
            ),
            None => {}
        }
    }

    fn of_script(
        &mut self,
        check: &Check,
        script: &Script,
        text: &str,
        cwd: &str,
        stands: &Stands,
        depth: usize,
    ) {
        let name = &stands.name;
        let mut say = |severity, rule, text, hint: &str| {
            let said = Said {
                rule,
                severity,
                text,
                hint,
            };
            match &stands.file {
                Some((file, place)) => self.in_file(file.clone(), *place, Some(check), said),
                None => {
                    let key = match check.library {
                        Some(_) => "use",
                        None => "run",
                    };
                    self.at_check(check, key, said);
                }
            }
        };
        let first_of =
            |list: &[String]| list.iter().find(|text| speaks_of_a_checker(text)).cloned();
        match script.fate {
            Fate::Never => {
                let (why, hint) = match (script.silenced.last(), script.piped.last()) {
                    (Some(silenced), _) => (
                        format!("whatever becomes of `{}`", short(silenced)),
                        "take away what follows `||` or the condition, or end it with `exit 1`",
                    ),
                    (None, Some(_)) => (
                        "the pipe takes its failure, since the last command's status is all that counts".to_string(),
                        "use `bash -o pipefail -c '…'`, or write to a file and read that",
                    ),
                    (None, None) => (
                        format!("`{}` ends well whatever it is about", short(text)),
                        "run what the statement says, and let its status be the last",
                    ),
                };
                say(
                    Severity::Error,
                    "cannot-fail",
                    format!("{name} cannot fail: {why}"),
                    hint,
                );
            }
            _ => {
                if let Some(silenced) = first_of(&script.silenced) {
                    say(
                        Severity::Warning,
                        "silenced",
                        format!("{name} goes on whatever becomes of `{}`", short(&silenced)),
                        "let it fail, or make it a check of its own",
                    );
                }
                if let Some(piped) = first_of(&script.piped) {
                    say(
                        Severity::Warning,
                        "no-pipefail",
                        format!(
                            "{name} does not see a failure before the pipe in `{}`",
                            short(&piped)
                        ),
                        "use `bash -o pipefail -c '…'`",
                    );
                }
                if let Some(lost) = first_of(&script.lost) {
                    say(
                        Severity::Warning,
                        "status-lost",
                        format!("{name} does not look at what becomes of `{}`", short(&lost)),
                        "join them with `&&`, begin with `set -e`, or make them checks of their own",
                    );
                }
            }
        }
        let last = script.commands.len().saturating_sub(1);
        for (at, words) in script.commands.iter().enumerate() {
            let Some(remark) = remark(words) else {
                continue;
            };
            let alone = script.commands.len() == 1;
            let counts = match remark.rule {
                "version-only" => alone,
                "curl-without-fail" => at == last,
                _ => true,
            };
            if counts {
                let severity = match remark.rule {
                    "version-only" => Severity::Warning,
                    _ => Severity::Error,
                };
                say(
                    severity,
                    remark.rule,
                    format!("{name}: {}", remark.text),
                    remark.hint,
                );
            }
        }
        if depth == 0 {
            return;
        }
        for words in &script.commands {
            let below = scripts::below(words, cwd, self.input.read);
            for below in below {
                self.below(check, &below, depth - 1);
            }
        }
    }

    /// A script that a command starts.
    fn below(&mut self, check: &Check, below: &Below, depth: usize) {
        let stands = Stands {
            file: Some((below.file.clone(), below.place)),
            name: format!("{}, which `{}` runs,", below.name, check.id),
        };
        if below.text.contains("no test specified") {
            self.in_file(
                below.file.clone(),
                below.place,
                Some(check),
                Said {
                    rule: "default-test-script",
                    severity: Severity::Error,
                    text: format!(
                        "{} is npm's default test script, which tests nothing",
                        stands.name.trim_end_matches(',')
                    ),
                    hint: "write the script that runs the tests",
                },
            );
            return;
        }
        self.script(check, &below.text, below.flags, &below.cwd, &stands, depth);
    }
}

/// Whether a piece of a script is about a check.
fn speaks_of_a_checker(text: &str) -> bool {
    let script = shell::read(text, false, false);
    script.is_some_and(|script| script.commands.iter().any(|words| is_checker(words)))
}

/// A piece of a script on one line of bounded length.
fn short(text: &str) -> String {
    const LONGEST: usize = 60;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}
