//! `html`: the report as one file that opens from disk and asks nobody for anything. It reads without JavaScript, which only
//! filters the checks. Everything from outside is escaped by the template (`report.html`); what is put in as it is comes from
//! the files beside this one, and the page allows no other style or script by their digests.

mod check;
mod picture;

use std::io::{self, Write};

use askama::Template;
use base64::Engine as _;
use sha2::{Digest as _, Sha256};

use self::check::Check;
use self::picture::{Bar, Timeline, Trend};
use super::page::{fix_words, no_command_in_markup, safe, waiver_words};
use super::words::{age, at_commit, count, gap, moment, percent, takes};
use super::{Style, diff, plan, sentence};
use crate::domain::claim::{Claim as Claimed, ClaimState};
use crate::domain::gate::GateState;
use crate::domain::report::{CheckRow, ComponentRow, GroupRow, Report};
use crate::domain::service::ServiceRun;
use crate::domain::statement::{Statements, split};

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("filter.js");

/// Writes the page.
///
/// # Errors
/// The output cannot be written to.
pub(super) fn render(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let page = Page::of(report).render().map_err(io::Error::other)?;
    writeln!(out, "{}", no_command_in_markup(&page))
}

#[derive(Template)]
#[template(path = "report.html", config = "src/reporter/html/askama.toml")]
struct Page {
    style: &'static str,
    script: &'static str,
    /// Their digests, as a content security policy names them.
    style_digest: String,
    script_digest: String,
    project: String,
    sentence: String,
    open: bool,
    provenance: String,
    about: Option<String>,
    warnings: Vec<String>,
    score: Whole,
    gates: Vec<Gate>,
    groups: Vec<Group>,
    notes: Vec<String>,
    changes: Option<Changes>,
    can_say: usize,
    checks: Vec<Check>,
    components: Vec<(String, String)>,
    claims: Vec<Claim>,
    otherwise_claimed: usize,
    steps: Vec<Step>,
    way: Option<String>,
    waivers: Vec<[String; 5]>,
    limitations: Vec<String>,
    undeclared: Vec<String>,
    safe_to: Vec<String>,
    not_safe_to: Vec<String>,
    services: Vec<Service>,
    preflight: Vec<[String; 3]>,
    trend: Option<Trend>,
    timeline: Option<Timeline>,
    ready: String,
    generated: String,
}

/// The figures of the whole.
struct Whole {
    bar: Bar,
    verified: String,
    ceiling: String,
    attested: Option<String>,
    claimed: Option<String>,
    gap: Option<String>,
    partly: bool,
}

struct Gate {
    name: String,
    word: String,
    open: bool,
    decides: bool,
    says: Option<String>,
    waived: Vec<String>,
    reasons: Vec<Reason>,
    without: Vec<Reason>,
}

/// Why a gate is closed, and the check that it is about.
struct Reason {
    rule: String,
    text: String,
    /// The check's place in the list.
    check: Option<Link>,
    more: Option<String>,
}

/// A check elsewhere on the page.
struct Link {
    anchor: String,
    id: String,
}

struct Group {
    title: String,
    bar: Bar,
    verified: String,
    ceiling: String,
    claimed: String,
    gap: String,
    level: &'static str,
    age: String,
}

struct Changes {
    summary: String,
    first: Vec<String>,
    more: Vec<String>,
}

struct Claim {
    place: String,
    said: String,
    quote: Option<String>,
    state: &'static str,
    mark: &'static str,
    why: String,
    checks: Vec<Link>,
    /// How many more there are.
    more: usize,
}

struct Step {
    check: Option<Link>,
    id: String,
    time: String,
    gain: String,
    verified: String,
    opens: bool,
    how: Option<String>,
}

