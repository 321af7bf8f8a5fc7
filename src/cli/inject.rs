//! `argo-attest inject`.

mod keyless;
mod told;
mod traces;
mod witness;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::PathBuf;
use std::str::FromStr;

use argo_attest_core::contract::{variable, volume};
use argo_attest_core::inject::{
    self as core, Authorities, InvalidKeyVariable, InvalidQuantity, KeyVariable, Mode, PullPolicy, Quantity,
    Resources, RunAs, Settings,
};
use argo_attest_core::keys::KeyId;
use argo_attest_core::object_name::ObjectName;
use argo_attest_core::text::brief;
use clap::builder::FalseyValueParser;
use clap::{Args, ValueEnum};

use self::keyless::InjectedKeylessArgs;
use self::told::{with, without};
use self::traces::InjectedTraceArgs;
use self::witness::InjectedWitnessArgs;
use super::images::CheckImages;
use super::manifests::{self, Manifest};
use super::{Exit, Failure, print, tell};
use crate::sidecar::NamedStore;
use crate::signer::SigningKey;

const EXAMPLE: &str = "\
Examples, of the steps with the annotation argo-attest.io/attest: \"true\":
  export ARGO_ATTEST_IMAGE=registry.example.com/argo-attest:0.1.0
  export ARGO_ATTEST_BUILDER_ID=https://ci.example.com/argo
  argo-attest inject --store-secret s3-credentials -f workflow.yaml | kubectl create -f -
  argo-attest inject -f workflows/ -f extra.yaml > injected.yaml
  argo-attest inject --update --image registry.example.com/argo-attest:0.2.0 -f injected.yaml
  argo-attest inject --remove -f injected.yaml
  kustomize build . | argo-attest inject --all --template build -f - | kubectl apply -f -

Comments, order and layout stay: a diff shows only what was added. Run again, it adds nothing.
What is there and is not what the options would add is refused, unless --update is given.";

