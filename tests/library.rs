//! The library with its real tools. Each check has its cases in `tests/library/NAME.toml`: a good project, its own control,
//! nothing to do, a tool that cannot tell, and what else it must not be taken in by. Every case says which verdict it
//! must come to. `READY_LIBRARY=shellcheck,pytest cargo test --test library` runs those of these checks.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that cannot set up has failed")]

#[path = "support/docker.rs"]
mod docker;
#[path = "support/secure.rs"]
mod secure;
#[path = "support/server.rs"]
mod server;
#[path = "support/tools.rs"]
mod tools;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

use readiness::manifest::{Formats, Library, Seen};
use readiness::reader;
use serde::Deserialize;
use serde_json::Value;

use server::{Answer, Server};

/// The cases of a check.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    /// Why the check cannot be run here: then its cases are tried on what its tool's documentation shows.
    cannot_run: Option<String>,
    /// Why it cannot be proved on its control.
    cannot_prove: Option<String>,
    /// The programs that must be there.
    #[serde(default)]
    tools: Vec<String>,
    /// What prints the version that `seen` speaks of.
    version: Option<Vec<String>>,
    /// What every case begins with; its own is laid over it.
    #[serde(default)]
    every: Case,
    good: Option<Case>,
    control: Option<Case>,
    nothing: Option<Case>,
    cannot_tell: Option<Case>,
    #[serde(default)]
    more: BTreeMap<String, Case>,
}

/// A project, and what the check must say of it.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Case {
    /// Why there is no such case.
    left_out: Option<String>,
    files: BTreeMap<String, String>,
    /// Links within the project to what the tools were fetched into, by their place below it.
    links: BTreeMap<String, String>,
    with: BTreeMap<String, toml::Value>,
    /// Further lines of the check, TOML.
    also: String,
    /// All of the check, in place of `use`.
    check: Option<String>,
    env: BTreeMap<String, String>,
    /// What a server answers; `{server}` is its address. `{port}` is a port that is free.
    serve: Vec<Answer>,
    /// For how many days the certificate of a server is valid; `{tls}` is its port, `ca.pem` what it is trusted by.
    tls: Option<i64>,
    /// What is run in the project once its files are there, for a shell.
    setup: String,
    /// What stands in for a tool that cannot be had: it prints what the tool's documentation shows.
    documented: Option<Documented>,
    /// Whether a Docker engine runs.
    engine: bool,
    verdict: String,
    /// What the reason holds.
    reason: String,
    counts: Option<[u64; 3]>,
    measures: BTreeMap<String, f64>,
    /// The points at which exit 0 is no pass that it shows.
    points: Vec<u8>,
}

/// What a tool prints, as its documentation shows it.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Documented {
    #[serde(default)]
    stdout: String,
    #[serde(default)]
    stderr: String,
    #[serde(default)]
    exit: u8,
}

impl Documented {
    /// A program of the tool's name that prints it, in a folder for PATH.
    fn put(&self, folder: &Path, tool: &str) {
        let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
        write("stdout", &self.stdout);
        write("stderr", &self.stderr);
        let here = folder.display();
        let program = format!(
            "#!/bin/sh\ncat '{here}/stdout'\ncat '{here}/stderr' >&2\nexit {}\n",
            self.exit
        );
        write(tool, &program);
        let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(folder.join(tool), executable).unwrap();
    }
}

impl Case {
    /// This case on top of what every case begins with.
    fn over(&self, every: &Case) -> Case {
        let mut case = self.clone();
        let add = |own: &mut BTreeMap<String, String>, more: &BTreeMap<String, String>| {
            for (key, value) in more {
                own.entry(key.clone()).or_insert_with(|| value.clone());
            }
        };
        add(&mut case.files, &every.files);
        add(&mut case.links, &every.links);
        add(&mut case.env, &every.env);
        for (key, value) in &every.with {
            case.with
                .entry(key.clone())
                .or_insert_with(|| value.clone());
        }
        if case.serve.is_empty() {
            case.serve.clone_from(&every.serve);
        }
        case.also = format!("{}\n{}", every.also, case.also);
        if case.setup.is_empty() {
            case.setup.clone_from(&every.setup);
        }
        case.engine |= every.engine;
        case.tls = case.tls.or(every.tls);
        case
    }
}

