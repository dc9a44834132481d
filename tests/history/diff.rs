//! `ready diff --runs` and `ready status --since`: what moved the score between two real runs, and what cannot be compared.

use serde_json::Value;

use crate::{SHOP, Shop, each, id, says, text};

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
            &["nowhere"],
            &["`nowhere` is no revision that is here; `git fetch origin nowhere`"],
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
            &[
                "text.json:1:2: it is no report",
                "`ready check --format json` makes one",
            ],
        ),
        (
            &["--runs", "last", "other.json"],
            &["other.json:1:21: it is no report: missing field `ready`"],
        ),
        (
            &["--runs", "last", "newer.json"],
            &["is a report of the format `ready-report/2`, this `ready` knows `ready-report/1`"],
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
    let complete = shop.check_with(&["lamp"], &[]);
    shop.check_with(&["lamp"], &["other"]);
    // Without a word it is the last complete run, and the table is silent about it.
    let (report, _) = shop.json(&["status"]);
    assert_eq!(report["since"]["from"]["run"], id(&complete));

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
