//! What went into what: steps, what they made and took, images and sources, of one workflow.
//!
//! A line that a verified statement has is told from one that stands in the workflow's text alone.

use std::collections::{BTreeMap, HashMap};

use argo_attest_core::audit::{Account, Spot, Standing, WorkflowRun};
use argo_attest_core::relpath::printable;

use super::facts::{About, Fact, StepFacts, weight};
use super::markup::Anchor;
use crate::report::Material;

/// What something in the picture is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Kind {
    Step,
    Artifact,
    /// Something that no step of this workflow made.
    Input,
    Image,
    Source,
}

/// One thing in the picture.
#[derive(Debug, Clone)]
pub(super) struct Thing {
    pub(super) kind: Kind,
    /// What it is called: a node's name, an address.
    pub(super) name: String,
    /// What it is one of: a template, an output's name.
    pub(super) of: String,
    /// What is said of it; `None` of what nobody says is attested, nor has to be.
    pub(super) standing: Option<Standing>,
    pub(super) reason: Option<&'static str>,
    /// Where the page tells more.
    pub(super) more: Option<Anchor>,
}

/// A line from what went in to what it went into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) from: usize,
    pub(super) to: usize,
    /// Whether a verified statement says so.
    pub(super) is_signed: bool,
}

/// The whole of a workflow.
#[derive(Debug, Default)]
pub(super) struct Graph {
    pub(super) things: Vec<Thing>,
    pub(super) links: Vec<Link>,
    named: HashMap<(Kind, String), usize>,
    linked: HashMap<(usize, usize), usize>,
}

/// What the text of a workflow says that its nodes took, and which of them are in the picture.
#[derive(Debug, Default)]
pub(super) struct Takings(Vec<(String, Vec<String>)>);

impl Takings {
    pub(super) fn of(run: &WorkflowRun) -> Self {
        let nodes = run.nodes.iter().filter(|node| node.account() != Account::Frame);
        let taken = |node: &argo_attest_core::audit::Node| {
            let addresses = node.inputs.iter().filter_map(|made| match &made.spot {
                Spot::Object { bucket, key } => {
                    Some(address(&printable(format!("s3://{bucket}/{key}").as_bytes())))
                }
                Spot::Elsewhere(_) | Spot::Nowhere => None,
            });
            (node.id.clone(), addresses.collect())
        };
        Self(nodes.map(taken).filter(|(_, taken): &(_, Vec<_>)| !taken.is_empty()).collect())
    }
}

impl Graph {
    pub(super) fn new(steps: &[StepFacts], takings: &Takings) -> Self {
        let mut graph = Self::default();
        let mut by_id: BTreeMap<&str, usize> = BTreeMap::new();
        for of in steps {
            let at = graph.step(of);
            if let Some(id) = &of.step.node_id {
                by_id.insert(id, at);
            }
            let made = of.facts.iter().filter(|fact| fact.is_drawn());
            for fact in made {
                let made = graph.artifact(of, fact);
                graph.link(at, made, fact.standing == Standing::Attested);
            }
        }
        for of in steps {
            let Some(at) = graph.at(Kind::Step, &key(of)) else { continue };
            // What is told of an input is worse than what its statement says.
            for fact in of.facts.iter().filter(|fact| fact.about == About::Input) {
                let input = graph.input(&fact.name, Some(fact));
                graph.link(input, at, true);
            }
            // What is attested for another run says nothing of this one.
            let attested = of.facts.iter().filter(|fact| fact.standing == Standing::Attested);
            for material in attested.filter_map(|fact| fact.by.as_ref()).flat_map(|by| &by.materials) {
                let material = graph.material(material);
                graph.link(material, at, true);
            }
        }
        for (node, taken) in &takings.0 {
            let Some(at) = by_id.get(node.as_str()).copied() else { continue };
            for uri in taken {
                let input = graph.input(uri, None);
                graph.link(input, at, false);
            }
        }
        graph
    }

