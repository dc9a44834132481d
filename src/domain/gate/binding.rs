//! `same_artifact` and `environment`: what the evidence that counts must be about, and where it must have been had.

use std::collections::BTreeSet;

use super::super::about::short;
use super::super::evidence::Binding;
use super::{Decision, Gate, GateReason, Judged, Verdict, reason};

impl Decision<'_> {
    /// The checks whose evidence says yes or no, with what it is about. A person's word is about nothing that a machine
    /// was shown, and what is unverified rests on no evidence.
    fn with_evidence<'a>(&'a self) -> impl Iterator<Item = (&'a Judged<'a>, &'a Binding)> {
        self.counting()
            .filter(|judged| judged.judgement.verdict != Verdict::Unverified)
            .filter_map(|judged| Some((judged, judged.binding?)))
    }

    /// All of it is about one artifact: the one that is asked about, else the only one that is named.
    pub(super) fn same_artifact(&mut self, gate: &Gate) -> bool {
        const RULE: &str = "same_artifact";
        if !gate.same_artifact {
            return false;
        }
        let evidence = self.with_evidence().collect::<Vec<_>>();
        let named = evidence
            .iter()
            .filter_map(|(_, binding)| binding.artifact.as_deref())
            .collect::<BTreeSet<_>>();
        let asked = self.situation.about.artifact.as_deref();
        let wanted = match named.first() {
            _ if asked.is_some() => asked,
            Some(only) if named.len() == 1 => Some(*only),
            _ => None,
        };
        let mut reasons = vec![];
        if asked.is_none() && named.is_empty() {
            reasons.push(reason(RULE, "no artifact is named: --artifact".to_string()));
        } else {
            for (judged, binding) in &evidence {
                let id = &judged.check.id;
                let text = match (&binding.artifact, wanted) {
                    (Some(artifact), Some(wanted)) if artifact == wanted => continue,
                    (Some(artifact), Some(wanted)) => {
                        format!(
                            "{id} is about {}, not about {}",
                            short(artifact),
                            short(wanted)
                        )
                    }
                    (Some(artifact), None) => format!(
                        "{id} is about {}, one of {} artifacts",
                        short(artifact),
                        named.len()
                    ),
                    (None, Some(wanted)) => {
                        format!("{id} is about no artifact, not about {}", short(wanted))
                    }
                    (None, None) => format!("{id} is about no artifact"),
                };
                reasons.push(about(RULE, judged, text));
            }
        }
        let ruled = !evidence.is_empty() || !reasons.is_empty();
        self.reasons.extend(reasons);
        ruled
    }

    /// What looks outside of the project's files was looked at there; nothing was looked at elsewhere.
    pub(super) fn environment(&mut self, gate: &Gate) -> bool {
        const RULE: &str = "environment";
        let Some(wanted) = gate.environment.as_deref() else {
            return false;
        };
        let mut reasons = vec![];
        let asked = self.situation.about.environment.as_deref();
        if let Some(asked) = asked.filter(|asked| *asked != wanted) {
            let text = format!("this is about {asked}, and the gate about {wanted}");
            reasons.push(reason(RULE, text));
        }
        let mut ruled = false;
        for (judged, binding) in self.with_evidence() {
            ruled |= judged.outside;
            let id = &judged.check.id;
            match binding.environment.as_deref() {
                Some(there) if there != wanted => reasons.push(about(
                    RULE,
                    judged,
                    format!("{id} was looked at in {there}, not in {wanted}"),
                )),
                None if judged.outside => reasons.push(about(
                    RULE,
                    judged,
                    format!("{id} was looked at in no environment that is named, not in {wanted}"),
                )),
                _ => {}
            }
        }
        self.reasons.extend(reasons);
        ruled
    }
}

