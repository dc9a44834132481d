//! From a project as it is found to its first report: what `ready init` sees in five of them, that the manifest runs as it
//! is written, with real tools, and what becomes of the verdicts once somebody mends what is not as it should be.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that cannot set up has failed")]

#[path = "support/server.rs"]
mod server;
#[path = "support/tools.rs"]
mod tools;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use server::{Answer, Server};

/// A project, and what is known of it beforehand.
struct Case {
    /// Its folder in `tests/projects`.
    name: &'static str,
    tools: &'static [&'static str],
    /// What `npm ci` would install: a link in the project, and what it leads to among the tools.
    installed: Option<(&'static str, &'static str)>,
    /// What is found: the check's id, the library check, and its parameters; what `ready check` then says of it.
    found: &'static [(&'static str, &'static str, &'static str, &'static str)],
    /// The library checks that are called for, and of which no file tells all: they are written as comments.
    asked: &'static [&'static str],
}

const PYTHON: Case = Case {
    name: "python-service",
    tools: &["pytest", "pip-audit", "docker"],
    installed: None,
    found: &[
        ("docker-build", "docker-build", "", NO_ENGINE),
        ("docs-present", "docs-present", "", "verified held"),
        ("dotenv-keys", "dotenv-keys", "", "failed absent"),
        ("links", "links", "", "verified held"),
        ("pip-audit", "pip-audit", "", "verified held 1/0/0"),
        ("pytest", "pytest", "", "verified held 12/0/0"),
    ],
    asked: &["http-health"],
};

const NODE: Case = Case {
    name: "node-front-end",
    tools: &["node", "npm", "vitest"],
    installed: Some(("node_modules", "node-tools/node_modules")),
    found: &[
        ("docs-present", "docs-present", "", "verified held"),
        ("links", "links", "", "verified held"),
        // Packages for other systems stand in the lock file, too.
        ("npm-audit", "npm-audit", "", "failed findings 76/1/0"),
        ("npm-build", "npm-build", "", "verified held"),
        ("vitest", "vitest", "", "verified held 13/0/0"),
    ],
    asked: &[],
};

const RUST: Case = Case {
    name: "rust-workspace",
    tools: &["cargo-audit", "cargo", "rustc", "cc"],
    installed: None,
    found: &[
        ("cargo-audit", "cargo-audit", "", "verified held 2/0/0"),
        ("cargo-test", "cargo-test", "", "partial some-skipped 7/0/1"),
        ("docs-present", "docs-present", "", "verified held"),
        ("links", "links", "", "verified held"),
    ],
    asked: &[],
};

const GO: Case = Case {
    name: "go-module",
    tools: &["shellcheck", "docker", "go"],
    installed: None,
    found: &[
        ("docker-build", "docker-build", "", NO_ENGINE),
        ("docs-present", "docs-present", "", "verified held"),
        ("go-test", "go-test", "", "verified held 3/0/0"),
        ("links", "links", "", "verified held"),
        ("shellcheck", "shellcheck", "", "failed findings"),
    ],
    asked: &["http-health"],
};

