//! The services of a compose file as one service of a run: `docker compose up` until they are healthy, and `down` whatever
//! came of that.

use std::sync::PoisonError;
use std::time::Duration;

use super::services::{Awaited, Course, Post, last_line};
use crate::domain::event::ServiceNow;
use crate::domain::evidence::{Failure, SpawnFailure};
use crate::domain::service::ServiceRun;
use crate::probe::service as look;
use crate::process::{self, Cancel, Command, End};

/// How long `docker compose logs` may take, and `down` beside the time that its services have.
const TO_TELL: Duration = Duration::from_secs(20);
const TO_TAKE_DOWN: Duration = Duration::from_secs(60);

impl Post<'_> {
    /// The services of a compose file: `up` until they are healthy, and `down` whatever came of that.
    pub(super) fn compose(
        &self,
        file: &str,
        port: Option<u16>,
        tell: &dyn Fn(ServiceNow),
        settled: &dyn Fn(),
    ) -> Result<(), Failure<SpawnFailure>> {
        // One name a run and service: what stands under another name is somebody else's.
        let project = self.job.context.name_of(&self.service.id);
        let docker = |words: &[&str]| {
            let base = [
                "docker",
                "compose",
                "--file",
                file,
                "--project-name",
                &project,
            ];
            let argv = base
                .iter()
                .chain(words)
                .map(|word| word.to_string())
                .collect::<Vec<_>>();
            look::command(self.service, (&argv, false), port, None, &self.job.context)
        };
        let within = self.service.within.as_secs().max(1).to_string();
        let to_stop = self.service.stop_within.as_secs().max(1).to_string();
        let (up, shown) = docker(&[
            "up",
            "--detach",
            "--build",
            "--wait",
            "--wait-timeout",
            &within,
        ])?;
        let (logs, _) = docker(&["logs", "--no-color", "--tail", "500"])?;
        let (down, by_hand) = docker(&[
            "down",
            "--volumes",
            "--remove-orphans",
            // Images that were built under the name of this run; those with a name of their own stay.
            "--rmi",
            "local",
            "--timeout",
            &to_stop,
        ])?;
        let mut course = Course::begin(shown, port);
        let up = Command {
            limit: self.service.within,
            ..up
        };
        let finished = process::run(&up, self.job.context.cancel);
        course.awaited = match &finished.end {
            End::Spawn(failure) => return Err(failure.clone()),
            End::Exit(0) => self.await_health(&course, None),
            End::Cancelled => Awaited::Stopped,
            End::Timeout => Awaited::Unhealthy("`docker compose up` did not end".to_string()),
            _ => Awaited::Ended,
        };
        if let Awaited::Healthy = course.awaited {
            self.is_up(&mut course, tell, settled);
            let state = self.lock();
            let stopped = self.changed.wait_while(state, |_| self.stop.told() == 0);
            drop(stopped.unwrap_or_else(PoisonError::into_inner));
        }
        // `self.stop` was given its first word already, which would keep these from being run at all.
        let taken_down = Cancel::new().map(|cancel| {
            let said = process::run(
                &Command {
                    limit: TO_TELL,
                    ..logs
                },
                &cancel,
            );
            let limit = self.service.stop_within.saturating_add(TO_TAKE_DOWN);
            (said, process::run(&Command { limit, ..down }, &cancel))
        });
        let by_hand = self.masked(&by_hand.join(" "));
        let (said, teardown) = match taken_down {
            Ok((said, down)) if down.end == End::Exit(0) => (Some(said), None),
            Ok((said, down)) => {
                let stderr = self.job.context.stream(&down.stderr);
                let words = last_line(&stderr).unwrap_or_default();
                (
                    Some(said),
                    Some(format!("`{by_hand}` did not do its work: {words}")),
                )
            }
            Err(error) => (None, Some(format!("`{by_hand}` was not run: {error}"))),
        };
        let record = ServiceRun {
            stdout: said.map(|said| self.job.context.stream(&said.stdout)),
            teardown,
            ..self.record_of(&course, &finished)
        };
        self.conclude(record, &course, &finished, tell, settled);
        Ok(())
    }
}
