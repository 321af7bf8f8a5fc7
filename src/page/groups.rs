//! A picture that can be looked at: what a fan-out made alike, with the same verdict, is one thing
//! in it.

use std::collections::{BTreeMap, BTreeSet};

use argo_attest_core::audit::Standing;

use super::facts::weight;
use super::graph::{Graph, Kind, Link, Thing};

/// More than so many of a kind are drawn as one.
const ALIKE: usize = 6;
/// Things in one picture.
pub(super) const THINGS: usize = 300;
/// Lines in one picture.
const LINKS: usize = 1_500;

/// What is drawn.
#[derive(Debug, Default)]
pub(super) struct Drawn {
    pub(super) things: Vec<Group>,
    pub(super) links: Vec<Link>,
    /// Things that are not drawn: too many.
    pub(super) left_out: usize,
}

/// One thing, or some that are alike.
#[derive(Debug)]
pub(super) struct Group {
    /// The first of them.
    pub(super) first: Thing,
    pub(super) count: usize,
}

impl Drawn {
    /// Of all that there is, what fits.
    pub(super) fn of(graph: &Graph) -> Self {
        let fine = Self::grouped(graph, ALIKE, fan_out);
        let drawn =
            if fine.things.len() <= THINGS { fine } else { Self::grouped(graph, 1, |_| String::new()) };
        drawn.cut()
    }

    fn grouped(graph: &Graph, alike: usize, place: fn(&str) -> String) -> Self {
        let things = &graph.things;
        let mut of: Vec<usize> = (0..things.len()).collect();
        // Steps by what they are; then what they made, by that; then what they took.
        for round in [Kind::Step, Kind::Artifact, Kind::Input] {
            let mut groups: BTreeMap<_, Vec<usize>> = BTreeMap::new();
            let mut near: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
            for link in &graph.links {
                let (this, other) =
                    if round == Kind::Artifact { (link.to, link.from) } else { (link.from, link.to) };
                if let Some(other) = of.get(other) {
                    near.entry(this).or_default().insert(*other);
                }
            }
            for (at, thing) in things.iter().enumerate() {
                let is_now = match round {
                    Kind::Input => !matches!(thing.kind, Kind::Step | Kind::Artifact),
                    round => thing.kind == round,
                };
                if !is_now {
                    continue;
                }
                let name = if round == Kind::Step { place(&thing.name) } else { String::new() };
                let near =
                    if round == Kind::Step { BTreeSet::new() } else { near.remove(&at).unwrap_or_default() };
                let key = (thing.kind, &thing.of, name, thing.standing.map(weight), thing.reason, near);
                groups.entry(key).or_default().push(at);
            }
            for group in groups.into_values().filter(|group| group.len() > alike) {
                let Some(first) = group.first().copied() else { continue };
                for at in group {
                    if let Some(of) = of.get_mut(at) {
                        *of = first;
                    }
                }
            }
        }
        let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
        for at in &of {
            *counts.entry(*at).or_default() += 1;
        }
        let new: BTreeMap<usize, usize> = counts.keys().enumerate().map(|(new, at)| (*at, new)).collect();
        let groups = counts.iter().filter_map(|(at, count)| {
            things.get(*at).map(|thing| Group { first: thing.clone(), count: *count })
        });
        let groups: Vec<_> = groups.collect();
        let mut links: BTreeMap<(usize, usize), bool> = BTreeMap::new();
        for link in &graph.links {
            let end = |at: usize| of.get(at).and_then(|at| new.get(at)).copied();
            if let (Some(from), Some(to)) = (end(link.from), end(link.to))
                && from != to
            {
                *links.entry((from, to)).or_default() |= link.is_signed;
            }
        }
        let links = links.into_iter().map(|((from, to), is_signed)| Link { from, to, is_signed }).collect();
        Self { things: groups, links, left_out: 0 }
    }

    /// Of what is still too much, what is worst.
    fn cut(mut self) -> Self {
        if self.things.len() > THINGS {
            let mut order: Vec<usize> = (0..self.things.len()).collect();
            let worth =
                |at: &usize| self.things.get(*at).map_or(0, |group| group.first.standing.map_or(0, weight));
            order.sort_by_key(|at| (std::cmp::Reverse(worth(at)), *at));
            order.truncate(THINGS);
            order.sort_unstable();
            let new: BTreeMap<_, _> = order.iter().enumerate().map(|(new, at)| (*at, new)).collect();
            let mut at = 0;
            self.things.retain(|group| {
                let stays = new.contains_key(&at);
                at += 1;
                if !stays {
                    self.left_out += group.count;
                }
                stays
            });
            self.links = self
                .links
                .iter()
                .filter_map(|link| {
                    let (from, to) = (*new.get(&link.from)?, *new.get(&link.to)?);
                    Some(Link { from, to, ..*link })
                })
                .collect();
        }
        self.links.truncate(LINKS);
        self
    }