/// Adds the sidecar and the gate to workflows
///
/// Reads workflows, cron workflows and workflow templates, a namespace's or the cluster's, in YAML
/// or JSON, and prints them with the containers and volumes that their templates ask for, as one
/// stream. Other documents are printed as they are. What was added, and what will not be attested,
/// is said on standard error.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct InjectArgs {
    /// A file to read, a folder (all *.yaml, *.yml and *.json beneath it), or - for standard input;
    /// repeatable [default: -]
    #[arg(short = 'f', long = "file", value_name = "FILE", env = variable::FILE)]
    file: Vec<PathBuf>,
    /// Take out what was put in before, and put nothing in
    #[arg(long, conflicts_with = "update")]
    remove: bool,
    /// Bring what was put in before to what this version and these options would put in
    #[arg(long)]
    update: bool,
    /// Image of argo-attest, best with its digest
    #[arg(long, value_name = "IMAGE", env = variable::IMAGE, value_parser = image,
          required_unless_present = "remove")]
    image: Option<String>,
    /// Under which id the builder is known
    #[arg(long, value_name = "URI", env = variable::BUILDER_ID, value_parser = super::builder_id,
          required_unless_present = "remove")]
    builder_id: Option<String>,
    /// Add to every template that runs containers, by the workflow's templateDefaults
    #[arg(long, env = variable::ALL, value_parser = FalseyValueParser::new())]
    all: bool,
    /// Only the template of this name, repeatable; with --all, whether it asks or not
    #[arg(long, value_name = "NAME")]
    template: Vec<String>,
    /// How the sidecar is declared
    #[arg(long, value_name = "MODE", env = variable::MODE, default_value = "native")]
    mode: Form,
    /// If it is known before main starts that not all can be attested: run the step, or fail it;
    /// a plain sidecar fails it in any case
    #[arg(long, value_name = "WHAT", env = variable::NOT_READY, default_value = "run")]
    not_ready: NotReady,
    /// Secret with the signing key
    #[arg(long, value_name = "NAME", env = variable::KEY_SECRET, default_value = volume::KEY)]
    key_secret: ObjectName,
    #[arg(
        long,
        value_name = "NAME",
        env = variable::SERVICE_KEY,
        conflicts_with = "key_secret",
        value_parser = service_key,
        help = "Key of a service that signs, in place of a Secret's, which is then not mounted: \
                hashivault://NAME, awskms:///ID"
    )]
    service_key: Option<String>,
    /// Variable of the sidecar's by which that service is reached, such as `VAULT_ADDR=https://...`;
    /// repeatable; no secrets, which a workflow's readers could read
    #[arg(long, value_name = "NAME=VALUE", env = variable::KEY_VARIABLE, requires = "service_key")]
    key_variable: Vec<String>,
    /// Id that the signing key has to have, SHA256:..., as `public-key --id` prints it
    #[arg(long, value_name = "ID", env = variable::KEY_ID)]
    key_id: Option<KeyId>,
    #[command(flatten)]
    keyless: InjectedKeylessArgs,
    #[command(flatten)]
    witnesses: InjectedWitnessArgs,
    #[command(flatten)]
    traces: InjectedTraceArgs,
    /// Config map with the gate's policy.yaml and the public keys that it names
    #[arg(
        long,
        value_name = "NAME",
        env = variable::POLICY_CONFIGMAP,
        default_value = volume::POLICY
    )]
    policy_configmap: ObjectName,
    /// Secret with the artifact store's credentials, repeatable [default: none, for web identity]
    #[arg(long, value_name = "NAME", env = variable::STORE_SECRET, value_delimiter = ',')]
    store_secret: Vec<ObjectName>,
    /// Secret with logins to registries (kubernetes.io/dockerconfigjson), for steps that name images
    /// or have those of their containers checked [default: none]
    #[arg(long, value_name = "NAME", env = variable::REGISTRY_SECRET)]
    registry_secret: Option<ObjectName>,
    /// Of which steps the gate checks the images of the containers, too
    #[arg(long, value_name = "WHICH", env = variable::CHECK_IMAGES, default_value = "opt-in")]
    check_images: CheckImages,
    #[arg(
        long,
        value_name = "URL",
        env = variable::STORE,
        help = "Where attestations go that have no place beside their output, since that is in no S3 \
                store, and outcomes: s3://bucket/prefix [default: as the sidecar has it]"
    )]
    store: Option<NamedStore>,
    /// Key of a Secret or config map with the CA certificates of the store, TYPE/NAME or
    /// TYPE/NAME:KEY, such as configmap/store-ca; the key is ca.crt unless it is said [default:
    /// those of the image]
    #[arg(long, value_name = "TYPE/NAME", env = variable::CA)]
    ca: Option<Authorities>,
    /// Give the pods so long to end, by a podSpecPatch [default: as it is]
    #[arg(long, value_name = "SECONDS", env = variable::GRACE_PERIOD,
          value_parser = clap::value_parser!(u32).range(5..))]
    grace_period: Option<u32>,
    /// User of both containers; none leaves it to the platform, which then chooses main's, too
    /// [default: that of the pod, or of main, else 0 without capabilities]
    #[arg(long, value_name = "UID", env = variable::RUN_AS_USER)]
    run_as_user: Option<User>,
    /// CPU that each container asks for, or none
    #[arg(long, value_name = "AMOUNT", env = variable::CPU_REQUEST, default_value = Resources::CPU_REQUEST)]
    cpu_request: Amount,
    /// Memory that each container asks for, or none
    #[arg(long, value_name = "AMOUNT", env = variable::MEMORY_REQUEST,
          default_value = Resources::MEMORY_REQUEST)]
    memory_request: Amount,
    /// CPU that each container may have at most [default: none]
    #[arg(long, value_name = "AMOUNT", env = variable::CPU_LIMIT)]
    cpu_limit: Option<Amount>,
    /// Memory that each container may have at most, or none
    #[arg(long, value_name = "AMOUNT", env = variable::MEMORY_LIMIT,
          default_value = Resources::MEMORY_LIMIT)]
    memory_limit: Amount,
    /// When the image is pulled [default: as Kubernetes has it]
    #[arg(long, value_name = "WHEN", env = variable::IMAGE_PULL_POLICY)]
    image_pull_policy: Option<Pull>,
    /// Secret that the image is pulled with, for the workflow's imagePullSecrets; repeatable
    #[arg(long, value_name = "NAME", env = variable::IMAGE_PULL_SECRET, value_delimiter = ',')]
    image_pull_secret: Vec<ObjectName>,
}

/// Whoever our containers run as.
#[derive(Debug, Clone, Copy)]
struct User(RunAs);

impl FromStr for User {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "none" => Ok(Self(RunAs::Platform)),
            uid => uid.parse().map(RunAs::User).map(Self).map_err(|_| "neither a number nor none"),
        }
    }
}

/// An amount of a resource, or none.
#[derive(Debug, Clone)]
struct Amount(Option<Quantity>);

impl FromStr for Amount {
    type Err = InvalidQuantity;

    fn from_str(text: &str) -> Result<Self, InvalidQuantity> {
        if text == "none" { Ok(Self(None)) } else { text.parse().map(|amount| Self(Some(amount))) }
    }
}

/// When the image is pulled.
#[derive(Debug, Clone, Copy, ValueEnum)]
#[value(rename_all = "PascalCase")]
enum Pull {
    /// Before each start
    Always,
    /// Where it is not there
    IfNotPresent,
    /// Not at all
    Never,
}

/// What becomes of a step that cannot be attested.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum NotReady {
    /// It runs, and everybody is told
    Run,
    /// It fails: an init container more, argo-attest-check
    Fail,
}

/// How the sidecar is declared.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Form {
    /// An initContainers entry with restartPolicy: Always; Kubernetes 1.29 or newer
    Native,
    /// A sidecars entry, which fails the step if something was not attested
    Sidecar,
}

