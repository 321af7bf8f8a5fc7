//! `argo-attest public-key`.

use argo_attest_core::contract::variable;
use clap::Args;

use super::key::KeyArgs;
use super::{Exit, Failure, home, print};
use crate::signer::{KeySource, SigningKey};
use crate::store::ProcessEnv;

const EXAMPLE: &str = "\
Example:
  argo-attest public-key --key attest.key > attest.pub";

/// Prints the public half of a key
///
/// As SPKI PEM, from a private key or a public one, in any form that is read.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct PublicKeyArgs {
    #[arg(
        long,
        value_name = "FILE",
        env = variable::KEY,
        value_parser = super::signing_key(),
        help = "Private or public key: a file in PEM, - for standard input, env://NAME for a variable, \
                hashivault://NAME, awskms:///ID or, where it is built in, pkcs11:URI [default: your own]"
    )]
    key: Option<SigningKey>,
    #[command(flatten)]
    opened: KeyArgs,
    /// Print the key's id instead, as --key-id takes it
    #[arg(long)]
    id: bool,
}

/// Reads and prints.
pub(super) async fn public_key(args: PublicKeyArgs) -> Result<Exit, Failure> {
    let name = match args.key {
        Some(name) => name,
        None => KeySource::File(home::private_key()?).into(),
    };
    let key = name.public_half(&args.opened.opening(&ProcessEnv)).await.map_err(|e| Failure::from(&e))?;
    print(&if args.id { format!("{}\n", key.key_id()) } else { key.to_spki_pem() })?;
    Ok(Exit::Done)
}