struct Service {
    id: String,
    state: &'static str,
    text: String,
    output: Vec<(&'static str, String)>,
}

impl Page {
    fn of(report: &Report) -> Page {
        let links = Links { report };
        let statements = Statements::of(report);
        let permissions = |all: &[crate::domain::statement::Permission]| {
            let words = all
                .iter()
                .map(|one| safe(&super::markdown::permission_words(one)));
            words.collect::<Vec<_>>()
        };
        let (can, cannot) = split(report);
        let in_order = in_order(report, &can, &cannot);
        let (telling, otherwise): (Vec<_>, Vec<_>) = report
            .claims
            .iter()
            .partition(|claim| claim.state.is_some());
        Page {
            style: STYLE,
            script: SCRIPT,
            style_digest: digest(STYLE),
            script_digest: digest(SCRIPT),
            project: safe(&report.project),
            sentence: safe(&sentence::of(report)),
            open: report.decision.open,
            provenance: provenance(report),
            about: report.about.words().map(|about| safe(&about)),
            warnings: report
                .warnings
                .iter()
                .map(|warning| safe(warning))
                .collect(),
            score: whole(report),
            gates: report
                .gates
                .iter()
                .map(|gate| self::gate(report, gate, &links))
                .collect(),
            groups: report.groups.iter().map(|row| group(report, row)).collect(),
            notes: notes(report),
            changes: report.since.as_ref().map(changes),
            can_say: can.len(),
            checks: in_order.iter().map(|at| Check::of(report, *at)).collect(),
            components: components(report),
            claims: claims(&telling, &links),
            otherwise_claimed: otherwise.len(),
            steps: steps(report, &links),
            way: report
                .way
                .as_ref()
                .map(|way| safe(&plan::sentence(report, way))),
            waivers: waivers(report),
            limitations: report.limitations.iter().map(|text| safe(text)).collect(),
            undeclared: undeclared(report),
            safe_to: permissions(&statements.safe_to),
            not_safe_to: permissions(&statements.not_safe_to),
            services: report
                .run
                .iter()
                .flat_map(|run| &run.services)
                .map(service)
                .collect(),
            preflight: preflight(report),
            trend: Trend::of(report),
            timeline: Timeline::of(report),
            ready: safe(&report.ready),
            generated: moment(report.generated),
        }
    }
}

/// The digest of a text as a content security policy names it.
fn digest(text: &str) -> String {
    let digest = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(text.as_bytes()));
    format!("sha256-{digest}")
}

/// Finds the place of a check on the page.
struct Links<'r> {
    report: &'r Report,
}

impl Links<'_> {
    fn to(&self, check: &str) -> Option<Link> {
        let at = self.report.checks.iter().position(|row| row.id == check)?;
        Some(Link {
            anchor: anchor(at),
            id: safe(check),
        })
    }
}

/// The name of a check's place: ids in a report that somebody hands over may be anything.
fn anchor(at: usize) -> String {
    format!("c{at}")
}

/// The places of the checks in the order in which they are shown: what is not verified first, the worst of that before.
fn in_order(report: &Report, can: &[&CheckRow], cannot: &[&CheckRow]) -> Vec<usize> {
    let place = |row: &&CheckRow| {
        report
            .checks
            .iter()
            .position(|other| std::ptr::eq(other, *row))
    };
    let counting = cannot.iter().chain(can).filter_map(place);
    let others = report
        .checks
        .iter()
        .enumerate()
        .filter(|(_, row)| !row.counts_for_score());
    counting.chain(others.map(|(at, _)| at)).collect()
}

fn provenance(report: &Report) -> String {
    let Some(run) = &report.run else {
        return format!(
            "From recorded evidence, {}; nothing was run.",
            moment(report.generated)
        );
    };
    let stopped = match (run.out_of_time, run.interrupted) {
        (true, _) => ", out of time before its end",
        (_, true) => ", stopped before its end",
        _ => "",
    };
    let what = match run.merged.len() {
        0 => format!("Run {}", run.id),
        runs => format!("Merged from {}", count(runs, "run")),
    };
    let host = &run.host;
    let took = run.finished.duration_since(run.started).as_secs_f64();
    safe(&format!(
        "{what} on {} ({} {}), {}{}, {}{stopped}.",
        host.name,
        host.os,
        host.arch,
        moment(run.started),
        at_commit(run),
        match took < 1.0 {
            true => "in less than a second".to_string(),
            false => format!("in {}", takes(took.floor())),
        }
    ))
}