const MONOREPO: Case = Case {
    name: "monorepo",
    tools: &[
        "pytest",
        "pip-audit",
        "actionlint",
        "shellcheck",
        "node",
        "npm",
        "nginx",
        "promtool",
        "docker",
    ],
    installed: Some(("web/node_modules", "node-tools/node_modules")),
    found: &[
        ("actionlint", "actionlint", "", "verified held"),
        (
            "compose-config",
            "compose-config",
            "file = compose.yaml",
            "failed expectation",
        ),
        (
            "docker-build-backend",
            "docker-build",
            "context = backend, file = backend/Dockerfile",
            NO_ENGINE,
        ),
        (
            "docker-build-deploy-nginx",
            "docker-build",
            "context = deploy/nginx, file = deploy/nginx/Dockerfile",
            NO_ENGINE,
        ),
        ("docs-present", "docs-present", "", "verified held"),
        ("dotenv-keys", "dotenv-keys", "", "failed absent"),
        ("links", "links", "", "verified held"),
        // The upstream is a name that only Compose's network knows.
        (
            "nginx-config",
            "nginx-config",
            "file = deploy/nginx/nginx.conf",
            "unverified cannot-tell",
        ),
        (
            "node-test",
            "node-test",
            "path = web",
            "verified held 3/0/0",
        ),
        (
            "npm-audit",
            "npm-audit",
            "path = web",
            "verified held 1/0/0",
        ),
        ("npm-build", "npm-build", "path = web", "verified held"),
        (
            "pip-audit",
            "pip-audit",
            "requirements = backend/requirements.txt",
            "verified held 3/0/0", // with what sentry-sdk needs
        ),
        (
            "promtool-rules",
            "promtool-rules",
            "files = monitoring/alerts.yml",
            "verified held 2/0/0",
        ),
        (
            "pytest",
            "pytest",
            "folder = backend",
            "verified held 10/0/0",
        ),
        (
            "runbook-links",
            "runbook-links",
            "",
            "failed all-failed 0/2/0",
        ),
        ("sentry-wired", "sentry-wired", "", "verified held"),
        ("shellcheck", "shellcheck", "", "verified held"),
    ],
    asked: &[],
};

const CASES: [&Case; 5] = [&PYTHON, &NODE, &RUST, &GO, &MONOREPO];

const NO_ENGINE: &str = "unverified cannot-tell";

/// The one advisory that the test's own services know besides none at all.
const NANOID: &str = r#"{"nanoid":[{"id":1,"url":"https://example.com/1","title":"Predictable ids","severity":"moderate","vulnerable_versions":"<3.3.8","cwe":[],"cvss":{"score":4.3,"vectorString":null}}]}"#;

/// A project in a folder of its own, as somebody has cloned it.
struct Project {
    case: &'static Case,
    folder: tempfile::TempDir,
    path: OsString,
    services: Server,
}

impl Project {
    /// None where a tool of it is missing, which is noted.
    fn clone(case: &'static Case) -> Option<Project> {
        let test = format!("init of {}", case.name);
        let programs = tools::find(&test, &[case.tools, &["git"]].concat())?;
        Some(Project::with(case, tools::path(&programs)))
    }

    fn with(case: &'static Case, path: OsString) -> Project {
        let folder = tempfile::tempdir().unwrap();
        let services = Server::start(vec![
            Answer::of("/-/npm/v1/security/advisories/bulk", NANOID),
            Answer::of("/v1/query", "{}"),
        ]);
        let project = Project {
            case,
            folder,
            path,
            services,
        };
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/projects");
        let copied = Command::new("cp")
            .arg("-R")
            .arg(source.join(case.name))
            .arg(project.folder.path())
            .status()
            .unwrap();
        assert!(copied.success());
        for args in [
            &["init", "--quiet"][..],
            &["add", "."],
            &["commit", "--quiet", "--message", "as it is"],
        ] {
            let mut git = Command::new("git");
            git.args(["-c", "user.name=x", "-c", "user.email=x@example.com"])
                .args(args)
                .env("GIT_CONFIG_GLOBAL", "/dev/null")
                .current_dir(project.root());
            assert!(git.status().unwrap().success(), "{args:?}");
        }
        if let Some((link, to)) = case.installed {
            let link = project.root().join(link);
            let _ = std::fs::remove_dir_all(&link);
            std::os::unix::fs::symlink(tools::cache().join(to), link).unwrap();
        }
        // The advisories that cargo-audit is given: one, about nothing that is in use.
        project.write(
            "../cargo/audit.toml",
            &format!(
                "[database]\npath = {:?}\nfetch = false\nstale = true\n[yanked]\nenabled = false\n",
                project.folder.path().join("cargo/advisories")
            ),
        );
        project.write(
            "../cargo/advisories/crates/smallvec/RUSTSEC-2019-0009.md",
            "```toml\n[advisory]\nid = \"RUSTSEC-2019-0009\"\npackage = \"smallvec\"\ndate = \"2019-06-06\"\n\n[versions]\npatched = [\">= 0.6.10\"]\n```\n\n# Double-free\n\nText.\n",
        );
        project
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join(self.case.name)
    }