/// The checks that `READY_LIBRARY` names; none: all.
fn only() -> Vec<String> {
    let only = std::env::var("READY_LIBRARY").unwrap_or_default();
    let names = only.split(',').filter(|name| !name.is_empty());
    names.map(str::to_string).collect()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/library")
}

/// The cases of every check, and those that belong to none.
fn all_cases() -> BTreeMap<String, Cases> {
    let files = std::fs::read_dir(folder()).unwrap();
    let cases = files.map(|file| {
        let file = file.unwrap().path();
        let text = std::fs::read_to_string(&file).unwrap();
        let name = file.file_stem().unwrap().to_str().unwrap().to_string();
        let cases = toml::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        (name, cases)
    });
    cases.collect()
}

fn named(cases: &Cases) -> Vec<(&str, &Case)> {
    let required = [
        ("good", &cases.good),
        ("control", &cases.control),
        ("nothing", &cases.nothing),
        ("cannot_tell", &cases.cannot_tell),
    ];
    let required = required
        .into_iter()
        .filter_map(|(name, case)| Some((name, case.as_ref()?)));
    let more = cases.more.iter().map(|(name, case)| (name.as_str(), case));
    required.chain(more).collect()
}

/// What a file of the library says, as it stands.
fn definition(name: &str) -> toml::Table {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("checks/{name}.toml"));
    toml::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

/// A project in which a check is tried, with `ready` made to run there.
struct Tried {
    folder: tempfile::TempDir,
    _kept: tempfile::TempDir,
    _server: Server,
    ready: Command,
    manifest: String,
}

