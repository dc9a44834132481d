//! Gates with `no_regression` over real runs: what the base is, what closes them, and a base from elsewhere.

use serde_json::Value;

use crate::{SHOP, Shop, id, says};

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
            (".ready/other.json", "it is no report"),
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

/// What the gate says of the tests, and what is odd about the check.
fn tests_of(report: &Value) -> (bool, Vec<String>, Vec<String>) {
    let texts = |list: &Value| {
        let list = list.as_array().into_iter().flatten();
        list.map(|item| item.as_str().unwrap_or_default().to_string())
            .collect::<Vec<_>>()
    };
    let gate = &report["gates"][0];
    let reasons = gate["reasons"].as_array().unwrap().iter();
    let reasons = reasons.map(|reason| {
        assert_eq!(reason["rule"], "no_fewer_tests");
        reason["text"].as_str().unwrap().to_string()
    });
    (
        gate["open"] == true,
        reasons.collect(),
        texts(&report["checks"][0]["notes"]),
    )
}

#[test]
fn tests_that_vanish_are_named_until_they_are_back() {
    let manifest = |more: &str| {
        format!(
            "[project]\nname = \"shop\"\n[gate]\nno_fewer_tests = true\n[checks.suite]\nsays = \"The tests pass\"\nrun = [\"cat\", \"out.tap\"]\nreader = \"tap\"\n{more}"
        )
    };
    let shop = Shop::new(&manifest(""));
    let tap = |passed: usize, skipped: usize| {
        let ok = (1..=passed).map(|at| format!("ok {at}\n"));
        let skips = (1..=skipped).map(|at| format!("ok {} # SKIP later\n", passed + at));
        let lines = ok.chain(skips).collect::<String>();
        shop.write("out.tap", &format!("1..{}\n{lines}", passed + skipped));
    };
    tap(12, 0);
    let first = shop.check_with(&[], &[]);
    assert!(tests_of(&first).1[0].starts_with("no-base"), "{first:#}");
    let second = shop.check_with(&[], &[]);
    assert_eq!(tests_of(&second), (true, vec![], vec![]));
    tap(4, 0);
    let gone = format!("suite: 4 tests ran, 12 in base {}", id(&second));
    let fewer = shop.check_with(&[], &[]);
    let odd = "4 tests ran, 12 when it was last looked at".to_string();
    assert_eq!(
        tests_of(&fewer),
        (false, vec![gone.clone()], vec![odd.clone()])
    );
    assert_eq!(tests_of(&shop.json(&["status"]).0), tests_of(&fewer));
    // Running again does not make it the measure of itself, though the last look had no more.
    let again = shop.check_with(&[], &[]);
    assert_eq!(tests_of(&again), (false, vec![gone], vec![]));
    // Skipped ones did not run.
    tap(4, 8);
    assert!(!tests_of(&shop.check_with(&[], &[])).0);
    tap(13, 0);
    let more = shop.check_with(&[], &[]);
    assert_eq!(tests_of(&more), (true, vec![], vec![]));
    // A check that is gone took its tests along, and so did one that is optional now.
    shop.write(
        "readiness.toml",
        &manifest("optional = true\n[checks.other]\nsays = \"x\"\nrun = [\"true\"]\n"),
    );
    let optional = shop.check_with(&[], &[]);
    let none = format!(
        "suite: no test is counted now, 13 ran in base {}",
        id(&more)
    );
    assert_eq!(tests_of(&optional).1, [none]);
    says(&shop.ready(&["check"]).stdout, &["no_fewer_tests: suite"]);
    tap(2, 0);
    shop.write("readiness.toml", &manifest(""));
    says(
        &shop.ready(&["check"]).stdout,
        &["odd", "2 tests ran, 13 when it was last looked at"],
    );
}
