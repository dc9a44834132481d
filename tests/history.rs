//! What recorded runs say together: the trend, how two of them differ, what must not get worse. Real runs in repositories
//! of their own; cases as data.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that cannot set up has failed")]

use std::path::PathBuf;
use std::process::{Command, Output};

use rusqlite::Connection;
use serde_json::Value;
use tempfile::TempDir;

/// A repository with a manifest, in which checks hold where a file that git ignores is there.
struct Shop {
    folder: TempDir,
}

/// Three checks: two switches in one component, and a program that is nowhere.
const SHOP: &str = r#"[project]
name = "shop"
[claims]
overall = 90
[components.docs]
title = "Documents"
[checks.coin]
component = "docs"
says = "It lands on its head"
shell = true
run = "test -e .ready/coin"
[checks.lamp]
component = "docs"
says = "The lamp is lit"
shell = true
run = "test -e .ready/lamp"
[checks.tool]
says = "A tool says so"
run = ["no-such-tool-anywhere"]
"#;

impl Shop {
    fn new(manifest: &str) -> Shop {
        let shop = Shop {
            folder: tempfile::tempdir().unwrap(),
        };
        shop.git(&["init", "-q"]);
        shop.git(&["config", "user.email", "shop@example.org"]);
        shop.git(&["config", "user.name", "shop"]);
        std::fs::create_dir(shop.path(".ready")).unwrap();
        shop.write(".gitignore", ".ready\n");
        shop.write("readiness.toml", manifest);
        shop.commit();
        shop
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    fn git(&self, args: &[&str]) -> String {
        let output = Command::new("git")
            .args(args)
            .current_dir(self.folder.path())
            .env_remove("GIT_DIR")
            .env_remove("GIT_INDEX_FILE")
            .output()
            .unwrap();
        assert!(output.status.success(), "git {args:?}: {output:?}");
        text(&output.stdout).trim().to_string()
    }

    /// Commits all that there is, and gives the commit.
    fn commit(&self) -> String {
        self.git(&["add", "--all"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", "a state"]);
        self.git(&["rev-parse", "HEAD"])
    }

    fn ready(&self, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ready"));
        command.args(args).current_dir(self.folder.path());
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            if name.starts_with("READY_") || ["CI", "GITHUB_ACTIONS", "COLUMNS"].contains(&&*name) {
                command.env_remove(&*name);
            }
        }
        command.output().unwrap()
    }

    /// The JSON that it prints, and its exit status.
    fn json(&self, args: &[&str]) -> (Value, i32) {
        let output = self.ready(&[args, &["--format", "json"]].concat());
        let json = serde_json::from_slice(&output.stdout);
        let json = json.unwrap_or_else(|error| panic!("{error}: {output:?}"));
        (json, output.status.code().unwrap())
    }

    /// Runs everything with just these switches on; the report.
    fn check_with(&self, on: &[&str], args: &[&str]) -> Value {
        for name in ["coin", "lamp"] {
            let switch = self.path(".ready").join(name);
            match on.contains(&name) {
                true => std::fs::write(switch, "").unwrap(),
                false => _ = std::fs::remove_file(switch),
            }
        }
        self.json(&[&["check"], args].concat()).0
    }

    /// One statement to the ledger's file.
    fn tamper(&self, sql: &str) {
        let ledger = Connection::open(self.path(".ready/ledger.sqlite")).unwrap();
        assert!(ledger.execute(sql, []).unwrap() > 0, "{sql} did nothing");
    }
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn id(report: &Value) -> &str {
    report["run"]["id"].as_str().unwrap()
}

/// One key of every element of a list.
fn each(list: &Value, key: &str) -> Vec<Value> {
    let list = list.as_array().unwrap();
    list.iter().map(|element| element[key].clone()).collect()
}

/// The element of a list with that id.
fn of<'a>(list: &'a Value, id: &str) -> &'a Value {
    let found = list.as_array().unwrap().iter().find(|row| row["id"] == id);
    found.unwrap_or_else(|| panic!("no `{id}` in {list}"))
}

#[track_caller]
fn says(bytes: &[u8], words: &[&str]) {
    // Where lines are broken is not what this is about.
    let said = text(bytes).split_whitespace().collect::<Vec<_>>().join(" ");
    for words in words {
        assert!(said.contains(words), "`{words}` is not in: {said}");
    }
}

#[test]
fn the_trend_is_that_of_the_runs() {
    let shop = Shop::new(SHOP);
    let first = shop.check_with(&[], &[]);
    let second = shop.check_with(&["coin"], &[]);
    shop.write("a-file", "of another state");
    let commit = shop.commit();
    let third = shop.check_with(&["coin", "lamp"], &[]);
    shop.check_with(&[], &["coin"]);
    let fifth = shop.check_with(&["lamp"], &[]);

    let (history, status) = shop.json(&["history"]);
    assert_eq!(status, 0);
    let runs = &history["runs"];
    assert_eq!(
        each(runs, "id"),
        [&first, &second, &third, &fifth].map(|r| r["run"]["id"].clone())
    );
    assert_eq!(each(runs, "verified"), [0.0, 25.0, 37.5, 25.0]);
    assert_eq!(each(runs, "claimed"), [90.0; 4]);
    assert_eq!(each(runs, "gate"), ["closed"; 4]);
    assert_eq!(each(runs, "complete"), [true; 4]);
    assert_eq!(runs[2]["commit"], *commit);
    assert_eq!(runs[2]["tree"], third["run"]["tree"]);
    for (run, report) in [(0, &first), (3, &fifth)] {
        assert_eq!(runs[run]["ceiling"], report["score"]["ceiling"]);
        assert_eq!(runs[run]["started"], report["run"]["started"]);
        let verdict = &of(&report["checks"], "coin")["verdict"];
        assert_eq!(of(&runs[run]["checks"], "coin")["verdict"], *verdict);
    }
    // The coin: tails, heads | heads, tails. The bar: the two states of the files.
    let coin = of(&history["checks"], "coin");
    let figures = ["runs", "compared", "changes", "flakiness"].map(|key| coin[key].clone());
    assert_eq!(figures, [4.into(), 4.into(), 2.into(), Value::from(1.0)]);
    let lamp = of(&history["checks"], "lamp");
    assert_eq!(
        (&lamp["changes"], &lamp["flakiness"]),
        (&0.into(), &0.0.into())
    );
    assert!(lamp["median_ms"].is_u64());
    let tool = of(&history["checks"], "tool");
    assert_eq!(
        (&tool["compared"], &tool["median_ms"]),
        (&0.into(), &Value::Null)
    );

    let (all, _) = shop.json(&["history", "--all"]);
    assert_eq!(
        each(&all["runs"], "complete"),
        [true, true, true, false, true]
    );
    assert_eq!(of(&all["checks"], "coin")["compared"], 5);
    let (last, _) = shop.json(&["history", "--last", "2"]);
    assert_eq!(each(&last["runs"], "verified"), [37.5, 25.0]);
    let (part, _) = shop.json(&["history", "--check", "lamp", "--component", "docs"]);
    assert_eq!(each(&part["checks"], "id"), ["lamp"]);
    assert_eq!(each(&part["runs"][3]["components"], "id"), ["docs"]);
    assert_eq!(each(&part["runs"][3]["checks"], "id"), ["lamp"]);
}

#[test]
fn the_trend_is_printed_for_people() {
    let shop = Shop::new(SHOP);
    let first = shop.check_with(&[], &[]);
    shop.check_with(&["coin"], &[]);
    shop.check_with(&[], &["coin"]);
    let cases: &[(&[&str], &[&str])] = &[
        (
            &[],
            &[
                "Verified ▁▂ 0 % → 25 %",
                "coin ✗✓ 2",
                "lamp ✗✗ 2",
                "coin: flaky: 1 change in 2 runs of the same files",
            ],
        ),
        (
            &["--all"],
            &["coin ✗✓✗ 3", "lamp ✗✗· 2", "* not every check was due"],
        ),
        (
            &["--check", "coin", "--check", "tool"],
            &[
                "coin 2 runs looked at it",
                "verified 100 %",
                "tool 2 runs",
                "unverified (tool-missing)",
            ],
        ),
        (
            &["--component", "docs", "--last", "1"],
            &["Documents Verified ▄ 50 %", "validated"],
        ),
    ];
    for (args, words) in cases {
        let output = shop.ready(&[&["history"], *args].concat());
        assert_eq!(output.status.code(), Some(0));
        says(&output.stdout, words);
        let width = text(&output.stdout)
            .lines()
            .map(|line| line.chars().count())
            .max();
        assert!(width <= Some(80), "{}", text(&output.stdout));
    }
    says(&shop.ready(&["history"]).stdout, &[&id(&first)[..10]]);
}

#[test]
fn where_there_is_no_trend_it_says_why() {
    let shop = Shop::new(SHOP);
    let asks = |args: &[&str]| {
        let output = shop.ready(&[&["history"], args].concat());
        let said = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap(), said)
    };
    let (status, said) = asks(&[]);
    assert_eq!(status, 0);
    says(&said, &["nothing is recorded yet: run `ready check`"]);
    shop.check_with(&[], &["coin"]);
    says(&asks(&[]).1, &["no complete run is recorded: `--all`"]);
    shop.check_with(&[], &[]);
    for (args, words) in [
        (
            &["--check", "cion"][..],
            &["no check `cion`", "did you mean `coin`?"][..],
        ),
        (
            &["--component", "dosc"],
            &["no component `dosc`", "did you mean `docs`?"],
        ),
        (&["--last", "0"], &["'0'"]),
    ] {
        let (status, said) = asks(args);
        assert_eq!(status, 2, "{args:?}");
        says(&said, words);
    }
    // A manifest that does not load is no reason not to look back.
    shop.write("readiness.toml", "[nonsense");
    assert_eq!(asks(&[]).0, 0);
}

