//! What is secret in a run: the values that a masker takes out of all that is kept and printed. Best effort.

use std::path::Path;

use crate::domain::check::Probe;
use crate::domain::interpolate;
use crate::domain::project::Project;
use crate::domain::report::Report;
use crate::mask::{Masker, names_a_secret};
use crate::probe::variable;

/// A masker for the values of variables that checks call secret or whose names do, wherever they are set: in the
/// environment, by a check, in a dotenv file that a check looks at; for passwords in addresses among them; and for headers
/// that carry credentials.
pub(super) fn masker(project: &Project, folder: &Path) -> Masker {
    let checks = || project.checks.iter();
    let services = || project.services.iter();
    let declared = |name: &str| {
        checks()
            .flat_map(|check| &check.secrets)
            .chain(services().flat_map(|service| &service.secrets))
            .any(|secret| secret == name)
    };
    // What only a run knows (the port of a service) is no secret; a text with one in it is taken as it stands.
    let filled = |text: &str| {
        let lookup = |name: &str| match name.strip_prefix("env.") {
            Some(variable) => std::env::var(variable).ok(),
            None => Some(format!("{{{name}}}")),
        };
        interpolate::values(text, lookup).ok()
    };
    let inherited = std::env::vars_os().filter_map(|(name, value)| {
        Some((
            name.into_string().ok()?,
            value.to_string_lossy().into_owned(),
        ))
    });
    let set = checks()
        .flat_map(|check| &check.env)
        .chain(services().flat_map(|service| &service.env))
        .filter_map(|(name, value)| Some((name.clone(), filled(value)?)));
    let in_files = checks().flat_map(|check| match &check.probe {
        Probe::Variable(probe) => {
            let folder = folder.join(check.cwd.as_deref().unwrap_or("."));
            probe
                .file
                .iter()
                .flat_map(|file| variable::of_file(&folder.join(file)))
                .collect::<Vec<(String, String)>>()
        }
        _ => vec![],
    });
    let mut values = vec![];
    for (name, value) in inherited.chain(set).chain(in_files) {
        values.extend(password(&value));
        if declared(&name) || names_a_secret(&name) {
            values.push(value);
        }
    }
    for check in checks() {
        let Probe::Http(probe) = &check.probe else {
            continue;
        };
        let credentials = probe
            .headers
            .iter()
            .filter(|(name, _)| carries_credentials(name));
        values.extend(credentials.filter_map(|(_, value)| filled(value)));
        if let Some(url) = filled(&probe.url) {
            values.extend(password(&url));
            let query = url.split_once('?').map_or("", |(_, query)| query);
            let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            values.extend(
                pairs
                    .filter(|(name, _)| names_a_secret(name))
                    .map(|(_, value)| value.to_string()),
            );
        }
    }
    Masker::new(values.iter().map(String::as_str))
}

fn carries_credentials(header: &str) -> bool {
    matches!(
        header,
        "authorization" | "proxy-authorization" | "cookie" | "x-api-key" | "x-auth-token"
    )
}

/// The password in an address such as `postgres://user:password@host`.
fn password(value: &str) -> Option<String> {
    let authority = value.split_once("://")?.1.split(['/', '?', '#']).next()?;
    let (user, _) = authority.rsplit_once('@')?;
    Some(user.split_once(':')?.1.to_string())
}

/// The report without secrets: definitions come from the manifest, where one may stand in plain words.
pub(super) fn masked(report: Report, masker: &Masker) -> Report {
    if masker.is_empty() {
        return report;
    }
    let masked = serde_json::to_value(&report).ok().and_then(|mut json| {
        mask_texts(&mut json, masker);
        serde_json::from_value(json).ok()
    });
    // It fails only where a secret is one of the report's own words (`verified`), which is no secret then.
    masked.unwrap_or(report)
}

fn mask_texts(json: &mut serde_json::Value, masker: &Masker) {
    match json {
        serde_json::Value::String(text) => {
            if let std::borrow::Cow::Owned(masked) = masker.text(text) {
                *text = masked;
            }
        }
        serde_json::Value::Array(list) => list.iter_mut().for_each(|item| mask_texts(item, masker)),
        serde_json::Value::Object(fields) => fields
            .values_mut()
            .for_each(|field| mask_texts(field, masker)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_found_in_addresses() {
        assert_eq!(
            password("postgres://app:hunter2@db/prod"),
            Some("hunter2".to_string())
        );
        assert_eq!(
            password("https://app:p@ss@host:443/x?a=b"),
            Some("p@ss".to_string())
        );
        for other in ["https://host/", "https://user@host/", "user:pw@host", ""] {
            assert_eq!(password(other), None, "{other}");
        }
    }
}
