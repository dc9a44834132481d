//! `held_for`: checks that must have held without a break for some time. Waivers do not exempt from it.

use super::super::held::Span;
use super::{Decision, Gate, GateReason, reason};

impl Decision<'_> {
    /// Each of them holds now, and did for so long.
    pub(super) fn held(&mut self, gate: &Gate) -> bool {
        const RULE: &str = "held_for";
        let of = |id: &str, text: String| GateReason {
            check: Some(id.to_string()),
            ..reason(RULE, text)
        };
        for id in gate.held_for.keys() {
            let mut checks = self.situation.checks.iter();
            let Some(judged) = checks.find(|judged| judged.check.id == *id) else {
                let text = format!("{id} is to hold for some time, and there is no such check");
                self.reasons.push(of(id, text));
                continue;
            };
            if !judged.applicable {
                let text = format!("{id} is to hold for some time and does not apply here");
                self.reasons.push(of(id, text));
            } else if !judged.judgement.holds() {
                self.close_for(RULE, judged);
            } else if let Some(span) = Span::of(gate, judged.check, judged.outside)
                && let Err(text) = span.judge(judged.looks, self.situation.now)
            {
                self.reasons.push(GateReason {
                    owner: judged.check.owner.clone(),
                    ..of(id, format!("{id}: {text}"))
                });
            }
        }
        !gate.held_for.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use super::super::super::evidence::Observed;
    use super::super::super::held::Look;
    use super::super::super::testing::*;
    use super::super::super::verdict::Verdict;
    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);

    fn held_for(id: &str, least: Duration) -> Gate {
        Gate {
            held_for: BTreeMap::from([(id.to_string(), least)]),
            ..gate()
        }
    }

    fn look(hours: u64) -> Look {
        Look {
            started: now() - Duration::from_secs(3_600 * hours),
            verdict: Verdict::Verified,
            held: true,
            definition: "blake3:00".to_string(),
            environment: None,
        }
    }

    /// One check that was seen so now, and at these hours before.
    fn scene(observed: Observed, hours: &[u64]) -> Scene {
        let mut scene = Scene::of([(http("a"), observed), (counted("fine"), holds())]);
        scene.seen[0].looks = hours.iter().map(|hours| look(*hours)).collect();
        scene
    }

    fn reasons(scene: Scene) -> Vec<String> {
        let report = scene.assess();
        let [gate] = report.gates.as_slice() else {
            panic!("one gate")
        };
        let texts = gate.reasons.iter().map(|reason| {
            assert_eq!(
                (reason.rule.as_str(), reason.check.is_some()),
                ("held_for", true)
            );
            reason.text.clone()
        });
        texts.collect()
    }

    #[test]
    fn a_check_has_held_for_so_long() {
        let two_days = || held_for("a", 2 * DAY);
        let held = [0, 20, 40, 60];
        assert_eq!(reasons(scene(answered(), &held).gate(two_days())), [""; 0]);
        assert_eq!(
            reasons(scene(answered(), &[0, 20, 31]).gate(two_days())),
            ["a: verified since 31 h ago, less than 2 d"]
        );
        // How often it must be looked at is its own.
        let mut often = scene(answered(), &held);
        often.project.checks[0].max_age = Some(Duration::from_secs(3_600 * 19));
        assert_eq!(
            reasons(often.gate(two_days())),
            [
                "a: not looked at from 2026-11-21 16:00 UTC to 2026-11-22 12:00 UTC: longer than 19 h"
            ]
        );
    }

    #[test]
    fn what_does_not_hold_now_did_not_hold_whatever_was_before() {
        let gate = || held_for("a", DAY);
        let failed = observed(vec![exit(1)]);
        let mut scene_of_a_program = Scene::of([(run("a"), failed)]);
        scene_of_a_program.seen[0].looks = vec![look(0), look(20), look(40)];
        let waived = scene_of_a_program.waive(waiver("a")).gate(gate());
        assert_eq!(reasons(waived).len(), 1, "a waiver does not exempt");
        let unknown = reasons(scene(unknown(), &[0, 20, 40]).gate(gate()));
        assert_eq!(unknown, ["a is unverified: as the run says"]);
        let mut stale = scene(answered(), &[0, 20, 40]);
        stale.seen[0].stale = Some("the check was changed".to_string());
        assert_eq!(
            reasons(stale.gate(gate())),
            ["a is unverified: the check was changed"]
        );
    }

    #[test]
    fn what_is_not_there_did_not_hold() {
        let gate = || held_for("a", DAY);
        assert_eq!(
            reasons(
                scene(answered(), &[0, 20, 40])
                    .gate(gate())
                    .inapplicable("a")
            )
            .last()
            .map(String::as_str),
            Some("a is to hold for some time and does not apply here")
        );
        let other = scene(answered(), &[0, 20, 40]).gate(held_for("b", DAY));
        assert_eq!(
            reasons(other),
            ["b is to hold for some time, and there is no such check"]
        );
    }

    #[test]
    fn looks_count_for_the_gates_environment() {
        let gate = Gate {
            environment: Some("staging".to_string()),
            ..held_for("a", DAY)
        };
        let mut there = scene(seen_of("", "staging", answered()), &[0, 20, 40]);
        for look in &mut there.seen[0].looks {
            look.environment = Some("staging".to_string());
        }
        assert_eq!(reasons(there.gate(gate.clone())), [""; 0]);
        let elsewhere = scene(seen_of("", "staging", answered()), &[0, 20, 40]);
        assert_eq!(
            reasons(elsewhere.gate(gate)),
            ["a: never looked at in staging"]
        );
    }
}