    fn write(&self, file: &str, text: &str) {
        let file = self.root().join(file);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }

    fn text(&self, file: &str) -> String {
        std::fs::read_to_string(self.root().join(file)).unwrap()
    }

    /// Puts other words into a file.
    fn replace(&self, file: &str, words: &str, others: &str) {
        let text = self.text(file);
        assert!(text.contains(words), "{file}: {text}");
        self.write(file, &text.replace(words, others));
    }

    fn ready(&self, args: &[&str]) -> Output {
        let mut ready = Command::new(env!("CARGO_BIN_EXE_ready"));
        ready
            .args(args)
            .current_dir(self.root())
            .env("PATH", &self.path)
            .env("NO_COLOR", "1")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("DOCKER_HOST", "unix:///no/such/engine")
            .env("DOCKER_CONFIG", tools::cache().join("docker"))
            .env("PIP_AUDIT_VULNERABILITY_SERVICE", "osv")
            .env(
                "PIP_AUDIT_OSV_URL",
                format!("{}/v1/query", self.services.url()),
            )
            .env("npm_config_registry", self.services.url())
            .env("npm_config_fetch_retries", "0")
            .env("npm_config_update_notifier", "false")
            .env("npm_config_cache", self.folder.path().join("npm"))
            .env("CARGO_HOME", self.folder.path().join("cargo"))
            .stdin(Stdio::null());
        for name in [
            "CI",
            "GITHUB_ACTIONS",
            "READY_MANIFEST",
            "READY_GATE",
            "http_proxy",
            "NODE_OPTIONS",
            "CARGO_TARGET_DIR",
            "RUSTFLAGS",
        ] {
            ready.env_remove(name);
        }
        ready.output().unwrap()
    }

    /// `ready init`, which must write a manifest that loads without a word.
    fn init(&self) {
        let init = self.ready(&["init"]);
        assert_eq!(init.status.code(), Some(0), "{}", text(&init.stderr));
        assert_eq!(text(&init.stderr), "");
        let list = self.ready(&["list"]);
        assert_eq!((list.status.code(), text(&list.stderr)), (Some(0), ""));
    }

    /// What the manifest declares, as the case has it.
    fn declared(&self) -> Vec<(String, String, String)> {
        let manifest: toml::Table = toml::from_str(&self.text("readiness.toml")).unwrap();
        let checks = manifest["checks"].as_table().unwrap();
        let row = |(id, check): (&String, &toml::Value)| {
            let with = check.get("with").and_then(toml::Value::as_table);
            let with: Vec<_> = with
                .into_iter()
                .flatten()
                .map(|(param, value)| format!("{param} = {}", value.as_str().unwrap()))
                .collect();
            let name = check["use"].as_str().unwrap().to_string();
            (id.clone(), name, with.join(", "))
        };
        checks.iter().map(row).collect()
    }

    /// The JSON report of these arguments.
    fn report(&self, args: &[&str]) -> Value {
        let output = self.ready(&[args, &["--format", "json"]].concat());
        let said = text(&output.stderr);
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"))
    }

    /// Runs the checks of these names, all where there is none, and says what came of each that is declared.
    fn check(&self, names: &[&str]) -> BTreeMap<String, String> {
        let report = self.report(&[&["check"], names].concat());
        let rows = report["checks"].as_array().unwrap().iter();
        let outcome = |row: &Value| {
            let word = |value: &Value| value.as_str().unwrap().to_string();
            let mut outcome = format!("{} {}", word(&row["verdict"]), word(&row["reason"]["code"]));
            if let Some(counts) = row["counts"].as_object() {
                let figure = |name| counts[name].to_string();
                let counts = ["passed", "failed", "skipped"].map(figure);
                outcome += &format!(" {}", counts.join("/"));
            }
            (word(&row["id"]), outcome)
        };
        rows.map(outcome).collect()
    }

    /// Whether a check came to what was expected, counts only where they are.
    fn expect(&self, seen: &BTreeMap<String, String>, id: &str, expected: &str) {
        let seen = seen.get(id).map_or("none", String::as_str);
        let holds = seen == expected || seen.starts_with(&format!("{expected} "));
        let name = self.case.name;
        assert!(holds, "{name}, {id}: expected {expected}, got {seen}");
    }

