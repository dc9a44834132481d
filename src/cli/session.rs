//! What verbs share: the manifest, the state of the project's files, what the ledger knows, and a report out of them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::detection::Detection;
use super::{Global, Usage, documents, selection};
use crate::claims::block;
use crate::domain::about::About;
use crate::domain::check::{Probe, ReaderInput};
use crate::domain::evidence::Binding;
use crate::domain::gate::{DEFAULT, Gate};
use crate::domain::project::Project;
use crate::domain::report::{CalledFor, Host};
use crate::manifest::detect::Found;
use crate::manifest::{self, Formats, Library, Loaded, Problems, definition_digest};
use crate::probe::{Programs, file};
use crate::reader;
use crate::tree::{self, Tree};

/// A loaded manifest with the project's files around it.
pub(super) struct Session {
    pub(super) project: Project,
    /// The manifest; none where there is none.
    pub(super) manifest: Option<PathBuf>,
    /// The manifest's folder, absolute.
    pub(super) folder: PathBuf,
    pub(super) manifest_digest: String,
    /// Whether the check at each place applies.
    pub(super) applicable: Vec<bool>,
    /// The library that it is resolved against.
    pub(super) library: Library,
    /// What the checks were made of where there is no manifest.
    pub(super) detected: Vec<Found>,
}

impl Session {
    /// Finds and loads the manifest.
    pub(super) fn open(global: &Global) -> Result<Session> {
        Session::find(global)?.ok_or_else(|| no_manifest().into())
    }

    /// Finds and loads the manifest; none where there is none.
    pub(super) fn find(global: &Global) -> Result<Option<Session>> {
        manifest(global)?.as_deref().map(Session::load).transpose()
    }

    /// Finds and loads the manifest or, where there is none, makes one of what the files here call for.
    pub(super) fn open_or_detect(global: &Global) -> Result<Session> {
        Session::find(global)?.map_or_else(Session::detect, Ok)
    }

    pub(super) fn load(path: &Path) -> Result<Session> {
        let loaded = manifest::load(path, today(), formats())?;
        let folder =
            std::path::absolute(&loaded.folder).context("cannot tell the manifest's folder")?;
        let session = Session::of(
            loaded.project,
            folder,
            loaded.library,
            loaded.digest,
            vec![],
        );
        Ok(Session {
            manifest: Some(path.to_path_buf()),
            ..session
        })
    }

    fn detect() -> Result<Session> {
        let here = std::env::current_dir().context("cannot tell the working directory")?;
        let library = Library::built_in();
        let detection = Detection::of(&here, &library)?;
        if let Some(nothing) = detection.nothing() {
            return Err(nothing.into());
        }
        let text = detection.manifest(None);
        let name = format!("{} (detected)", manifest::FILE);
        let project = parse(&name, &text)?;
        let digest = manifest::digest(&text);
        Ok(Session::of(project, here, library, digest, detection.found))
    }

    fn of(
        project: Project,
        folder: PathBuf,
        library: Library,
        manifest_digest: String,
        detected: Vec<Found>,
    ) -> Session {
        // Without a manifest check that has conditions, nobody needs the list of files.
        let conditional = project.checks.iter().any(|check| check.applies.is_some());
        let files = if conditional {
            tree::files(&folder)
        } else {
            vec![]
        };
        let applies = |check: &crate::domain::check::Check| {
            check
                .applies
                .as_ref()
                .is_none_or(|applies| tree::any_matches(&files, &applies.files))
        };
        Session {
            applicable: project.checks.iter().map(applies).collect(),
            manifest: None,
            manifest_digest,
            project,
            folder,
            library,
            detected,
        }
    }

