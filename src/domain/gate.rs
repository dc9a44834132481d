//! A policy over the report: open or closed, with every reason. Exact fractions are compared, nothing is rounded.

mod binding;
mod claimed;
mod fewer;
mod held;
mod proved;
mod weakening;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use num_traits::Zero;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::about::About;
use super::check::{Blocking, Check, seconds_by_name};
use super::claim::Claim;
use super::evidence::Binding;
use super::goalposts::Against;
use super::held::Look;
use super::level::Level;
use super::project::Component;
use super::proof::Proof;
use super::ratio::{self, Ratio};
use super::regression::{self, Base, NO_BASE, RULE};
use super::report::CalledFor;
use super::score::{ComponentStanding, Standing};
use super::verdict::{Judgement, Verdict};
use super::waiver::{self, Waiver};

/// The name of the default gate.
pub const DEFAULT: &str = "default";

/// A declared policy.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Gate {
    /// [`DEFAULT`], or the name that the manifest gives it.
    pub name: String,
    /// What an open gate allows, in words.
    pub says: Option<String>,
    /// The least verified score, in percent.
    pub min_score: Option<f64>,
    /// Whether `min_score` counts what persons attest.
    pub count_attested: bool,
    /// Checks that must be verified or accepted.
    pub require: Vec<String>,
    /// The least verified score of single components, in percent.
    pub components: BTreeMap<String, f64>,
    /// The most points by which the claim may exceed what is verified.
    pub max_overclaim: Option<f64>,
    /// Whether no claim may be contradicted.
    #[serde(default)]
    pub no_contradicted: bool,
    /// The most claims that nothing checks.
    #[serde(default)]
    pub max_unbacked: Option<u64>,
    /// The most checks that may be unverified.
    pub max_unverified: Option<u64>,
    /// The most library checks that the files may call for and the manifest neither declares nor ignores.
    #[serde(default)]
    pub max_undeclared: Option<u64>,
    /// The weakest evidence that may carry a component.
    pub require_level: Option<Level>,
    /// Whether all evidence must be about one artifact.
    #[serde(default)]
    pub same_artifact: bool,
    /// Where what looks outside must have been looked at.
    #[serde(default)]
    pub environment: Option<String>,
    /// Checks that must have held without a break for so long.
    #[serde(default, rename = "held_for_s", with = "seconds_by_name")]
    #[schemars(with = "BTreeMap<String, f64>")]
    pub held_for: BTreeMap<String, Duration>,
    /// Whether nothing may be worse than in an earlier report: no lower score, no check that held and no longer does.
    #[serde(default)]
    pub no_regression: bool,
    /// Whether every check must have been seen to fail on its control.
    #[serde(default)]
    pub require_proved: bool,
    /// Whether no check may have run fewer tests than it ran before.
    #[serde(default)]
    pub no_fewer_tests: bool,
    /// Whether nothing may be asked less than by the manifest of the base.
    #[serde(default)]
    pub no_weakening: bool,
    /// Whether every check must stand: the gate of a manifest that declares none.
    pub every_check: bool,
    /// Whether the manifest declares it; one that it only implies does not decide alone.
    #[serde(default)]
    pub implied: bool,
}

impl Gate {
    /// Whether it is held against an earlier report.
    pub fn asks_for_base(&self) -> bool {
        self.no_regression || self.no_fewer_tests
    }

    /// The rule by which it wants a check to hold; none where it does not name it.
    pub(super) fn rule_on(&self, check: &Check) -> Option<&'static str> {
        let blocks = match &check.blocking {
            Blocking::No => false,
            Blocking::Default => self.name == DEFAULT,
            Blocking::Gates(names) => names.contains(&self.name),
        };
        if self.require.contains(&check.id) {
            Some("require")
        } else if blocks {
            Some("blocking")
        } else {
            self.every_check.then_some(EVERY_CHECK)
        }
    }

    /// Whether it is content with what became of a check that it names by that rule.
    pub(super) fn accepts(rule: &str, judgement: &Judgement) -> bool {
        match rule {
            EVERY_CHECK => judgement.stands(),
            _ => judgement.holds(),
        }
    }
}

/// The rule of a gate that wants every check to stand.
const EVERY_CHECK: &str = "every-check";

/// Whether a gate is open, and why not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GateState {
    /// Its name.
    pub name: String,
    /// What an open gate allows, in words.
    pub says: Option<String>,
    /// Whether it is open.
    pub open: bool,
    /// Checks that it would be closed for without their waivers.
    pub waived: Vec<String>,
    /// The report that it was held against, by the id of its run or its file, where a rule asks for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// Why it is closed; empty where it is open.
    pub reasons: Vec<GateReason>,
    /// What it would be without waivers; none where none of them exempts a check from it.
    #[serde(default)]
    pub without_waivers: Option<WithoutWaivers>,
}

