//! Cobertura's XML, as coverage.py, Istanbul (jest, nyc), gcovr, coverlet and cargo-llvm-cov write it. Source: its
//! coverage-04.dtd; seen with coverage.py 7.17 and jest 30.
//!
//! The lines of each class are counted, rates and totals are not believed. Those of its methods are the same lines again.

use roxmltree::{Document, ParsingOptions};

use crate::domain::evidence::Results;

use super::coverage::Coverage;
use super::{junit, short};

/// Reads the whole XML: see [`Coverage::results`]. A document type is allowed, entities are not.
pub fn read(bytes: &[u8]) -> Result<Results, String> {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_start_matches('\u{feff}');
    if text.trim().is_empty() {
        return Err("the XML is empty".into());
    }
    if text.contains("<!ENTITY") {
        return Err("it declares entities, which coverage never needs".into());
    }
    junit::modest(text)?;
    let options = ParsingOptions {
        allow_dtd: true,
        ..ParsingOptions::default()
    };
    let document = Document::parse_with_options(text, options)
        .map_err(|problem| short(&format!("it is not well-formed XML: {problem}")))?;
    let root = document.root_element();
    if root.tag_name().name() != "coverage" {
        let name = short(root.tag_name().name());
        return Err(format!("the root element is `<{name}>`, not `<coverage>`"));
    }
    let mut coverage = Coverage::default();
    for class in root.descendants().filter(|node| node.has_tag_name("class")) {
        let wrong =
            |what: &str, at: usize| format!("line {}: {what}", document.text_pos_at(at).row);
        let name = class
            .attribute("filename")
            .ok_or_else(|| wrong("a class has no `filename`", class.range().start))?;
        let file = coverage.file(name);
        let lines = class.children().filter(|node| node.has_tag_name("lines"));
        for line in lines.flat_map(|lines| lines.children()) {
            if !line.has_tag_name("line") {
                continue;
            }
            let number = |key| line.attribute(key)?.parse::<u64>().ok();
            let (Some(at), Some(hits)) = (number("number"), number("hits")) else {
                let problem = "a line has no `number` or no `hits`";
                return Err(wrong(problem, line.range().start));
            };
            file.line(at, hits > 0);
            if let Some((taken, all)) = line.attribute("condition-coverage").and_then(decision) {
                file.decision(at, taken, all);
            }
        }
        let methods = class
            .descendants()
            .filter(|node| node.has_tag_name("method"));
        for method in methods {
            let lines = method
                .descendants()
                .filter(|node| node.has_tag_name("line"));
            let run = lines
                .filter_map(|line| line.attribute("hits"))
                .any(|hits| hits != "0");
            file.function(method.attribute("name").unwrap_or_default(), run);
        }
    }
    Ok(coverage.results())
}

/// `50% (1/2)`: taken, and all.
fn decision(text: &str) -> Option<(u64, u64)> {
    let (_, figures) = text.split_once('(')?;
    let (taken, all) = figures.trim_end().strip_suffix(')')?.split_once('/')?;
    Some((taken.trim().parse().ok()?, all.trim().parse().ok()?))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::tests::{check, damaged, output, sound};
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_writer_is_counted() {
        check(
            read,
            &[
                (
                    output!("coverage/coverage-py.xml"),
                    Ok(([3, 0, 1], &["app.py: 1 of 4 lines were not run"])),
                ),
                (
                    output!("coverage/jest.xml"),
                    Ok(([3, 0, 1], &["app.js: 1 of 4 lines were not run"])),
                ),
            ],
        );
        let of = |bytes, name: &str| read(bytes).unwrap().measures.get(name).copied();
        for output in [
            output!("coverage/coverage-py.xml"),
            output!("coverage/jest.xml"),
        ] {
            assert_eq!(
                (of(output.1, "lines"), of(output.1, "branches")),
                (Some(75.0), Some(50.0))
            );
        }
        assert_eq!(of(output!("coverage/jest.xml").1, "functions"), Some(100.0));
    }

    #[test]
    fn what_is_foreign_or_broken_is_not_read() {
        for (text, problem) in [
            ("", "empty"),
            ("<coverage>", "well-formed"),
            ("<testsuites/>", "not `<coverage>`"),
            ("<coverage><class/></coverage>", "no `filename`"),
            (
                "<coverage><class filename='a'><lines><line number='x' hits='1'/></lines></class></coverage>",
                "no `number`",
            ),
            (
                "<!DOCTYPE coverage [<!ENTITY a 'b'>]><coverage/>",
                "entities",
            ),
        ] {
            let told = read(text.as_bytes()).unwrap_err();
            assert!(told.contains(problem), "{text:?}: {told}");
        }
        let nothing = read(b"<coverage line-rate='1'/>").unwrap();
        assert_eq!(
            nothing.counts.map(|counts| counts.passed + counts.skipped),
            Some(0)
        );
    }

    proptest! {
        #[test]
        fn never_panics(bytes in damaged(vec![output!("coverage/coverage-py.xml").1, output!("coverage/jest.xml").1])) {
            sound(read(&bytes))?;
        }
    }
}
