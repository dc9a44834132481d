//! `ready history`: the trend over real runs, for machines and for people, and what is said where there is none.

use serde_json::Value;

use crate::{SHOP, Shop, each, id, of, says, text};

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
