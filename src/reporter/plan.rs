//! The way to ready, for people: what must be mended, the cheapest set that opens the gate, then what gains most.

use std::io::{self, Write};

use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use super::check_list::to_do;
use super::page::{Page, few, safe};
use super::reproduce::with_gaps;
use super::words::{bold, count, dim, percent, takes, wrapped, wrapped_after};
use super::{Detail, Style};
use crate::domain::plan::{Stage, Step, Way};
use crate::domain::report::Report;
use crate::domain::verdict::Verdict;

/// The plan in JSON.
#[derive(Serialize)]
struct Document<'r> {
    plan: &'r [Step],
    way: &'r Option<Way>,
    warnings: &'r [String],
}

/// Writes the plan as one JSON document.
///
/// # Errors
/// The output cannot be written to.
pub fn json(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let document = Document {
        plan: &report.plan,
        way: &report.way,
        warnings: &report.warnings,
    };
    super::json::document(&document, out)
}

/// Writes the plan.
///
/// # Errors
/// The output cannot be written to.
pub fn render(report: &Report, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let page = Page { report, style };
    let Some(way) = &report.way else {
        return writeln!(out, "there is no gate to plan for");
    };
    if style.detail > Detail::Quiet {
        for warning in &report.warnings {
            page.paragraph(out, "warning: ", &safe(warning))?;
        }
        for (stage, title) in [
            (Stage::Must, "Must be done"),
            (Stage::Cheapest, "Then, the cheapest way to open the gate"),
            (Stage::More, "Then, by points for each minute"),
        ] {
            page.stage(out, stage, title)?;
        }
        page.unplanned(out, way)?;
    }
    for line in wrapped(&sentence(report, way), style.width) {
        writeln!(out, "{}", bold(&line, style))?;
    }
    Ok(())
}

impl Page<'_> {
    /// The way to open the gate, below the gates: only what is needed for that.
    pub(super) fn way(&self, out: &mut dyn Write) -> io::Result<()> {
        let needed = |step: &&Step| step.stage != Stage::More;
        let Some(way) = self.report.way.as_ref().filter(|way| !way.open) else {
            return Ok(());
        };
        if !self.report.plan.iter().any(|step| needed(&step)) {
            return Ok(());
        }
        self.title(out, "The way to ready")?;
        let steps = self.report.plan.iter().filter(needed).collect::<Vec<_>>();
        self.steps(out, &steps)?;
        self.paragraph(out, "  ", &sentence(self.report, way))?;
        let text = "`ready plan` shows what else gains, and what cannot be planned";
        for line in wrapped(text, self.style.width.saturating_sub(2)) {
            writeln!(out, "  {}", dim(&line, self.style))?;
        }
        writeln!(out)
    }

    fn stage(&self, out: &mut dyn Write, stage: Stage, title: &str) -> io::Result<()> {
        let steps = self.report.plan.iter().filter(|step| step.stage == stage);
        let steps = steps.collect::<Vec<_>>();
        if steps.is_empty() {
            return Ok(());
        }
        self.title(out, title)?;
        self.steps(out, &steps)?;
        writeln!(out)
    }

    /// A line for each: how long it takes, what it is, what it gains and how far that leads, how it is done.
    fn steps(&self, out: &mut dyn Write, steps: &[&Step]) -> io::Result<()> {
        let time = |step: &Step| match step.takes_s {
            0.0 => "at once".to_string(),
            seconds => takes(seconds),
        };
        let longest = |texts: Vec<usize>| texts.into_iter().max().unwrap_or(0);
        let times = longest(steps.iter().map(|step| time(step).width()).collect());
        let names = longest(steps.iter().map(|step| safe(&step.check).width()).collect()).min(30);
        for step in steps {
            let gains = format!("+{:.1}", step.gain.max(0.0));
            let name = safe(&step.check);
            let pad = " ".repeat(names.saturating_sub(name.width()));
            let start = format!(
                "  {:>times$}  {name}{pad}  {gains:>5} -> {:>4}",
                time(step),
                percent(step.verified)
            );
            let start = match self.style.unicode {
                true => start.replace("->", "→"),
                false => start,
            };
            let mut end = vec![];
            if step.opens {
                end.push("the gate opens".to_string());
            }
            end.extend(advice(self.report, step).map(|advice| safe(&advice)));
            let end = end.join("; ");
            let indent = 2 + times + 2;
            let mut lines =
                wrapped_after(&end, start.width() + 2, indent + 2, self.style.width).into_iter();
            let first = lines.next().unwrap_or_default();
            writeln!(out, "{}", format!("{start}  {first}").trim_end())?;
            lines.try_for_each(|line| writeln!(out, "{:1$}{line}", "", indent + 2))?;
        }
        Ok(())
    }

    fn unplanned(&self, out: &mut dyn Write, way: &Way) -> io::Result<()> {
        if !way.unplannable.is_empty() {
            self.title(out, "Not in the plan")?;
            for item in &way.unplannable {
                self.paragraph(out, "  ", &safe(&format!("{}: {}", item.check, item.why)))?;
            }
            writeln!(out)?;
        }
        if !way.beyond.is_empty() {
            self.title(out, "What keeps the gate closed all the same")?;
            for reason in &way.beyond {
                self.paragraph(out, "  ", &safe(reason))?;
            }
            writeln!(out)?;
        }
        Ok(())
    }
}

/// What a person does: how it is mended or, where nobody could look, what lets one look.
pub(super) fn advice(report: &Report, step: &Step) -> Option<String> {
    let row = report.checks.iter().find(|row| row.id == step.check);
    let look = || {
        let row = row.filter(|row| row.verdict == Verdict::Unverified)?;
        to_do(row).or_else(|| Some(row.reason.text.clone()))
    };
    step.how.as_deref().map(with_gaps).or_else(look)
}

/// What the plan leads to, in a sentence.
pub(super) fn sentence(report: &Report, way: &Way) -> String {
    let gate = safe(&way.gate);
    let opening = report.plan.iter().find(|step| step.opens);
    let first = match (way.open, opening) {
        (true, _) => format!("gate {gate} is open"),
        (false, Some(step)) => {
            let proof = match way.minimal {
                true => "nothing cheaper opens it",
                false => "not proved minimal",
            };
            let time = takes(step.elapsed_s);
            format!(
                "{time} to {}, then gate {gate} opens ({proof})",
                percent(step.verified)
            )
        }
        (false, None) => format!("no plan opens gate {gate}"),
    };
    let left = way
        .unplannable
        .iter()
        .map(|item| safe(&item.check))
        .collect::<Vec<_>>();
    let left = match left.is_empty() {
        true => String::new(),
        false => format!("; not planned: {}", few(&left)),
    };
    match report.plan.len() {
        0 if way.open => format!("{first}; nothing is left to mend{left}"),
        0 => format!(
            "{first}: nothing that is to be mended has an estimate (`fix = {{ takes = \"1h\" }}`){left}"
        ),
        steps => format!(
            "{first}; everything ({}) in {}: {}{left}",
            count(steps, "step"),
            takes(way.all_takes_s),
            percent(way.all_verified)
        ),
    }
}
