//! `argo-attest public-key`.

use argo_attest_core::contract::variable;
use clap::Args;

use super::{Exit, Failure, home, print};
use crate::signer::KeySource;

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
        value_parser = super::key_source(),
        help = "Private or public key, PEM: a file, - for standard input, or env://NAME for a variable \
                [default: your own]"
    )]
    key: Option<KeySource>,
}

/// Reads and prints.
pub(super) fn public_key(args: PublicKeyArgs) -> Result<Exit, Failure> {
    let source = match args.key {
        Some(source) => source,
        None => KeySource::File(home::private_key()?),
    };
    let key = source.public_half(&super::variables).map_err(|e| Failure::from(&e))?;
    print(&key.to_spki_pem())?;
    Ok(Exit::Done)
}
