//! CI workflows in which `ready` runs and its exit status decides nothing.

use serde_json::Value;

use super::scripts::place;
use super::shell::{self, Fate};
use super::{Lint, Said, Severity};

impl Lint<'_> {
    /// Every step of a workflow of GitHub that runs `ready check` or another verb that decides.
    pub(super) fn workflows(&mut self) {
        for file in self.input.workflows {
            let Some(text) = (self.input.read)(file) else {
                continue;
            };
            // What does not parse is for others to tell.
            let Ok(workflow) = serde_norway::from_str::<Value>(&text) else {
                continue;
            };
            let jobs = workflow["jobs"].as_object().into_iter().flatten();
            for (_, job) in jobs {
                let steps = job["steps"].as_array().into_iter().flatten();
                for step in steps {
                    self.step(file, &text, job, step);
                }
            }
        }
    }

    fn step(&mut self, file: &str, text: &str, job: &Value, step: &Value) {
        let Some(run) = step["run"].as_str() else {
            return;
        };
        // GitHub starts it with `bash -e`.
        let Some(script) = shell::read(run, true, false) else {
            return;
        };
        let decides = |words: &Vec<String>| {
            let is_ready = words
                .first()
                .is_some_and(|name| name.rsplit('/').next() == Some("ready"));
            is_ready
                && words
                    .iter()
                    .any(|word| ["check", "merge"].contains(&word.as_str()))
        };
        if !script.commands.iter().any(decides) {
            return;
        }
        let goes_on = |of: &Value| of["continue-on-error"] == true;
        let why = match (goes_on(step) || goes_on(job), script.fate) {
            (true, _) => "`continue-on-error` lets the workflow go on whatever it says",
            (_, Fate::Never) => "the step ends well whatever it says",
            _ => return,
        };
        let at = run
            .lines()
            .find(|line| line.contains("ready "))
            .and_then(|line| text.find(line.trim()));
        let said = Said {
            rule: "gate-without-effect",
            severity: Severity::Error,
            text: format!("a closed gate stops nothing here: {why}"),
            hint: "let the step fail: its exit status is the gate",
        };
        self.in_file(file.to_string(), place(text, at.unwrap_or(0)), None, said);
    }
}
