//! `--artifact` and `--environment`: what a run or a question is about, beside the project's files.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use anyhow::{Context, Result};
use clap::Args;
use sha2::{Digest, Sha256};

use super::Usage;
use crate::domain::about::{self, About};

/// What is judged, and where.
#[derive(Args, Debug, Default)]
pub(super) struct Asked {
    /// What is judged: `sha256:…`, an image with its digest (`registry/app@sha256:…`), or a file
    #[arg(
        long,
        value_name = "WHAT",
        env = "READY_ARTIFACT",
        hide_env_values = true
    )]
    artifact: Option<String>,
    /// Where it is judged, by a name of yours (`staging`)
    #[arg(long, value_name = "NAME", env = "READY_ENVIRONMENT", hide_env_values = true, value_parser = environment)]
    environment: Option<String>,
}

fn environment(text: &str) -> Result<String, String> {
    match text.is_empty() || text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        true => Err("a name is one word: write it like `staging`".to_string()),
        false => Ok(text.to_string()),
    }
}

impl Asked {
    /// What they say. A file is read for its digest.
    ///
    /// # Errors
    /// A [`Usage`] where the artifact is nothing that has a digest; another where its file cannot be read.
    pub(super) fn about(&self) -> Result<About> {
        let (artifact, name) = match self.artifact.as_deref().map(digest).transpose()? {
            Some((digest, name)) => (Some(digest), name),
            None => (None, None),
        };
        Ok(About {
            artifact,
            name,
            environment: self.environment.clone(),
        })
    }
}

fn digest(what: &str) -> Result<(String, Option<String>)> {
    if let Some(named) = about::digest(what) {
        return Ok(named);
    }
    let path = Path::new(what);
    if path.is_file() {
        let digest = of_file(path).with_context(|| format!("cannot read `{what}`"))?;
        return Ok((digest, Some(what.to_string())));
    }
    let (message, hint) = if path.is_dir() {
        (
            "is a folder, which has no digest",
            "name the file that is shipped",
        )
    } else if what.contains("sha256:") {
        (
            "does not end in a whole digest",
            "a digest is `sha256:` and 64 hexadecimal digits",
        )
    } else {
        (
            "is no digest, no image with its digest, and no file",
            "write `sha256:…`, `registry/app@sha256:…` (a tag alone can be moved to another image) or the path of a file",
        )
    };
    Err(Usage::new(format!("`{what}` {message}"), Some(hint.to_string())).into())
}

/// The digest of a file of any length, `sha256:…`.
fn of_file(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let (mut hasher, mut buffer) = (Sha256::new(), vec![0; 1 << 16]);
    loop {
        match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => hasher.update(&buffer[..n]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let hex = hasher
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect::<String>();
    Ok(format!("sha256:{hex}"))
}
