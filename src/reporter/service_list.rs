//! The services of a run: nothing of those that did their part, what went wrong with the others and what they said.

use std::io::{self, Write};

use owo_colors::AnsiColors;

use super::Detail;
use super::page::{Page, safe};
use super::words::{bold, painted};
use crate::domain::limit::human_duration;
use crate::domain::service::{ServiceRun, ServiceState};

impl Page<'_> {
    /// What a reader must know of the services; all that is known of them where everything is asked for.
    pub(super) fn services(&self, out: &mut dyn Write) -> io::Result<()> {
        let verbose = self.style.detail == Detail::Verbose;
        let run = self.report.run.iter().flat_map(|run| &run.services);
        let shown = run
            .filter(|service| {
                verbose || service.state != ServiceState::Healthy || service.teardown.is_some()
            })
            .collect::<Vec<_>>();
        if shown.is_empty() {
            return Ok(());
        }
        self.title(out, "Services")?;
        for service in shown {
            self.service(out, service)?;
        }
        writeln!(out)
    }

    fn service(&self, out: &mut dyn Write, service: &ServiceRun) -> io::Result<()> {
        let colour = match service.state {
            ServiceState::Healthy => AnsiColors::Green,
            ServiceState::NotStarted => AnsiColors::Yellow,
            ServiceState::Unhealthy | ServiceState::Died => AnsiColors::Red,
        };
        let word = painted(service.state.word(), colour, self.style);
        let id = bold(&safe(&service.id), self.style);
        let port = service
            .port
            .map(|port| format!(" on port {port}"))
            .unwrap_or_default();
        let after = service.healthy_after_ms.map(|millis| {
            let after = human_duration(std::time::Duration::from_millis(millis));
            format!(", healthy after {after}")
        });
        writeln!(out, "  {word}  {id}{port}{}", after.unwrap_or_default())?;
        if let Some(reason) = &service.reason {
            self.field(out, "because", &safe(&reason.text))?;
        }
        if let Some(teardown) = &service.teardown {
            self.field(out, "not stopped as it should be", &safe(teardown))?;
        }
        if !service.command.is_empty() {
            self.verbatim(out, "ran", &safe(&service.command.join(" ")))?;
        }
        let said = [&service.stderr, &service.stdout].into_iter().flatten();
        let mut said = said.filter(|stream| !stream.tail.trim().is_empty());
        said.try_for_each(|stream| self.output(out, stream))
    }
}