fn whole(report: &Report) -> Whole {
    let score = &report.score;
    Whole {
        bar: Bar::of(score.verified, score.ceiling, score.attested, score.claimed),
        verified: percent(score.verified),
        ceiling: percent(score.ceiling),
        attested: (score.attested > 0.0).then(|| percent(score.attested)),
        claimed: score.claimed.map(percent),
        gap: score
            .claimed
            .zip(score.gap)
            .map(|(claimed, of)| gap(claimed, of)),
        partly: score.partly_claimed,
    }
}

fn gate(report: &Report, gate: &GateState, links: &Links<'_>) -> Gate {
    let reason = |reason: &crate::domain::gate::GateReason| {
        let fix = fix_words(reason.takes_s, reason.how.as_deref());
        let owner = reason.owner.as_ref().map(|owner| format!("owner: {owner}"));
        let more = [owner, fix]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join("; ");
        Reason {
            rule: safe(&reason.rule),
            text: safe(&reason.text),
            check: reason.check.as_deref().and_then(|check| links.to(check)),
            more: (!more.is_empty()).then(|| safe(&more)),
        }
    };
    let without = gate.without_waivers.as_ref().filter(|_| gate.open);
    Gate {
        name: safe(&gate.name),
        word: match (gate.open, gate.waived.len()) {
            (true, 0) => "open".to_string(),
            (true, waived) => format!("open with {}", count(waived, "waiver")),
            (false, _) => "closed".to_string(),
        },
        open: gate.open,
        decides: report.decision.gates.contains(&gate.name),
        says: gate.says.as_ref().map(|says| match gate.open {
            true => format!("safe to: {}", safe(says)),
            false => format!("not safe to: {}", safe(says)),
        }),
        waived: gate.waived.iter().map(|id| safe(id)).collect(),
        reasons: gate.reasons.iter().map(reason).collect(),
        without: without
            .iter()
            .flat_map(|without| &without.reasons)
            .map(reason)
            .collect(),
    }
}

fn group(report: &Report, row: &GroupRow) -> Group {
    Group {
        title: safe(&row.title),
        bar: Bar::of(row.verified, row.ceiling, 0.0, row.claimed),
        verified: percent(row.verified),
        ceiling: percent(row.ceiling),
        claimed: row.claimed.map(percent).unwrap_or_default(),
        gap: row
            .claimed
            .zip(row.gap)
            .map(|(claimed, of)| gap(claimed, of))
            .unwrap_or_default(),
        level: row.level.map_or("none", |level| level.word()),
        age: row
            .oldest
            .map(|oldest| age(oldest, report.generated))
            .unwrap_or_default(),
    }
}

/// What holds components down, and what is not in the figures.
fn notes(report: &Report) -> Vec<String> {
    let capped = |row: &ComponentRow| {
        let cap = row.cap.as_ref()?;
        let percent = percent(cap.percent);
        Some(format!(
            "{} is capped at {percent} ({} evidence); to lift it: {}",
            row.title, cap.level, cap.lift
        ))
    };
    let notes = report.components.iter().flat_map(|row| {
        let optional = || {
            let mut own = report
                .checks
                .iter()
                .filter(|check| check.component == row.id);
            own.any(|check| check.optional)
        };
        let absent = (!row.applicable && !optional()).then(|| {
            format!(
                "{} does not apply here and is outside the figures",
                row.title
            )
        });
        let empty = row
            .no_checks
            .then(|| format!("{}: no checks are declared for it", row.title));
        let enough = row.enough.map(|enough| {
            format!(
                "{}: {enough} evidence is all there is to know, says the manifest",
                row.title
            )
        });
        let capped = capped(row).filter(|_| row.applicable);
        [absent, empty, enough, capped].into_iter().flatten()
    });
    notes.map(|note| safe(&note)).collect()
}

fn changes(diff: &crate::domain::diff::Diff) -> Changes {
    /// The largest come first; the rest is folded away.
    const SHOWN: usize = 8;
    let parts = diff.parts.iter();
    let mut first = parts
        .map(|part| diff::sentence(part, Style::PLAIN))
        .collect::<Vec<_>>();
    let more = first.split_off(first.len().min(SHOWN));
    Changes {
        summary: diff::summary(diff, Style::PLAIN),
        first,
        more,
    }
}