/// Prints the files with what their templates ask for, or without it.
pub(super) fn inject(args: InjectArgs) -> Result<Exit, Failure> {
    let given = if args.file.is_empty() { vec![PathBuf::from("-")] } else { args.file.clone() };
    let manifests = manifests::read(&given)?;
    let (remove, update, named) = (args.remove, args.update, args.template.clone());
    let all = args.all;
    let settings = if remove { None } else { Some(settings(args)?) };
    let (mut stream, mut told, mut seen) = (String::new(), Vec::new(), BTreeSet::new());
    for Manifest { name, text } in &manifests {
        let done = match &settings {
            None => core::remove(text, &named).map(|removed| {
                seen.extend(removed.named);
                told.extend(without(name, &removed.changes));
                removed.text
            }),
            Some(settings) => {
                let done = if update { core::update(text, settings) } else { core::inject(text, settings) };
                done.map(|injected| {
                    told.extend(with(name, &injected, all));
                    seen.extend(injected.named);
                    injected.text
                })
            }
        };
        let done = done.map_err(|refusal| Failure::from(&refusal).about(name))?;
        manifests::append(&mut stream, &done);
    }
    if let Some(name) = named.iter().find(|name| !seen.contains(*name)) {
        let what = format!("no template {:?} in what was read", brief(name, 200));
        return Err(Failure::new(Exit::NoInput, what).remedy("name templates of the files that are given"));
    }
    print(&stream)?;
    for line in told {
        tell(&(line + "\n"));
    }
    Ok(Exit::Done)
}

/// What is asked for on the command line.
fn settings(args: InjectArgs) -> Result<Settings, Failure> {
    let missing = |option: &str| {
        Failure::new(Exit::Usage, format!("{option} is needed unless --remove is given"))
            .remedy("say which image and which builder; argo-attest inject --help has an example")
    };
    let new = Settings::new(
        args.image.ok_or_else(|| missing("--image"))?,
        args.builder_id.ok_or_else(|| missing("--builder-id"))?,
    );
    let witnessing = args.witnesses.injected(args.keyless.is_asked())?;
    Ok(Settings {
        all: args.all,
        templates: args.template,
        mode: match args.mode {
            Form::Native => Mode::Native,
            Form::Sidecar => Mode::Sidecar,
        },
        not_ready_fails: matches!(args.not_ready, NotReady::Fail),
        key_secret: args.key_secret,
        service_key: args.service_key,
        key_variables: key_variables(&args.key_variable)?,
        key_id: args.key_id,
        otlp_endpoint: args.traces.injected()?,
        certifying: args.keyless.injected(&witnessing)?,
        witnessing,
        policy_configmap: args.policy_configmap,
        store_secrets: args.store_secret,
        registry_secret: args.registry_secret,
        check_images: args.check_images.into(),
        attestation_store: args.store.as_ref().map(ToString::to_string),
        authorities: args.ca,
        grace_period: args.grace_period,
        run_as: args.run_as_user.map_or(RunAs::Main, |user| user.0),
        resources: Resources {
            cpu_request: args.cpu_request.0,
            memory_request: args.memory_request.0,
            cpu_limit: args.cpu_limit.and_then(|amount| amount.0),
            memory_limit: args.memory_limit.0,
        },
        pull_policy: args.image_pull_policy.map(|policy| match policy {
            Pull::Always => PullPolicy::Always,
            Pull::IfNotPresent => PullPolicy::IfNotPresent,
            Pull::Never => PullPolicy::Never,
        }),
        pull_secrets: args.image_pull_secret,
        ..new
    })
}

/// Judged here, and not by clap, which would repeat what is refused: it may be a token.
fn key_variables(given: &[String]) -> Result<Vec<KeyVariable>, Failure> {
    let read = |text: &String| {
        text.parse().map_err(|why: InvalidKeyVariable| {
            Failure::new(Exit::Usage, format!("a --key-variable cannot be used: {why}"))
                .remedy("write NAME=VALUE; a pod is known by its service account, as VAULT_AUTH_ROLE has it")
        })
    };
    given.iter().map(read).collect()
}

/// The name of a key that the sidecar will know: not a path, which is somebody's machine's.
fn service_key(text: &str) -> Result<String, String> {
    match SigningKey::try_from(OsString::from(text)) {
        Ok(SigningKey::Service(key)) if key.is_in_token() => Err(
            "a token's module and device are not in the pod of a step: nothing that inject writes reaches \
                 them"
                .into(),
        ),
        Ok(key @ SigningKey::Service(_)) => Ok(key.to_string()),
        Ok(SigningKey::AtHand(_) | SigningKey::Keyless(_)) => {
            Err("not the name of a service's key: hashivault://NAME or awskms:///ID".into())
        }
        Err(error) => Err(error.to_string()),
    }
}

/// An image's name is not judged further: registries differ.
fn image(text: &str) -> Result<String, String> {
    if text.is_empty() || text.chars().any(char::is_control) {
        return Err("not the name of an image".into());
    }
    Ok(text.to_owned())
}
