//! `argo-attest inject`.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use argo_attest_core::contract::annotation::PLACE;
use argo_attest_core::contract::{variable, volume};
use argo_attest_core::inject::{
    Change, Container, Injected, MAX_FILE, Mode, Refusal, Settings, SharedPrefix,
};
use argo_attest_core::object_name::ObjectName;
use argo_attest_core::secret::{KeyMaterial, shown_path};
use argo_attest_core::text::brief;
use clap::builder::FalseyValueParser;
use clap::{Args, ValueEnum};

use super::{Exit, Failure, print};
use crate::regular_file::{self, ReadError};
use crate::sidecar::NamedStore;

const EXAMPLE: &str = "\
Example, of the steps with the annotation argo-attest.io/attest: \"true\":
  export ARGO_ATTEST_IMAGE=registry.example.com/argo-attest:0.1.0
  export ARGO_ATTEST_BUILDER_ID=https://ci.example.com/argo
  argo-attest inject --store-secret s3-credentials -f workflow.yaml | kubectl create -f -

Comments, order and layout stay: a diff shows only added lines. Run again, it adds nothing.";

/// Adds the sidecar and the gate to workflows
///
/// Reads workflows, cron workflows and workflow templates, a namespace's or the cluster's, in YAML
/// or JSON, and prints them with the containers and volumes that their templates ask for. Other
/// documents of the file are printed as they are. What was added is said on standard error.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct InjectArgs {
    /// The file to read; - for standard input
    #[arg(short = 'f', long = "file", value_name = "FILE", env = variable::FILE, default_value = "-")]
    file: PathBuf,
    /// Image of argo-attest, best with its digest
    #[arg(long, value_name = "IMAGE", env = variable::IMAGE, value_parser = image)]
    image: String,
    /// Under which id the builder is known
    #[arg(long, value_name = "URI", env = variable::BUILDER_ID, value_parser = super::builder_id)]
    builder_id: String,
    /// Add to every template that runs containers, by the workflow's templateDefaults
    #[arg(long, env = variable::ALL, value_parser = FalseyValueParser::new())]
    all: bool,
    /// How the sidecar is declared
    #[arg(long, value_name = "MODE", env = variable::MODE, default_value = "native")]
    mode: Form,
    /// What becomes of a step of which it is known before main starts that not all can be attested;
    /// a plain sidecar fails it in any case
    #[arg(long, value_name = "WHAT", env = variable::NOT_READY, default_value = "run")]
    not_ready: NotReady,
    /// Secret with the signing key
    #[arg(long, value_name = "NAME", env = variable::KEY_SECRET, default_value = volume::KEY)]
    key_secret: ObjectName,
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
    #[arg(
        long,
        value_name = "URL",
        env = variable::STORE,
        help = "Where attestations go that have no place beside their output, since that is in no S3 \
                store, and outcomes: s3://bucket/prefix [default: as the sidecar has it]"
    )]
    store: Option<NamedStore>,
    /// Give the pods so long to end, by a podSpecPatch [default: as it is]
    #[arg(long, value_name = "SECONDS", env = variable::GRACE_PERIOD,
          value_parser = clap::value_parser!(u32).range(5..))]
    grace_period: Option<u32>,
    /// User of both containers [default: that of the pod, or of main, else 0 without capabilities]
    #[arg(long, value_name = "UID", env = variable::RUN_AS_USER)]
    run_as_user: Option<u32>,
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

/// Prints the file with what its templates ask for.
pub(super) fn inject(args: InjectArgs) -> Result<Exit, Failure> {
    let from = if args.file == Path::new("-") { "standard input".into() } else { shown_path(&args.file) };
    let bytes = read(&args.file, &from)?;
    let text = String::from_utf8(bytes).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        Failure::new(Exit::Data, format!("{from}: byte {at} is not UTF-8"))
            .remedy("give a file that kubectl could read")
    })?;
    // It would be printed as it is, like any document that is no workflow.
    let first =
        text.lines().map(str::trim).find(|line| !line.is_empty() && *line != "---").unwrap_or_default();
    if KeyMaterial::of(first.as_bytes()).is_some() {
        return Err(Failure::new(Exit::Data, format!("{from} holds what looks like a key, and no workflow"))
            .remedy("give a file that kubectl could read"));
    }
    let settings = Settings {
        image: args.image,
        builder_id: args.builder_id,
        all: args.all,
        mode: match args.mode {
            Form::Native => Mode::Native,
            Form::Sidecar => Mode::Sidecar,
        },
        not_ready_fails: matches!(args.not_ready, NotReady::Fail),
        key_secret: args.key_secret,
        policy_configmap: args.policy_configmap,
        store_secrets: args.store_secret,
        attestation_store: args.store.as_ref().map(ToString::to_string),
        grace_period: args.grace_period,
        run_as_user: args.run_as_user,
    };
    let injected = argo_attest_core::inject::inject(&text, &settings)
        .map_err(|refusal| Failure::from(&refusal).about(&from))?;
    print(&injected.text)?;
    tell(&from, &injected, args.all);
    Ok(Exit::Done)
}

fn read(file: &Path, from: &str) -> Result<Vec<u8>, Failure> {
    let read = if file == Path::new("-") {
        if std::io::stdin().is_terminal() {
            eprintln!("reading the workflow from standard input; -f FILE reads a file");
        }
        regular_file::read_all(std::io::stdin().lock(), MAX_FILE)
    } else {
        regular_file::read_named(file, MAX_FILE)
    };
    read.map_err(|error| match error {
        ReadError::TooLarge { .. } => Failure::from(&Refusal::TooLarge { most: MAX_FILE }).about(from),
        error => Failure::from(&error)
            .about(&format!("cannot read {from}"))
            .remedy("give a file, or - for standard input"),
    })
}

/// Says what was done: whoever asked for attestation must see if there will be none.
fn tell(from: &str, injected: &Injected, all: bool) {
    for change in &injected.changes {
        eprintln!("{from}, line {}: {}: {}", change.line, brief(&change.template, 500), done(change));
    }
    for SharedPrefix { taken_by, prefix, written_by, output } in &injected.shared_prefixes {
        let [taken_by, prefix, written_by, output] =
            [taken_by, prefix, written_by, output].map(|text| brief(text, 500));
        eprintln!(
            "{from}: warning: {taken_by} takes all that lies beneath {prefix}, and the attestations of {written_by}'s output {output} would lie there, too (help: annotate {written_by} with {PLACE}: apart)"
        );
    }
    if injected.changes.is_empty() {
        let why = match (injected.workflows, all) {
            (0, _) => "no workflow in it",
            (_, true) => "no template in it runs containers",
            (_, false) => "no template asks for it (annotation argo-attest.io/attest: \"true\", or --all)",
        };
        eprintln!("{from}: nothing added: {why}");
    }
}

fn done(change: &Change) -> String {
    let parts = [(change.gate, "the gate"), (change.sidecar, "the sidecar")];
    let of = |state| {
        let names = parts.iter().filter(|(container, _)| *container == state).map(|(_, name)| *name);
        names.collect::<Vec<_>>().join(" and ")
    };
    let (added, already) = (of(Container::Added), of(Container::Already));
    match (added.as_str(), already.as_str()) {
        ("", already) => format!("{already} there already, left as it is"),
        (added, "") => format!("added {added}"),
        (added, already) => format!("added {added}; {already} there already, left as it is"),
    }
}

/// An image's name is not judged further: registries differ.
fn image(text: &str) -> Result<String, String> {
    if text.is_empty() || text.chars().any(char::is_control) {
        return Err("not the name of an image".into());
    }
    Ok(text.to_owned())
}