    /// How many things are drawn as one with others.
    pub(super) fn gathered(&self) -> usize {
        self.things.iter().filter(|group| group.count > 1).map(|group| group.count).sum()
    }
}

impl Group {
    /// What is said of each of them.
    pub(super) fn standing(&self) -> Option<Standing> {
        self.first.standing
    }
}

/// The name of a step without what tells it from the others of its fan-out: Argo writes that in
/// parentheses.
fn fan_out(name: &str) -> String {
    let mut depth = 0_usize;
    let mut kept = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            c if depth == 0 => kept.push(c),
            _ => {}
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::super::graph::Takings;
    use super::*;

    fn thing(kind: Kind, name: &str, standing: Standing) -> Thing {
        Thing { kind, name: name.into(), of: "t".into(), standing: Some(standing), reason: None, more: None }
    }

    /// A source, a split step, `width` steps with an output each, of which the last is missing, and a join.
    fn fan(width: usize) -> Graph {
        let mut graph = Graph::new(&[], &Takings::default());
        graph.things.push(thing(Kind::Source, "git", Standing::Attested));
        graph.things.push(thing(Kind::Step, "wf.split", Standing::Attested));
        graph.things.push(thing(Kind::Step, "wf.join", Standing::Attested));
        let link = |from, to| Link { from, to, is_signed: true };
        graph.links.push(link(0, 1));
        for at in 0..width {
            let standing = if at + 1 == width { Standing::Missing } else { Standing::Attested };
            let (step, made) = (graph.things.len(), graph.things.len() + 1);
            graph.things.push(thing(Kind::Step, &format!("wf.map({at}:x)"), standing));
            graph.things.push(thing(Kind::Artifact, &format!("s3://b/{at}"), standing));
            graph.links.extend([link(0, step), link(step, made), link(made, 2)]);
        }
        graph
    }

    #[test]
    fn a_fan_out_is_one_step_for_each_verdict() {
        let small = Drawn::of(&fan(5));
        assert_eq!((small.things.len(), small.gathered(), small.left_out), (13, 0, 0));
        let large = Drawn::of(&fan(1_000));
        let counts: Vec<_> =
            large.things.iter().map(|group| (group.first.kind, group.count, group.standing())).collect();
        let (good, bad) = (Some(Standing::Attested), Some(Standing::Missing));
        assert_eq!(
            counts,
            [
                (Kind::Source, 1, good),
                (Kind::Step, 1, good),
                (Kind::Step, 1, good),
                (Kind::Step, 999, good),
                (Kind::Artifact, 999, good),
                (Kind::Step, 1, bad),
                (Kind::Artifact, 1, bad),
            ]
        );
        assert_eq!(large.links.len(), 7);
        assert_eq!(large.gathered(), 2 * 999);
    }

    #[test]
    fn what_does_not_fit_is_counted_and_what_is_missing_is_kept() {
        let mut graph = Graph::new(&[], &Takings::default());
        for at in 0..1_000 {
            let standing = if at == 700 { Standing::Missing } else { Standing::Attested };
            let thing = Thing { of: format!("t{at}"), ..thing(Kind::Step, "wf", standing) };
            graph.things.push(thing);
        }
        graph.links.push(Link { from: 700, to: 999, is_signed: true });
        let drawn = Drawn::of(&graph);
        assert_eq!((drawn.things.len(), drawn.left_out, drawn.links.len()), (THINGS, 700, 0));
        assert!(drawn.things.iter().any(|group| group.standing() == Some(Standing::Missing)));
    }

    #[test]
    fn a_fan_out_is_known_by_its_parentheses() {
        assert_eq!(fan_out("wf[1].scan(3:a(b).c)"), "wf[1].scan");
        assert_eq!(fan_out("wf.a(0:x).b(1)"), "wf.a.b");
        assert_eq!(fan_out(")((x"), "");
    }
}