    /// The library checks that the project's files call for, each with the files that do.
    pub(super) fn called_for(&self, tree: &Tree) -> Result<Vec<CalledFor>> {
        let found = match (self.detected.is_empty(), tree.names()) {
            // What of it could be run is declared.
            (false, _) => self.detected.clone(),
            (true, Some(files)) => Detection::among(&files, &self.folder, &self.library)?.found,
            (true, None) => Detection::of(&self.folder, &self.library)?.found,
        };
        let mut called_for: Vec<CalledFor> = vec![];
        for places in found.chunk_by(|a, b| a.check == b.check) {
            let why = match places {
                [one] => one.file.clone(),
                [first, more @ ..] => format!("{} and {} more", first.file, more.len()),
                [] => continue,
            };
            called_for.push(CalledFor {
                check: places[0].check.clone(),
                why,
            });
        }
        Ok(called_for)
    }

    /// The state of the files that evidence is about; what a run itself writes is left out.
    pub(super) fn tree(&self) -> Tree {
        let folder = self.canonical();
        let at = |cwd: Option<&str>, file: &str| {
            tree::clean(&folder.join(cwd.unwrap_or(".")).join(file))
        };
        let results = self
            .project
            .checks
            .iter()
            .filter_map(|check| match &check.probe {
                Probe::Run(run) => match run.reader.as_ref().map(|reader| &reader.input) {
                    Some(ReaderInput::File(file)) => Some(at(check.cwd.as_deref(), file)),
                    _ => None,
                },
                _ => None,
            });
        let looked_at = self
            .project
            .checks
            .iter()
            .flat_map(|check| match &check.probe {
                Probe::File(probe) => {
                    file::matching(&probe.pattern, &at(check.cwd.as_deref(), "."))
                }
                Probe::Variable(probe) => probe
                    .file
                    .iter()
                    .map(|file| at(check.cwd.as_deref(), file))
                    .collect(),
                _ => vec![],
            });
        let looked_at = looked_at
            .filter(|file| file.is_file())
            .map(|file| tree::clean(&file))
            .collect::<Vec<_>>();
        let results = results.collect::<Vec<_>>();
        tree::snapshot(&folder, &results, &looked_at, &self.silenced(&looked_at))
    }

    fn canonical(&self) -> PathBuf {
        let canonical = self.folder.canonicalize();
        canonical.unwrap_or_else(|_| self.folder.clone())
    }

    /// The documents with a part that `ready` writes, and what they hold without it: renewing it changes nothing that was
    /// judged. Not those that a check says it looks at: for it that part is as good as any.
    fn silenced(&self, looked_at: &[PathBuf]) -> Vec<(PathBuf, Vec<u8>)> {
        if self.project.documents.is_empty() {
            return vec![];
        }
        let folder = self.canonical();
        let checks = self.project.checks.iter();
        let inputs = checks.flat_map(|check| check.inputs.iter().cloned());
        let inputs = tree::set_of(&inputs.collect::<Vec<_>>());
        let documents = self.project.documents.iter();
        let names = documents.flat_map(|pattern| documents::matching(pattern, &self.folder));
        let silenced = names.filter_map(|name| {
            let path = tree::clean(&folder.join(&name));
            let judged = inputs.is_match(&name) || looked_at.contains(&path);
            let content = block::without(&std::fs::read(&path).ok()?)?;
            (!judged).then_some((path, content))
        });
        silenced.collect()
    }

    /// What evidence is about that is had of each check now.
    pub(super) fn bindings(&self, tree: &Tree, about: &About) -> Vec<Binding> {
        let mut inputs: HashMap<&[String], Option<String>> = HashMap::new();
        let mut programs = Programs::default();
        let checks = self.project.checks.iter();
        let bindings = checks.map(|check| {
            let digest = inputs
                .entry(&check.inputs)
                .or_insert_with(|| tree.inputs(&check.inputs));
            Binding {
                definition: definition_digest(check, &self.project.services),
                inputs: digest.clone(),
                program: programs.of(check, &self.folder),
                artifact: about.artifact.clone(),
                environment: about.environment.clone(),
            }
        });
        bindings.collect()
    }
}

