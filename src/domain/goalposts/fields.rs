//! The fields of a check: what a change of each means.

use std::time::Duration;

use serde::Serialize;

use super::super::check::{Blocking, Check, HttpProbe, Probe, RunProbe};
use super::super::expectation::{FileExpect, HttpExpect, TextExpect, ValueExpect};
use super::super::project::Project;
use super::sets::{
    NEUTRAL, TIGHTER, WEAKER, allowances, asked, bound, bounds, demands, forgiven, least, most,
    named, worse, worst,
};
use super::{Draft, Means, Subject};

/// A field: its key, what a change of it means, how it is shown, and how it is taken over.
pub(super) struct Field {
    pub(super) key: &'static str,
    pub(super) means: fn(&Check, &Check) -> Means,
    shown: fn(&Check) -> String,
    pub(super) take: fn(&mut Check, &Check),
}

/// A field that is a member of the check.
macro_rules! member {
    ($key:literal, $name:ident, $means:expr) => {
        Field {
            key: $key,
            means: $means,
            shown: |check| shown(&check.$name),
            take: |check, from| check.$name = from.$name.clone(),
        }
    };
}

/// Every field, in the order in which changes are shown.
pub(super) const FIELDS: &[Field] = &[
    Field {
        key: "command",
        means: |a, b| match looks_alike(a, b) {
            true => NEUTRAL,
            // Nobody can tell that it finds the same.
            false => WEAKER,
        },
        shown: command,
        take: |check, from| {
            let expected = std::mem::replace(&mut check.probe, from.probe.clone());
            take_expectation(&mut check.probe, &expected);
            check.env = from.env.clone();
            check.cwd = from.cwd.clone();
            check.clean_env = from.clean_env;
        },
    },
    Field {
        key: "expect",
        means: |a, b| expectation(&a.probe, &b.probe),
        shown: expected,
        take: |check, from| take_expectation(&mut check.probe, &from.probe),
    },
    member!("weight", weight, |a, b| if a.weight == b.weight {
        NEUTRAL
    } else {
        Means::Depends
    }),
    member!(
        "component",
        component,
        |a, b| if a.component == b.component {
            NEUTRAL
        } else {
            Means::Depends
        }
    ),
    member!(
        "optional",
        optional,
        |a, b| match (a.optional, b.optional) {
            (false, true) => WEAKER,
            (true, false) => Means::Depends,
            _ => NEUTRAL,
        }
    ),
    member!("blocking", blocking, blocking),
    member!(
        "limits",
        limits,
        |a, b| match (a.limits.is_empty(), b.limits.is_empty()) {
            // Where limits stand, counts are only measures.
            (true, false) if a.probe.reader().is_some_and(|reader| reader.counts()) => WEAKER,
            _ => named(&a.limits, &b.limits, bound),
        }
    ),
    member!("pass_at", pass_at, |a, b| match (a.pass_at, b.pass_at) {
        (None, Some(_)) => WEAKER,
        (Some(_), None) => TIGHTER,
        (then, now) => least(&then, &now),
    }),
    member!("at_least", at_least, |a, b| least(&a.at_least, &b.at_least)),
    member!("expected_skips", expected_skips, |a, b| most(
        &Some(a.expected_skips),
        &Some(b.expected_skips)
    )),
    member!("level", level, |a, b| match b.level.cmp(&a.level) {
        std::cmp::Ordering::Less => TIGHTER,
        std::cmp::Ordering::Equal => NEUTRAL,
        std::cmp::Ordering::Greater => WEAKER,
    }),
    member!("needs", needs, |a, b| demands(&a.needs, &b.needs)),
    member!("applies", applies, |a, b| match (&a.applies, &b.applies) {
        (then, now) if then == now => NEUTRAL,
        (Some(_), None) => Means::Depends,
        _ => WEAKER,
    }),
    member!("os", os, |a, b| if a.os == b.os {
        NEUTRAL
    } else {
        Means::Depends
    }),
    member!("on_demand", on_demand, |a, b| forgiven(
        a.on_demand,
        b.on_demand
    )),
    member!("timeout", timeout, |a, b| most(
        &Some(a.timeout),
        &Some(b.timeout)
    )),
    member!("retries", retries, |a, b| most(
        &Some(a.retries),
        &Some(b.retries)
    )),
    member!("leaves_running", leaves_running, |a, b| forgiven(
        a.leaves_running,
        b.leaves_running
    )),
    member!("cannot_tell", cannot_tell, |a, b| worst([
        allowances(&a.cannot_tell.exit, &b.cannot_tell.exit),
        allowances(&a.cannot_tell.stdout, &b.cannot_tell.stdout),
        allowances(&a.cannot_tell.stderr, &b.cannot_tell.stderr),
    ])),
    member!(
        "inputs",
        inputs,
        |a, b| match (a.inputs.is_empty(), b.inputs.is_empty()) {
            // Without any, it depends on all files.
            (true, true) => NEUTRAL,
            (true, false) => WEAKER,
            (false, true) => TIGHTER,
            (false, false) => demands(&a.inputs, &b.inputs),
        }
    ),
    member!("max_age", max_age, |a, b| {
        // None is for as long as the files stand.
        let for_ever = |age: Option<Duration>| Some(age.unwrap_or(Duration::MAX));
        most(&for_ever(a.max_age), &for_ever(b.max_age))
    }),
    Field {
        key: "control",
        means: |a, b| asked(a.control.is_some(), b.control.is_some()),
        shown: |check| match check.control {
            Some(_) => "there is one".to_string(),
            None => "there is none".to_string(),
        },
        take: |check, from| check.control = from.control.clone(),
    },
    member!("says", says, |_, _| NEUTRAL),
    member!("claim", claim, |_, _| NEUTRAL),
    member!("tags", tags, |_, _| NEUTRAL),
    member!("owner", owner, |_, _| NEUTRAL),
    member!("priority", priority, |_, _| NEUTRAL),
    member!("risk", risk, |_, _| NEUTRAL),
    member!("fix", fix, |_, _| NEUTRAL),
    member!("aliases", aliases, |_, _| NEUTRAL),
    member!("alone", alone, |_, _| NEUTRAL),
    member!("locks", locks, |_, _| NEUTRAL),
    member!("secrets", secrets, |_, _| NEUTRAL),
    member!("needs_tool", needs_tool, |_, _| NEUTRAL),
];

