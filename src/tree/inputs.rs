//! The files that a check says its result depends on, and their digest.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use globset::{GlobBuilder, GlobMatcher};

use super::{Tree, bytes, content, path, walked};

impl Tree {
    /// The digest of path, mode and content of the files that match one of the patterns, `blake3:…`. A file that git
    /// ignores is among them where a pattern names it, or names a folder in which git knows nothing. None where no file
    /// matches, and where it cannot be told.
    pub fn inputs(&self, patterns: &[String]) -> Option<String> {
        self.digest.as_ref()?;
        let mut inputs = BTreeMap::new();
        for pattern in patterns {
            inputs.extend(self.matching(&Pattern::new(pattern, &self.folder, &self.top)?)?);
        }
        let inputs = inputs.iter().map(|(path, entry)| (&**path, &**entry));
        (inputs.len() > 0).then(|| Tree::digest(inputs))
    }

    /// The names of the paths among these that match one of the patterns.
    pub(super) fn among<'p>(
        &self,
        paths: impl Iterator<Item = &'p Vec<u8>>,
        patterns: &[String],
    ) -> Vec<&'p Vec<u8>> {
        let patterns = patterns
            .iter()
            .filter_map(|pattern| Pattern::new(pattern, &self.folder, &self.top))
            .collect::<Vec<_>>();
        let matching = paths.filter(|path| patterns.iter().any(|pattern| pattern.matches(path)));
        matching.collect()
    }

    fn matching(&self, pattern: &Pattern) -> Option<Matching<'_>> {
        let below = self.files.range(pattern.fixed.clone()..);
        let below = below.take_while(|(path, _)| path.starts_with(&pattern.fixed));
        let mut known = below.peekable();
        if known.peek().is_some() {
            let matching = known.filter(|(path, _)| pattern.matches(path));
            return Some(
                matching
                    .map(|(path, entry)| (Cow::from(path), Cow::from(entry)))
                    .collect(),
            );
        }
        // Nothing that git knows: it is ignored, or not there.
        let on_disk = self.top.join(path(&pattern.fixed));
        if on_disk.is_file() {
            let (path, entry) = (pattern.fixed.clone(), content(&on_disk)?);
            return Some(BTreeMap::from([(Cow::from(path), Cow::from(entry))]));
        }
        if !on_disk.is_dir() {
            return Some(BTreeMap::new());
        }
        let found = walked(&on_disk, &[], false)?;
        let folder = path(&pattern.fixed);
        let found = found.into_iter().map(|(name, entry)| {
            let path = bytes(&folder.join(path(&name)));
            (Cow::from(path), Cow::from(entry))
        });
        Some(found.filter(|(path, _)| pattern.matches(path)).collect())
    }
}

/// Path → mode and content.
type Matching<'t> = BTreeMap<Cow<'t, [u8]>, Cow<'t, [u8]>>;

/// A pattern, relative to the top of the repository.
struct Pattern {
    /// What every path begins with that matches: up to the last folder without a wildcard, or the whole.
    fixed: Vec<u8>,
    /// What they match; none: they all do.
    glob: Option<GlobMatcher>,
}

impl Pattern {
    /// A pattern that is relative to a folder below the top. None where it leads out of the repository.
    fn new(pattern: &str, folder: &Path, top: &Path) -> Option<Pattern> {
        let mut parts = folder
            .strip_prefix(top)
            .ok()?
            .components()
            .map(|part| globset::escape(&part.as_os_str().to_string_lossy()))
            .collect::<Vec<_>>();
        for part in pattern.split('/') {
            match part {
                "" | "." => {}
                ".." => _ = parts.pop()?,
                part => parts.push(part.to_string()),
            }
        }
        let is_fixed = |part: &&String| !part.contains(['*', '?', '[', '{', '\\']);
        let fixed = parts.iter().take_while(is_fixed).collect::<Vec<_>>();
        let (whole, fixed_parts) = (fixed.len() == parts.len(), fixed.len());
        let mut fixed = fixed
            .iter()
            .map(|part| part.as_str())
            .collect::<Vec<_>>()
            .join("/");
        if !whole && !fixed.is_empty() {
            fixed.push('/');
        }
        // The commonest pattern, for which nothing must be compiled.
        if !whole && parts.last().is_some_and(|part| part == "**") && parts.len() == fixed_parts + 1
        {
            return Some(Pattern {
                fixed: fixed.into_bytes(),
                glob: None,
            });
        }
        let glob = match whole {
            // A folder stands for all in it.
            true => format!("{{{0},{0}/**}}", globset::escape(&fixed)),
            false => parts.join("/"),
        };
        let glob = GlobBuilder::new(&glob).literal_separator(true).build();
        Some(Pattern {
            fixed: fixed.into_bytes(),
            glob: Some(glob.ok()?.compile_matcher()),
        })
    }

    fn matches(&self, name: &[u8]) -> bool {
        match &self.glob {
            Some(glob) => glob.is_match(path(name)),
            None => name.starts_with(&self.fixed),
        }
    }
}