    fn step(&mut self, of: &StepFacts) -> usize {
        let template = of.step.template.clone().unwrap_or_default();
        self.add(Kind::Step, key(of), || Thing {
            kind: Kind::Step,
            name: of.name().to_owned(),
            of: template,
            standing: Some(of.standing()),
            reason: of.reason(),
            more: Some(of.anchor),
        })
    }

    /// Of one that two steps name, the worse is said.
    fn artifact(&mut self, of: &StepFacts, fact: &Fact) -> usize {
        let name = match fact.about {
            About::Artifact => address(&fact.name),
            _ => format!("{}#{}", key(of), fact.name),
        };
        let thing = || Thing {
            kind: Kind::Artifact,
            name: fact.name.clone(),
            of: fact.output.clone().unwrap_or_default(),
            standing: Some(fact.standing),
            reason: fact.reason,
            more: Some(fact.anchor),
        };
        let at = self.add(Kind::Artifact, name, thing);
        self.worsen(at, fact);
        at
    }

    fn worsen(&mut self, at: usize, fact: &Fact) {
        let Some(thing) = self.things.get_mut(at) else { return };
        if thing.standing.is_none_or(|known| weight(known) < weight(fact.standing)) {
            thing.standing = Some(fact.standing);
            thing.reason = fact.reason;
            thing.more = Some(fact.anchor);
        }
    }

    /// Something that was taken: what a step made here, or something from elsewhere.
    fn input(&mut self, uri: &str, fact: Option<&Fact>) -> usize {
        let uri = address(uri);
        let made = self.at(Kind::Artifact, &uri);
        let thing = || Thing {
            kind: Kind::Input,
            name: uri.clone(),
            of: String::new(),
            standing: None,
            reason: None,
            more: None,
        };
        let at = made.unwrap_or_else(|| self.add(Kind::Input, uri.clone(), thing));
        if let Some(fact) = fact {
            self.worsen(at, fact);
        }
        at
    }

    fn material(&mut self, material: &Material) -> usize {
        let name = if material.uri.is_empty() { &material.name } else { &material.uri };
        let is_commit = material.digest.as_ref().is_some_and(|digest| digest.starts_with("gitCommit:"));
        let kind = match name {
            uri if uri.starts_with("oci://") => Kind::Image,
            uri if uri.starts_with("git+") || is_commit => Kind::Source,
            _ => Kind::Input,
        };
        let at = match kind {
            Kind::Input => self.input(name, None),
            _ => self.add(kind, address(name), || Thing {
                kind,
                name: name.clone(),
                of: String::new(),
                standing: None,
                reason: None,
                more: None,
            }),
        };
        // The chain was walked from it: had it not held, a finding said so.
        if let Some(thing) = self.things.get_mut(at).filter(|_| material.is_attested)
            && thing.standing.is_none()
        {
            thing.standing = Some(Standing::Attested);
        }
        at
    }

    fn at(&self, kind: Kind, name: &str) -> Option<usize> {
        self.named.get(&(kind, name.to_owned())).copied()
    }

    fn add(&mut self, kind: Kind, name: String, thing: impl FnOnce() -> Thing) -> usize {
        let next = self.things.len();
        let at = *self.named.entry((kind, name)).or_insert(next);
        if at == next {
            self.things.push(thing());
        }
        at
    }

    fn link(&mut self, from: usize, to: usize, is_signed: bool) {
        if from == to {
            return;
        }
        let next = self.links.len();
        let at = *self.linked.entry((from, to)).or_insert(next);
        match self.links.get_mut(at) {
            Some(known) => known.is_signed |= is_signed,
            None => self.links.push(Link { from, to, is_signed }),
        }
    }
}

/// By what a step is told from others.
fn key(of: &StepFacts) -> String {
    let step = &of.step;
    format!(
        "{}/{}",
        step.uid.as_deref().unwrap_or_default(),
        step.node_id.as_deref().unwrap_or_else(|| of.name())
    )
}

/// One address, however a directory's ends.
fn address(uri: &str) -> String {
    uri.trim_end_matches('/').to_owned()
}