/// The components by id and title, for the filter.
fn components(report: &Report) -> Vec<(String, String)> {
    let rows = report.components.iter();
    let used = rows.filter(|row| report.checks.iter().any(|check| check.component == row.id));
    used.map(|row| (safe(&row.id), safe(&row.title))).collect()
}

/// So many checks are linked from a claim.
const LINKS: usize = 5;

fn claims(claims: &[&Claimed], links: &Links<'_>) -> Vec<Claim> {
    let of = |state| {
        claims
            .iter()
            .filter(move |claim| claim.state == Some(state))
    };
    let sorted = ClaimState::ALL.into_iter().flat_map(of);
    let claim = |claim: &&Claimed| {
        let state = claim.state.unwrap_or(ClaimState::Unclaimed);
        let named = claim.check.iter().chain(&claim.checks);
        let mut checks = named.filter_map(|id| links.to(id)).collect::<Vec<_>>();
        checks.dedup_by(|one, other| one.anchor == other.anchor);
        let more = checks.len().saturating_sub(LINKS);
        checks.truncate(LINKS);
        Claim {
            place: safe(&claim.found.place()),
            said: safe(&claim.found.words()),
            quote: Some(safe(&claim.found.quote)).filter(|quote| !quote.is_empty()),
            state: state.word(),
            mark: match state {
                ClaimState::Backed => "✓",
                ClaimState::Contradicted => "✗",
                _ => "?",
            },
            why: safe(&claim.why),
            checks,
            more,
        }
    };
    sorted.map(claim).collect()
}

fn steps(report: &Report, links: &Links<'_>) -> Vec<Step> {
    let step = |step: &crate::domain::plan::Step| Step {
        check: links.to(&step.check),
        id: safe(&step.check),
        time: match step.takes_s {
            0.0 => "at once".to_string(),
            seconds => takes(seconds),
        },
        gain: format!("+{:.1}", step.gain.max(0.0)),
        verified: percent(step.verified),
        opens: step.opens,
        how: plan::advice(report, step).map(|how| safe(&how)),
    };
    report.plan.iter().map(step).collect()
}

fn waivers(report: &Report) -> Vec<[String; 5]> {
    let row = |row: &crate::domain::report::WaiverRow| {
        let waiver = &row.waiver;
        [
            safe(&waiver.check),
            safe(&waiver.reason),
            safe(&waiver.owner),
            waiver.expires.to_string(),
            waiver_words(report, row),
        ]
    };
    report.waivers.iter().map(row).collect()
}

fn undeclared(report: &Report) -> Vec<String> {
    let called = report.undeclared.iter();
    let called =
        called.map(|called| format!("{}: the files call for it ({})", called.check, called.why));
    let ignored = report.ignored.iter();
    let ignored = ignored.map(|ignored| format!("{}: ignored, {}", ignored.check, ignored.reason));
    called.chain(ignored).map(|text| safe(&text)).collect()
}

fn preflight(report: &Report) -> Vec<[String; 3]> {
    let word = |ok: Option<bool>| match ok {
        Some(true) => "ok",
        Some(false) => "not met",
        None => "unknown",
    };
    let rows = report.preflight.iter();
    rows.map(|row| [safe(&row.what), word(row.ok).to_string(), safe(&row.seen)])
        .collect()
}

fn service(service: &ServiceRun) -> Service {
    let port = service.port.map(|port| format!("port {port}"));
    let healthy = service
        .healthy_after_ms
        .map(|millis| format!("healthy after {}", takes(millis as f64 / 1000.0)));
    let reason = service.reason.as_ref().map(|reason| reason.text.clone());
    let teardown = service
        .teardown
        .as_ref()
        .map(|text| format!("not stopped as it should be: {text}"));
    let command = (!service.command.is_empty()).then(|| service.command.join(" "));
    let parts = [port, healthy, reason, teardown, command];
    let streams = [
        ("standard output", &service.stdout),
        ("standard error", &service.stderr),
    ];
    let output = streams
        .into_iter()
        .filter_map(|(name, stream)| Some((name, check::lines(stream.as_ref()?, 20)?)));
    Service {
        id: safe(&service.id),
        state: service.state.word(),
        text: safe(&parts.into_iter().flatten().collect::<Vec<_>>().join("; ")),
        output: output.collect(),
    }
}