    /// The names of the library checks that are listed as undeclared, and the table's lines about them.
    fn undeclared(&self) -> (Vec<String>, String) {
        let report = self.report(&["status"]);
        let listed = report["undeclared"].as_array().unwrap().iter();
        let names = listed.map(|called| called["check"].as_str().unwrap().to_string());
        let table = self.ready(&["status"]);
        let table = text(&table.stdout);
        let about = table.split_once("Not declared\n").map_or("", |(_, at)| at);
        let about = about.split("\n\n").next().unwrap_or_default();
        (names.collect(), about.to_string())
    }
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// Finds, writes, runs: the verdicts of a project as it is.
fn first_report(case: &'static Case) -> Option<Project> {
    let project = Project::clone(case)?;
    project.init();
    let found = case.found.iter();
    let found: Vec<_> = found
        .map(|(id, check, with, _)| (id.to_string(), check.to_string(), with.to_string()))
        .collect();
    assert_eq!(project.declared(), found, "{}", case.name);
    assert_eq!(project.undeclared().0, case.asked);

    let seen = project.check(&[]);
    assert_eq!(seen.len(), case.found.len(), "{seen:?}");
    for (id, _, _, expected) in case.found {
        project.expect(&seen, id, expected);
    }
    Some(project)
}

#[test]
fn a_python_service_lacks_its_settings_and_is_not_started() {
    let Some(project) = first_report(&PYTHON) else {
        return;
    };
    // The example as it is, which is how it begins.
    project.write(".env", &project.text(".env.example"));
    let seen = project.check(&["dotenv-keys"]);
    project.expect(&seen, "dotenv-keys", "failed expectation");
    project.replace(".env", "changeme", "test-only-1d5e0c7b9a");

    // How it is started stands in no file that could be looked for: it is added to what was written.
    project.replace(
        "readiness.toml",
        "# [checks.http-health]\n# use  = \"http-health\"\n# with = { url = \"<url>\" }\n",
        "[checks.http-health]\nuse   = \"http-health\"\nwith  = { url = \"http://127.0.0.1:{services.sharelink.port}/health\" }\nneeds = [\"sharelink\"]\n",
    );
    let service = r#"
[services.sharelink]
run     = ["python3", "-m", "sharelink"]
env     = { PYTHONPATH = "src", PORT = "{port}", SIGNING_KEY = "test-only-1d5e0c7b9a" }
port    = "auto"
healthy = { port = true, within = "60s" }
"#;
    project.write(
        "readiness.toml",
        &(project.text("readiness.toml") + service),
    );
    let seen = project.check(&["dotenv-keys", "http-health"]);
    project.expect(&seen, "dotenv-keys", "verified held");
    project.expect(&seen, "http-health", "verified held");
    // What belongs to the tree is no longer known of the tree as it is now, unless it runs again.
    project.expect(&seen, "pytest", "unverified stale");
}

#[test]
fn a_front_end_depends_on_something_vulnerable() {
    let Some(project) = first_report(&NODE) else {
        return;
    };
    project.replace("package.json", "\"3.3.7\"", "\"3.3.20\"");
    project.replace("package-lock.json", "\"3.3.7\"", "\"3.3.20\"");
    let seen = project.check(&["npm-audit"]);
    project.expect(&seen, "npm-audit", "verified held 77/0/0");
}

#[test]
fn a_rust_workspace_ignores_one_of_its_tests() {
    let Some(project) = first_report(&RUST) else {
        return;
    };
    let ignored = "    #[ignore = \"fails since 0.4: to be looked at\"]\n";
    project.replace("crates/tally/src/lib.rs", ignored, "");
    let seen = project.check(&["cargo-test"]);
    project.expect(&seen, "cargo-test", "verified held 8/0/0");
}

#[test]
fn a_go_module_has_a_script_that_removes_too_much() {
    let Some(project) = first_report(&GO) else {
        return;
    };
    project.replace("scripts/release.sh", "rm -rf $folder", "rm -rf \"$folder\"");
    let seen = project.check(&["shellcheck"]);
    project.expect(&seen, "shellcheck", "verified held");
}

#[test]
fn a_monorepo_lacks_the_file_that_compose_reads() {
    let Some(project) = first_report(&MONOREPO) else {
        return;
    };
    let set = "IMAGE_TAG=2.1.0\nSENTRY_DSN=https://3f9c1d7e@errors.polls.test/1\nPUBLIC_PORT=80\n";
    project.write(".env", set);
    let seen = project.check(&["dotenv-keys", "compose-config"]);
    project.expect(&seen, "dotenv-keys", "verified held");
    project.expect(&seen, "compose-config", "verified held 2/0/0");
}

#[test]
fn without_their_tools_the_same_manifests_verify_nothing_that_a_tool_would() {
    for case in CASES {
        let project = Project::with(case, OsString::from("/no/such/folder"));
        project.init();
        let report = project.report(&["check"]);
        let rows = report["checks"].as_array().unwrap();
        assert_eq!(rows.len(), case.found.len());
        let run = rows.iter().filter(|row| row["probe"] == "run");
        assert!(run.clone().count() > 0, "{}", case.name);
        for row in run {
            assert_eq!(row["verdict"], "unverified", "{}: {row:#}", case.name);
            assert_eq!(
                row["reason"]["code"], "tool-missing",
                "{}: {row:#}",
                case.name
            );
        }
    }
}

#[test]
fn what_a_manifest_leaves_out_is_listed_until_it_is_answered() {
    for (case, left_out) in [
        (&PYTHON, "pip-audit"),
        (&NODE, "vitest"),
        (&RUST, "cargo-audit"),
        (&GO, "shellcheck"),
        (&MONOREPO, "compose-config"),
    ] {
        let project = Project::with(case, OsString::from("/no/such/folder"));
        // A manifest of somebody's own declares nothing of what the files call for.
        let own = "[project]\nname = \"x\"\n\n[checks.own]\nsays = \"There is a manifest\"\nfile = \"readiness.toml\"\n";
        project.write("readiness.toml", own);
        let found = case.found.iter().map(|found| found.1);
        let mut called: Vec<_> = found.chain(case.asked.iter().copied()).collect();
        called.sort_unstable();
        called.dedup();
        let (listed, table) = project.undeclared();
        assert_eq!(listed, called, "{}", case.name);
        for name in called {
            let line = format!("  {name}: the files call for it (");
            assert!(table.contains(&line), "{table}");
        }

        // One of what `init` declares is taken out.
        std::fs::remove_file(project.root().join("readiness.toml")).unwrap();
        project.init();
        let whole = project.text("readiness.toml");
        let start = whole.find(&format!("[checks.{left_out}]\n")).unwrap();
        let end = start + whole[start..].find("\n\n").unwrap();
        let without = [&whole[..start], &whole[end..]].concat();
        // So do the gates ask for it no more.
        let without = without
            .replace(&format!("\"{left_out}\", "), "")
            .replace(&format!(", \"{left_out}\""), "")
            .replace(&format!("[\"{left_out}\"]"), "[]");
        project.write("readiness.toml", &without);
        let (listed, table) = project.undeclared();
        let mut open = [case.asked, &[left_out]].concat();
        open.sort_unstable();
        assert_eq!(listed, open, "{}", case.name);
        let line = format!("  {left_out}: the files call for it (");
        assert!(table.contains(&line), "{table}");

        // It is answered with a reason…
        let ignored = format!("{without}\n[ignore]\n{left_out} = \"done elsewhere\"\n");
        project.write("readiness.toml", &ignored);
        let (listed, table) = project.undeclared();
        assert_eq!(listed, case.asked);
        let line = format!("  {left_out}: ignored, done elsewhere");
        assert!(table.contains(&line), "{table}");
        let report = project.report(&["status"]);
        assert_eq!(report["ignored"][0]["check"], left_out);

        // … or declared.
        project.write("readiness.toml", &without);
        let add = project.ready(&["add", left_out]);
        assert_eq!(add.status.code(), Some(0), "{}", text(&add.stderr));
        assert_eq!(project.undeclared().0, case.asked);
    }
}