/// The gates that decide: the named one, else the default one, else all.
pub(super) fn deciding(gates: &[Gate], named: Option<&str>) -> Result<Vec<String>, Usage> {
    let names = || gates.iter().map(|gate| gate.name.as_str());
    match named {
        // A CI system that sets READY_GATE to nothing means none.
        Some("") => deciding(gates, None),
        Some(name) if names().any(|known| known == name) => Ok(vec![name.to_string()]),
        Some(name) => {
            let hint = selection::nearest(name, names())
                .unwrap_or_else(|| format!("gates: {}", names().collect::<Vec<_>>().join(", ")));
            Err(Usage::new(format!("there is no gate `{name}`"), Some(hint)))
        }
        None if gates
            .iter()
            .any(|gate| gate.name == DEFAULT && !gate.implied) =>
        {
            Ok(vec![DEFAULT.to_string()])
        }
        None => Ok(names().map(str::to_string).collect()),
    }
}

/// The gate that a floor under the score makes for one command line.
pub(super) fn floor(least: f64) -> Gate {
    Gate {
        name: "--min-score".to_string(),
        min_score: Some(least),
        ..Gate::default()
    }
}

/// What to say where a verb needs a manifest and there is none.
pub(super) fn no_manifest() -> Usage {
    let hint = "`ready check` runs what it detects here, `ready init` writes that down; `--manifest FILE` names one elsewhere";
    let message = format!("no {} here or in any folder above", manifest::FILE);
    Usage::new(message, Some(hint.to_string()))
}

/// The manifest that is named, else the nearest one; none where there is none.
pub(super) fn manifest(global: &Global) -> Result<Option<PathBuf>> {
    match &global.manifest {
        Some(path) if path.is_file() => Ok(Some(path.clone())),
        Some(path) => {
            Err(Usage::new(format!("there is no manifest `{}`", path.display()), None).into())
        }
        None => {
            let here = std::env::current_dir().context("cannot tell the working directory")?;
            Ok(manifest::find(&here).map(|found| shorter(&here, found)))
        }
    }
}

/// Reads a manifest that is not on disk.
pub(super) fn parse(name: &str, text: &str) -> Result<Project, Problems> {
    manifest::parse(name, text, today(), formats())
}

/// Reads a manifest that is elsewhere, with the folders of checks that it names.
pub(super) fn parse_with_folders(
    name: &str,
    text: &str,
    read: manifest::Folder<'_>,
) -> Result<Project, Problems> {
    manifest::parse_with_folders(name, text, read, today(), formats())
}

/// Reads a manifest as it would be with this text.
pub(super) fn load_text(path: &Path, text: &str) -> Result<Loaded> {
    manifest::load_text(path, text, today(), formats())
}

fn today() -> Date {
    Timestamp::now().to_zoned(TimeZone::UTC).date()
}

/// The readers that a manifest can name.
fn formats() -> Formats {
    Formats {
        names: || reader::names().into_iter().map(|(name, _)| name).collect(),
        exits: reader::exits,
        query: reader::json::check,
    }
}

/// The path relative to here where that is shorter to read.
fn shorter(here: &Path, path: PathBuf) -> PathBuf {
    match path.strip_prefix(here) {
        Ok(relative) => relative.to_path_buf(),
        Err(_) => path,
    }
}

/// This machine.
pub(super) fn host() -> Host {
    Host {
        name: host_name(),
        os: std::env::consts::OS.to_string(),
        arch: std::env::consts::ARCH.to_string(),
        ci: ci().map(str::to_string),
    }
}

#[cfg(unix)]
fn host_name() -> String {
    rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned()
}

#[cfg(not(unix))]
fn host_name() -> String {
    std::env::var("COMPUTERNAME").unwrap_or_else(|_| "unknown".to_string())
}

/// The CI system, by the variables that it sets.
fn ci() -> Option<&'static str> {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let known = [
        ("GITHUB_ACTIONS", "github"),
        ("GITLAB_CI", "gitlab"),
        ("BUILDKITE", "buildkite"),
        ("CIRCLECI", "circleci"),
        ("JENKINS_URL", "jenkins"),
        ("TF_BUILD", "azure"),
        ("TEAMCITY_VERSION", "teamcity"),
        ("CI", "unknown"),
    ];
    known
        .into_iter()
        .find(|(name, _)| set(name))
        .map(|(_, ci)| ci)
}
