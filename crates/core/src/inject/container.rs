//! Our containers, the volumes they mount, and where. The names are fixed: policies,
//! documentation and other tools know them.

use super::item::Item;
use super::settings::{Mode, Settings};
use super::yaml::Value;
use crate::argo::Check;
use crate::contract::container::{CHECK, GATE, SIDECAR};
use crate::contract::place::{self, PROGRAM};
use crate::contract::variable;
use crate::contract::volume::{EVIDENCE, KEY, POLICY, STORE};
use crate::object_name::ObjectName;

/// What one template gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) sidecar: bool,
    pub(super) gate: bool,
    /// The user to run as; `None` where the pod has one for all.
    pub(super) user: Option<u32>,
    /// What the pod's grace period is, where that is known.
    pub(super) grace: Option<u32>,
    /// Which steps the gate checks, of those that get it.
    pub(super) check: Check,
}

/// A volume that one or both of the containers mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Volume {
    pub(super) name: String,
    pub(super) path: String,
    read_only: bool,
    source: Source,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Source {
    Secret(ObjectName),
    ConfigMap(ObjectName),
    EmptyDir,
}

impl Volume {
    /// What a volume of this kind is known by: the keys that lead to it, and its value.
    /// `None` for an empty directory, all of which are alike.
    pub(super) fn source(&self) -> (&'static [&'static str], Option<&str>) {
        match &self.source {
            Source::Secret(name) => (&["secret", "secretName"], Some(name.as_str())),
            Source::ConfigMap(name) => (&["configMap", "name"], Some(name.as_str())),
            Source::EmptyDir => (&["emptyDir"], None),
        }
    }

    /// Its declaration. Where all who mount a Secret run as root, nobody else can read it. For
    /// one that is not there the kubelet would hold the pod, and nobody would say why: our
    /// containers do.
    pub(super) fn item(&self, root: bool) -> Item {
        let mode = Item::literal(if root { &0o400 } else { &0o444 });
        let (key, source) = match &self.source {
            Source::Secret(name) => {
                let source = vec![
                    ("secretName", Item::text(name.as_str())),
                    ("defaultMode", mode),
                    ("optional", Item::literal(&true)),
                ];
                ("secret", Item::Map(source))
            }
            Source::ConfigMap(name) => {
                let source = vec![("name", Item::text(name.as_str())), ("optional", Item::literal(&true))];
                ("configMap", Item::Map(source))
            }
            Source::EmptyDir => ("emptyDir", Item::Map(Vec::new())),
        };
        Item::Map(vec![("name", Item::text(&self.name)), (key, source)])
    }

    /// Whether a volume that is there has one of our names, and the form that we give it.
    pub(super) fn is_ours(there: &Value) -> bool {
        let only = |value: &Value, keys: &[&str]| {
            value.entries().iter().all(|(key, _)| key.text().is_some_and(|key| keys.contains(&key)))
        };
        let name = there.text_at(&["name"]).unwrap_or_default();
        let store = name.strip_prefix(STORE).is_some_and(|rest| {
            rest.is_empty()
                || rest
                    .strip_prefix('-')
                    .is_some_and(|at| !at.is_empty() && at.bytes().all(|b| b.is_ascii_digit()))
        });
        let (source, keys): (_, &[_]) = match name {
            KEY => ("secret", &["secretName", "defaultMode", "optional"]),
            _ if store => ("secret", &["secretName", "defaultMode", "optional"]),
            POLICY => ("configMap", &["name", "optional"]),
            EVIDENCE => ("emptyDir", &[]),
            _ => return false,
        };
        only(there, &["name", source])
            && there
                .get(source)
                .is_some_and(|source| source.entries().len() == keys.len() && only(source, keys))
    }

    fn mount(&self) -> Item {
        let mut mount = vec![("name", Item::text(&self.name)), ("mountPath", Item::text(&self.path))];
        if self.read_only {
            mount.push(("readOnly", Item::literal(&true)));
        }
        Item::Map(mount)
    }
}

/// Makes the containers of one file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Maker<'s> {
    pub(super) settings: &'s Settings,
    /// Whether the file is a chart's, so that Helm must leave Argo's expressions alone.
    pub(super) chart: bool,
    /// Whether its expressions were read as words.
    pub(super) masked: bool,
}

