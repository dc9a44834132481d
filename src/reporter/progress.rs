//! What a person sees while checks run: on a terminal the running checks with their time, elsewhere one line for each
//! that has ended. Always on standard error.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Style;
use super::words::{colour, cut, mark, painted};
use crate::domain::event::{Event, ServiceNow};
use crate::domain::limit::human_duration;
use crate::domain::project::Project;
use crate::domain::verdict::{Judgement, Verdict};
use crate::sanitise::{self, Colour};

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Not at all.
    Silent,
    /// A line for each check that has ended.
    Lines,
    /// The same, without a word that another program said: for logs that take commands from their lines.
    BareLines,
    /// Redrawn on a terminal.
    Terminal,
}

/// What a line on the terminal is about, by its place in the project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Running {
    Check(usize),
    Service(usize),
}

/// Shows the events of a run.
pub struct Progress<'p> {
    project: &'p Project,
    style: Style,
    mode: Mode,
    due: usize,
    ended: usize,
    bars: Option<MultiProgress>,
    total: Option<ProgressBar>,
    running: BTreeMap<Running, ProgressBar>,
}

impl<'p> Progress<'p> {
    /// For a run of `due` checks.
    pub fn new(project: &'p Project, due: usize, mode: Mode, style: Style) -> Progress<'p> {
        let bars = (mode == Mode::Terminal)
            .then(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr()));
        let total = bars.as_ref().map(|bars| {
            let total = bars.add(ProgressBar::new(due as u64));
            // The template is ours and parses.
            if let Ok(style) = ProgressStyle::with_template("{pos}/{len} checks  {elapsed}") {
                total.set_style(style);
            }
            total.enable_steady_tick(Duration::from_millis(250));
            total
        });
        Progress {
            project,
            style,
            mode,
            due,
            ended: 0,
            bars,
            total,
            running: BTreeMap::new(),
        }
    }

    /// Shows an event.
    pub fn show(&mut self, event: &Event) {
        match event {
            Event::Started { check, .. } => self.started(*check),
            Event::Finished {
                check,
                judgement,
                took,
                ..
            } => self.finished(*check, judgement, *took),
            Event::Service { service, now } => self.service(*service, now),
            Event::OutOfTime => {
                self.print("the run is out of time: running checks are asked to end");
            }
            Event::Stopping { told } => {
                let text = match told {
                    1 => "stopping: running checks are asked to end (again: they are made to)",
                    _ => "stopping: running checks are made to end (again: at once)",
                };
                self.print(text);
            }
        }
    }

    /// Takes what is drawn off the terminal.
    pub fn end(&mut self) {
        for bar in self.running.values() {
            bar.finish_and_clear();
        }
        if let Some(total) = &self.total {
            total.finish_and_clear();
        }
    }

    fn service(&mut self, service: usize, now: &ServiceNow) {
        let id = &self.project.services[service].id;
        let at = Running::Service(service);
        if let Some(bar) = self.running.remove(&at) {
            bar.finish_and_clear();
        }
        let line = match now {
            ServiceNow::Starting => return self.spin(at, format!("{id}: being started")),
            ServiceNow::Stopping => return self.spin(at, format!("{id}: being stopped")),
            ServiceNow::Stopped => return,
            ServiceNow::Healthy(port, took) => {
                let port = port
                    .map(|port| format!(" on port {port}"))
                    .unwrap_or_default();
                format!("service {id}  healthy{port}  {}", human_duration(*took))
            }
            ServiceNow::Down(reason) if self.mode == Mode::BareLines => {
                format!("service {id}  {}", reason.code.word())
            }
            ServiceNow::Down(reason) => {
                let why = sanitise::line(&reason.text.replace('\n', " "), Colour::Drop);
                format!("service {id}  {}  {why}", reason.code.word())
            }
        };
        self.print(&line);
    }

    fn started(&mut self, check: usize) {
        let id = self.project.checks[check].id.clone();
        self.spin(Running::Check(check), id);
    }

    fn spin(&mut self, at: Running, text: String) {
        let (Some(bars), Some(total)) = (&self.bars, &self.total) else {
            return;
        };
        let bar = bars.insert_before(total, ProgressBar::new_spinner());
        if let Ok(style) = ProgressStyle::with_template("  {spinner} {msg}  {elapsed}") {
            bar.set_style(style);
        }
        bar.set_message(text);
        bar.enable_steady_tick(Duration::from_millis(250));
        self.running.insert(at, bar);
    }

    fn finished(&mut self, check: usize, judgement: &Judgement, took: Duration) {
        self.ended += 1;
        if let Some(bar) = self.running.remove(&Running::Check(check)) {
            bar.finish_and_clear();
        }
        if let Some(total) = &self.total {
            total.inc(1);
        }
        let line = self.line(check, judgement, took);
        self.print(&line);
    }

    fn line(&self, check: usize, judgement: &Judgement, took: Duration) -> String {
        let word = format!(
            "{} {:10}",
            mark(judgement.verdict, self.style),
            judgement.verdict.word()
        );
        let width = self.due.to_string().len();
        let why = match (judgement.verdict, self.mode) {
            (Verdict::Verified, _) => String::new(),
            (_, Mode::BareLines) => format!("  {}", judgement.reason.code.word()),
            _ => format!(
                "  {}",
                sanitise::line(&judgement.reason.text.replace('\n', " "), Colour::Drop)
            ),
        };
        format!(
            "[{:width$}/{}] {} {}  {}{why}",
            self.ended,
            self.due,
            painted(&word, colour(judgement.verdict), self.style),
            self.project.checks[check].id,
            human_duration(took),
        )
    }

    fn print(&self, line: &str) {
        match (&self.bars, self.mode) {
            (_, Mode::Silent) => {}
            // A terminal that went away is no reason to stop.
            (Some(bars), _) => _ = bars.println(cut(line, self.style.width)),
            (None, _) => _ = writeln!(std::io::stderr().lock(), "{line}"),
        }
    }
}