impl Tried {
    /// Lays the case out; none where the engine that it needs is not here. On its control, the check's own is laid over it.
    fn set_up(check: &str, name: &str, case: &mut Case, path: &std::ffi::OsStr) -> Option<Tried> {
        let folder = tempfile::Builder::new()
            .prefix("ready-library-")
            .tempdir()
            .unwrap();
        let server = Server::start(case.serve.clone());
        let tls = case.tls.map(|days| secure::start(folder.path(), days));
        let tls = tls.map(|port| port.to_string()).unwrap_or_default();
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let free = free.local_addr().unwrap().port().to_string();
        let filled = |text: &str| {
            let text = text.replace("{server}", &server.url());
            text.replace("{tls}", &tls).replace("{port}", &free)
        };
        let control = definition(check).get("control").cloned();
        let control = control.filter(|_| name == "control");
        let of_control = |key: &str| control.as_ref()?.get(key).cloned();
        if let Some(with) = of_control("with") {
            case.with.extend(with.as_table().unwrap().clone());
        }
        if let Some(env) = of_control("env") {
            let env = env.as_table().unwrap().iter();
            let text = |value: &toml::Value| value.as_str().unwrap().to_string();
            case.env
                .extend(env.map(|(name, value)| (name.clone(), text(value))));
        }
        if let Some(signal) = of_control("signal") {
            case.reason = signal.as_str().unwrap().to_string();
        }
        let write = |file: &str, text: &str| {
            let file = folder.path().join(file);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, filled(text)).unwrap();
        };
        case.files.iter().for_each(|(file, text)| write(file, text));
        for (link, to) in &case.links {
            std::os::unix::fs::symlink(tools::cache().join(to), folder.path().join(link)).unwrap();
        }
        if !case.setup.is_empty() {
            let mut shell = Command::new("sh");
            shell
                .args(["-ec", &filled(&case.setup)])
                .current_dir(folder.path());
            for name in ["AUTHOR", "COMMITTER"] {
                shell.env(format!("GIT_{name}_NAME"), "ready");
                shell.env(format!("GIT_{name}_EMAIL"), "ready@example.org");
            }
            shell.env("PATH", path);
            if case.engine {
                shell.env("DOCKER_HOST", docker::engine(check)?.host());
            }
            assert!(
                shell.status().unwrap().success(),
                "{check}, {name}: {}",
                case.setup
            );
        }
        let mut manifest = String::from("[project]\nname = \"library\"\n[checks.it]\n");
        match &case.check {
            Some(own) => manifest += &filled(own),
            None => {
                let with = toml::Table::from_iter(case.with.clone());
                let with = inline(&with);
                manifest += &format!("use = \"{check}\"\nwith = {with}\n");
                manifest += &filled(&case.also);
            }
        }
        if !case.links.is_empty() {
            let links = case.links.keys().collect::<Vec<_>>();
            manifest += &format!("\n[prove]\ncopy = {links:?}\n");
        }
        let manifest = filled(&manifest);
        std::fs::write(folder.path().join("readiness.toml"), &manifest).unwrap();
        if control.is_some() {
            // Its files, by the names that they have with these parameters.
            let formats = Formats {
                names: || reader::names().into_iter().map(|(name, _)| name).collect(),
                exits: reader::exits,
                query: reader::json::check,
            };
            let today = jiff::Timestamp::now()
                .to_zoned(jiff::tz::TimeZone::UTC)
                .date();
            let loaded =
                readiness::manifest::load(&folder.path().join("readiness.toml"), today, formats);
            let control = loaded.unwrap().project.checks[0].control.clone().unwrap();
            control
                .files
                .iter()
                .for_each(|(file, text)| write(file, text));
        }
        // npm keeps advisories by their names, for whoever asks next.
        let kept = tempfile::tempdir().unwrap();
        let mut ready = Command::new(env!("CARGO_BIN_EXE_ready"));
        ready
            .current_dir(folder.path())
            .env("PATH", path)
            .env("NO_COLOR", "1")
            .env("npm_config_update_notifier", "false")
            .env("npm_config_cache", kept.path())
            .env("DOCKER_CONFIG", tools::cache().join("docker"))
            .env("DOCKER_HOST", "unix:///no/such/engine")
            .stdin(Stdio::null());
        for name in [
            "CI",
            "GITHUB_ACTIONS",
            "READY_MANIFEST",
            "READY_GATE",
            "http_proxy",
            "NODE_OPTIONS",
        ] {
            ready.env_remove(name);
        }
        if case.engine {
            ready.env("DOCKER_HOST", docker::engine(check)?.host());
        }
        if let Some(documented) = &case.documented {
            let tool = definition(check)["needs_tool"]["name"]
                .as_str()
                .unwrap()
                .to_string();
            documented.put(kept.path(), &tool);
            let folders = [kept.path().to_path_buf(), "/usr/bin".into(), "/bin".into()];
            ready.env("PATH", std::env::join_paths(folders).unwrap());
        }
        ready.envs(case.env.iter().map(|(name, value)| (name, filled(value))));
        Some(Tried {
            folder,
            _kept: kept,
            _server: server,
            ready,
            manifest,
        })
    }
}

