//! The files that a check says its result depends on, and their digest.

use std::borrow::Cow;
use std::path::Path;

use globset::{GlobBuilder, GlobMatcher};

use super::{Entries, PASSED_OVER, Tree, bytes, content, path, walked};

impl Tree {
    /// The digest of path, mode and content of the files that match one of the patterns, `blake3:…`, those that git ignores
    /// among them; but not what tools put into folders of their own ([`PASSED_OVER`]), unless a pattern names the folder. None
    /// where no file matches, and where it cannot be told.
    pub fn inputs(&self, patterns: &[String]) -> Option<String> {
        self.digest.as_ref()?;
        let mut inputs = vec![];
        for pattern in patterns {
            self.matching(pattern, &mut inputs)?;
        }
        // In the order of their names, each once; what they hold is the same whichever pattern led to them.
        inputs.sort_unstable();
        inputs.dedup();
        let inputs = inputs.iter().map(|(path, entry)| (&**path, &**entry));
        (inputs.len() > 0).then(|| Tree::digest(inputs))
    }

    /// The patterns among these that no file matches.
    pub fn nowhere<'p>(&self, patterns: &'p [String]) -> Vec<&'p str> {
        let nothing = |pattern: &&String| !self.any_matches(pattern).unwrap_or(false);
        patterns
            .iter()
            .filter(nothing)
            .map(String::as_str)
            .collect()
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

    /// Whether any file matches; none where it cannot be told.
    fn any_matches(&self, written: &str) -> Option<bool> {
        let pattern = Pattern::new(written, &self.folder, &self.top)?;
        if self.known_matching(&pattern).next().is_some() {
            return Some(true);
        }
        let ignored = self.ignored_matching(&pattern, written)?;
        Some(!ignored.is_empty())
    }

    /// The files that match, among those that are known.
    fn known_matching<'t, 'p>(
        &'t self,
        pattern: &'p Pattern,
    ) -> impl Iterator<Item = (&'t Vec<u8>, &'t Vec<u8>)> + use<'t, 'p> {
        let below = self.files.range::<[u8], _>((
            std::ops::Bound::Included(&pattern.fixed[..]),
            std::ops::Bound::Unbounded,
        ));
        let below = below.take_while(|(path, _)| path.starts_with(&pattern.fixed));
        below.filter(|(path, _)| pattern.matches(path))
    }

    /// Adds the files that match, with what is in them; none where they cannot be told.
    fn matching<'t>(&'t self, written: &str, into: &mut Vec<Matching<'t>>) -> Option<()> {
        let pattern = Pattern::new(written, &self.folder, &self.top)?;
        into.extend(self.known_matching(&pattern).map(|(path, entry)| {
            // Git knows of a link where it leads; a check sees what is there.
            let there = match entry.starts_with(b"120000 ") {
                true => content(&self.top.join(super::path(path))),
                false => None,
            };
            let entry = there.map_or(Cow::from(entry), |there| {
                Cow::from([entry, &there[..]].concat())
            });
            (Cow::from(path), entry)
        }));
        let ignored = self.ignored_matching(&pattern, written)?.into_iter();
        into.extend(ignored.map(|(path, entry)| (Cow::from(path), Cow::from(entry))));
        Some(())
    }

    /// The files that git ignores and that match, with what is in them; none where there are too many.
    fn ignored_matching(&self, pattern: &Pattern, written: &str) -> Option<Entries> {
        let passed_over = PASSED_OVER
            .into_iter()
            .filter(|name| !written.split('/').any(|part| part == *name))
            .collect::<Vec<_>>();
        let mut ignored = self.ignored_below(pattern, &passed_over)?;
        ignored.retain(|path, _| pattern.matches(path) && !self.files.contains_key(path));
        Some(ignored)
    }

    /// The files that git ignores and that may match, with what is in them; none where there are too many.
    fn ignored_below(&self, pattern: &Pattern, passed_over: &[&'static str]) -> Option<Entries> {
        let mut found = Entries::new();
        let Some(ignored) = &self.ignored else {
            // Without git, whatever is there counts.
            let fixed = String::from_utf8_lossy(&pattern.fixed).into_owned();
            return self.on_disk(&fixed, passed_over);
        };
        for ignored in ignored {
            let folder = ignored.strip_suffix(b"/");
            let name = String::from_utf8_lossy(folder.unwrap_or(ignored)).into_owned();
            let names_tools = name.split('/').any(|part| passed_over.contains(&part));
            let may_match =
                ignored.starts_with(&pattern.fixed) || pattern.fixed.starts_with(ignored);
            if !may_match || names_tools || super::in_own_folder(ignored) {
                continue;
            }
            match folder {
                // Of a folder that is ignored as a whole, only the part is looked at that is asked for.
                Some(_) if pattern.fixed.starts_with(ignored) => {
                    let fixed = String::from_utf8_lossy(&pattern.fixed).into_owned();
                    found.extend(self.on_disk(&fixed, passed_over)?);
                }
                _ => found.extend(self.on_disk(&name, passed_over)?),
            }
        }
        Some(found)
    }

    /// A file, or all files of a folder, by its name relative to the top.
    fn on_disk(&self, name: &str, passed_over: &[&'static str]) -> Option<Entries> {
        let on_disk = self.top.join(name);
        if on_disk.is_file() {
            let name = name.as_bytes().to_vec();
            return Some(
                content(&on_disk)
                    .map(|entry| (name, entry))
                    .into_iter()
                    .collect(),
            );
        }
        if !on_disk.is_dir() {
            return Some(Entries::new());
        }
        let files = walked(&on_disk, &[], Some(passed_over))?;
        let below = |file: Vec<u8>| bytes(&Path::new(name).join(path(&file)));
        Some(
            files
                .into_iter()
                .map(|(file, entry)| (below(file), entry))
                .collect(),
        )
    }
}

/// A path, and its mode and content.
type Matching<'t> = (Cow<'t, [u8]>, Cow<'t, [u8]>);

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
