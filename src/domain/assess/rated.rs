//! Components and the whole, rated, and their rows of the report.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::super::check::Check;
use super::super::gate::Judged;
use super::super::level::Level;
use super::super::project::{Component, Project};
use super::super::ratio::{self, Ratio};
use super::super::reason::Code;
use super::super::report::{Cap, CheckRow, ComponentRow, GENERAL, GroupRow, Score};
use super::super::score::{self, ComponentStanding, Standing, Weighed};

/// A component with the indices of its checks and its standing.
pub(super) struct RatedComponent {
    pub(super) component: Component,
    pub(super) checks: Vec<usize>,
    pub(super) standing: ComponentStanding,
    pub(super) applicable: bool,
    pub(super) no_checks: bool,
    pub(super) weight: Ratio,
    /// What the manifest or a document claims for it, in percent: the highest figure.
    pub(super) claim: Option<f64>,
}

/// The declared components in order, then one for each check that is in none of them: no check is ever left out.
pub(super) fn rate(project: &Project, judged: &[Judged<'_>]) -> Vec<RatedComponent> {
    let is_in = |component: &Component, at: usize| {
        judged[at].check.component.as_ref() == Some(&component.id)
    };
    let declared = project.components.iter().map(|component| {
        let checks = (0..judged.len())
            .filter(|at| is_in(component, *at))
            .collect();
        rate_one(project, judged, component.clone(), checks)
    });
    let own = (0..judged.len())
        .filter(|at| {
            !project
                .components
                .iter()
                .any(|component| is_in(component, *at))
        })
        .map(|at| RatedComponent {
            // Its one check decides alone: an optional one takes it out of score and table.
            applicable: judged[at].applicable && !judged[at].check.optional,
            no_checks: false,
            ..rate_one(project, judged, own_component(judged[at].check), vec![at])
        });
    declared.chain(own).collect()
}

/// A check without a component is one by itself, with the check's weight and claim.
pub(super) fn own_component(check: &Check) -> Component {
    Component {
        id: check.id.clone(),
        title: check.id.clone(),
        weight: check.weight,
        group: Some(GENERAL.to_string()),
        claim: check.claim,
        owner: check.owner.clone(),
        aliases: check.aliases.clone(),
        enough: None,
        source: check.source.clone(),
    }
}

pub(super) fn rate_one(
    project: &Project,
    judged: &[Judged<'_>],
    component: Component,
    checks: Vec<usize>,
) -> RatedComponent {
    let counted = checks
        .iter()
        .filter(|at| !judged[**at].check.optional)
        .collect::<Vec<_>>();
    let weighed = counted
        .iter()
        .map(|at| &judged[**at])
        .filter(|judged| judged.applicable)
        .map(|judged| Weighed {
            weight: ratio::decimal(judged.check.weight),
            credit: judged.judgement.credit.clone(),
            potential: judged.judgement.potential.clone(),
            level: judged.check.level,
            attested: judged.judgement.attested(),
        })
        .collect::<Vec<_>>();
    RatedComponent {
        standing: score::component(&weighed, &project.caps, component.enough),
        applicable: counted.is_empty() || !weighed.is_empty(),
        no_checks: counted.is_empty(),
        weight: ratio::decimal(component.weight),
        claim: component.claim,
        component,
        checks,
    }
}

impl RatedComponent {
    /// Whether it is a check that is in no component.
    pub(super) fn is_own(&self, judged: &[Judged<'_>]) -> bool {
        let own = |at: &usize| judged[*at].check.id == self.component.id;
        let in_none = |at: &usize| judged[*at].check.component.as_ref() != Some(&self.component.id);
        self.checks.iter().any(|at| own(at) && in_none(at))
    }

    pub(super) fn claimed(&self) -> Option<Ratio> {
        self.claim.map(ratio::percent)
    }

    /// What would lift its evidence above a level. A proof does where nothing but an exit status decides.
    fn lift(&self, level: Level, checks: &[CheckRow]) -> String {
        let mut own = self.checks.iter().map(|at| &checks[*at].definition);
        let provable = own.any(|check| check.by_exit_alone && check.level == level);
        let proof = match provable {
            true => ", or the proof that it can fail (`ready prove`)",
            false => "",
        };
        format!("{}{proof}", level.lift())
    }

    pub(super) fn row(&self, project: &Project, checks: &[CheckRow]) -> ComponentRow {
        let (component, standing) = (&self.component, &self.standing.standing);
        let cap = self.standing.capped.map(|level| Cap {
            percent: project.caps.percent(level),
            level,
            lift: self.lift(level, checks),
        });
        ComponentRow {
            id: component.id.clone(),
            title: component.title.clone(),
            group: component.group.clone(),
            weight: component.weight,
            verified: ratio::to_percent(&standing.verified),
            ceiling: ratio::to_percent(&standing.ceiling),
            attested: ratio::to_percent(&standing.attested),
            claimed: self.claim,
            gap: self
                .claimed()
                .map(|claimed| ratio::to_percent(&(claimed - &standing.verified))),
            level: self.standing.level,
            cap,
            enough: component.enough,
            applicable: self.applicable,
            no_checks: self.no_checks,
            owner: component.owner.clone(),
            oldest: oldest(&self.checks, checks),
        }
    }
}

pub(super) fn oldest(members: &[usize], checks: &[CheckRow]) -> Option<Timestamp> {
    members
        .iter()
        .map(|at| &checks[*at])
        // What no longer counts is as old as it likes.
        .filter(|row| row.reason.code != Code::Stale)
        .filter_map(|row| row.evidence.as_ref())
        .map(|evidence| evidence.started)
        .min()
}

/// The whole: its standing, and the claim that it is held against.
pub(super) struct Whole {
    pub(super) standing: Option<Standing>,
    pub(super) claimed: Option<Ratio>,
    pub(super) gap: Option<Ratio>,
    pub(super) partly_claimed: bool,
}

impl Whole {
    /// `claim` is what the manifest or a document claims for the whole, in percent: the highest figure.
    pub(super) fn of(rated: &[RatedComponent], claim: Option<f64>) -> Whole {
        let counting = || rated.iter().filter(|rated| rated.applicable);
        let standing =
            score::mean(counting().map(|rated| (&rated.weight, &rated.standing.standing)));
        if let Some(claim) = claim {
            let claimed = ratio::percent(claim);
            let gap = match &standing {
                Some(standing) => &claimed - &standing.verified,
                None => claimed.clone(),
            };
            return Whole {
                standing,
                claimed: Some(claimed),
                gap: Some(gap),
                partly_claimed: false,
            };
        }
        let claims = claimed_mean(counting());
        Whole {
            standing,
            gap: claims
                .as_ref()
                .map(|(claimed, verified)| claimed - verified),
            claimed: claims.map(|(claimed, _)| claimed),
            partly_claimed: true,
        }
    }

    pub(super) fn score(&self) -> Score {
        let part = |pick: fn(&Standing) -> &Ratio| {
            self.standing
                .as_ref()
                .map_or(0.0, |standing| ratio::to_percent(pick(standing)))
        };
        Score {
            verified: part(|s| &s.verified),
            ceiling: part(|s| &s.ceiling),
            attested: part(|s| &s.attested),
            claimed: self.claimed.as_ref().map(ratio::to_said_percent),
            gap: self.gap.as_ref().map(ratio::to_percent),
            partly_claimed: self.partly_claimed && self.claimed.is_some(),
        }
    }
}

/// The weighted means of claimed and verified over the components that claim.
pub(super) fn claimed_mean<'a>(
    rated: impl Iterator<Item = &'a RatedComponent>,
) -> Option<(Ratio, Ratio)> {
    let mut weights = Ratio::from_integer(0.into());
    let (mut claimed, mut verified) = (weights.clone(), weights.clone());
    for rated in rated {
        let Some(claim) = rated.claimed() else {
            continue;
        };
        claimed += &rated.weight * claim;
        verified += &rated.weight * &rated.standing.standing.verified;
        weights += &rated.weight;
    }
    (weights > Ratio::from_integer(0.into())).then(|| (claimed / &weights, verified / &weights))
}

/// One row for each component, or for each group of them, in order of first appearance. What does not apply has none.
pub(super) fn group_rows(rated: &[RatedComponent], checks: &[CheckRow]) -> Vec<GroupRow> {
    let mut rows: Vec<(String, Vec<&RatedComponent>)> = vec![];
    let mut at_title: BTreeMap<String, usize> = BTreeMap::new();
    for rated in rated.iter().filter(|rated| rated.applicable) {
        let component = &rated.component;
        match &component.group {
            Some(group) => {
                let at = *at_title.entry(group.clone()).or_insert_with(|| {
                    rows.push((group.clone(), vec![]));
                    rows.len() - 1
                });
                rows[at].1.push(rated);
            }
            None => rows.push((component.title.clone(), vec![rated])),
        }
    }
    rows.into_iter()
        .filter_map(|(title, members)| group_row(title, &members, checks))
        .collect()
}

pub(super) fn group_row(
    title: String,
    members: &[&RatedComponent],
    checks: &[CheckRow],
) -> Option<GroupRow> {
    let standing = score::mean(
        members
            .iter()
            .map(|rated| (&rated.weight, &rated.standing.standing)),
    )?;
    let claims = claimed_mean(members.iter().copied());
    Some(GroupRow {
        title,
        components: members
            .iter()
            .map(|rated| rated.component.id.clone())
            .collect(),
        weight: members.iter().map(|rated| rated.component.weight).sum(),
        verified: ratio::to_percent(&standing.verified),
        ceiling: ratio::to_percent(&standing.ceiling),
        attested: ratio::to_percent(&standing.attested),
        gap: claims
            .as_ref()
            .map(|(claimed, verified)| ratio::to_percent(&(claimed - verified))),
        claimed: claims.map(|(claimed, _)| ratio::to_said_percent(&claimed)),
        level: members
            .iter()
            .filter_map(|rated| rated.standing.level)
            .min(),
        oldest: members
            .iter()
            .filter_map(|rated| oldest(&rated.checks, checks))
            .min(),
    })
}