/// Runs a check once and gives its row of the report, or what is wrong.
fn run(check: &str, name: &str, case: &Case, path: &std::ffi::OsStr) -> Result<Value, String> {
    let mut case = case.clone();
    let Some(mut tried) = Tried::set_up(check, name, &mut case, path) else {
        return Ok(Value::Null);
    };
    let output = tried.ready.args(["check", "--format", "json"]).output();
    let (output, manifest) = (output.unwrap(), &tried.manifest);
    let report: Value = serde_json::from_slice(&output.stdout).map_err(|error| {
        let said = String::from_utf8_lossy(&output.stderr);
        format!("no report ({error}): {said}\n{manifest}")
    })?;
    let row = report["checks"][0].clone();
    let counts = case.counts.map(|[passed, failed, skipped]| {
        serde_json::json!({ "passed": passed, "failed": failed, "skipped": skipped })
    });
    let verdict = format!(
        "{} {}",
        row["verdict"].as_str().unwrap_or_default(),
        row["reason"]["code"].as_str().unwrap_or_default()
    );
    // The signal of a control may stand in what the tool printed.
    let shown = match name {
        "control" => row.to_string(),
        _ => row["reason"]["text"]
            .as_str()
            .unwrap_or_default()
            .to_string(),
    };
    let measured =
        |(name, figure): (&String, &f64)| row["measures"][name].as_f64() == Some(*figure);
    let escaped = serde_json::to_string(&case.reason).unwrap();
    let holds = verdict == case.verdict
        && (shown.contains(&case.reason) || shown.contains(escaped.trim_matches('"')))
        && counts.is_none_or(|counts| row["counts"] == counts)
        && case.measures.iter().all(measured);
    if holds {
        return Ok(row);
    }
    let expected = format!("{} {:?} {:?}", case.verdict, case.counts, case.reason);
    Err(format!("expected {expected}, got {verdict}: {row:#}"))
}

/// A table on one line.
fn inline(table: &toml::Table) -> String {
    let pair = |(key, value): (&String, &toml::Value)| format!("{key:?} = {value}");
    let pairs: Vec<_> = table.iter().map(pair).collect();
    format!("{{ {} }}", pairs.join(", "))
}

