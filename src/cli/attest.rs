//! `argo-attest attest`.

use std::path::Path;

use argo_attest_core::contract::variable;
use argo_attest_core::secret::{shown, shown_path};
use argo_attest_core::text::{brief, causes};
use clap::Args;
use clap::builder::FalseyValueParser;

use super::images::PushArgs;
use super::key::KeyArgs;
use super::keyless::{self, KeylessArgs};
use super::place::Where;
use super::pod::PodArgs;
use super::verify::SCHEME;
use super::vouching::{Asked, Stores, Vouching};
use super::witness::WitnessArgs;
use super::{Exit, Failure, invocation, print, print_json, protected};
use crate::attest::existing_object::Earlier;
use crate::environment::Env as _;
use crate::registry::{Registries, RegistryError};
use crate::report::{KeyUsed, Vouched, VouchedJson, vouched_text};
use crate::signer::{SigningKey, public_path};
use crate::store::{Location, ProcessEnv};
use crate::witness;

const EXAMPLE: &str = "\
Examples:
  argo-attest attest --key ci.key --builder-id https://ci.example.com/imports s3://data/base.csv
  argo-attest attest --key ci.key --builder-id https://example.com/in oci://r.example.com/app:1.2

Exit code: 0 if all of them are attested.";

/// Attests objects and images that exist already
///
/// Reads each s3:// object once, signs what was read, and puts the attestation beside it; asks the
/// registry of each oci:// image once what its name stands for, and has the attestation refer to that
/// and, of an index, to the image for each platform. It vouches that these bytes were there then, and
/// says nothing of how they were made: give it a builder id of its own, so that a policy can tell it
/// from the provenance of a build.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct AttestArgs {
    #[arg(
        long,
        help = "Private key to sign with: a file in PEM, env://NAME for a variable, hashivault://NAME, awskms:///ID or, where it is built in, pkcs11:URI \
                [default: /etc/argo-attest/key/attest.key]",
        value_name = "FILE",
        env = variable::KEY,
        value_parser = super::signing_key()
    )]
    key: Option<SigningKey>,
    #[command(flatten)]
    opened: KeyArgs,
    #[command(flatten)]
    keyless: KeylessArgs,
    #[command(flatten)]
    witnesses: WitnessArgs,
    /// Under which id whoever vouches is known; not that of a builder
    #[arg(long, value_name = "URI", env = variable::BUILDER_ID, value_parser = super::builder_id)]
    builder_id: String,
    /// Take the place of an attestation that says how these very bytes were made (objects only)
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
    #[command(flatten)]
    images: PushArgs,
    /// s3:// objects, and oci:// images by tag or by digest
    #[arg(required = true, value_name = "ARTIFACT")]
    artifacts: Vec<String>,
    #[command(flatten)]
    pod: PodArgs,
}

/// Attests each of them; a few lines each.
pub(super) async fn attest(args: AttestArgs) -> Result<Exit, Failure> {
    let asked = args.artifacts.iter().map(|uri| Ok((uri.clone(), asked(uri)?)));
    let asked = asked.collect::<Result<Vec<_>, Failure>>()?;
    let registries = registries(&args, &asked)?;
    protected::close_memory();
    let witnesses = args.witnesses.settings()?;
    let key = args.keyless.key(&witnesses)?.or(args.key).unwrap_or_else(super::mounted_key);
    protected::check(&key, &[])?;
    let opening = args.opened.opening(&ProcessEnv);
    let signer = key.signer(&opening).await.map_err(|e| Failure::from(&e))?;
    let used = KeyUsed {
        id: signer.public_key().key_id().to_string(),
        public_file: key.file().map(public_path).filter(|file| file.is_file()).map(|file| shown_path(&file)),
        private: Some(key.to_string()).filter(|_| key.file().is_none_or(Path::is_file)),
        own: false,
        created: false,
        identity: keyless::identity(signer.as_ref(), &witnesses),
    };
    let (public, root) = (signer.public_key(), key.trusted_root());
    let witnesses = witnesses.open(&public, root, &ProcessEnv, witness::PATIENCE);
    let vouching = Vouching {
        signer,
        witnesses: witnesses.map_err(|e| Failure::from(&e))?,
        builder_id: args.builder_id,
        earlier: if args.supersede { Earlier::Supersede } else { Earlier::Keep },
        placement: args.attestations.into(),
        run_id: invocation::id()?,
        identity: args.pod.into(),
        registries,
        cosign_tag: args.images.cosign_tag,
        stores: Stores::default(),
    };
    // What the variable says it says to the next command, too.
    let plain_http = args.images.plain_http && ProcessEnv.var(variable::PLAIN_HTTP).is_none();
    let (all, exits): (Vec<_>, Vec<_>) = vouching.for_all(asked).await.into_iter().unzip();
    let exit = Exit::worst(exits);
    if args.json {
        print_json(&VouchedJson::new(&used, &all))?;
    } else if !args.quiet || exit != Exit::Done || all.iter().any(Vouched::lacks_word) {
        print(&vouched_text(&used, &all, plain_http))?;
    }
    Ok(exit)
}

fn asked(uri: &str) -> Result<Asked, Failure> {
    let shown = shown(uri.as_bytes());
    if let Some(name) = super::asked::image(Path::new(uri)) {
        let named = |source| RegistryError::Reference { text: brief(name, 300), source };
        return name.parse().map(Asked::Image).map_err(|e| Failure::from(&named(e)));
    }
    let usage = |why: String| Failure::new(Exit::Usage, why);
    if !uri.starts_with(SCHEME) {
        let why = format!("{shown} is no s3:// object and no oci:// image (argo-attest run attests files)");
        return Err(usage(why).remedy("write s3://bucket/key or oci://registry/repository:tag"));
    }
    if uri.ends_with('/') {
        let why = format!("{shown} is no object: attest vouches for each that is named, not for all beneath");
        return Err(usage(why).remedy("name the objects: s3://bucket/key, several after each other"));
    }
    let object = Location::artifact(uri).map_err(|e| usage(format!("{shown}: {}", causes(&e))));
    let (location, key) = object.map_err(|failure| failure.remedy("write s3://bucket/key"))?;
    Ok(Asked::Object(location, key))
}

/// Those of the images, if there are any. Nothing is asked of them yet.
fn registries(args: &AttestArgs, asked: &[(String, Asked)]) -> Result<Option<Registries>, Failure> {
    let Some((uri, _)) = asked.iter().find(|(_, asked)| matches!(asked, Asked::Image(_))) else {
        return Ok(None);
    };
    if args.supersede {
        let why = format!(
            "{} cannot be attested with --supersede: in a registry no attestation comes before another",
            shown(uri.as_bytes())
        );
        return Err(Failure::new(Exit::Usage, why)
            .remedy("leave it out: what refers to the image already stays, and a policy's builder decides"));
    }
    Registries::from_env(&ProcessEnv, args.images.plain_http).map(Some).map_err(|e| Failure::from(&e))
}
