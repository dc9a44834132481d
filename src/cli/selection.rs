//! Which checks a command line means.

use std::collections::BTreeSet;

use clap::Args;

use super::Usage;
use crate::domain::project::Project;

/// Checks by name, component or tag: whatever any of them names. Without any: all.
#[derive(Args, Debug, Default)]
pub(super) struct Selection {
    /// Checks, by id [default: all]
    #[arg(value_name = "CHECK")]
    pub(super) checks: Vec<String>,
    /// The checks of a component, beside those named
    #[arg(long, value_name = "ID")]
    pub(super) component: Vec<String>,
    /// The checks with a tag, beside those named
    #[arg(long, value_name = "WORD")]
    pub(super) tag: Vec<String>,
}

impl Selection {
    /// The places of the selected checks; none where nothing was selected and so all are meant.
    pub(super) fn places(&self, project: &Project) -> Result<Option<BTreeSet<usize>>, Usage> {
        if self.checks.is_empty() && self.component.is_empty() && self.tag.is_empty() {
            return Ok(None);
        }
        let ids = || project.checks.iter().map(|check| check.id.as_str());
        if let Some(id) = self.checks.iter().find(|id| project.check(id).is_none()) {
            if project.service(id).is_some() {
                let needing = project
                    .checks
                    .iter()
                    .filter(|check| check.needs.contains(id));
                let needing = needing.map(|check| check.id.as_str()).collect::<Vec<_>>();
                return Err(Usage::new(
                    format!("`{id}` is a service, no check: it is started for what needs it"),
                    Some(format!("checks that need it: {}", needing.join(", "))),
                ));
            }
            let hint =
                nearest(id, ids()).unwrap_or_else(|| "`ready list` names the checks".to_string());
            return Err(Usage::new(format!("there is no check `{id}`"), Some(hint)));
        }
        // A check without a component is one by itself.
        let own = || {
            project
                .checks
                .iter()
                .filter(|check| check.component.is_none())
        };
        let declared = || {
            project
                .components
                .iter()
                .map(|component| component.id.as_str())
        };
        let known = || declared().chain(own().map(|check| check.id.as_str()));
        if let Some(id) = self
            .component
            .iter()
            .find(|id| !known().any(|known| known == *id))
        {
            let hint = nearest(id, known()).unwrap_or_else(|| {
                format!("components: {}", declared().collect::<Vec<_>>().join(", "))
            });
            return Err(Usage::new(
                format!("there is no component `{id}`"),
                Some(hint),
            ));
        }
        let selected = project.checks.iter().enumerate().filter(|(_, check)| {
            self.checks.contains(&check.id)
                || (check.component.is_none() && self.component.contains(&check.id))
                || check
                    .component
                    .as_ref()
                    .is_some_and(|component| self.component.contains(component))
                || check.tags.iter().any(|tag| self.tag.contains(tag))
        });
        let places = selected.map(|(at, _)| at).collect::<BTreeSet<_>>();
        if places.is_empty() {
            return Err(Usage::new(
                "no check was selected: there is nothing to judge",
                Some("`ready list` names checks, components and tags".to_string()),
            ));
        }
        Ok(Some(places))
    }
}

/// `did you mean …?`, where something known is near enough.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    crate::manifest::nearest(word, known)
}
