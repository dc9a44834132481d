//! The keys of a check: which there are, and the manifest's laid over those of its library definition.

use std::collections::BTreeMap;

use super::item::Item;

/// The keys that say how a check looks: exactly one of them, or `use`.
pub(super) const PROBES: [&str; 7] = ["run", "http", "file", "variable", "manual", "port", "tool"];
/// Keys of a check that belong to one probe, or that `use` brings along.
const PROBE_KEYS: [&str; 17] = [
    "run",
    "http",
    "file",
    "variable",
    "manual",
    "port",
    "tool",
    "shell",
    "files",
    "method",
    "headers",
    "body",
    "redirects",
    "in",
    "reader",
    "listen",
    "cleanup",
];
/// Keys whose tables are merged key by key with the library's; every other replaces it.
const MERGED: [&str; 4] = ["with", "env", "expect", "limits"];
/// Every key of a check.
pub(super) const KEYS: [&str; 48] = [
    "component",
    "says",
    "tags",
    "owner",
    "weight",
    "priority",
    "risk",
    "fix",
    "blocking",
    "optional",
    "claim",
    "aliases",
    "use",
    "with",
    "run",
    "shell",
    "files",
    "listen",
    "reader",
    "http",
    "method",
    "headers",
    "body",
    "redirects",
    "file",
    "port",
    "tool",
    "variable",
    "in",
    "manual",
    "expect",
    "limits",
    "pass_at",
    "at_least",
    "expected_skips",
    "level",
    "needs",
    "applies",
    "os",
    "on_demand",
    "alone",
    "locks",
    "timeout",
    "retries",
    "leaves_running",
    "cwd",
    "env",
    "clean_env",
];
/// The rest of them.
pub(super) const MORE_KEYS: [&str; 7] = [
    "inputs",
    "max_age",
    "secrets",
    "needs_tool",
    "control",
    "cannot_tell",
    "cleanup",
];

/// A check's keys: single values, and tables that were merged key by key.
pub(super) struct Keys<'a> {
    pub(super) single: BTreeMap<&'a str, Item<'a>>,
    merged: BTreeMap<&'a str, BTreeMap<&'a str, Item<'a>>>,
    pub(super) library_level: Option<Item<'a>>,
}

impl<'a> Keys<'a> {
    /// Lays the manifest's keys over the library's. Beside `use`, keys of probes are errors.
    pub(super) fn merge(
        library: Vec<Item<'a>>,
        manifest: Vec<Item<'a>>,
        uses: Option<&str>,
    ) -> Keys<'a> {
        let mut keys = Keys {
            single: BTreeMap::new(),
            merged: BTreeMap::new(),
            library_level: None,
        };
        for item in library {
            if item.key == "level" {
                keys.library_level = Some(item);
            } else {
                keys.put(item);
            }
        }
        for item in manifest {
            match uses {
                Some(name) if PROBE_KEYS.contains(&item.key) => item.key_problem(
                    format!("`{}` cannot stand beside `use`", item.key),
                    Some(format!("`{name}` brings its own; set its parameters in `with`, or write the check out without `use`")),
                ),
                _ => keys.put(item),
            }
        }
        keys
    }

    fn put(&mut self, item: Item<'a>) {
        if MERGED.contains(&item.key) && item.is_table() {
            let fields = item.table().into_iter().flatten();
            self.merged
                .entry(item.key)
                .or_default()
                .extend(fields.map(|field| (field.key, field)));
            self.single.insert(item.key, item);
        } else {
            self.single.insert(item.key, item);
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<&Item<'a>> {
        self.single.get(key)
    }

    pub(super) fn fields(&self, key: &str) -> impl Iterator<Item = &Item<'a>> {
        if let Some(item) = self.single.get(key).filter(|item| !item.is_table()) {
            // Not a table: its own accessor says so.
            let _ = item.table();
        }
        self.merged.get(key).into_iter().flat_map(BTreeMap::values)
    }
}
