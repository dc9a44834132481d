//! Three documents of different make, labelled by hand, and Markdown that nobody would write.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};
use readiness::claims::extract;
use readiness::domain::claim::{Found, Said, Tense};
use serde_json::Value;

/// What a claim says, as a label writes it.
fn key(found: &Found) -> Option<(u64, String)> {
    let said = match &found.said {
        Said::Percent { value, .. } => format!("percent {value}"),
        Said::Ratio { passed, total } => format!("ratio {passed}/{total}"),
        Said::Mark { mark } => format!("mark {}", serde_json::to_string(mark).unwrap()),
        Said::Count { .. } | Said::Delta { .. } => return None,
    };
    Some((u64::from(found.line), said))
}

fn label(line: &str) -> (u64, String) {
    let json: Value = serde_json::from_str(line).unwrap();
    let said = match json["kind"].as_str().unwrap() {
        "percent" => format!("percent {}", json["value"].as_f64().unwrap()),
        "ratio" => format!("ratio {}/{}", json["passed"], json["total"]),
        _ => format!("mark {}", json["mark"]),
    };
    (json["line"].as_u64().unwrap(), said)
}

fn document(name: &str) -> (Vec<Found>, Vec<(u64, String)>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/documents");
    let bytes = fs::read(folder.join(format!("{name}.md"))).unwrap();
    let labels = fs::read_to_string(folder.join(format!("{name}.jsonl"))).unwrap();
    (extract(&bytes, name), labels.lines().map(label).collect())
}

#[test]
fn most_claims_are_found_and_little_else() {
    for name in ["launch-summary", "port-status", "qa-report"] {
        let (found, mut labels) = document(name);
        let found = found.iter().filter_map(key).collect::<Vec<_>>();
        let all = (found.len(), labels.len());
        let mut right = 0;
        for claim in &found {
            if let Some(at) = labels.iter().position(|label| label == claim) {
                labels.remove(at);
                right += 1;
            }
        }
        let (precision, recall) = (
            f64::from(right) / all.0 as f64,
            f64::from(right) / all.1 as f64,
        );
        assert!(
            precision >= 0.9 && recall >= 0.85,
            "{name}: {precision} {recall}, missed {labels:?}"
        );
    }
}

#[test]
fn a_claim_says_what_it_is_about_and_when() {
    let (found, _) = document("launch-summary");
    let on = |line: u32| {
        let here = found.iter().filter(move |found| found.line == line);
        here.map(|found| (found.words(), found.tense))
            .collect::<Vec<_>>()
    };
    let now = |words: &str| (words.to_string(), Tense::Now);
    assert_eq!(on(1), [now("overall done")]);
    assert_eq!(on(11), [("overall 95 %".to_string(), Tense::Goal)]);
    assert_eq!(
        on(20),
        [now("Label printing partial"), now("Label printing 60 %")]
    );
    assert_eq!(
        on(31),
        [
            ("Documentation 75 %".to_string(), Tense::Past),
            now("Documentation 85 %")
        ]
    );
    let (found, _) = document("qa-report");
    let fixed = found
        .iter()
        .find(|found| matches!(found.said, Said::Delta { .. }))
        .unwrap();
    assert_eq!(
        (fixed.words(), fixed.line),
        ("Defects 33 tests fewer".to_string(), 66)
    );
    assert_eq!(fixed.quote, "- 33 tests fixed since sprint 17");
}

#[test]
fn a_comment_says_what_a_line_is_about() {
    let text = "- ✅ Works <!-- ready: health -->\n\n<!-- ready: load -->\n\n- ✅ One\n- ✅ Two\n\n- after\n\nAll done: ✅ yes\n\n| A | Status |\n| - | - |\n| x | ✅ <!-- ready: docker --> |\n| y | ✅ |\n";
    let about = extract(text.as_bytes(), "a.md")
        .into_iter()
        .map(|found| (found.line, found.about));
    let about = about.collect::<BTreeMap<_, _>>();
    let named = |line: u32| about[&line].as_deref();
    assert_eq!(
        (named(1), named(14), named(15)),
        (Some("health"), Some("docker"), None)
    );
    assert_eq!((named(5), named(6)), (Some("load"), Some("load")));
}

#[test]
fn bytes_that_are_no_text_and_other_line_endings_are_read_all_the_same() {
    let text = "# A\n\n- ✅ One\n- ❌ Two\n";
    let plain = extract(text.as_bytes(), "a.md");
    assert_eq!(plain.len(), 2);
    let windows = extract(
        format!("\u{feff}{}", text.replace('\n', "\r\n")).as_bytes(),
        "a.md",
    );
    assert_eq!(windows, plain);
    let broken = [
        b"\xff\xfe\n\n".as_slice(),
        text.as_bytes(),
        b"\n\0\x80 95% complete\n",
    ]
    .concat();
    let lines = extract(&broken, "a.md")
        .iter()
        .map(|found| found.line)
        .collect::<Vec<_>>();
    assert_eq!(lines, [5, 6, 8]);
}