#[test]
fn a_report_that_is_gone_or_damaged_leaves_the_others() {
    let shop = Shop::new(SHOP);
    let [first, second, third] = [(); 3].map(|()| shop.check_with(&[], &[]));
    shop.tamper(&format!(
        "UPDATE runs SET report = NULL WHERE id = '{}'",
        id(&first)
    ));
    let (history, status) = shop.json(&["history"]);
    assert_eq!(status, 0);
    assert_eq!(each(&history["runs"], "id"), [id(&second), id(&third)]);
    let warning = history["warnings"][0].as_str().unwrap();
    assert!(
        warning.contains(id(&first)) && warning.contains("was pruned"),
        "{warning}"
    );

    shop.tamper(&format!(
        "UPDATE runs SET report = x'00' WHERE id = '{}'",
        id(&second)
    ));
    let (history, status) = shop.json(&["history"]);
    assert_eq!(status, 3);
    assert_eq!(each(&history["runs"], "id"), [id(&third)]);
    let warning = history["warnings"][1].as_str().unwrap();
    assert!(
        warning.contains(id(&second)) && warning.contains("damaged"),
        "{warning}"
    );
}

/// The parts of a difference, each as `kind: check or component what from > to`.
fn parts(diff: &Value) -> Vec<String> {
    let word = |part: &Value, key: &str| part[key].as_str().unwrap_or("-").to_string();
    let part = |part: &Value| {
        let about = part["check"].as_str().or(part["component"].as_str());
        let [kind, what, from, to] = ["kind", "what", "from", "to"].map(|key| word(part, key));
        format!("{kind}: {} {what} {from} > {to}", about.unwrap())
    };
    diff["parts"].as_array().unwrap().iter().map(part).collect()
}

