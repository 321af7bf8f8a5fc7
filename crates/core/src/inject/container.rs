//! Our containers, which volumes they mount, and where. The names are fixed: policies,
//! documentation and other tools know them.

use sha2::{Digest as _, Sha256};

use super::item::Item;
use super::settings::{Certifying, Mode, Quantity, Resources, Settings, Witnessing};
use super::volume::{Source, Volume};
use super::yaml::Value;
use crate::argo::Check;
use crate::contract::container::{CHECK, GATE, SIDECAR};
use crate::contract::place::{self, PROGRAM};
use crate::contract::variable;
use crate::contract::volume::{AUTHORITIES, EVIDENCE, IDENTITY, KEY, POLICY, REGISTRY, STORE, TRUST};
use crate::object_name::ObjectName;

/// What one template gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) sidecar: bool,
    pub(super) gate: bool,
    /// The user to run as; `None` where the pod has one for all.
    pub(super) user: Option<u32>,
    /// What the pod's grace period is, where that is known.
    pub(super) grace: Option<u32>,
    /// Which steps the gate checks, of those that get it.
    pub(super) check: Check,
    pub(super) images: Images,
    /// Secrets that its artifacts name themselves.
    pub(super) secrets: Vec<ObjectName>,
    /// Secrets for pulling the image that the workflow has for our sake.
    pub(super) pulled: Vec<ObjectName>,
}