/// What has become of each check, and those that are new.
pub(super) fn checks(before: &Project, after: &Project) -> Vec<Draft> {
    let mut drafts = vec![];
    for then in &before.checks {
        let subject = Subject::Check(then.id.clone());
        let Some(now) = after.check(&then.id) else {
            let means = if then.optional { NEUTRAL } else { WEAKER };
            let mut draft = Draft::new(subject, means);
            draft.edit.from = Some(then.says.clone());
            drafts.push(draft);
            continue;
        };
        for field in FIELDS {
            let mut texts = [then, now].map(field.shown);
            let differs = match field.key {
                "command" => !looks_alike(then, now),
                _ => texts[0] != texts[1],
            };
            if !differs {
                continue;
            }
            if texts[0] == texts[1] {
                // Values of variables stay unsaid.
                texts[1] += ", otherwise: its environment or what goes with it";
            }
            let mut draft = Draft::new(subject.clone(), (field.means)(then, now));
            draft.edit.key = Some(field.key.to_string());
            let [from, to] = texts;
            (draft.edit.from, draft.edit.to) = (Some(from), Some(to));
            draft.edit.line = Some(now.source.line);
            drafts.push(draft);
        }
    }
    for new in after
        .checks
        .iter()
        .filter(|check| before.check(&check.id).is_none())
    {
        let means = if new.optional { NEUTRAL } else { TIGHTER };
        let mut draft = Draft::new(Subject::Check(new.id.clone()), means);
        draft.edit.to = Some(new.says.clone());
        draft.edit.line = Some(new.source.line);
        drafts.push(draft);
    }
    drafts
}

/// A value as one line of JSON.
pub(super) fn shown<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

fn blocking(before: &Check, after: &Check) -> Means {
    let names = |blocking: &Blocking| match blocking {
        Blocking::No => vec![],
        Blocking::Default => vec![super::super::gate::DEFAULT.to_string()],
        Blocking::Gates(names) => names.clone(),
    };
    demands(&names(&before.blocking), &names(&after.blocking))
}

/// Whether two checks look at the same thing in the same way, whatever they expect of it.
pub(super) fn looks_alike(one: &Check, other: &Check) -> bool {
    let around = one.env == other.env && one.cwd == other.cwd && one.clean_env == other.clean_env;
    let mut probe = other.probe.clone();
    take_expectation(&mut probe, &one.probe);
    around && probe == one.probe
}

/// Gives a probe the expectation of another one of its kind.
fn take_expectation(probe: &mut Probe, from: &Probe) {
    match (probe, from) {
        (Probe::Run(probe), Probe::Run(from)) => {
            probe.expect = from.expect.clone();
            probe.cleanup = from.cleanup.clone();
        }
        (Probe::Http(probe), Probe::Http(from)) => probe.expect = from.expect.clone(),
        (Probe::File(probe), Probe::File(from)) => probe.expect = from.expect.clone(),
        (Probe::Variable(probe), Probe::Variable(from)) => probe.expect = from.expect.clone(),
        (Probe::Tool(probe), Probe::Tool(from)) => probe.version = from.version.clone(),
        // A word that is given anew is what a word is for.
        (Probe::Manual(probe), Probe::Manual(from)) => *probe = from.clone(),
        _ => {}
    }
}