#[test]
fn what_moved_the_score_is_told_and_adds_up() {
    let shop = Shop::new(SHOP);
    let before = shop.check_with(&["lamp"], &[]);
    // Another weight, another check, another result, a program that is found, and an accepted risk.
    let manifest = SHOP
        .replace("[checks.tool]", "[checks.tool]\nweight = 3")
        .replace("no-such-tool-anywhere", "true");
    let more = "[checks.more]\nsays = \"more\"\nfile = \"nowhere\"\n\
                [waivers.more]\nowner = \"web team\"\nreason = \"OPS-91\"\nexpires = 2099-12-31\n";
    shop.write("readiness.toml", &(manifest + more));
    let after = shop.check_with(&["coin", "lamp"], &[]);
    let (diff, status) = shop.json(&["diff", "--runs", "last~1", "last"]);
    assert_eq!(status, 0);
    assert_eq!(
        (&diff["from"]["run"], &diff["to"]["run"]),
        (&before["run"]["id"], &after["run"]["id"])
    );
    assert_eq!(diff["from"]["verified"], before["score"]["verified"]);
    assert_eq!(diff["to"]["verified"], after["score"]["verified"]);
    let points = each(&diff["parts"], "points")
        .iter()
        .map(|points| points.as_f64().unwrap())
        .sum::<f64>();
    assert!((points - diff["points"].as_f64().unwrap()).abs() < 1e-9);
    let mut told = parts(&diff);
    told.sort();
    assert_eq!(
        told,
        [
            "check_set: more appeared - > failed",
            "results: coin verdict failed > verified",
            "tools: tool verdict unverified (tool-missing) > verified",
            "waivers: more waiver - > in force, until 2099-12-31",
            "weights: tool weight 1 > 3",
        ]
    );
    let tool = diff["parts"]
        .as_array()
        .unwrap()
        .iter()
        .find(|part| part["kind"] == "tools");
    assert_eq!(tool.unwrap()["redefined"], true);

    // By ids, by their beginnings, and from files: the same.
    for (name, report) in [("a.json", &before), ("b.json", &after)] {
        shop.write(name, &report.to_string());
    }
    let (a, b) = (id(&before), id(&after));
    for (from, to) in [
        (a, b),
        (&a[..16], "last"),
        ("a.json", "b.json"),
        (&a.to_lowercase()[..], "b.json"),
    ] {
        assert_eq!(
            shop.json(&["diff", "--runs", from, to]).0,
            diff,
            "{from} {to}"
        );
    }
    let output = shop.ready(&["diff", "--runs", "a.json", "b.json"]);
    says(
        &output.stdout,
        &[
            "from run",
            "verified 25.00 %",
            "coin: failed → verified (results)",
            "in all",
            "tool: unverified (tool-missing) → verified; the check was changed (tools)",
            "Without effect on the score 0 more: waiver added, in force, until 2099-12-31 (waivers)",
        ],
    );
    assert!(
        text(&output.stdout)
            .lines()
            .all(|line| line.chars().count() <= 80)
    );
    // Nothing is recorded where there is no ledger, and files are enough.
    std::fs::remove_file(shop.path(".ready/ledger.sqlite")).unwrap();
    assert_eq!(shop.json(&["diff", "--runs", "a.json", "b.json"]).0, diff);
}

