//! The JSON Schema of the manifest against the code that reads it: every key of the one is a key of the other.
#![allow(clippy::unwrap_used, reason = "a test that cannot set up has failed")]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use jiff::civil::date;
use readiness::domain::check::Exits;
use readiness::manifest::{Formats, Library, library, parse, schema};
use serde_json::Value;

#[path = "support/tools.rs"]
mod tools;

const FORMATS: Formats = Formats {
    names: || vec!["junit"],
    exits: |name| ["junit", "json"].contains(&name).then(Exits::default),
    query: |_| Ok(()),
};

fn text() -> String {
    schema(&Library::built_in(), &["junit", "jest"])
}

/// What is wrong with a manifest: messages and hints.
fn problems(manifest: &str) -> Vec<(String, String)> {
    match parse("readiness.toml", manifest, date(2026, 11, 22), FORMATS) {
        Ok(_) => vec![],
        Err(problems) => problems
            .iter()
            .map(|problem| {
                (
                    problem.message.clone(),
                    problem.hint.clone().unwrap_or_default(),
                )
            })
            .collect(),
    }
}

/// A key that is near no other, so that the hint lists what is known.
const NO_KEY: &str = "q0q0q0q0q0q0q0q0q0q0q0q0q0q0q0q0";

/// Tables of the schema, and manifests with `KEY` in such a table: all that any of them knows belongs there.
const TABLES: &[(&str, &[&str])] = &[
    ("", &["KEY = 1\n"]),
    ("/properties/project", &["[project]\nKEY = 1\n"]),
    ("/properties/requires", &["[requires]\nKEY = 1\n"]),
    ("/properties/claims", &["[claims]\nKEY = 1\n"]),
    ("/properties/score", &["[score]\nKEY = 1\n"]),
    (
        "/properties/score/properties/caps",
        &["[score.caps]\nKEY = 1\n"],
    ),
    ("/properties/library", &["[library]\nKEY = 1\n"]),
    (
        "/properties/waivers/additionalProperties",
        &["[waivers.a]\nKEY = 1\n"],
    ),
    (
        "/definitions/gate",
        &["[gate]\nKEY = 1\n", "[gates.a]\nKEY = 1\n"],
    ),
    ("/definitions/component", &["[components.a]\nKEY = 1\n"]),
    ("/definitions/check", &["[checks.a]\nKEY = 1\n"]),
    (
        "/definitions/check/properties/fix",
        &["[checks.a.fix]\nKEY = 1\n"],
    ),
    (
        "/definitions/check/properties/manual",
        &["[checks.a.manual]\nKEY = 1\n"],
    ),
    (
        "/definitions/check/properties/applies",
        &["[checks.a.applies]\nKEY = 1\n"],
    ),
    (
        "/definitions/needs_tool",
        &["[checks.a]\nsays = \"x\"\nrun = [\"x\"]\n[checks.a.needs_tool]\nKEY = 1\n"],
    ),
    (
        "/definitions/needs_tool/properties/install/anyOf/1",
        &[
            "[checks.a]\nsays = \"x\"\nrun = [\"x\"]\n[checks.a.needs_tool]\nname = \"x\"\ninstall = { KEY = 1 }\n",
        ],
    ),
    ("/properties/prove", &["[prove]\nKEY = 1\n"]),
    (
        "/definitions/control",
        &["[checks.a]\nsays = \"x\"\nrun = [\"x\"]\ncontrol = { KEY = 1 }\n"],
    ),
    (
        "/definitions/cannot_tell",
        &["[checks.a.cannot_tell]\nKEY = 1\n"],
    ),
    (
        "/definitions/check/properties/listen",
        &["[checks.a]\nrun = [\"x\"]\nlisten = { KEY = 1 }\n"],
    ),
    (
        "/definitions/check/properties/reader/anyOf/2",
        &["[checks.a]\nrun = [\"x\"]\nreader = { json = \"x\", KEY = 1 }\n"],
    ),
    ("/definitions/service", &["[services.a]\nKEY = 1\n"]),
    (
        "/definitions/service/properties/healthy",
        &["[services.a]\nrun = [\"x\"]\nhealthy = { KEY = 1 }\n"],
    ),
    (
        "/definitions/service/properties/stop",
        &["[services.a]\nrun = [\"x\"]\nport = 80\nstop = { KEY = 1 }\n"],
    ),
    (
        "/definitions/expect",
        &[
            "[checks.a]\nrun = [\"x\"]\nexpect = { KEY = 1 }\n",
            "[checks.a]\nhttp = \"http://x\"\nexpect = { KEY = 1 }\n",
            "[checks.a]\nfile = \"x\"\nexpect = { KEY = 1 }\n",
            "[checks.a]\nvariable = \"x\"\nexpect = { KEY = 1 }\n",
            "[checks.a]\nport = 80\nexpect = { KEY = 1 }\n",
            "[checks.a]\ntool = \"x\"\nexpect = { KEY = 1 }\n",
        ],
    ),
    (
        "/definitions/text",
        &["[checks.a]\nrun = [\"x\"]\nexpect = { stdout = { KEY = 1 } }\n"],
    ),
    (
        "/definitions/expected/anyOf/1",
        &["[checks.a]\nhttp = \"http://x\"\nexpect = { json = { \"$.a\" = { KEY = 1 } } }\n"],
    ),
];

