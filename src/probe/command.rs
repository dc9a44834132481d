//! A program as a check or a service declares it, made ready to be started: what only a run knows put in, its environment
//! put together, found on the PATH that it will see itself.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::Context;
use crate::domain::check::{Check, Probe};
use crate::domain::evidence::{Failure, Program, SpawnFailure};
use crate::domain::interpolate;
use crate::process::{self, Environment};

/// A program as it was declared.
pub(super) struct Declared<'a> {
    /// The check's or service's id, by which what it starts is known.
    pub(super) id: &'a str,
    /// Program and arguments; with `shell`, the one script.
    pub(super) argv: &'a [String],
    pub(super) shell: bool,
    pub(super) cwd: Option<&'a str>,
    pub(super) env: &'a BTreeMap<String, String>,
    pub(super) clean_env: bool,
}

/// A program that can be started.
pub(super) struct Prepared {
    pub(super) program: PathBuf,
    pub(super) args: Vec<OsString>,
    pub(super) cwd: PathBuf,
    pub(super) env: Environment,
    /// Program and arguments as a person would type them.
    pub(super) shown: Vec<String>,
}

/// Makes a program ready. `own` gives the values of names that are known to this check or service alone. In its arguments
/// `{env.NAME}` is a variable of the environment that the program will see, in its folder and its environment one of ours.
///
/// # Errors
/// Why it cannot be started.
pub(super) fn prepare(
    declared: &Declared<'_>,
    context: &Context<'_>,
    own: &dyn Fn(&str) -> Option<String>,
) -> Result<Prepared, Failure<SpawnFailure>> {
    let missing = |name: String| Failure::new(SpawnFailure::MissingVariable, super::not_set(&name));
    let known = |name: &str| own(name).or_else(|| context.known(name));
    let outside = |text: &str| interpolate::values(text, known).map_err(missing);
    let cwd = context.folder.join(outside(declared.cwd.unwrap_or("."))?);
    let cwd = if declared.cwd.is_some() {
        cwd
    } else {
        context.folder.to_path_buf()
    };
    let mut env = Environment {
        clean: declared.clean_env,
        set: Default::default(),
    };
    for (name, value) in declared.env {
        env.set.insert(name.clone(), outside(value)?);
    }
    env.set
        .insert("READY_RUN_ID".to_string(), context.run.to_string());
    env.set
        .insert("READY_CHECK".to_string(), declared.id.to_string());
    env.set
        .insert("READY_NAME".to_string(), context.name_of(declared.id));
    env.set
        .entry("PWD".to_string())
        .or_insert_with(|| cwd.display().to_string());
    let inside = |name: &str| match name.strip_prefix("env.") {
        Some(variable) => env
            .get(variable)
            .map(|value| value.to_string_lossy().into_owned()),
        None => known(name),
    };
    let filled = |text: &String| interpolate::values(text, inside).map_err(missing);
    let argv = declared
        .argv
        .iter()
        .map(filled)
        .collect::<Result<Vec<_>, _>>()?;
    let (program, args) = if declared.shell {
        shell(&argv.join(" "))
    } else {
        let (program, args) = argv
            .split_first()
            .ok_or_else(|| Failure::new(SpawnFailure::Other, "it names no program"))?;
        (program.clone(), args.iter().map(OsString::from).collect())
    };
    Ok(Prepared {
        program: process::resolve(&program, &cwd, &env)?,
        args,
        cwd,
        env,
        shown: argv,
    })
}

/// The programs that the evidence of checks depends on, each looked for once.
#[derive(Debug, Default)]
pub struct Programs {
    /// By name, PATH and, where the name leads from there, working directory.
    found: HashMap<(String, Option<OsString>, Option<PathBuf>), Option<Program>>,
}

impl Programs {
    /// The program that the evidence of a check depends on, as it is on this machine now: the tool that it says it needs,
    /// else what it runs. None where it runs none, where it is not there, or where only a run knows its name.
    pub fn of(&mut self, check: &Check, folder: &Path) -> Option<Program> {
        let Probe::Run(probe) = &check.probe else {
            return None;
        };
        let filled = |text: &str| {
            let variable = |name: &str| std::env::var(name.strip_prefix("env.")?).ok();
            interpolate::values(text, variable).ok()
        };
        let name = match (&check.needs_tool, probe.shell) {
            (Some(tool), _) => tool.name.clone(),
            (None, true) => shell("").0,
            (None, false) => filled(probe.argv.first()?)?,
        };
        let set = check.env.iter();
        let env = Environment {
            clean: check.clean_env,
            set: set
                .filter_map(|(name, value)| Some((name.clone(), filled(value)?)))
                .collect(),
        };
        let cwd = match &check.cwd {
            Some(cwd) => folder.join(filled(cwd)?),
            None => folder.to_path_buf(),
        };
        let from_here = name.contains(std::path::is_separator).then(|| cwd.clone());
        let found = self
            .found
            .entry((name.clone(), env.get("PATH"), from_here))
            .or_insert_with(|| found(&name, &cwd, &env, folder));
        found.clone()
    }
}

fn found(name: &str, cwd: &Path, env: &Environment, folder: &Path) -> Option<Program> {
    let path = process::resolve(name, cwd, env).ok()?;
    Some(Program {
        stamp: stamp(&path, folder)?,
        path: path.display().to_string(),
        version: None,
    })
}

/// What tells one version of a program from another. A script of the project is known by what is in it, since a checkout
/// gives it another time.
fn stamp(path: &Path, folder: &Path) -> Option<String> {
    let file = std::fs::metadata(path).ok()?;
    if path.starts_with(folder) {
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader(std::fs::File::open(path).ok()?).ok()?;
        return Some(format!("blake3:{}", hasher.finalize().to_hex()));
    }
    let changed = jiff::Timestamp::try_from(file.modified().ok()?).ok()?;
    Some(format!("{} bytes of {changed}", file.len()))
}

/// The system's shell, given a script.
fn shell(script: &str) -> (String, Vec<OsString>) {
    if cfg!(windows) {
        ("cmd".to_string(), vec!["/C".into(), script.into()])
    } else {
        ("/bin/sh".to_string(), vec!["-c".into(), script.into()])
    }
}