#[test]
fn what_cannot_be_compared_is_refused_with_a_way_on() {
    let shop = Shop::new(SHOP);
    let first = shop.check_with(&[], &[]);
    let second = shop.check_with(&["coin"], &[]);
    shop.write("text.json", "no report");
    shop.write("other.json", "{\"format\": \"other/1\"}");
    let mut edited = second.clone();
    edited["score"]["verified"] = 99.into();
    shop.write("edited.json", &edited.to_string());
    edited["format"] = "ready-report/2".into();
    shop.write("newer.json", &edited.to_string());
    let cases: &[(&[&str], &[&str])] = &[
        (
            &[],
            &["say what to compare", "ready diff --runs last~1 last"],
        ),
        (
            &["main"],
            &[
                "a git revision, `main`, is not supported yet",
                "hint: two recorded runs",
            ],
        ),
        (&["--runs", "last"], &["2 values required"]),
        (&["--runs", "last", "last~2"], &["there is no run `last~2`"]),
        (&["--runs", "last", "last~x"], &["there is no run `last~x`"]),
        (
            &["--runs", "last", "01J"],
            &["there is no run `01J`", "the beginning of one"],
        ),
        (
            &["--runs", "last", &id(&second)[..4]],
            &["several runs begin with", id(&first), id(&second)],
        ),
        (
            &["--runs", "last", "text.json"],
            &["`text.json` holds no report", "--format json > report.json"],
        ),
        (
            &["--runs", "last", "other.json"],
            &["`other.json` holds no report"],
        ),
        (
            &["--runs", "last", "newer.json"],
            &["its format is `ready-report/2`, not `ready-report/1`"],
        ),
        (
            &["--runs", "edited.json", "last"],
            &["`edited.json`: its score does not follow from its checks"],
        ),
    ];
    for (args, words) in cases {
        let output = shop.ready(&[&["diff"], *args].concat());
        assert_eq!(output.status.code(), Some(2), "{args:?}: {output:?}");
        says(&output.stderr, words);
    }
    shop.tamper(&format!(
        "UPDATE runs SET report = NULL WHERE id = '{}'",
        id(&first)
    ));
    let output = shop.ready(&["diff", "--runs", id(&first), "last"]);
    assert_eq!(output.status.code(), Some(2));
    says(&output.stderr, &["was pruned"]);
    shop.tamper(&format!(
        "UPDATE runs SET report = x'00' WHERE id = '{}'",
        id(&first)
    ));
    let output = shop.ready(&["diff", "--runs", id(&first), "last"]);
    assert_eq!(output.status.code(), Some(3), "damage is no usage error");
    says(&output.stderr, &["is damaged"]);
}

