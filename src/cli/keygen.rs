//! `argo-attest keygen`.

use std::path::PathBuf;

use argo_attest_core::contract::variable;
use argo_attest_core::keys::{KeyType, PrivateKey};
use argo_attest_core::object_name::{InvalidObjectName, is_object_name};
use argo_attest_core::secret::{shown, shown_path};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use clap::builder::FalseyValueParser;
use zeroize::Zeroizing;

use super::{Exit, Failure, print, tell};
use crate::signer::{create_pair, public_path};

const EXAMPLE: &str = "\
Example, a key for a laptop or a CI system:
  argo-attest keygen --out-dir keys

Example, a key straight into a cluster:
  argo-attest keygen --out-dir keys --secret-name attest-key --namespace ci | kubectl apply -f -";

/// Makes a key pair
///
/// Writes DIR/attest.key (PKCS#8 PEM, mode 0600) and DIR/attest.pub (SPKI PEM), and never
/// overwrites either. With --secret-name the Kubernetes Secret that holds them goes to standard
/// output: it contains the private key.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct KeygenArgs {
    /// Where the two files go; made if it is not there
    #[arg(long, value_name = "DIR", env = variable::OUT_DIR)]
    out_dir: PathBuf,
    /// Kind of key
    #[arg(long = "type", value_name = "TYPE", env = variable::TYPE, default_value = "ed25519",
          value_parser = ["ed25519", "ecdsa-p256"])]
    key_type: String,
    /// Print a Kubernetes Secret of this name that holds the pair
    #[arg(long, value_name = "NAME", env = variable::SECRET_NAME, value_parser = dns_name)]
    secret_name: Option<String>,
    /// Namespace of that Secret
    #[arg(long, value_name = "NS", env = variable::NAMESPACE, requires = "secret_name", value_parser = dns_name)]
    namespace: Option<String>,
    /// Say nothing of what was made
    #[arg(short, long, env = variable::QUIET, value_parser = FalseyValueParser::new())]
    quiet: bool,
}

/// Makes the pair and says what it is called.
pub(super) fn keygen(args: &KeygenArgs) -> Result<Exit, Failure> {
    let key_type: KeyType = args.key_type.parse().map_err(|e| Failure::from_error(Exit::Usage, &e))?;
    let path = args.out_dir.join("attest.key");
    let key = create_pair(&path, key_type).map_err(|e| Failure::from(&e))?;
    let told = format!(
        "private key  {}  (keep it secret)\npublic key   {}  (hand it out)\nkey id       {}\n",
        shown_path(&path),
        shown_path(&public_path(&path)),
        key.public().key_id()
    );
    let told = if args.quiet { String::new() } else { told };
    if let Some(name) = &args.secret_name {
        tell(&told);
        print(&secret(&key, name, args.namespace.as_deref()))?;
    } else {
        print(&told)?;
    }
    Ok(Exit::Done)
}

/// The names in the Secret are those that a mounted key is looked for under.
fn secret(key: &PrivateKey, name: &str, namespace: Option<&str>) -> Zeroizing<String> {
    let encode = |pem: &str| Zeroizing::new(STANDARD.encode(pem));
    let private = encode(&key.to_pkcs8_pem());
    let public = encode(&key.public().to_spki_pem());
    let namespace = namespace.map(|ns| format!("\n  namespace: {ns}")).unwrap_or_default();
    Zeroizing::new(format!(
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: {name}{namespace}\ntype: Opaque\ndata:\n  \
         attest.key: {}\n  attest.pub: {}\n",
        *private, *public
    ))
}

/// A DNS subdomain name (RFC 1123), as Kubernetes names objects: so it needs no quotes in YAML
/// either, but for names that YAML reads as something else.
fn dns_name(text: &str) -> Result<String, String> {
    if !is_object_name(text) {
        return Err(InvalidObjectName.to_string());
    }
    // It would be printed, as the name of what holds the key.
    if shown(text.as_bytes()) != text {
        return Err("it looks like a key, and would be the name of what holds it".into());
    }
    Ok(
        if matches!(text, "null" | "true" | "false" | "y" | "n" | "yes" | "no" | "on" | "off")
            || text.parse::<f64>().is_ok()
        {
            format!("\"{text}\"")
        } else {
            text.to_owned()
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_break_out_of_the_manifest() {
        for good in ["argo", "a-b.c1"] {
            assert_eq!(dns_name(good).unwrap(), good);
        }
        let digits = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
        dns_name(&format!("a.{digits}")).unwrap_err();
        assert_eq!(dns_name("1").unwrap(), "\"1\"");
        assert_eq!(dns_name("1e3").unwrap(), "\"1e3\"");
        for bad in ["", "A", "a_b", "-a", "a-", "a\nb", "a: b", "a..b", &"a".repeat(254)] {
            dns_name(bad).unwrap_err();
        }
    }
}