/// What a gate would be without waivers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WithoutWaivers {
    /// Whether it would be open.
    pub open: bool,
    /// Why it would be closed.
    pub reasons: Vec<GateReason>,
}

/// One reason for which a gate is closed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GateReason {
    /// The rule's key in the manifest.
    pub rule: String,
    /// The check that it is about.
    pub check: Option<String>,
    /// What is wrong.
    pub text: String,
    /// Who mends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The estimated time to mend it, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub takes_s: Option<f64>,
    /// How to mend it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub how: Option<String>,
}

/// A check with its judgement, as a gate sees it.
#[derive(Clone, Copy, Debug)]
pub struct Judged<'a> {
    /// What was asked.
    pub check: &'a Check,
    /// What came of it.
    pub judgement: &'a Judgement,
    /// Whether it applies to this project.
    pub applicable: bool,
    /// What the evidence is about; none where there is none, and for a person's word.
    pub binding: Option<&'a Binding>,
    /// Whether what it sees can change while the project's files do not.
    pub outside: bool,
    /// The looks at it, as far back as a gate asks.
    pub looks: &'a [Look],
    /// What came of it when it was last proved, where that still counts.
    pub proof: Option<&'a Proof>,
}

/// A component with its standing, as a gate sees it.
#[derive(Clone, Copy, Debug)]
pub struct Rated<'a> {
    /// Which.
    pub component: &'a Component,
    /// What it reaches.
    pub standing: &'a ComponentStanding,
    /// Whether any of its checks apply.
    pub applicable: bool,
    /// Whether it was declared without any.
    pub no_checks: bool,
}

/// All that gates decide on.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// Every declared check.
    pub checks: &'a [Judged<'a>],
    /// Every component.
    pub components: &'a [Rated<'a>],
    /// The whole; none where nothing counts.
    pub overall: Option<&'a Standing>,
    /// The points by which the claim exceeds what is verified; none where nothing claims.
    pub gap: Option<&'a Ratio>,
    /// What is asked about.
    pub about: &'a About,
    /// Library checks that are called for and neither declared nor ignored.
    pub undeclared: &'a [CalledFor],
    /// The earlier report that each gate is held against, by the gate's name.
    pub bases: &'a BTreeMap<String, Base>,
    /// What is claimed, and what the evidence makes of it.
    pub claims: &'a [Claim],
    /// The manifest that this one is held against, where one is known.
    pub against: Option<&'a Against>,
    /// The names of all gates.
    pub gates: &'a [String],
    /// Declared waivers.
    pub waivers: &'a [Waiver],
    /// When all of it is judged.
    pub now: Timestamp,
    /// The day on which waivers are judged.
    pub today: Date,
}

/// Decides one gate.
pub fn decide(gate: &Gate, situation: &Situation<'_>) -> GateState {
    let mut decision = Decision {
        situation,
        reasons: vec![],
        waived: vec![],
    };
    let mut judged_something = decision.checks_by_name(gate);
    judged_something |= decision.score(gate);
    judged_something |= decision.components(gate);
    judged_something |= decision.overclaim(gate);
    judged_something |= decision.contradicted(gate);
    judged_something |= decision.unbacked(gate);
    judged_something |= decision.unverified(gate);
    judged_something |= decision.undeclared(gate);
    judged_something |= decision.levels(gate);
    judged_something |= decision.same_artifact(gate);
    judged_something |= decision.environment(gate);
    judged_something |= decision.held(gate);
    judged_something |= decision.regression(gate);
    judged_something |= decision.proved(gate);
    judged_something |= decision.fewer_tests(gate);
    judged_something |= decision.weakening(gate);
    if !judged_something || situation.overall.is_none() {
        let text = match situation.overall {
            None => "no check counts: there is nothing to judge",
            Some(_) => "no rule and no blocking check of it applies: there is nothing to judge",
        };
        decision
            .reasons
            .insert(0, reason("nothing-to-judge", text.to_string()));
    }
    decision.waived.sort();
    decision.waived.dedup();
    let without_waivers = (!decision.waived.is_empty()).then(|| {
        let waivers = &[];
        let state = decide(
            gate,
            &Situation {
                waivers,
                ..*situation
            },
        );
        WithoutWaivers {
            open: state.open,
            reasons: state.reasons,
        }
    });
    GateState {
        name: gate.name.clone(),
        says: gate.says.clone(),
        open: decision.reasons.is_empty(),
        waived: decision.waived,
        base: base_of(gate, situation).map(|base| base.name.clone()),
        reasons: decision.reasons,
        without_waivers,
    }
}