#[test]
fn what_has_changed_since_a_run_or_a_commit_stands_below_the_table() {
    let shop = Shop::new(SHOP);
    let none = shop.ready(&["status", "--since", "last"]);
    assert_eq!(none.status.code(), Some(2));
    says(&none.stderr, &["nothing is recorded yet"]);

    let first = shop.check_with(&["coin"], &[]);
    shop.git(&["tag", "v1"]);
    shop.write(
        "readiness.toml",
        &SHOP.replace("checks.tool", "checks.other"),
    );
    shop.commit();
    shop.git(&["tag", "between"]);
    shop.write("a-file", "");
    let last = shop.commit();
    shop.check_with(&["lamp"], &[]);
    shop.check_with(&["lamp"], &["other"]);
    assert_eq!(shop.json(&["status"]).0.get("since"), None);

    for word in ["v1", "HEAD~2", id(&first), &id(&first)[..16], "last~2"] {
        let (report, status) = shop.json(&["status", "--since", word]);
        assert_eq!(status, 0);
        let since = &report["since"];
        assert_eq!(since["from"]["run"], first["run"]["id"], "{word}");
        assert_eq!(since["to"]["run"], Value::Null);
        assert_eq!(since["to"]["verified"], report["score"]["verified"]);
        let directions = each(&since["parts"], "direction");
        for (part, direction) in parts(since).iter().zip(directions) {
            let wanted = match part.split(' ').nth(1).unwrap() {
                "coin" => "fell",
                "lamp" => "rose",
                "tool" => "vanished",
                "other" => "appeared",
                check => panic!("nothing has become of {check}"),
            };
            assert_eq!(direction, wanted, "{part}");
        }
        assert_eq!(since["parts"].as_array().unwrap().len(), 4);
    }
    let output = shop.ready(&["status", "--since", "v1"]);
    says(
        &output.stdout,
        &[
            "Since run",
            "Rose +25.00 lamp: failed → verified (results)",
            "Fell -25.00 coin: verified → failed",
            "appeared, unverified (tool-missing)",
            "vanished, was unverified (tool-missing)",
        ],
    );
    // The complete run of a commit is taken before a later one of a selection.
    let (report, _) = shop.json(&["status", "--since", &last[..9]]);
    let complete = shop.json(&["history", "--last", "1"]).0;
    assert_eq!(report["since"]["from"]["run"], complete["runs"][0]["id"]);

    let cases: &[(&str, &[&str])] = &[
        (
            "between",
            &[
                "no run is recorded at `between`",
                "the nearest commits that have one",
                "(before it)",
                &last[..7],
                "(after it)",
            ],
        ),
        ("v2", &["`v2` is neither a recorded run nor a git revision"]),
        ("--all", &["neither a recorded run nor"]),
    ];
    for (word, words) in cases {
        let output = shop.ready(&["status", &format!("--since={word}")]);
        assert_eq!(output.status.code(), Some(2), "{word}");
        says(&output.stderr, words);
    }
}

/// The shop with a gate that nothing may get worse for, and a second one that asks for less.
fn guarded() -> Shop {
    let gates = "[gate]\nno_regression = true\n[gates.loose]\nmin_score = 0\n";
    Shop::new(&(SHOP.to_string() + gates))
}

/// Whether the default gate is open, the base that it was held against, and the checks that its reasons name.
fn held(report: &Value) -> (bool, Option<&str>, Vec<&str>) {
    let gate = &report["gates"][0];
    let reasons = gate["reasons"].as_array().unwrap().iter();
    let of = reasons.map(|reason| {
        assert_eq!(reason["rule"], "no_regression");
        reason["check"].as_str().unwrap_or("")
    });
    (gate["open"] == true, gate["base"].as_str(), of.collect())
}