#[test]
fn every_check_says_what_it_should() {
    let only = only();
    let wanted = |name: &str| only.is_empty() || only.iter().any(|only| only == name);
    let mut jobs = vec![];
    for (check, cases) in all_cases() {
        if !wanted(&check) {
            continue;
        }
        let names: Vec<_> = cases.tools.iter().map(String::as_str).collect();
        let Some(programs) = tools::find(&check, &names) else {
            continue;
        };
        let path = tools::path(&programs);
        for (name, case) in named(&cases) {
            if case.left_out.is_none() {
                let case = case.over(&cases.every);
                jobs.push((check.clone(), name.to_string(), case, path.clone()));
            }
        }
    }
    jobs.reverse();
    let (jobs, wrong) = (Mutex::new(jobs), Mutex::new(vec![]));
    let next = || jobs.lock().unwrap().pop();
    let work = || {
        while let Some((check, name, case, path)) = next() {
            if let Err(problem) = run(&check, &name, &case, &path) {
                wrong
                    .lock()
                    .unwrap()
                    .push(format!("{check}, {name}: {problem}"));
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(work);
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// Proves a check on its good case; gives what came of it, or what is wrong.
fn prove(check: &str, case: &Case, path: &std::ffi::OsStr) -> Result<Value, String> {
    let mut case = case.clone();
    let Some(mut tried) = Tried::set_up(check, "good", &mut case, path) else {
        return Ok(Value::Null);
    };
    let listed = |folder: &Path| {
        let mut command = Command::new("find");
        let out = command.args([
            ".",
            "-path",
            "./.ready",
            "-prune",
            "-o",
            "-printf",
            "%p %y %s %T@\n",
        ]);
        out.current_dir(folder).output().unwrap().stdout
    };
    let before = listed(tried.folder.path());
    let output = tried
        .ready
        .args(["prove", "--format", "json"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let document: Value = serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("no proofs ({error}): {said}\n{}", tried.manifest))?;
    let proof = document["proofs"][0].clone();
    let after = listed(tried.folder.path());
    // The ledger's folder is new, and changes nothing but the time of the folder that it is in.
    let same = |list: &[u8]| {
        let list = String::from_utf8_lossy(list).into_owned();
        list.lines()
            .filter(|line| !line.starts_with(". "))
            .map(str::to_string)
            .collect::<BTreeSet<_>>()
    };
    if same(&before) != same(&after) {
        return Err("the project was changed".to_string());
    }
    match proof["result"].as_str() {
        Some("proved") if output.status.success() => Ok(proof),
        _ => Err(format!("it is not proved: {proof:#}")),
    }
}

/// Every check that can run here fails on its control for its reason, run by the real tool, whose version is named.
#[test]
fn every_check_is_proved() {
    let only = only();
    let (mut wrong, mut proved) = (vec![], BTreeMap::new());
    for (check, cases) in all_cases() {
        let left_out = cases.cannot_run.is_some() || cases.cannot_prove.is_some();
        if !only.is_empty() && !only.contains(&check) || left_out {
            continue;
        }
        let names: Vec<_> = cases.tools.iter().map(String::as_str).collect();
        let Some(programs) = tools::find(&check, &names) else {
            continue;
        };
        let Some(good) = cases.good.as_ref().filter(|case| case.left_out.is_none()) else {
            continue;
        };
        match prove(&check, &good.over(&cases.every), &tools::path(&programs)) {
            Ok(proof) => _ = proved.insert(check, proof),
            Err(problem) => wrong.push(format!("{check}: {problem}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    for (check, proof) in proved.iter().filter(|(_, proof)| !proof.is_null()) {
        let trials = proof["trials"].as_array().unwrap();
        assert!(!trials.is_empty(), "{check}: {proof:#}");
        // The real tool, by the version that it gives of itself.
        let cases = &all_cases()[check];
        let Some(command) = &cases.version else {
            continue;
        };
        let Some(version) = version_of(command, &cases.tools) else {
            continue;
        };
        let tool = proof["tool"].as_str().unwrap_or_default();
        let version = version.splitn(3, '.').take(2).collect::<Vec<_>>().join(".");
        assert!(
            tool.contains(&version),
            "{check}: {tool:?} is not {version}"
        );
    }
}

#[test]
fn every_check_has_its_cases() {
    let (library, cases) = (Library::built_in(), all_cases());
    for check in library.names() {
        let Some(cases) = cases.get(check) else {
            panic!("`{check}` has no cases: write tests/library/{check}.toml");
        };
        for (name, case) in [
            ("good", &cases.good),
            ("control", &cases.control),
            ("nothing", &cases.nothing),
            ("cannot_tell", &cases.cannot_tell),
        ] {
            let Some(case) = case else {
                panic!("`{check}` has no case `{name}`: write it, or say why it is `left_out`");
            };
            let well = match name {
                _ if case.left_out.is_some() => true,
                "good" => case.verdict.starts_with("verified "),
                "control" => {
                    case.verdict.starts_with("failed ") || case.verdict.starts_with("partial ")
                }
                _ => case.verdict.starts_with("unverified "),
            };
            assert!(well, "`{check}`, {name}: {}", case.verdict);
        }
    }
}

/// What `TOOLS` says that it is, a version of this and that.
fn version_of(command: &[String], needed: &[String]) -> Option<String> {
    let names = std::iter::once(&command[0]).chain(needed);
    let names = names.map(String::as_str).collect::<Vec<_>>();
    let programs = tools::find("versions of the library's tools", &names)?;
    let output = Command::new(&programs[0])
        .args(&command[1..])
        .env("PATH", tools::path(&programs))
        .env("DOCKER_CONFIG", tools::cache().join("docker"))
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    let version = said
        .split(|c: char| !(c.is_ascii_digit() || c == '.'))
        .map(|word| word.trim_matches('.'))
        .find(|word| word.contains('.'));
    Some(
        version
            .unwrap_or_else(|| panic!("{command:?} names no version: {said}"))
            .to_string(),
    )
}

#[test]
fn what_was_seen_is_what_ran() {
    let (checks, cases) = (Library::built_in().checks().unwrap(), all_cases());
    for check in checks {
        let cases = &cases[&check.name];
        match (&check.seen, &cases.version, &cases.cannot_run) {
            (Some(Seen::Never), _, Some(_)) => {}
            (Some(Seen::With(seen)), Some(command), None) => {
                let Some(ran) = version_of(command, &cases.tools) else {
                    continue;
                };
                let is_same = ran == *seen || ran.starts_with(&format!("{seen}."));
                assert!(is_same, "`{}` was seen with {seen}, {ran} ran", check.name);
            }
            (None, None, None) if check.tool.is_none() => {}
            other => panic!("`{}`: {other:?}", check.name),
        }
    }
}

#[test]
fn without_its_tool_it_cannot_tell() {
    for check in Library::built_in().checks().unwrap() {
        if check.tool.is_none() {
            continue;
        }
        let cases = &all_cases()[&check.name];
        let good = cases.good.clone().unwrap_or_default().over(&cases.every);
        let case = Case {
            verdict: "unverified tool-missing".to_string(),
            reason: "install it".to_string(),
            counts: None,
            measures: BTreeMap::new(),
            engine: false,
            setup: String::new(),
            documented: None,
            ..good
        };
        let empty = std::ffi::OsStr::new("/no/such/folder");
        if let Err(problem) = run(&check.name, "without its tool", &case, empty) {
            panic!("{}: {problem}", check.name);
        }
    }
}

#[test]
fn each_point_at_which_exit_0_is_no_pass_is_shown() {
    let all = all_cases();
    let cases = all.values().flat_map(|cases| named(cases));
    let mut shown = BTreeSet::new();
    for (name, case) in cases {
        let passes = case.verdict.starts_with("verified");
        assert!(!passes || case.points.is_empty(), "{name} shows no failure");
        shown.extend(case.points.iter().copied());
    }
    assert_eq!(shown, (1..=13).collect());
}

/// What the page in `docs` says is what the files say. `UPDATE=1` writes it anew.
#[test]
fn the_page_of_the_library_is_that_of_its_files() {
    let empty = tempfile::tempdir().unwrap();
    let mut ready = Command::new(env!("CARGO_BIN_EXE_ready"));
    ready.args(["list", "--library", "--format", "markdown"]);
    let output = ready.current_dir(empty.path()).output().unwrap();
    let page = String::from_utf8(output.stdout).unwrap();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/library.md");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&file, &page).unwrap();
    }
    let kept = std::fs::read_to_string(file).unwrap();
    assert_eq!(
        kept, page,
        "`UPDATE=1 cargo test --test library page` writes it anew"
    );
}

#[test]
fn every_check_says_all_that_a_reader_needs() {
    for name in Library::built_in().names() {
        let definition = definition(name);
        for key in ["says", "component", "level", "doc", "fix", "probe"] {
            assert!(
                definition.contains_key(key),
                "checks/{name}.toml lacks `{key}`"
            );
        }
        for key in ["how", "takes"] {
            let fix = definition["fix"].as_table().unwrap();
            assert!(
                fix.contains_key(key),
                "checks/{name}.toml: `fix` lacks `{key}`"
            );
        }
        // For a file, controls are made out of what is expected of it.
        let of_files = definition["probe"].get("file").is_some();
        assert!(
            of_files || definition.contains_key("control"),
            "checks/{name}.toml lacks `control`"
        );
        // What runs somebody's tool names it, how to get it, and whether it was ever tried.
        let run = definition["probe"].as_table().unwrap().get("run");
        let users_own = |run: &toml::Value| run.as_str().is_some_and(|run| run.starts_with('{'));
        let runs = run.is_some_and(|run| !users_own(run));
        for key in ["needs_tool", "seen"] {
            assert!(
                !runs || definition.contains_key(key),
                "checks/{name}.toml lacks `{key}`"
            );
        }
        let params = definition.get("params").and_then(toml::Value::as_table);
        for (param, said) in params.into_iter().flatten() {
            let help = said.get("help").and_then(toml::Value::as_str);
            assert!(
                help.is_some_and(|help| !help.is_empty()),
                "checks/{name}.toml: `{param}` lacks `help`"
            );
        }
    }
}