#[test]
fn every_key_that_is_read_is_in_the_schema_and_every_other_is_not() {
    let schema: Value = serde_json::from_str(&text()).unwrap();
    for (place, manifests) in TABLES {
        let table = schema
            .pointer(place)
            .unwrap_or_else(|| panic!("no {place}"));
        assert_eq!(table["additionalProperties"], false, "{place}");
        let described = table["properties"]
            .as_object()
            .unwrap_or_else(|| panic!("no {place}"));
        let described = described
            .keys()
            .map(String::as_str)
            .collect::<BTreeSet<_>>();
        let mut known = BTreeSet::new();
        for manifest in *manifests {
            let problems = problems(&manifest.replace("KEY", NO_KEY));
            let hint = problems
                .iter()
                .find(|(message, _)| message.starts_with(&format!("unknown key `{NO_KEY}`")));
            let (_, hint) = hint.unwrap_or_else(|| panic!("{manifest}: {problems:?}"));
            let list = hint.strip_prefix("known here: ").unwrap();
            for key in list.split(", ") {
                let refused = |problems: &[(String, String)], words: &str| {
                    problems.iter().any(|(message, _)| message.contains(words))
                };
                let with_key = self::problems(&manifest.replace("KEY", key));
                assert!(
                    !refused(&with_key, &format!("unknown key `{key}`")),
                    "{place}: {key}"
                );
                // What is only planned is in no schema.
                if !refused(&with_key, &format!("`{key}` is not supported yet")) {
                    known.insert(key.to_string());
                }
            }
        }
        let known = known.iter().map(String::as_str).collect::<BTreeSet<_>>();
        assert_eq!(described, known, "{place}");
    }
}

#[test]
fn every_table_of_the_schema_is_held_against_the_code() {
    fn closed(value: &Value, place: String, places: &mut BTreeSet<String>) {
        match value {
            Value::Object(fields) => {
                if fields.get("additionalProperties") == Some(&Value::Bool(false)) {
                    places.insert(place.clone());
                }
                for (key, value) in fields {
                    closed(value, format!("{place}/{key}"), places);
                }
            }
            Value::Array(list) => {
                for (at, value) in list.iter().enumerate() {
                    closed(value, format!("{place}/{at}"), places);
                }
            }
            _ => {}
        }
    }
    let mut places = BTreeSet::new();
    closed(
        &serde_json::from_str(&text()).unwrap(),
        String::new(),
        &mut places,
    );
    let held = TABLES.iter().map(|(place, _)| place.to_string());
    assert_eq!(places, held.collect());
}

#[test]
fn it_names_what_the_library_and_the_readers_are() {
    let output = Command::new(env!("CARGO_BIN_EXE_ready"))
        .arg("schema")
        .current_dir(std::env::temp_dir())
        .output()
        .unwrap();
    assert!(output.status.success());
    let schema: Value = serde_json::from_slice(&output.stdout).unwrap();
    let named = schema
        .pointer("/definitions/check/properties/use/anyOf/0/enum")
        .unwrap();
    assert_eq!(named.as_array().unwrap().len(), library::BUILT_IN.len());
    let readers = schema.pointer("/definitions/readers/enum").unwrap();
    assert!(readers.as_array().unwrap().contains(&"junit".into()));
}

/// Manifests that load are fine by the schema; those with a mistake that it can see are not.
#[test]
fn a_validator_judges_manifests_as_ready_does() {
    let Some(tools) = tools::find(
        "a_validator_judges_manifests_as_ready_does",
        &["check-jsonschema"],
    ) else {
        return;
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("readiness.schema.json");
    std::fs::write(
        &file,
        schema(&Library::built_in(), &["junit", "jest", "libtest"]),
    )
    .unwrap();
    let judge = |args: &[&Path]| {
        let mut command = Command::new(&tools[0]);
        let output = command.args(args).output().unwrap();
        let words = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.success(), words)
    };
    let (fine, words) = judge(&[Path::new("--check-metaschema"), &file]);
    assert!(fine, "{words}");
    let with_schema = [Path::new("--schemafile"), &file];
    // Python's parser takes no byte order mark.
    let good = [
        "shop",
        "merge",
        "bare",
        "blocking",
        "named-gate",
        "no-gate",
        "services",
        "held",
    ];
    let mut good = good
        .map(|name| root.join(format!("tests/manifests/good/{name}.toml")))
        .to_vec();
    good.push(root.join("readiness.toml"));
    let all = with_schema
        .into_iter()
        .chain(good.iter().map(|path| path.as_path()));
    let (fine, words) = judge(&all.collect::<Vec<_>>());
    assert!(fine, "{words}");
    for name in [
        "unknown-keys",
        "types",
        "two-probes",
        "no-probe",
        "weights",
        "ignore",
        "no-project",
    ] {
        let bad = root.join(format!("tests/manifests/bad/{name}.toml"));
        let (fine, _) = judge(&[&with_schema[..], &[&bad]].concat());
        assert!(!fine, "{name} is fine by the schema");
    }
}