fn command(check: &Check) -> String {
    let mut text = match &check.probe {
        Probe::Run(RunProbe {
            argv, shell: true, ..
        }) => argv.join(" "),
        Probe::Run(run) => shown(&run.argv),
        Probe::Http(HttpProbe { url, method, .. }) if method == "GET" => url.clone(),
        Probe::Http(http) => format!("{} {}", http.method, http.url),
        Probe::File(file) => file.pattern.clone(),
        Probe::Variable(variable) => match &variable.file {
            Some(file) => format!("{} in {file}", variable.name),
            None => variable.name.clone(),
        },
        Probe::Port(port) => format!(
            "port {} {}",
            port.port,
            if port.listening { "listens" } else { "is free" }
        ),
        Probe::Tool(tool) => tool.name.clone(),
        Probe::Manual(_) => "a person's word".to_string(),
    };
    if let Some(reader) = check.probe.reader() {
        text += &format!(", read as {}", reader.format);
    }
    if let Some(cwd) = &check.cwd {
        text += &format!(", in {cwd}");
    }
    text
}

fn expected(check: &Check) -> String {
    match &check.probe {
        Probe::Run(run) => shown(&run.expect),
        Probe::Http(http) => shown(&http.expect),
        Probe::File(file) => shown(&file.expect),
        Probe::Variable(variable) => shown(&variable.expect),
        Probe::Tool(tool) => shown(&tool.version),
        Probe::Manual(word) => shown(word),
        Probe::Port(_) => String::new(),
    }
}

/// What a change of what is expected means. Of another kind of probe, that is told by its command.
fn expectation(before: &Probe, after: &Probe) -> Means {
    match (before, after) {
        (Probe::Run(then), Probe::Run(now)) => worst([
            allowances(&then.expect.exit, &now.expect.exit),
            text(&then.expect.stdout, &now.expect.stdout),
            text(&then.expect.stderr, &now.expect.stderr),
        ]),
        (Probe::Http(then), Probe::Http(now)) => answer(&then.expect, &now.expect),
        (Probe::File(then), Probe::File(now)) => files(&then.expect, &now.expect),
        (Probe::Variable(then), Probe::Variable(now)) => text(&then.expect, &now.expect),
        (Probe::Tool(then), Probe::Tool(now)) => match (&then.version, &now.version) {
            (then, now) if then == now => NEUTRAL,
            (None, Some(_)) => TIGHTER,
            _ => WEAKER,
        },
        (Probe::Manual(then), Probe::Manual(now))
            if then.expires < now.expires && then.on == now.on =>
        {
            // The same word, for longer.
            WEAKER
        }
        _ => NEUTRAL,
    }
}

fn text(before: &TextExpect, after: &TextExpect) -> Means {
    worst([
        demands(&before.contains, &after.contains),
        demands(&before.matches, &after.matches),
        demands(&before.lacks, &after.lacks),
    ])
}

fn answer(before: &HttpExpect, after: &HttpExpect) -> Means {
    let statuses = |expect: &HttpExpect| match expect.status.is_empty() {
        true => (200..300).collect::<Vec<u16>>(),
        false => expect.status.clone(),
    };
    let value = |then: &ValueExpect, now: &ValueExpect| match (then, now) {
        (ValueExpect::Compare(then), ValueExpect::Compare(now)) => bound(then, now),
        _ => WEAKER,
    };
    worst([
        allowances(&statuses(before), &statuses(after)),
        named(&before.headers, &after.headers, value),
        named(&before.json, &after.json, value),
        text(&before.body, &after.body),
        bounds(before.latency_ms.as_ref(), after.latency_ms.as_ref()),
        asked(before.not_found, after.not_found),
        // Without it, it must be so at once.
        most(
            &Some(before.within.unwrap_or_default()),
            &Some(after.within.unwrap_or_default()),
        ),
    ])
}

fn files(before: &FileExpect, after: &FileExpect) -> Means {
    let same_or_weaker = |same: bool, new: bool| match (same, new) {
        (true, _) => NEUTRAL,
        (false, true) => TIGHTER,
        (false, false) => WEAKER,
    };
    let absent = match before.absent == after.absent {
        true => NEUTRAL,
        false => WEAKER,
    };
    let rest = worst([
        bounds(before.count.as_ref(), after.count.as_ref()),
        text(&before.text, &after.text),
        forgiven(before.comments, after.comments),
        demands(&before.keys, &after.keys),
        same_or_weaker(before.keys_of == after.keys_of, before.keys_of.is_none()),
        same_or_weaker(before.parses == after.parses, before.parses.is_none()),
        asked(before.links, after.links),
    ]);
    worse(absent, rest)
}