/// Markdown that takes a parser or a rule to its limits. Each of these once cost some program its stack or its evening.
fn hostile() -> Vec<(&'static str, String)> {
    let repeat = |text: &str, times: usize| text.repeat(times);
    vec![
        (
            "nested quotes",
            format!("{} ✅ 95% complete\n", repeat("> ", 2_000)),
        ),
        (
            "nested lists",
            (0..300)
                .map(|depth| format!("{}- ✅ {depth}% complete\n", "  ".repeat(depth)))
                .collect(),
        ),
        ("brackets", format!("{}\n", repeat("[", 20_000))),
        ("stars", format!("{} 95% complete\n", repeat("*", 20_000))),
        (
            "backticks",
            (1..150).map(|n| format!("{} ", "`".repeat(n))).collect(),
        ),
        (
            "one long line",
            format!("Status: {}\n", repeat("95% complete, ", 5_000)),
        ),
        ("one long word", format!("{}%\n", repeat("9", 50_000))),
        ("parentheses", format!("- {} done\n", repeat("(", 20_000))),
        ("colons", format!("{}\n", repeat("a: ", 20_000))),
        ("dashes", format!("{}\n", repeat("a - ", 20_000))),
        ("marks", format!("{}\n", repeat("✅", 20_000))),
        ("ratios", format!("Tests: {}\n", repeat("1/2 ", 20_000))),
        (
            "a fence that never ends",
            format!("```\n{}", repeat("1 passed, 2 failed\n", 5_000)),
        ),
        (
            "a table without a header",
            repeat("| a | ✅ | 95% |\n", 3_000),
        ),
        (
            "a wide table",
            format!(
                "|{}\n|{}\n|{}\n",
                repeat("Status|", 1_000),
                repeat("-|", 1_000),
                repeat("✅|", 1_000)
            ),
        ),
        ("comments", repeat("<!-- ready: a -->\n", 3_000)),
        ("unclosed comments", repeat("<!-- ready:begin ", 3_000)),
    ]
}

#[test]
fn hostile_documents_are_read_to_their_end() {
    for (name, text) in hostile() {
        let lines = text.lines().count() as u32;
        for found in extract(text.as_bytes(), name) {
            assert!((1..=lines).contains(&found.line), "{name}: {found:?}");
        }
    }
}

/// Pieces of which Markdown is made, and of which claims are.
fn soup() -> impl Strategy<Value = String> {
    let pieces = [
        "# ",
        "## ✅ ",
        "- ",
        "  - [x] ",
        "- [ ] ",
        "1. ",
        "> ",
        "| ",
        " |\n",
        "|---|---|\n",
        "```\n",
        "\n",
        "\n\n",
        "**",
        "_",
        "`",
        "✅ ",
        "❌ ",
        "⚠️ ",
        "95%",
        "90-95% ",
        "12/13 ",
        "3 of 4 tests ",
        "Status: ",
        "COMPLETE ",
        "not started ",
        "(done) ",
        "if ",
        "? ",
        ". ",
        "→ ",
        " - ",
        "Target: ",
        "Before ",
        "tests passing ",
        "is ready ",
        "1 passed, 2 failed\n",
        "Docker ",
        "<!-- ready: x -->",
        "<!--",
        "-->",
        "é",
        "日本",
        "\u{200d}",
        "\r\n",
        "\t",
        "[x](y) ",
        "5 → 0 failures ",
        "~~",
        "<br>",
        "&amp;",
        "\\",
    ];
    let piece = proptest::sample::select(pieces.to_vec());
    proptest::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

fn same_every_time(cases: u32) -> Config {
    Config {
        cases,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(20261126),
        ..Config::default()
    }
}

fn in_order(found: &[Found], lines: usize) -> bool {
    let within = found
        .iter()
        .all(|found| (1..=lines.max(1)).contains(&(found.line as usize)));
    within && found.is_sorted_by_key(|found| found.line)
}

proptest! {
    #![proptest_config(same_every_time(1_500))]

    #[test]
    fn any_markdown_is_read(text in soup()) {
        let found = extract(text.as_bytes(), "soup.md");
        prop_assert!(in_order(&found, text.split('\n').count()), "{found:?}");
        for found in &found {
            if let Said::Percent { value, value_max } = &found.said {
                prop_assert!((0.0..=100.0).contains(value) && value_max.is_none_or(|most| most > *value && most <= 100.0));
            }
            if let Said::Ratio { passed, total } = &found.said {
                prop_assert!(passed <= total && *total > 0);
            }
        }
        // The part of a document that is ours is found or not, and what is renewed can be renewed again.
        use readiness::claims::block;
        if let Ok(once) = block::renewed(&text, "| ours |\n") {
            prop_assert_eq!(block::renewed(&once, "| ours |\n"), Ok(once.clone()));
        }
    }

    #[test]
    fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let found = extract(&bytes, "bytes.md");
        let lines = String::from_utf8_lossy(&bytes).split('\n').count();
        prop_assert!(in_order(&found, lines), "{found:?}");
    }
}
