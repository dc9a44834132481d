//! `prometheus`: the figures as gauges in the text exposition format, for node_exporter's textfile collector or a push
//! gateway. No timestamps: whoever collects them has the time. Format: <https://prometheus.io/docs/instrumenting/exposition_formats/>.

use std::io::{self, Write};

use jiff::Timestamp;

use super::page::{no_command, safe};
use crate::domain::report::{CheckRow, Report};
use crate::domain::verdict::Verdict;

/// A family of samples: each with its labels and value.
struct Gauge<'r> {
    name: &'static str,
    help: &'static str,
    samples: Vec<(Vec<(&'static str, &'r str)>, f64)>,
}

/// Writes the metrics.
///
/// # Errors
/// The output cannot be written to.
pub(super) fn render(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    for gauge in gauges(report) {
        if gauge.samples.is_empty() {
            continue;
        }
        writeln!(out, "# HELP {} {}", gauge.name, gauge.help)?;
        writeln!(out, "# TYPE {} gauge", gauge.name)?;
        for (labels, value) in &gauge.samples {
            let all =
                std::iter::once(("project", report.project.as_str())).chain(labels.iter().copied());
            let all = all.map(|(name, text)| format!("{name}=\"{}\"", label(text)));
            writeln!(
                out,
                "{}{{{}}} {value}",
                gauge.name,
                all.collect::<Vec<_>>().join(",")
            )?;
        }
    }
    writeln!(out, "# EOF")
}

/// The value of a label: what is not printable is made so, then what the format gives a meaning is escaped.
fn label(text: &str) -> String {
    no_command(&safe(text))
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

fn gauges(report: &Report) -> Vec<Gauge<'_>> {
    let score = &report.score;
    let one = |name, help, value: f64| Gauge {
        name,
        help,
        samples: vec![(vec![], value)],
    };
    let run = report.run.as_ref();
    let commit = run
        .and_then(|run| run.commit.as_deref())
        .unwrap_or_default();
    let mut gauges = vec![
        Gauge {
            name: "ready_info",
            help: "What made these figures and about which commit.",
            samples: vec![(
                vec![("version", report.ready.as_str()), ("commit", commit)],
                1.0,
            )],
        },
        one(
            "ready_verified_ratio",
            "The share that evidence bears, 0 to 1.",
            score.verified / 100.0,
        ),
        one(
            "ready_ceiling_ratio",
            "The share if all that is unverified held, 0 to 1.",
            score.ceiling / 100.0,
        ),
        one(
            "ready_attested_ratio",
            "The share that persons' words stand for, 0 to 1.",
            score.attested / 100.0,
        ),
        one(
            "ready_open",
            "Whether what decides is open.",
            f64::from(u8::from(report.decision.open)),
        ),
        one(
            "ready_judged_timestamp_seconds",
            "When it was judged.",
            seconds(report.generated),
        ),
    ];
    if let Some(claimed) = score.claimed {
        gauges.push(one(
            "ready_claimed_ratio",
            "The share that is claimed, 0 to 1.",
            claimed / 100.0,
        ));
    }
    if let Some(run) = run {
        gauges.push(one(
            "ready_run_timestamp_seconds",
            "When the run ended.",
            seconds(run.finished),
        ));
    }
    let gates = report.gates.iter();
    let gates = gates.map(|gate| {
        (
            vec![("gate", gate.name.as_str())],
            f64::from(u8::from(gate.open)),
        )
    });
    gauges.push(Gauge {
        name: "ready_gate_open",
        help: "Whether the gate is open.",
        samples: gates.collect(),
    });
    let components = |value: fn(&crate::domain::report::ComponentRow) -> Option<f64>| {
        let rows = report.components.iter().filter(|row| row.applicable);
        rows.filter_map(|row| Some((vec![("component", row.id.as_str())], value(row)?)))
            .collect::<Vec<_>>()
    };
    gauges.extend([
        Gauge {
            name: "ready_component_verified_ratio",
            help: "The share of a component that evidence bears, 0 to 1.",
            samples: components(|row| Some(row.verified / 100.0)),
        },
        Gauge {
            name: "ready_component_ceiling_ratio",
            help: "The same if all that is unverified held, 0 to 1.",
            samples: components(|row| Some(row.ceiling / 100.0)),
        },
        Gauge {
            name: "ready_component_claimed_ratio",
            help: "The share of a component that is claimed, 0 to 1.",
            samples: components(|row| row.claimed.map(|claimed| claimed / 100.0)),
        },
        Gauge {
            name: "ready_checks",
            help: "Checks that count, by verdict.",
            samples: VERDICTS
                .into_iter()
                .map(|verdict| number(report, verdict))
                .collect(),
        },
    ]);
    gauges.extend(of_checks(report));
    gauges
}

const VERDICTS: [Verdict; 4] = [
    Verdict::Verified,
    Verdict::Partial,
    Verdict::Failed,
    Verdict::Unverified,
];

fn number(report: &Report, verdict: Verdict) -> (Vec<(&'static str, &str)>, f64) {
    let rows = report
        .checks
        .iter()
        .filter(|row| row.counts_for_score() && row.verdict == verdict);
    (vec![("verdict", verdict.word())], rows.count() as f64)
}

fn of_checks(report: &Report) -> [Gauge<'_>; 4] {
    let rows = || report.checks.iter().filter(|row| row.counts_for_score());
    fn of(row: &CheckRow) -> Vec<(&'static str, &str)> {
        vec![
            ("check", row.id.as_str()),
            ("component", row.component.as_str()),
        ]
    }
    let verdicts = rows().flat_map(|row| {
        VERDICTS.into_iter().map(move |verdict| {
            let labels = [of(row), vec![("verdict", verdict.word())]].concat();
            (labels, f64::from(u8::from(row.verdict == verdict)))
        })
    });
    let durations = rows().filter_map(|row| Some((of(row), row.duration_ms? as f64 / 1000.0)));
    let times = rows().filter_map(|row| Some((of(row), seconds(row.started?))));
    [
        Gauge {
            name: "ready_check_verdict",
            help: "1 for the verdict of a check, 0 for the others.",
            samples: verdicts.collect(),
        },
        Gauge {
            name: "ready_check_credit_ratio",
            help: "What a check counts, 0 to 1.",
            samples: rows().map(|row| (of(row), row.credit)).collect(),
        },
        Gauge {
            name: "ready_check_duration_seconds",
            help: "How long a check took.",
            samples: durations.collect(),
        },
        Gauge {
            name: "ready_check_evidence_timestamp_seconds",
            help: "When the evidence of a check was had.",
            samples: times.collect(),
        },
    ]
}

fn seconds(at: Timestamp) -> f64 {
    at.as_millisecond() as f64 / 1000.0
}
