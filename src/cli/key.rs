//! What every command that signs is told of its key, beside its name.

use std::path::PathBuf;

use argo_attest_core::contract::variable;
use argo_attest_core::keys::KeyId;
use clap::Args;

use crate::environment::Env;
use crate::signer::Opening;

/// Options of all that open a private key.
#[derive(Debug, Args)]
pub(super) struct KeyArgs {
    /// File with the password of a key that cosign encrypted [default: the variable `COSIGN_PASSWORD`]
    #[arg(long, value_name = "FILE", env = variable::KEY_PASSWORD_FILE)]
    pub(super) key_password_file: Option<PathBuf>,
    /// Id that the key has to have, SHA256:... as `ssh-keygen -l` prints it: nothing is signed with
    /// another [default: any]
    #[arg(long, value_name = "ID", env = variable::KEY_ID)]
    pub(super) key_id: Option<KeyId>,
}

impl KeyArgs {
    /// What a key is opened with.
    pub(super) fn opening<'a>(&'a self, environment: &'a dyn Env) -> Opening<'a> {
        Opening::new(environment)
            .at_command_line()
            .with_password_file(self.key_password_file.as_deref())
            .expecting(self.key_id)
    }
}
