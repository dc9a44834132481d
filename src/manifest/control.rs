//! `control`: the violation that must make a check fail, read from a check of the manifest or of the library.

use std::collections::BTreeMap;

use super::check::Reading;
use super::item::Item;
use crate::domain::check::Probe;
use crate::domain::control::Control;

/// Its keys.
const KEYS: [&str; 6] = ["files", "patch", "env", "run", "with", "signal"];

impl<'a> Reading<'_, 'a, '_> {
    /// The control of a check with that probe.
    pub(super) fn control(&self, item: &Item<'a>, probe: &Probe) -> Option<Control> {
        let mut control = Control::default();
        let mut with = None;
        for field in item.table()? {
            match field.key {
                "files" => control.files = self.control_files(&field),
                "patch" => control.patch = field.string(),
                "env" => {
                    let variables = field.table().into_iter().flatten();
                    let variables = variables.filter_map(|variable| {
                        Some((variable.key.to_string(), self.filled(&variable)?))
                    });
                    control.env = variables.collect();
                }
                "run" => {
                    control.probe = self.control_run(&field, probe);
                }
                "with" => with = Some(field),
                "signal" => control.signal = field.string().unwrap_or_default(),
                _ => field.unknown("`control`", &KEYS),
            }
        }
        if let Some(with) = with {
            self.with_other_parameters(&with, &mut control);
        }
        if !item.has("signal") {
            let hint = "add what is seen where it fails for that and nothing else: `signal = \"test_that_fails\"`";
            item.problem("`control` lacks `signal`", Some(hint.into()));
        }
        if KEYS[..5].iter().all(|key| !item.has(key)) {
            let hint = "it must change something: `files`, `patch`, `env`, `run` or `with`";
            item.problem("`control` violates nothing", Some(hint.into()));
        }
        let is_run = matches!(probe, Probe::Run(_));
        for field in item
            .table()?
            .filter(|field| ["env", "run"].contains(&field.key))
        {
            if !is_run {
                let message = format!("`{}` means nothing here: it goes with `run`", field.key);
                field.key_problem(message, None);
            }
        }
        Some(control)
    }

    /// The files that it lays over the project.
    fn control_files(&self, item: &Item<'a>) -> BTreeMap<String, String> {
        let mut files = BTreeMap::new();
        for file in item.table().into_iter().flatten() {
            let name = match self.filled_text(file.key) {
                Ok(name) => name,
                Err(unknown) => {
                    file.key_problem(unknown.message, Some(unknown.hint));
                    continue;
                }
            };
            files.extend(file.text().map(|text| (named_by(&name), text)));
        }
        files
    }

    /// The probe with another program.
    fn control_run(&self, item: &Item<'a>, probe: &Probe) -> Option<Box<Probe>> {
        let argv = self.words(item, "run")?;
        match probe {
            Probe::Run(run) => Some(Box::new(Probe::Run(crate::domain::check::RunProbe {
                argv,
                shell: false,
                files: vec![],
                ..run.clone()
            }))),
            _ => None,
        }
    }

    /// What the check is with other parameters.
    fn with_other_parameters(&self, with: &Item<'a>, control: &mut Control) {
        let mut params = self.params.clone();
        for item in with.table().into_iter().flatten() {
            let Some(value) = item.scalar() else { continue };
            if params.insert(item.key.to_string(), value).is_none() {
                let known = self.params.keys().map(String::as_str).collect::<Vec<_>>();
                item.unknown("`with` of `control`", &known);
            }
        }
        let other = self.with_params(&params);
        if let Some(probe) = other.probe(true) {
            control.probe = Some(Box::new(probe));
        }
        control.cwd = self.keys.get("cwd").and_then(|item| other.filled(item));
        for (name, value) in other.environment() {
            control.env.entry(name).or_insert(value);
        }
    }
}

/// A name that a pattern of files matches, for a control that is one more of them: the name itself where it is no pattern.
fn named_by(pattern: &str) -> String {
    const WORD: &str = "ready-control";
    let mut name = String::new();
    let mut chars = pattern.chars().peekable();
    // How deep in braces, and whether it is past the first of what stands there.
    let mut braces: Vec<bool> = vec![];
    while let Some(c) = chars.next() {
        let skipped = braces.iter().any(|past| *past);
        match c {
            '{' => braces.push(false),
            '}' if !braces.is_empty() => _ = braces.pop(),
            ',' if !braces.is_empty() => braces
                .iter_mut()
                .last()
                .into_iter()
                .for_each(|past| *past = true),
            _ if skipped => {}
            '*' if chars.peek() == Some(&'*') => {
                chars.next();
                // `**/` is any folder or none: none.
                match chars.peek() {
                    Some('/') => _ = chars.next(),
                    _ => name.push_str(WORD),
                }
            }
            '*' => name.push_str(WORD),
            '?' => name.push('x'),
            '[' => {
                let class = chars.by_ref().take_while(|c| *c != ']').collect::<String>();
                name.push(class.chars().next().unwrap_or('x'));
            }
            c => name.push(c),
        }
    }
    let glob = globset::GlobBuilder::new(pattern)
        .literal_separator(true)
        .build();
    match glob.map(|glob| glob.compile_matcher().is_match(&name)) {
        Ok(true) => name,
        _ => pattern.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_gives_a_name_that_it_matches() {
        let cases = [
            ("Dockerfile", "Dockerfile"),
            ("**/*.{sh,bash}", "ready-control.sh"),
            (
                "**/*rules*.{yml,yaml}",
                "ready-controlrulesready-control.yml",
            ),
            (
                "**/*dashboard*/**/*.json",
                "ready-controldashboardready-control/ready-control.json",
            ),
            ("deploy/[ab]?.yml", "deploy/ax.yml"),
            ("scripts/**", "scripts/ready-control"),
        ];
        for (pattern, name) in cases {
            assert_eq!(named_by(pattern), name);
        }
    }
}
