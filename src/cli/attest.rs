//! `argo-attest attest`.

use argo_attest_core::argo::Placement;
use argo_attest_core::contract::{place, variable};
use argo_attest_core::relpath::printable;
use argo_attest_core::secret::{shown, shown_path};
use argo_attest_core::slsa::{ExistingObject, PodIdentity};
use argo_attest_core::text::causes;
use argo_attest_core::trouble::Trouble as _;
use clap::Args;
use clap::builder::FalseyValueParser;

use super::place::Where;
use super::pod::PodArgs;
use super::progress::Bar;
use super::{Exit, Failure, invocation, print, print_json, protected};
use crate::attest::Attestor;
use crate::attest::existing_object::{Earlier, ExistingObjectError, Sighting};
use crate::report::{KeyUsed, Vouched, VouchedJson, vouched_text};
use crate::signer::{KeySource, Signer, public_path};
use crate::store::{self, Location, ObjectKey, ProcessEnv};

const EXAMPLE: &str = "\
Example:
  argo-attest attest --key ci.key --builder-id https://ci.example.com/imports s3://data/base.csv

Exit code: 0 if every object is attested.";

/// Attests objects that exist already
///
/// Reads each s3:// object once, signs what was read, and puts the attestation beside it. It vouches
/// that these bytes were there then, and says nothing of how they were made: give it a builder id of
/// its own, so that a policy can tell it from the provenance of a build.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct AttestArgs {
    #[arg(
        long,
        help = "Private key to sign with, PKCS#8 PEM: a file, or env://NAME for a variable",
        value_name = "FILE",
        env = variable::KEY,
        default_value = place::KEY_FILE,
        value_parser = super::key_source()
    )]
    key: KeySource,
    /// Under which id whoever vouches is known; not that of a builder
    #[arg(long, value_name = "URI", env = variable::BUILDER_ID, value_parser = super::builder_id)]
    builder_id: String,
    /// Put it before an attestation that says how these very bytes were made
    #[arg(long, env = variable::SUPERSEDE, value_parser = FalseyValueParser::new())]
    supersede: bool,
    /// Where the attestation lies: beside the object, or apart from it, beneath .attestations/
    #[arg(long, value_name = "WHERE", env = variable::ATTESTATIONS, default_value = "beside")]
    attestations: Where,
    /// Print one JSON object
    #[arg(long, env = variable::JSON, value_parser = FalseyValueParser::new())]
    json: bool,
    /// Say nothing if everything is attested
    #[arg(short, long, env = variable::QUIET, value_parser = FalseyValueParser::new())]
    quiet: bool,
    /// Objects
    #[arg(required = true, value_name = "s3://BUCKET/KEY")]
    objects: Vec<String>,
    #[command(flatten)]
    pod: PodArgs,
}

/// What is the same for every object.
struct Vouching {
    signer: Box<dyn Signer>,
    builder_id: String,
    earlier: Earlier,
    placement: Placement,
    run_id: String,
    identity: PodIdentity,
}

/// Attests each object; a few lines each.
pub(super) async fn attest(args: AttestArgs) -> Result<Exit, Failure> {
    let objects = args.objects.iter().map(|uri| Ok((uri.as_str(), object(uri)?)));
    let objects = objects.collect::<Result<Vec<_>, Failure>>()?;
    protected::close_memory();
    protected::check(&args.key, &[])?;
    let signer = args.key.signer(&super::variables).map_err(|e| Failure::from(&e))?;
    let used = KeyUsed {
        id: signer.public_key().key_id().to_string(),
        public_file: args
            .key
            .file()
            .map(public_path)
            .filter(|file| file.is_file())
            .map(|file| shown_path(&file)),
        private: Some(args.key.to_string()).filter(|_| args.key.file().is_none_or(std::path::Path::is_file)),
        own: false,
        created: false,
    };
    let vouching = Vouching {
        signer,
        builder_id: args.builder_id,
        earlier: if args.supersede { Earlier::Supersede } else { Earlier::Keep },
        placement: args.attestations.into(),
        run_id: invocation::id()?,
        identity: args.pod.into(),
    };
    let mut all = Vec::with_capacity(objects.len());
    let mut exits = Vec::with_capacity(objects.len());
    for (uri, (location, object)) in objects {
        tracing::info!(object = shown(uri.as_bytes()), "attesting");
        let mut seen = None;
        let done = vouching.attest(&location, &object, &mut seen).await;
        exits.push(done.as_ref().map_or_else(|e| e.fault().into(), |_| Exit::Done));
        all.push(Vouched {
            object: if done.is_ok() { printable(uri.as_bytes()) } else { shown(uri.as_bytes()) },
            seen,
            outcome: done.map_err(|e| (causes(&e), e.remedy())),
        });
    }
    let exit = Exit::worst(exits);
    if args.json {
        print_json(&VouchedJson::new(&used, &all))?;
    } else if !args.quiet || exit != Exit::Done {
        print(&vouched_text(&used, &all))?;
    }
    Ok(exit)
}

fn object(uri: &str) -> Result<(Location, ObjectKey), Failure> {
    let shown = shown(uri.as_bytes());
    let usage = |why: String| Failure::new(Exit::Usage, why).remedy("write s3://bucket/key");
    if !uri.starts_with("s3://") {
        return Err(usage(format!("{shown} is no s3:// object (argo-attest run attests files)")));
    }
    Location::artifact(uri).map_err(|e| usage(format!("{shown}: {}", causes(&e))))
}

impl Vouching {
    async fn attest(
        &self,
        location: &Location,
        object: &ObjectKey,
        seen: &mut Option<Sighting>,
    ) -> Result<crate::attest::Receipt, ExistingObjectError> {
        if let Location::File(_) = location {
            return Err(ExistingObjectError::NotThere { uri: location.to_string() });
        }
        let store = store::open_named(location, &ProcessEnv)?;
        let sighting = Sighting::of(&*store, object, &Bar::default()).await?;
        let (started_on, finished_on) = sighting.between();
        let (info, address) = (sighting.info(), store.address());
        let provenance = ExistingObject {
            uri: sighting.uri(),
            store: address.as_ref(),
            size: info.size,
            etag: info.revision.as_str(),
            version_id: info.version_id.as_deref(),
            identity: &self.identity,
            builder_id: &self.builder_id,
            run_id: &self.run_id,
            started_on,
            finished_on,
        }
        .provenance();
        let sighting = seen.insert(sighting);
        let attestor = Attestor::new(self.signer.as_ref());
        sighting.attest(&attestor, &*store, self.placement, &provenance, self.earlier).await
    }
}