impl Maker<'_> {
    /// The volumes of the sidecar.
    pub(super) fn sidecar_volumes(&self, gate: bool) -> Vec<Volume> {
        let key = Source::Secret(self.settings.key_secret.clone());
        // It reads what the gate found, and writes what the check reads.
        let fails = self.settings.fails_where_not_ready();
        let evidence = (gate || fails).then(|| volume(EVIDENCE, place::EVIDENCE, !fails, Source::EmptyDir));
        [volume(KEY, place::KEY, true, key)].into_iter().chain(evidence).chain(self.store()).collect()
    }

    /// The volumes of the gate.
    pub(super) fn gate_volumes(&self) -> Vec<Volume> {
        let policy = Source::ConfigMap(self.settings.policy_configmap.clone());
        [
            volume(POLICY, place::POLICY, true, policy),
            volume(EVIDENCE, place::EVIDENCE, false, Source::EmptyDir),
        ]
        .into_iter()
        .chain(self.store())
        .collect()
    }

    fn store(&self) -> impl Iterator<Item = Volume> {
        self.settings.store_secrets.iter().enumerate().map(|(at, secret)| {
            // A Secret's name may be longer than a volume's.
            let name = if at == 0 { STORE.to_owned() } else { format!("{STORE}-{}", at + 1) };
            let path = format!("{}/{secret}", place::STORE_SECRETS);
            Volume { name, path, read_only: true, source: Source::Secret(secret.clone()) }
        })
    }

    /// The container that attests.
    pub(super) fn sidecar(&self, wanted: &Wanted) -> Item {
        let mut container = self.head(SIDECAR);
        match self.settings.mode {
            Mode::Native => {
                container.push(("restartPolicy", Item::text("Always")));
                container.push(("args", Item::texts(&["sidecar"])));
                let hook = Item::Map(vec![("command", Item::texts(&[PROGRAM, "ready", "--wait"]))]);
                let hook = Item::Map(vec![("postStart", Item::Map(vec![("exec", hook)]))]);
                container.push(("lifecycle", hook));
            }
            Mode::Sidecar => {
                // Argo wraps the containers of this list, and must be told their command.
                container.push(("command", Item::texts(&[PROGRAM])));
                container.push(("args", Item::texts(&["sidecar"])));
            }
        }
        let mut env = vec![value(variable::BUILDER_ID, &self.settings.builder_id)];
        if let (Mode::Native, Some(seconds)) = (self.settings.mode, wanted.grace) {
            env.push(value(variable::GRACE_PERIOD, &seconds.to_string()));
        }
        env.extend(self.settings.all.then(|| value(variable::ALL, "true")));
        env.extend(self.settings.fails_where_not_ready().then(|| value(variable::NOT_READY, "fail")));
        env.extend(fields(&FIELDS));
        env.extend(EXPRESSIONS.map(|(name, expression)| {
            if self.chart { value(name, &format!("{{{{`{expression}`}}}}")) } else { value(name, expression) }
        }));
        Self::tail(container, env, wanted.user, &self.sidecar_volumes(wanted.gate))
    }

    /// The container that judges the inputs.
    pub(super) fn gate(&self, wanted: &Wanted) -> Item {
        let mut container = self.head(GATE);
        container.push(("args", Item::texts(&["verify-inputs"])));
        // A gate that is there checks, unless it is told that what the step says counts.
        let check = match wanted.check {
            Check::Always => None,
            Check::OptOut => Some("opt-out"),
            Check::OptIn => Some("opt-in"),
        };
        // What then counts is what the pod says, which no parameter can rewrite.
        let env = check.map(|which| [vec![value(variable::CHECK, which)], fields(&ASKED)].concat());
        Self::tail(container, env.unwrap_or_default(), wanted.user, &self.gate_volumes())
    }

    /// The container that fails a step that cannot be attested, if it is wanted.
    pub(super) fn check(&self, wanted: &Wanted) -> Option<Item> {
        let mount = volume(EVIDENCE, place::EVIDENCE, true, Source::EmptyDir).mount();
        let mut container = self.head(CHECK);
        container.push(("args", Item::texts(&["ready", "--check"])));
        container.push(("resources", resources()));
        container.push(("securityContext", security(wanted.user)));
        container.push(("volumeMounts", Item::List(vec![mount])));
        self.settings.fails_where_not_ready().then_some(Item::Map(container))
    }

    fn head(&self, name: &str) -> Vec<(&'static str, Item)> {
        vec![("name", Item::text(name)), ("image", Item::text(&self.settings.image))]
    }

    fn tail(
        mut container: Vec<(&'static str, Item)>,
        env: Vec<Item>,
        user: Option<u32>,
        volumes: &[Volume],
    ) -> Item {
        container.push(("mirrorVolumeMounts", Item::literal(&true)));
        if !env.is_empty() {
            container.push(("env", Item::List(env)));
        }
        container.push(("resources", resources()));
        container.push(("securityContext", security(user)));
        let mounts = volumes.iter().map(Volume::mount).collect();
        container.push(("volumeMounts", Item::List(mounts)));
        Item::Map(container)
    }
}