/// A reason that is about what a check's evidence is about.
fn about(rule: &str, judged: &Judged<'_>, text: String) -> GateReason {
    GateReason {
        check: Some(judged.check.id.clone()),
        owner: judged.check.owner.clone(),
        ..reason(rule, text)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::super::check::{Check, Probe};
    use super::super::super::evidence::Observed;
    use super::super::super::testing::*;
    use super::*;

    const A: &str = "sha256:aaaaaaaaaaaaaaaaaaaa";
    const B: &str = "sha256:bbbbbbbbbbbbbbbbbbbb";

    /// The texts of the reasons for which the only gate is closed.
    fn reasons(scene: Scene) -> Vec<String> {
        let report = scene.assess();
        let reasons = report.gates[0].reasons.iter();
        reasons.map(|reason| reason.text.clone()).collect()
    }

    fn one_artifact() -> Gate {
        Gate {
            same_artifact: true,
            ..gate()
        }
    }

    fn in_staging() -> Gate {
        Gate {
            environment: Some("staging".to_string()),
            ..gate()
        }
    }

    #[test]
    fn all_evidence_that_counts_is_about_one_artifact() {
        let nothing_named = "no artifact is named: --artifact";
        // (asked about, artifacts of two checks, reasons)
        let cases: [(&str, [&str; 2], &[&str]); 9] = [
            ("", [A, A], &[]),
            (A, [A, A], &[]),
            (
                B,
                [A, B],
                &["a is about sha256:aaaaaaaaaaaa, not about sha256:bbbbbbbbbbbb"],
            ),
            (
                A,
                [A, ""],
                &["b is about no artifact, not about sha256:aaaaaaaaaaaa"],
            ),
            (
                "",
                ["", A],
                &["a is about no artifact, not about sha256:aaaaaaaaaaaa"],
            ),
            (
                "",
                [A, B],
                &[
                    "a is about sha256:aaaaaaaaaaaa, one of 2 artifacts",
                    "b is about sha256:bbbbbbbbbbbb, one of 2 artifacts",
                ],
            ),
            (
                A,
                ["", B],
                &[
                    "a is about no artifact, not about sha256:aaaaaaaaaaaa",
                    "b is about sha256:bbbbbbbbbbbb, not about sha256:aaaaaaaaaaaa",
                ],
            ),
            ("", ["", ""], &[nothing_named]),
            (
                A,
                ["", ""],
                &[
                    "a is about no artifact, not about sha256:aaaaaaaaaaaa",
                    "b is about no artifact, not about sha256:aaaaaaaaaaaa",
                ],
            ),
        ];
        for (asked, [a, b], wanted) in cases {
            let scene = Scene::of([
                (counted("a"), seen_of(a, "", holds())),
                (counted("b"), seen_of(b, "", ran(1, 1))),
            ]);
            let scene = scene.gate(one_artifact()).about(asked, "");
            assert_eq!(reasons(scene), wanted, "{asked} {a} {b}");
        }
    }

    #[test]
    fn a_third_artifact_leaves_none_that_is_meant_and_none_is_told_as_such() {
        let scene = Scene::of([
            (counted("a"), seen_of(A, "", holds())),
            (counted("b"), seen_of(B, "", breaks())),
            (counted("c"), holds()),
        ]);
        let wanted = [
            "a is about sha256:aaaaaaaaaaaa, one of 2 artifacts",
            "b is about sha256:bbbbbbbbbbbb, one of 2 artifacts",
            "c is about no artifact",
        ];
        assert_eq!(reasons(scene.gate(one_artifact())), wanted);
    }

    #[test]
    fn what_does_not_count_may_be_about_anything() {
        let optional = |check| Check {
            optional: true,
            ..check
        };
        let others: [(Check, Observed); 4] = [
            (optional(counted("b")), seen_of(B, "production", holds())),
            (counted("b"), unknown()),
            // A tool that found nothing to run says neither yes nor no.
            (counted("b"), seen_of(B, "production", ran(0, 0))),
            (manual("b"), word()),
        ];
        for gate in [one_artifact(), in_staging()] {
            for (check, observed) in others.clone() {
                let name = format!("{check:?}");
                let scene = Scene::of([
                    (http("a"), seen_of(A, "staging", answered())),
                    (check, observed),
                ]);
                assert_eq!(reasons(scene.gate(gate.clone())), [""; 0], "{name}");
            }
            let scene = Scene::of([
                (http("a"), seen_of(A, "staging", answered())),
                (counted("b"), seen_of(B, "production", holds())),
            ]);
            let scene = scene.gate(gate.clone()).inapplicable("b");
            assert_eq!(reasons(scene), [""; 0], "what does not apply");
            let mut scene = Scene::of([
                (http("a"), seen_of(A, "staging", answered())),
                (counted("b"), seen_of(B, "production", holds())),
            ]);
            scene.seen[1].stale = Some("files were changed".to_string());
            assert_eq!(reasons(scene.gate(gate)), [""; 0], "what is stale");
        }
    }

    #[test]
    fn a_waiver_does_not_exempt_from_what_evidence_is_about() {
        let scene = || {
            Scene::of([
                (http("a"), seen_of(A, "staging", answered())),
                (counted("b"), seen_of(B, "production", breaks())),
            ])
            .waive(waiver("b"))
            .about(A, "")
        };
        for gate in [one_artifact(), in_staging()] {
            assert_eq!(reasons(scene().gate(gate)).len(), 1);
        }
    }

    #[test]
    fn without_evidence_there_is_nothing_to_judge() {
        let nothing = "no rule and no blocking check of it applies: there is nothing to judge";
        let scene = |gate: Gate| {
            Scene::of([(http("a"), unknown()), (manual("b"), word())])
                .gate(gate)
                .about(A, "staging")
        };
        assert_eq!(reasons(scene(one_artifact())), [nothing]);
        assert_eq!(reasons(scene(in_staging())), [nothing]);
        // Files are the same everywhere: what was had of them says nothing of an environment.
        let scene = Scene::of([(counted("a"), seen_of("", "staging", holds()))]);
        assert_eq!(reasons(scene.gate(in_staging())), [nothing]);
    }

    #[test]
    fn what_looks_outside_was_looked_at_there_and_nothing_elsewhere() {
        let listens = |mut check: Check| {
            if let Probe::Run(run) = &mut check.probe {
                run.listen = Some(Box::new(listening()));
            }
            check
        };
        let of_environment = |mut check: Check| {
            if let Probe::Run(run) = &mut check.probe {
                run.argv.push("{env.BASE_URL}".to_string());
            }
            check
        };
        let needing = |check: Check| Check {
            needs: vec!["server".to_string()],
            ..check
        };
        // (check, whether it looks outside)
        let checks = [
            (counted("b"), false),
            (file("b"), false),
            (http("b"), true),
            (variable("b"), true),
            (of_environment(counted("b")), true),
            (listens(counted("b")), true),
            (needing(counted("b")), true),
        ];
        for (check, outside) in checks {
            let text = |environment: &str| match environment {
                "production" => Some("b was looked at in production, not in staging"),
                "" if outside => {
                    Some("b was looked at in no environment that is named, not in staging")
                }
                _ => None,
            };
            for environment in ["staging", "production", ""] {
                let observed = match &check.probe {
                    // What is not as expected says no, and that counts as well.
                    Probe::Run(_) => breaks(),
                    Probe::Http(_) => answered(),
                    _ => looked(),
                };
                let mut scene = Scene::of([
                    (http("a"), seen_of("", "staging", answered())),
                    (check.clone(), seen_of("", environment, observed)),
                ]);
                scene.project.services.push(service("server"));
                let wanted = text(environment).into_iter().collect::<Vec<_>>();
                let reasons = reasons(scene.gate(in_staging()));
                assert_eq!(reasons, wanted, "{:?} {environment}", check.probe);
            }
        }
    }

    #[test]
    fn a_question_about_another_environment_closes_the_gate() {
        let scene = |asked| {
            Scene::of([(http("a"), seen_of("", "staging", answered()))])
                .gate(in_staging())
                .about("", asked)
        };
        assert_eq!(reasons(scene("")), [""; 0]);
        assert_eq!(reasons(scene("staging")), [""; 0]);
        assert_eq!(
            reasons(scene("production")),
            ["this is about production, and the gate about staging"]
        );
    }

    #[test]
    fn a_reason_names_check_and_owner() {
        let check = Check {
            owner: Some("api team".to_string()),
            ..http("a")
        };
        let scene = Scene::of([(check, seen_of(A, "dev", answered()))]);
        let report = scene.gate(in_staging()).assess();
        let reason = &report.gates[0].reasons[0];
        assert_eq!(reason.rule, "environment");
        assert_eq!(reason.check.as_deref(), Some("a"));
        assert_eq!(reason.owner.as_deref(), Some("api team"));
    }
}
