//! Private keys as cosign writes them: PKCS#8 under a password.
//!
//! The PEM block `ENCRYPTED SIGSTORE PRIVATE KEY` (`ENCRYPTED COSIGN PRIVATE KEY` before cosign 2)
//! holds JSON: the parameters of scrypt (RFC 7914), by which the password becomes a key, and what
//! `NaCl`'s secretbox (`XSalsa20` and Poly1305) made of the PKCS#8 DER with it. The file says how much
//! memory and time that takes, and may come from anybody, so both are bounded.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use poly1305::Poly1305;
use poly1305::universal_hash::KeyInit as _;
use salsa20::XSalsa20;
use salsa20::cipher::{KeyIvInit as _, StreamCipher as _};
use serde::Deserialize;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::invalid::InvalidKey;

/// Bytes of memory that scrypt may take, `128 * N * r`: twice what cosign's own keys do.
const MAX_MEMORY: u64 = 128 * 1024 * 1024;
/// The work that it may do, `N * r * p`: twice what cosign's own keys take.
const MAX_WORK: u64 = 1 << 20;
/// Bytes of a salt; cosign's have 32.
const MAX_SALT: usize = 1024;

/// The labels of such a block.
pub(super) const LABELS: [&[u8]; 2] = [b"ENCRYPTED SIGSTORE PRIVATE KEY", b"ENCRYPTED COSIGN PRIVATE KEY"];

/// What is in it. Fields that are not known are passed over.
#[derive(Deserialize)]
struct Sealed {
    kdf: Kdf,
    cipher: Cipher,
    ciphertext: String,
}

#[derive(Deserialize)]
struct Kdf {
    name: String,
    params: Cost,
    salt: String,
}

#[derive(Deserialize)]
struct Cost {
    #[serde(rename = "N")]
    n: u64,
    r: u32,
    p: u32,
}

#[derive(Deserialize)]
struct Cipher {
    name: String,
    nonce: String,
}

impl Cost {
    /// As scrypt takes them, if they are what it allows and not more than is given.
    fn params(&self) -> Result<scrypt::Params, InvalidKey> {
        let (n, r, p) = (self.n, u64::from(self.r), u64::from(self.p));
        if !n.is_power_of_two() || n < 2 || r == 0 || p == 0 {
            return Err(InvalidKey::Damaged);
        }
        let block = n.checked_mul(r).ok_or(InvalidKey::CosignCost)?;
        let memory = block.checked_mul(128).ok_or(InvalidKey::CosignCost)?;
        let work = block.checked_mul(p).ok_or(InvalidKey::CosignCost)?;
        if memory > MAX_MEMORY || work > MAX_WORK {
            return Err(InvalidKey::CosignCost);
        }
        let log_n = u8::try_from(n.trailing_zeros()).map_err(|_| InvalidKey::CosignCost)?;
        scrypt::Params::new(log_n, self.r, self.p).map_err(|_| InvalidKey::CosignCost)
    }
}

/// The PKCS#8 DER that the password opens. Costs what the file asks for, within bounds: some
/// 64 MiB and a quarter of a second for cosign's own.
pub(super) fn open(json: &[u8], password: &[u8]) -> Result<Zeroizing<Vec<u8>>, InvalidKey> {
    // A parser's error would quote what it read.
    let sealed: Sealed = serde_json::from_slice(json).map_err(|_| InvalidKey::Damaged)?;
    if sealed.kdf.name != "scrypt" || sealed.cipher.name != "nacl/secretbox" {
        return Err(InvalidKey::CosignCipher);
    }
    let bytes = |base64: &str| STANDARD.decode(base64).map_err(|_| InvalidKey::Damaged);
    let (salt, nonce, ciphertext) =
        (bytes(&sealed.kdf.salt)?, bytes(&sealed.cipher.nonce)?, bytes(&sealed.ciphertext)?);
    let nonce = nonce.try_into().map_err(|_| InvalidKey::Damaged)?;
    if salt.len() > MAX_SALT {
        return Err(InvalidKey::Damaged);
    }
    let params = sealed.kdf.params.params()?;
    let mut key = Zeroizing::new([0; 32]);
    scrypt::scrypt(password, &salt, &params, key.as_mut()).map_err(|_| InvalidKey::Damaged)?;
    unboxed(&key, &nonce, &ciphertext).ok_or(InvalidKey::Password)
}

/// What is in a secretbox (`NaCl`, `crypto_secretbox_open`): a tag of Poly1305, and what `XSalsa20`
/// made of the text. The first 32 bytes of the key stream are the tag's key. The crate of that
/// name is of another generation than all else of its makers' that is linked here.
fn unboxed(key: &[u8; 32], nonce: &[u8; 24], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (tag, text) = sealed.split_first_chunk::<16>()?;
    let mut stream = XSalsa20::new(key.into(), nonce.into());
    let mut tag_key = Zeroizing::new([0; 32]);
    stream.apply_keystream(tag_key.as_mut());
    let computed = Poly1305::new((&*tag_key).into()).compute_unpadded(text);
    if !bool::from(computed.as_slice().ct_eq(tag)) {
        return None;
    }
    let mut opened = Zeroizing::new(text.to_vec());
    stream.apply_keystream(&mut opened);
    Some(opened)
}