fn resources() -> Item {
    let requests = Item::Map(vec![("cpu", Item::text("10m")), ("memory", Item::text("32Mi"))]);
    let limits = Item::Map(vec![("memory", Item::text("256Mi"))]);
    Item::Map(vec![("requests", requests), ("limits", limits)])
}

/// As root without any capability, a container can read what root wrote, and do nothing else.
fn security(user: Option<u32>) -> Item {
    let drop = Item::Map(vec![("drop", Item::texts(&["ALL"]))]);
    let mut context: Vec<_> = user.into_iter().map(|uid| ("runAsUser", Item::literal(&uid))).collect();
    context.push(("allowPrivilegeEscalation", Item::literal(&false)));
    context.push(("readOnlyRootFilesystem", Item::literal(&true)));
    context.push(("capabilities", drop));
    Item::Map(context)
}

/// The Secrets for pulling images that were put into the workflow for a container of ours.
pub(super) fn pull_secrets(container: &Value) -> impl Iterator<Item = &str> {
    let of = |variable: &&Value| variable.text_at(&["name"]) == Some(variable::IMAGE_PULL_SECRET);
    let names = container.items("env").iter().find(of).and_then(|variable| variable.text_at(&["value"]));
    names.into_iter().flat_map(|names| names.split(',')).filter(|name| !name.is_empty())
}

const FIELDS: [(&str, &str); 5] = [
    (variable::POD_NAME, "metadata.name"),
    (variable::POD_UID, "metadata.uid"),
    (variable::POD_NAMESPACE, "metadata.namespace"),
    (variable::SERVICE_ACCOUNT, "spec.serviceAccountName"),
    (variable::NODE_NAME, "metadata.annotations['workflows.argoproj.io/node-name']"),
];

/// What the step's annotations ask for.
const ASKED: [(&str, &str); 2] = [
    (variable::ASKED_ATTEST, "metadata.annotations['argo-attest.io/attest']"),
    (variable::ASKED_VERIFY_INPUTS, "metadata.annotations['argo-attest.io/verify-inputs']"),
];

const EXPRESSIONS: [(&str, &str); 3] = [
    (variable::WORKFLOW_NAME, "{{workflow.name}}"),
    (variable::WORKFLOW_UID, "{{workflow.uid}}"),
    (variable::INPUT_PARAMETERS, "{{inputs.parameters}}"),
];

/// Variables that the downward API fills.
fn fields(fields: &[(&str, &str)]) -> Vec<Item> {
    let field = |(name, path): &(&str, &str)| {
        let from = Item::Map(vec![("fieldRef", Item::Map(vec![("fieldPath", Item::text(*path))]))]);
        Item::Map(vec![("name", Item::text(*name)), ("valueFrom", from)])
    };
    fields.iter().map(field).collect()
}

fn value(name: &str, value: &str) -> Item {
    Item::Map(vec![("name", Item::text(name)), ("value", Item::text(value))])
}

fn volume(name: &str, path: &str, read_only: bool, source: Source) -> Volume {
    Volume { name: name.into(), path: path.into(), read_only, source }
}
