//! A manifest, resolved: everything that a run and a judgement need, nothing left to look up.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::check::{Check, Probe, Source};
use super::gate::Gate;
use super::level::{Caps, Level};
use super::service::Service;
use super::waiver::Waiver;

/// The project and all that its manifest declares.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Project {
    /// Its name.
    pub name: String,
    /// Sentences that are printed and never scored.
    pub limitations: Vec<String>,
    /// What a machine should have before a run.
    pub requires: Requires,
    /// What somebody claims for the whole, in percent.
    pub claim: Option<Claimed>,
    /// Patterns of the documents that make claims, relative to the manifest.
    pub documents: Vec<String>,
    /// Declared components, in order of the manifest.
    pub components: Vec<Component>,
    /// Declared checks, in order of the manifest.
    pub checks: Vec<Check>,
    /// Declared services, in order of the manifest.
    pub services: Vec<Service>,
    /// Declared gates, the default one first.
    pub gates: Vec<Gate>,
    /// Declared waivers.
    pub waivers: Vec<Waiver>,
    /// Library checks that it does without.
    pub ignored: Vec<Ignored>,
    /// The caps of the levels.
    pub caps: Caps,
    /// Files and folders, relative to the manifest, that git ignores and that checks need: they are copied where checks are
    /// proved.
    pub prove_copy: Vec<String>,
}

impl Project {
    /// The check of that id.
    pub fn check(&self, id: &str) -> Option<&Check> {
        self.checks.iter().find(|check| check.id == id)
    }

    /// Whether what a check sees stays as it is while the project's files do: it is a file, or a program that needs no
    /// service, waits for no call and takes nothing from our environment.
    pub fn depends_on_files_alone(&self, check: &Check) -> bool {
        let of_environment = |text: &String| text.contains("{env.");
        let alone = match &check.probe {
            Probe::Run(run) => {
                let mut texts = run.argv.iter().chain(check.env.values());
                run.listen.is_none() && !texts.any(of_environment)
            }
            Probe::File(_) => true,
            _ => false,
        };
        alone && !check.needs.iter().any(|need| self.service(need).is_some())
    }

    /// The service of that id.
    pub fn service(&self, id: &str) -> Option<&Service> {
        self.services.iter().find(|service| service.id == id)
    }
}

/// A library check that a project does without, whatever its files call for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ignored {
    /// Its name in the library.
    pub check: String,
    /// Why.
    pub reason: String,
}

/// A figure that the manifest claims.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Claimed {
    /// Percent.
    pub percent: f64,
    /// Where it stands.
    pub source: Source,
}

/// What a machine should have before a run; printed, never scored.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Requires {
    /// Programs and the versions that are asked for (`>= 3.11`, `*`).
    pub tools: Vec<(String, String)>,
    /// TCP ports that must be free.
    pub ports: Vec<u16>,
}

/// A capability: a row of the status table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Component {
    /// Kebab-case.
    pub id: String,
    /// The name in the table.
    pub title: String,
    /// Its share of the whole, > 0 and ≤ 1000.
    pub weight: f64,
    /// The row under which several components are shown together.
    pub group: Option<String>,
    /// What somebody claims for it, in percent.
    pub claim: Option<f64>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Names that documents use for it.
    pub aliases: Vec<String>,
    /// The level that is all there is to know.
    pub enough: Option<Level>,
    /// Where it was declared.
    pub source: Source,
}

/// The time limit of a check that states none.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(600);
/// The time limit of an HTTP probe that states none: nobody waits ten minutes for an answer.
pub const HTTP_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a call may take to arrive where the manifest does not say.
pub const LISTEN_WITHIN: Duration = Duration::from_secs(15);
/// How long evidence counts that depends on the outside.
pub const OUTSIDE_MAX_AGE: Duration = Duration::from_secs(24 * 3600);
