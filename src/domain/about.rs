//! What is judged and where, where a run or a question says so: an artifact by its digest, an environment by its name.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a report is about, beside the project's files.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct About {
    /// An image or a file, by its digest: `sha256:…`.
    pub artifact: Option<String>,
    /// What it was called when it was named: an image without its digest, a path.
    pub name: Option<String>,
    /// `staging`.
    pub environment: Option<String>,
}

impl About {
    /// In words for people: `artifact registry/app (sha256:0123456789ab), environment staging`. None where nothing is said.
    pub fn words(&self) -> Option<String> {
        let artifact = self.artifact.as_deref().map(|digest| match &self.name {
            Some(name) => format!("artifact {name} ({})", short(digest)),
            None => format!("artifact {}", short(digest)),
        });
        let environment = self.environment.as_ref();
        let environment = environment.map(|name| format!("environment {name}"));
        let words = artifact.into_iter().chain(environment).collect::<Vec<_>>();
        (!words.is_empty()).then(|| words.join(", "))
    }
}

/// The digest that a text is or that an image's name ends in, lower case, and that name. None where it is neither.
pub fn digest(text: &str) -> Option<(String, Option<String>)> {
    let (name, digest) = match text.rsplit_once('@') {
        Some((name, digest)) if !name.is_empty() => (Some(name.to_string()), digest),
        Some(_) => return None,
        None => (None, text),
    };
    let hex = digest.strip_prefix("sha256:")?;
    let whole = hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    whole.then(|| (digest.to_ascii_lowercase(), name))
}

/// A digest short enough to be told apart by eye: `sha256:0123456789ab`.
pub fn short(digest: &str) -> &str {
    const SHOWN: usize = "sha256:".len() + 12;
    digest.get(..SHOWN).unwrap_or(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_found_by_itself_and_behind_the_name_of_an_image() {
        let hex = "0123456789abcdef".repeat(4);
        let plain = format!("sha256:{hex}");
        let named = |name: &str| Some((plain.clone(), Some(name.to_string())));
        let cases = [
            (plain.clone(), Some((plain.clone(), None))),
            (plain.replace('b', "B"), Some((plain.clone(), None))),
            (format!("app@{plain}"), named("app")),
            (
                format!("host:5000/a/b:1.2@{plain}"),
                named("host:5000/a/b:1.2"),
            ),
            (format!("@{plain}"), None),
            (format!("{plain}0"), None),
            (plain[..70].to_string(), None),
            (plain.replace('f', "g"), None),
            (format!("sha512:{hex}"), None),
            ("app:1.2".to_string(), None),
            (String::new(), None),
        ];
        for (text, wanted) in cases {
            assert_eq!(digest(&text), wanted, "{text}");
        }
    }

    #[test]
    fn it_is_told_in_one_line() {
        let about = |artifact: Option<&str>, name: Option<&str>, environment: Option<&str>| {
            let text = |text: Option<&str>| text.map(str::to_string);
            About {
                artifact: text(artifact),
                name: text(name),
                environment: text(environment),
            }
            .words()
        };
        assert_eq!(about(None, None, None), None);
        let digest = "sha256:0123456789abcdef";
        assert_eq!(
            about(Some(digest), Some("app"), Some("staging")).as_deref(),
            Some("artifact app (sha256:0123456789ab), environment staging")
        );
        assert_eq!(
            about(Some(digest), None, None).as_deref(),
            Some("artifact sha256:0123456789ab")
        );
        assert_eq!(
            about(None, None, Some("dev")).as_deref(),
            Some("environment dev")
        );
    }
}