/// For which images registries are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Images {
    /// Those of its containers, by the gate.
    pub(super) checked: bool,
    /// Those that it says it pushes, by the sidecar.
    pub(super) pushed: bool,
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
    pub(super) fn sidecar_volumes(&self, wanted: &Wanted) -> Vec<Volume> {
        let secret = || Volume::new(KEY, place::KEY, true, Source::Secret(self.settings.key_secret.clone()));
        let is_secret = self.settings.service_key.is_none() && self.settings.certifying.is_none();
        let key = is_secret.then(secret);
        let identity = self.settings.certifying.as_ref();
        let identity = identity.map(|certifying| {
            Volume::new(IDENTITY, place::IDENTITY, true, Source::Token(certifying.audience.clone()))
        });
        // It reads what the gate found, and writes what the check reads.
        let fails = self.settings.fails_where_not_ready();
        let evidence =
            (wanted.gate || fails).then(|| Volume::new(EVIDENCE, place::EVIDENCE, !fails, Source::EmptyDir));
        let root = self.settings.witnessing.trusted_root.as_ref();
        let root = root.map(|root| Volume::new(TRUST, place::TRUST, true, Source::ConfigMap(root.clone())));
        key.into_iter()
            .chain(identity)
            .chain(root)
            .chain(evidence)
            .chain(self.store(wanted))
            .chain(self.registry(wanted.images.pushed))
            .collect()
    }

    /// The volumes of the gate.
    pub(super) fn gate_volumes(&self, wanted: &Wanted) -> Vec<Volume> {
        let policy = Source::ConfigMap(self.settings.policy_configmap.clone());
        [
            Volume::new(POLICY, place::POLICY, true, policy),
            Volume::new(EVIDENCE, place::EVIDENCE, false, Source::EmptyDir),
        ]
        .into_iter()
        .chain(self.store(wanted))
        .chain(self.registry(wanted.images.checked))
        .collect()
    }

    /// Logins to registries, for a container that asks one.
    fn registry(&self, asks: bool) -> Option<Volume> {
        let secret = self.settings.registry_secret.as_ref().filter(|_| asks)?;
        Some(Volume::new(REGISTRY, place::REGISTRY, true, Source::Secret(secret.clone())))
    }

    /// Where it finds them.
    fn docker_config(&self, asks: bool) -> Option<Item> {
        self.registry(asks).map(|logins| value(DOCKER_CONFIG, &logins.path))
    }

    /// What the store is reached with.
    fn store(&self, wanted: &Wanted) -> Vec<Volume> {
        let mount = |name: String, secret: &ObjectName| {
            let path = format!("{}/{secret}", place::STORE_SECRETS);
            Volume::new(&name, &path, true, Source::Secret(secret.clone()))
        };
        let given = &self.settings.store_secrets;
        let mut volumes: Vec<_> = given
            .iter()
            .enumerate()
            .map(|(at, secret)| {
                // A Secret's name may be longer than a volume's.
                let name = if at == 0 { STORE.to_owned() } else { format!("{STORE}-{}", at + 1) };
                mount(name, secret)
            })
            .collect();
        let own = wanted.secrets.iter().filter(|secret| !given.contains(secret));
        // By its name, and not by its number: another template's volumes go on as they are.
        volumes.extend(own.map(|secret| mount(format!("{STORE}-{}", digest(secret)), secret)));
        volumes.extend(self.settings.authorities.iter().map(|ca| {
            let name = ca.name.clone();
            let source = if ca.secret { Source::Secret(name) } else { Source::ConfigMap(name) };
            Volume::new(AUTHORITIES, place::AUTHORITIES, true, source)
        }));
        volumes
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
        env.extend(self.settings.attestation_store.as_ref().map(|url| value(variable::STORE, url)));
        env.extend(self.settings.service_key.as_ref().map(|name| value(variable::KEY, name)));
        if let Some(Certifying { fulcio, audience }) = &self.settings.certifying {
            env.push(value(variable::FULCIO_URL, fulcio));
            env.push(value(variable::IDENTITY_TOKEN, place::IDENTITY_TOKEN));
            env.push(value(variable::TOKEN_AUDIENCE, audience));
        }
        env.extend(self.settings.key_id.map(|id| value(variable::KEY_ID, &id.to_string())));
        let Witnessing { variables, trusted_root } = &self.settings.witnessing;
        env.extend(variables.iter().map(|(name, given)| value(name, given)));
        env.extend(trusted_root.as_ref().map(|_| value(variable::TRUSTED_ROOT, place::TRUSTED_ROOT_FILE)));
        let reached = self.settings.key_variables.iter();
        env.extend(reached.map(|variable| value(&variable.name, &variable.value)));
        env.extend(self.docker_config(wanted.images.pushed));
        env.extend(self.shared_env(wanted));
        env.extend(self.identity());
        self.tail(container, env, wanted.user, &self.sidecar_volumes(wanted))
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
        let mut images = Vec::new();
        if wanted.images.checked {
            let check = match self.settings.check_images {
                Check::Always => Some("always"),
                Check::OptOut => Some("opt-out"),
                Check::OptIn => None,
            };
            images.extend(check.map(|which| value(variable::CHECK_IMAGES, which)));
            images.extend(fields(&ASKED_IMAGES));
            images.extend(self.docker_config(true));
        }
        let env = [env.unwrap_or_default(), images, self.shared_env(wanted), self.identity()].concat();
        self.tail(container, env, wanted.user, &self.gate_volumes(wanted))
    }

    /// The container that fails a step that cannot be attested, if it is wanted.
    pub(super) fn check(&self, wanted: &Wanted) -> Option<Item> {
        let mount = Volume::new(EVIDENCE, place::EVIDENCE, true, Source::EmptyDir).mount();
        let mut container = self.head(CHECK);
        container.push(("args", Item::texts(&["ready", "--check"])));
        container.extend(self.resources());
        container.push(("securityContext", security(wanted.user)));
        container.push(("volumeMounts", Item::List(vec![mount])));
        self.settings.fails_where_not_ready().then_some(Item::Map(container))
    }

    fn head(&self, name: &str) -> Vec<(&'static str, Item)> {
        let mut head = vec![("name", Item::text(name)), ("image", Item::text(&self.settings.image))];
        head.extend(self.settings.pull_policy.map(|policy| ("imagePullPolicy", Item::text(policy.name()))));
        head
    }

    /// What both containers are told.
    fn shared_env(&self, wanted: &Wanted) -> Vec<Item> {
        let ca = self.settings.authorities.as_ref();
        let ca = ca.map(|ca| value(CA_FILE, &format!("{}/{}", place::AUTHORITIES, ca.key)));
        let pulled: Vec<_> = wanted.pulled.iter().map(ObjectName::as_str).collect();
        // By this it is known later whose they are.
        let pulled = (!pulled.is_empty()).then(|| value(variable::IMAGE_PULL_SECRET, &pulled.join(",")));
        let otlp = self.settings.otlp_endpoint.as_ref().map(|url| value(variable::OTLP_ENDPOINT, url));
        ca.into_iter().chain(otlp).chain(pulled).collect()
    }

    /// Whose step it is, as the platform says it, not the template's text: by this the text is compared
    /// with the pod and the Workflow that it is said to be from.
    fn identity(&self) -> Vec<Item> {
        let expressions = EXPRESSIONS.map(|(name, expression)| {
            if self.chart { value(name, &format!("{{{{`{expression}`}}}}")) } else { value(name, expression) }
        });
        fields(&FIELDS).into_iter().chain(expressions).collect()
    }

    fn resources(&self) -> Option<(&'static str, Item)> {
        let Resources { cpu_request, memory_request, cpu_limit, memory_limit } = &self.settings.resources;
        let both = |cpu: &Option<Quantity>, memory: &Option<Quantity>| {
            let of = |key, amount: &Option<Quantity>| Some((key, Item::text(amount.as_ref()?.as_str())));
            let both: Vec<_> = [of("cpu", cpu), of("memory", memory)].into_iter().flatten().collect();
            (!both.is_empty()).then_some(Item::Map(both))
        };
        let requests = both(cpu_request, memory_request).map(|them| ("requests", them));
        let limits = both(cpu_limit, memory_limit).map(|them| ("limits", them));
        let all: Vec<_> = requests.into_iter().chain(limits).collect();
        (!all.is_empty()).then_some(("resources", Item::Map(all)))
    }

    fn tail(
        &self,
        mut container: Vec<(&'static str, Item)>,
        env: Vec<Item>,
        user: Option<u32>,
        volumes: &[Volume],
    ) -> Item {
        container.push(("mirrorVolumeMounts", Item::literal(&true)));
        if !env.is_empty() {
            container.push(("env", Item::List(env)));
        }
        container.extend(self.resources());
        container.push(("securityContext", security(user)));
        let mounts = volumes.iter().map(Volume::mount).collect();
        container.push(("volumeMounts", Item::List(mounts)));
        Item::Map(container)
    }
}

/// What tells Secrets' names apart in few letters: the first of their SHA-256.
fn digest(name: &ObjectName) -> String {
    let digest = Sha256::digest(name.as_str().as_bytes());
    digest.iter().take(5).fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// Where Docker's configuration is looked for.
const DOCKER_CONFIG: &str = "DOCKER_CONFIG";

/// Where TLS finds its authorities.
const CA_FILE: &str = "SSL_CERT_FILE";

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

/// The same of its images.
const ASKED_IMAGES: [(&str, &str); 1] =
    [(variable::ASKED_VERIFY_IMAGES, "metadata.annotations['argo-attest.io/verify-images']")];

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
