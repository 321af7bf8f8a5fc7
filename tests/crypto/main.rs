//! Keys, envelopes and bundles, through the public interface: one program, since each
//! is linked by itself.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests")]

mod foreign;
#[path = "../support/fulcio.rs"]
#[expect(dead_code, reason = "shared with other tests")]
mod fulcio;
#[path = "../support/installed.rs"]
mod installed;
mod interop;
mod key_files;
mod keys;
#[path = "../support/moto.rs"]
mod moto;
#[path = "../support/nobody.rs"]
mod nobody;
mod openssl;
#[path = "../support/openssl_command.rs"]
mod openssl_command;
#[path = "../support/scripted.rs"]
#[expect(dead_code, reason = "shared with other tests")]
mod scripted;
#[path = "../support/share.rs"]
mod share;
mod signers;
#[path = "../support/signing.rs"]
mod signing;
#[path = "../support/skip.rs"]
#[expect(dead_code, reason = "shared with other tests")]
mod skip;
#[cfg(feature = "pkcs11")]
#[path = "../support/softhsm.rs"]
mod softhsm;
mod tampering;
#[path = "../support/tls.rs"]
#[expect(dead_code, reason = "shared with other tests")]
mod tls;
mod vectors;
