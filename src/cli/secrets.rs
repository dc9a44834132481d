//! What is secret in a run: the values that a masker takes out of all that is kept and printed. Best effort.

use std::path::Path;

use crate::domain::check::Probe;
use crate::domain::interpolate;
use crate::domain::project::Project;
use crate::domain::report::Report;
use crate::domain::service::Health;
use crate::mask::{MASK, Masker, names_a_secret};
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
            let cwd = filled(check.cwd.as_deref().unwrap_or("."));
            let file = probe.file.as_deref().and_then(filled);
            let path = cwd.zip(file).map(|(cwd, file)| folder.join(cwd).join(file));
            path.iter()
                .flat_map(|path| variable::of_file(path))
                .collect::<Vec<(String, String)>>()
        }
        _ => vec![],
    });
    let mut values = vec![];
    for (name, value) in inherited.chain(set).chain(in_files) {
        values.extend(passwords(&value));
        if declared(&name) || names_a_secret(&name) {
            values.push(value);
        }
    }
    let of_checks = checks().filter_map(|check| match &check.probe {
        Probe::Http(probe) => Some(probe),
        _ => None,
    });
    let of_services = services().filter_map(|service| match &service.health {
        Health::Http(probe) => Some(&**probe),
        _ => None,
    });
    for probe in of_checks.chain(of_services) {
        let credentials = probe
            .headers
            .iter()
            .filter(|(name, _)| carries_credentials(name));
        let credentials = credentials.filter_map(|(_, value)| filled(value));
        values.extend(credentials.flat_map(|value| pieces(&value)));
        if let Some(url) = filled(&probe.url) {
            values.extend(passwords(&url));
            let query = url.split_once('?').map_or("", |(_, query)| query);
            let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            let secret = pairs.filter(|(name, _)| names_a_secret(name));
            values.extend(secret.flat_map(|(_, value)| [value.to_string(), decoded(value)]));
        }
    }
    Masker::new(values.iter().map(String::as_str))
}

fn carries_credentials(header: &str) -> bool {
    matches!(header, "authorization" | "proxy-authorization" | "cookie") || names_a_secret(header)
}

/// What a header with credentials holds: all of it, what follows the scheme (`Bearer …`), and the value of each cookie.
fn pieces(value: &str) -> Vec<String> {
    let after_scheme = value.split_once(' ').map(|(_, rest)| rest.trim());
    let cookies = value.split(';').filter_map(|pair| pair.split_once('='));
    let pieces = after_scheme
        .into_iter()
        .chain(cookies.map(|(_, value)| value.trim()));
    std::iter::once(value)
        .chain(pieces)
        .map(str::to_string)
        .collect()
}

/// The passwords in an address such as `postgres://user:password@host` or `host=db password=…`, as they stand there and as
/// they are sent.
fn passwords(value: &str) -> Vec<String> {
    /// From this length on, a user without a password is a token.
    const TOKEN: usize = 20;
    let authority = value
        .split_once("://")
        .and_then(|(_, rest)| rest.split(['/', '?', '#']).next());
    let user = authority.and_then(|authority| Some(authority.rsplit_once('@')?.0));
    let in_address = user.and_then(|user| match user.split_once(':') {
        Some((_, password)) => Some(password),
        None => (user.len() >= TOKEN).then_some(user),
    });
    let pairs = value
        .split([' ', ';'])
        .filter_map(|pair| pair.split_once('='));
    let in_pairs = pairs.filter(|(name, _)| {
        matches!(
            &*name.to_ascii_lowercase(),
            "password" | "pwd" | "accountkey" | "sharedaccesskey"
        )
    });
    let found = in_address
        .into_iter()
        .chain(in_pairs.map(|(_, value)| value));
    found
        .flat_map(|found| [found.to_string(), decoded(found)])
        .collect()
}

/// Percent-encoded text as what it stands for; what is not encoded stays.
fn decoded(text: &str) -> String {
    let mut bytes = vec![];
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let code = after
            .get(..2)
            .and_then(|code| std::str::from_utf8(code).ok());
        let byte = code.and_then(|code| u8::from_str_radix(code, 16).ok());
        (rest, _) = match byte.filter(|_| *first == b'%') {
            Some(byte) => (&after[2..], bytes.push(byte)),
            None => (after, bytes.push(*first)),
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The report without secrets: definitions come from the manifest, where one may stand in plain words.
pub(super) fn masked(report: Report, masker: &Masker) -> Report {
    if masker.is_empty() {
        return report;
    }
    let masked = |spare_words| {
        let mut json = serde_json::to_value(&report).ok()?;
        mask_texts(&mut json, masker, spare_words);
        serde_json::from_value(json).ok()
    };
    // A secret can be one of the report's own words (`verified`). Then it is no secret where it is such a word and no more.
    masked(false).or_else(|| masked(true)).unwrap_or(report)
}

fn mask_texts(json: &mut serde_json::Value, masker: &Masker, spare_words: bool) {
    let is_word = |text: &str| {
        text.bytes()
            .all(|b| b.is_ascii_lowercase() || b"-_".contains(&b))
    };
    match json {
        serde_json::Value::String(text) => {
            if let std::borrow::Cow::Owned(masked) = masker.text(text)
                && !(spare_words && masked == MASK && is_word(text))
            {
                *text = masked;
            }
        }
        serde_json::Value::Array(list) => list
            .iter_mut()
            .for_each(|item| mask_texts(item, masker, spare_words)),
        serde_json::Value::Object(fields) => fields
            .values_mut()
            .for_each(|field| mask_texts(field, masker, spare_words)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_found_in_addresses() {
        for (address, found) in [
            ("postgres://app:hunter2@db/prod", ["hunter2", "hunter2"]),
            ("https://app:p%40ss@host:443/x?a=b", ["p%40ss", "p@ss"]),
            ("https://app:p@ss@host:443/x?a=b", ["p@ss", "p@ss"]),
            (
                "https://0123456789abcdef0123@host/",
                ["0123456789abcdef0123"; 2],
            ),
            ("host=db user=app password=hunter2", ["hunter2"; 2]),
            ("Server=db;Password=a=b;Database=x", ["a=b"; 2]),
        ] {
            assert_eq!(passwords(address), found, "{address}");
        }
        for other in ["https://host/", "https://user@host/", "user:pw@host", ""] {
            assert_eq!(passwords(other), [""; 0], "{other}");
        }
    }

    #[test]
    fn what_a_header_lets_in_with_is_found() {
        assert!(pieces("Bearer abc.def").contains(&"abc.def".to_string()));
        let cookies = pieces("a=first; session=second=2");
        assert!(
            ["first", "second=2"]
                .iter()
                .all(|value| cookies.contains(&value.to_string()))
        );
        assert!(carries_credentials("x-api-key") && carries_credentials("private-token"));
        assert!(!carries_credentials("accept") && !carries_credentials("content-type"));
    }

    #[test]
    fn percent_signs_that_encode_nothing_stay() {
        assert_eq!(decoded("50%, %zz, %4"), "50%, %zz, %4");
        assert_eq!(decoded("%C3%BC%2f"), "ü/");
    }
}