#[test]
fn what_gets_worse_stays_worse_until_it_is_mended() {
    let shop = guarded();
    let first = shop.check_with(&["coin"], &[]);
    let (open, base, reasons) = held(&first);
    assert_eq!((open, base, reasons), (false, None, vec![""]));
    says(&shop.ready(&["status"]).stdout, &["default OPEN, decides"]);
    let second = shop.check_with(&["coin"], &[]);
    assert_eq!(held(&second), (true, Some(id(&first)), vec![]));
    // Better than before: the new measure.
    let third = shop.check_with(&["coin", "lamp"], &[]);
    assert_eq!(held(&third), (true, Some(id(&second)), vec![]));
    // However often it is run: what got worse is no base, and neither is a run of selected checks.
    for args in [&[][..], &[], &["lamp"], &[], &["--gate", "loose"]] {
        let worse = shop.check_with(&["coin"], args);
        assert_eq!(held(&worse), (false, Some(id(&third)), vec!["", "lamp"]));
        let status = shop.json(&["status"]).0;
        assert_eq!(held(&status), (false, Some(id(&third)), vec!["", "lamp"]));
    }
    let output = shop.ready(&["check"]);
    assert_eq!(output.status.code(), Some(1));
    let base = format!("base {}", id(&third));
    says(
        &output.stdout,
        &[
            "no_regression: verified fell from 37 % to 25 %",
            "lamp is failed",
            "it held in",
            &base,
        ],
    );
    let mended = shop.check_with(&["coin", "lamp"], &[]);
    assert_eq!(held(&mended), (true, Some(id(&third)), vec![]));
    assert_eq!(
        held(&shop.check_with(&["coin", "lamp"], &[])).1,
        Some(id(&mended))
    );
    // What is no longer asked has not got better.
    shop.write(
        "readiness.toml",
        &(SHOP.replace("checks.lamp", "checks.light") + "[gate]\nno_regression = true\n"),
    );
    let renamed = shop.check_with(&["coin", "lamp"], &[]);
    assert_eq!(held(&renamed).2, ["lamp"]);
}

#[test]
fn a_report_from_elsewhere_can_be_the_base() {
    let shop = guarded();
    let good = shop.check_with(&["coin", "lamp"], &[]);
    shop.write(".ready/main.json", &good.to_string());
    shop.write(".ready/other.json", "{}");
    // As on a machine that has no ledger.
    std::fs::remove_file(shop.path(".ready/ledger.sqlite")).unwrap();
    let base = ["--base", ".ready/main.json"];
    let worse = shop.check_with(&["coin"], &base);
    assert_eq!(held(&worse), (false, Some(id(&good)), vec!["", "lamp"]));
    assert_eq!(
        held(&shop.json(&["status"]).0).1,
        None,
        "the run regressed, and there is no other"
    );
    assert_eq!(
        held(&shop.json(&["status", base[0], base[1]]).0),
        held(&worse)
    );
    assert_eq!(
        held(&shop.check_with(&["coin", "lamp"], &base)),
        (true, Some(id(&good)), vec![])
    );
    for verb in ["check", "status"] {
        for (file, words) in [
            ("nowhere", "cannot read `nowhere`"),
            (".ready/other.json", "holds no report"),
        ] {
            let output = shop.ready(&[verb, "--base", file]);
            assert_eq!(output.status.code(), Some(2));
            says(&output.stderr, &[words]);
        }
    }
}

#[test]
fn a_base_that_is_damaged_is_told_and_an_earlier_one_taken() {
    let shop = guarded();
    let first = shop.check_with(&["coin"], &[]);
    let second = shop.check_with(&["coin"], &[]);
    shop.tamper(&format!(
        "UPDATE runs SET report = x'00' WHERE id = '{}'",
        id(&second)
    ));
    for verb in [&["status"][..], &["check"]] {
        let (report, status) = shop.json(verb);
        assert_eq!(status, 3, "{verb:?}");
        let warnings = report["warnings"].to_string();
        assert!(
            warnings.contains(id(&second)) && warnings.contains("damaged"),
            "{warnings}"
        );
        assert_eq!(held(&report), (true, Some(id(&first)), vec![]));
    }
    // What was pruned is no base, and no damage.
    shop.tamper("UPDATE runs SET report = NULL");
    let (report, status) = shop.json(&["status"]);
    assert_eq!(status, 0);
    assert_eq!(held(&report), (false, None, vec![""]));
}