/// What the gate is held against, where it asks for it and there is any.
fn base_of<'a>(gate: &Gate, situation: &Situation<'a>) -> Option<&'a Base> {
    situation
        .bases
        .get(&gate.name)
        .filter(|_| gate.asks_for_base())
}

fn reason(rule: &str, text: String) -> GateReason {
    GateReason {
        rule: rule.to_string(),
        check: None,
        text,
        owner: None,
        takes_s: None,
        how: None,
    }
}

struct Decision<'a> {
    situation: &'a Situation<'a>,
    reasons: Vec<GateReason>,
    waived: Vec<String>,
}

impl<'a> Decision<'a> {
    /// Checks that count: applicable, and not optional.
    fn counting(&self) -> impl Iterator<Item = &'a Judged<'a>> + use<'a> {
        self.situation
            .checks
            .iter()
            .filter(|judged| judged.applicable && !judged.check.optional)
    }

    /// Whether a waiver in force exempts the check; then the gate is open with it.
    fn waived(&mut self, judged: &Judged<'_>) -> bool {
        let id = &judged.check.id;
        let (waivers, today) = (self.situation.waivers, self.situation.today);
        let in_force = waiver::is_waived(waivers, id, judged.judgement, today);
        if in_force {
            self.waived.push(id.clone());
        }
        in_force
    }

    fn close_for(&mut self, rule: &str, judged: &Judged<'_>) {
        let (check, judgement) = (judged.check, judged.judgement);
        self.reasons.push(GateReason {
            check: Some(check.id.clone()),
            owner: check.owner.clone(),
            takes_s: check.fix.takes.map(|takes| takes.as_secs_f64()),
            how: check.fix.advice(judgement.verdict),
            ..reason(
                rule,
                format!(
                    "{} is {}: {}",
                    check.id,
                    judgement.verdict.word(),
                    judgement.reason.text
                ),
            )
        });
    }

    /// `require`, `blocking` and the implicit rule that every check must stand; each check gives one reason.
    fn checks_by_name(&mut self, gate: &Gate) -> bool {
        let mut ruled = false;
        for id in &gate.require {
            // A gate may be older or newer than the checks: what is not there is not verified.
            if !self
                .situation
                .checks
                .iter()
                .any(|judged| judged.check.id == *id)
            {
                let text = format!("{id} is required, and there is no such check");
                self.reasons.push(GateReason {
                    check: Some(id.clone()),
                    ..reason("require", text)
                });
                ruled = true;
            }
        }
        for judged in self
            .situation
            .checks
            .iter()
            .filter(|judged| !judged.applicable)
        {
            if gate.require.contains(&judged.check.id) {
                let text = format!(
                    "{} is required and does not apply here: nothing verifies it",
                    judged.check.id
                );
                self.reasons.push(GateReason {
                    check: Some(judged.check.id.clone()),
                    ..reason("require", text)
                });
                ruled = true;
            }
        }
        if gate.every_check {
            for rated in self
                .situation
                .components
                .iter()
                .filter(|rated| rated.no_checks)
            {
                let text = format!(
                    "{} is declared and no check counts for it",
                    rated.component.title
                );
                self.reasons.push(reason("every-check", text));
            }
        }
        let counting = self.counting().collect::<Vec<_>>();
        for judged in counting {
            let check = judged.check;
            let Some(rule) = gate.rule_on(check) else {
                continue;
            };
            ruled = true;
            let fine = Gate::accepts(rule, judged.judgement);
            if !fine && !self.waived(judged) {
                self.close_for(rule, judged);
            }
        }
        ruled
    }

    fn score(&mut self, gate: &Gate) -> bool {
        let Some(least) = gate.min_score else {
            return false;
        };
        if let Some(overall) = self.situation.overall {
            let (reached, what) = match gate.count_attested {
                true => (
                    &overall.verified + &overall.attested,
                    "verified and attested",
                ),
                false => (overall.verified.clone(), "verified"),
            };
            if reached < ratio::percent(least) {
                self.reasons.push(reason(
                    "min_score",
                    format!("{what} {} % is below {least} %", floor(&reached)),
                ));
            }
        }
        true
    }

    fn components(&mut self, gate: &Gate) -> bool {
        let mut ruled = false;
        for (id, least) in &gate.components {
            let Some(rated) = self
                .situation
                .components
                .iter()
                .find(|rated| rated.component.id == *id)
            else {
                self.reasons.push(reason(
                    "components",
                    format!("{id} is to reach {least} %, and there is no such component"),
                ));
                ruled = true;
                continue;
            };
            ruled = true;
            if !rated.applicable {
                let text = format!(
                    "{} does not apply here: nothing verifies it",
                    rated.component.title
                );
                self.reasons.push(reason("components", text));
                continue;
            }
            let reached = &rated.standing.standing.verified;
            if *reached < ratio::percent(*least) {
                let text = format!(
                    "{} is verified to {} %, below {least} %",
                    rated.component.title,
                    floor(reached)
                );
                self.reasons.push(reason("components", text));
            }
        }
        ruled
    }

    fn unverified(&mut self, gate: &Gate) -> bool {
        let Some(most) = gate.max_unverified else {
            return false;
        };
        let counting = self.counting().collect::<Vec<_>>();
        let ruled = !counting.is_empty();
        let unverified = counting
            .into_iter()
            .filter(|judged| {
                judged.judgement.verdict == Verdict::Unverified && !judged.judgement.attested()
            })
            .collect::<Vec<_>>();
        // Waivers are spent only where they make the difference.
        if unverified.len() as u64 > most {
            let left = unverified
                .iter()
                .filter(|judged| !self.waived(judged))
                .map(|judged| judged.check.id.clone())
                .collect::<Vec<_>>();
            if left.len() as u64 > most {
                let are = match left.len() {
                    1 => "1 check is".to_string(),
                    many => format!("{many} checks are"),
                };
                let text = format!("{are} unverified, more than {most}: {}", left.join(", "));
                self.reasons.push(reason("max_unverified", text));
            }
        }
        ruled
    }

    fn undeclared(&mut self, gate: &Gate) -> bool {
        let Some(most) = gate.max_undeclared else {
            return false;
        };
        let undeclared = self.situation.undeclared;
        if undeclared.len() as u64 > most {
            let names = undeclared.iter().map(|called| called.check.as_str());
            let are = match undeclared.len() {
                1 => "1 check is".to_string(),
                many => format!("{many} checks are"),
            };
            let text = format!(
                "{are} called for and not declared, more than {most}: {}",
                names.collect::<Vec<_>>().join(", ")
            );
            self.reasons.push(reason("max_undeclared", text));
        }
        true
    }

    /// Nothing may be worse than in the base. A waiver is no excuse: what got worse was better before.
    fn regression(&mut self, gate: &Gate) -> bool {
        if !gate.no_regression {
            return false;
        }
        let Some(base) = base_of(gate, self.situation) else {
            let text = format!(
                "{NO_BASE}: no earlier complete run is recorded here; `--base FILE` takes a report as the base"
            );
            self.reasons.push(reason(RULE, text));
            return true;
        };
        let verified = self
            .situation
            .overall
            .map(|overall| overall.verified.clone());
        let verified = verified.unwrap_or_default();
        if verified < base.verified {
            let [from, to] = regression::apart(&base.verified, &verified);
            let text = format!("verified fell from {from} % to {to} %, base {}", base.name);
            self.reasons.push(reason(RULE, text));
        }
        for id in &base.held {
            let mut checks = self.situation.checks.iter();
            let judged = checks.find(|judged| judged.check.id == *id);
            let what = match judged {
                None => "is no longer declared".to_string(),
                Some(judged) if !judged.applicable => "no longer applies".to_string(),
                Some(judged) if judged.check.optional => "is optional now".to_string(),
                Some(judged) if judged.judgement.holds() => continue,
                Some(judged) => {
                    self.close_for(RULE, judged);
                    if let Some(last) = self.reasons.last_mut() {
                        last.text += &format!("; it held in base {}", base.name);
                    }
                    continue;
                }
            };
            self.reasons.push(GateReason {
                check: Some(id.clone()),
                ..reason(RULE, format!("{id} {what}; it held in base {}", base.name))
            });
        }
        true
    }

    fn levels(&mut self, gate: &Gate) -> bool {
        let Some(weakest) = gate.require_level else {
            return false;
        };
        for rated in self
            .situation
            .components
            .iter()
            .filter(|rated| rated.applicable)
        {
            let enough = rated
                .component
                .enough
                .is_some_and(|enough| rated.standing.level >= Some(enough));
            if rated.standing.level < Some(weakest) && !enough {
                let carried = match rated.standing.level {
                    Some(level) => format!("carried by {level} evidence only"),
                    None => "carried by no evidence".to_string(),
                };
                let text = format!(
                    "{} is {carried}, {weakest} is required",
                    rated.component.title
                );
                self.reasons.push(reason("require_level", text));
            }
        }
        true
    }
}

/// A fraction in whole percent, never rounded up.
fn floor(reached: &Ratio) -> String {
    if reached.is_zero() {
        "0".to_string()
    } else {
        format!("{}", ratio::to_percent(reached).floor())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
