//! A platform's token, read from a file to be sent to whom it is meant for.
//!
//! Which file, and to whom it goes, is said by variables that come with a pod. So what
//! is read must be a token by its form, and never a key: JSON Web Tokens in the compact
//! form (RFC 7515 section 7.1) are what Kubernetes and identity providers give.

use std::fmt;
use std::io::{self, Read as _};
use std::path::Path;

use argo_attest_core::secret::{is_private, is_signed_token};
use zeroize::Zeroizing;

use crate::regular_file::{self, Links, ReadError};

/// The variable of an identity token, as Sigstore's clients have it: a secret that no program which is started from here
/// has any business with.
pub const IDENTITY_VARIABLE: &str = "SIGSTORE_ID_TOKEN";

/// Bytes of a token that are read. Kubernetes's have one or two thousand.
const MAX_TOKEN: usize = 16 * 1024;

/// A signed token. Wiped when dropped, never shown.
pub struct Token(Zeroizing<String>);

/// Why a file's content is not sent. Nothing of it is repeated.
#[derive(Debug, thiserror::Error)]
pub enum InvalidToken {
    /// It cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A directory, FIFO, socket or device.
    #[error("it is not a regular file")]
    NotRegular,
    /// More than a token has.
    #[error("it is longer than {MAX_TOKEN} bytes")]
    TooLong,
    /// Nothing, or white space.
    #[error("it is empty")]
    Empty,
    /// A key.
    #[error("it holds a key, and a key is sent to nobody")]
    Key,
    /// Anything else.
    #[error("it is not a JSON Web Token (three parts of base64url)")]
    Form,
}

impl Token {
    /// Reads a token from a file, whoever replaces it meanwhile: what was checked is what
    /// is given back.
    pub fn read(path: &Path) -> Result<Self, InvalidToken> {
        let file = match regular_file::open(path, Links::Followed) {
            Ok(file) => file,
            Err(ReadError::NotRegular(_)) => return Err(InvalidToken::NotRegular),
            Err(error) => return Err(InvalidToken::Io(error.into())),
        };
        // One allocation, for a buffer that grows leaves copies behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_TOKEN + 2));
        file.take(MAX_TOKEN as u64 + 1).read_to_end(&mut bytes)?;
        if bytes.len() > MAX_TOKEN {
            return Err(InvalidToken::TooLong);
        }
        Self::of(&bytes)
    }

    /// The token that these bytes are.
    pub fn of(bytes: &[u8]) -> Result<Self, InvalidToken> {
        let bytes = bytes.trim_ascii();
        if bytes.is_empty() {
            return Err(InvalidToken::Empty);
        }
        match str::from_utf8(bytes) {
            Ok(text) if is_signed_token(bytes) => Ok(Self(Zeroizing::new(text.to_owned()))),
            _ if is_private(bytes) => Err(InvalidToken::Key),
            _ => Err(InvalidToken::Form),
        }
    }

    /// For whom it is sent to.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

#[cfg(test)]
mod tests {
    use argo_attest_core::keys::KeyType;

    use super::*;
    use crate::signer::create_pair;

    const TOKEN: &str = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl";

    #[test]
    fn a_token_is_read_without_the_newline() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        std::fs::write(&path, format!("{TOKEN}\n")).unwrap();
        let token = Token::read(&path).unwrap();
        assert_eq!(token.as_str(), TOKEN);
        assert!(!format!("{token:?}").contains("eyJ"));
    }

    #[test]
    fn a_key_is_no_token() {
        let dir = tempfile::tempdir().unwrap();
        for key_type in KeyType::ALL {
            let path = dir.path().join(key_type.as_str()).join("attest.key");
            create_pair(&path, key_type).unwrap();
            let link = dir.path().join(format!("{key_type}-token"));
            std::os::unix::fs::symlink(&path, &link).unwrap();
            for path in [&path, &link] {
                assert!(matches!(Token::read(path), Err(InvalidToken::Key)));
            }
            let pem = std::fs::read_to_string(&path).unwrap();
            let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
            for bytes in [body.clone(), format!("{body}.{body}.{body}"), pem.replace('\n', ".")] {
                Token::of(bytes.as_bytes()).unwrap_err();
            }
        }
    }

    #[test]
    fn what_is_no_token_is_not_sent() {
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("pipe");
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RWXU).unwrap();
        assert!(matches!(Token::read(&pipe), Err(InvalidToken::NotRegular)));
        assert!(matches!(Token::read(dir.path()), Err(InvalidToken::NotRegular)));
        let path = dir.path().join("file");
        std::fs::write(&path, "x".repeat(17_000)).unwrap();
        assert!(matches!(Token::read(&path), Err(InvalidToken::TooLong)));
        assert!(matches!(Token::of(b" \n"), Err(InvalidToken::Empty)));
        for other in
            ["root:x:0:0", "a.b.c", "www.example.com", &TOKEN[..TOKEN.len() - 12], &format!("{TOKEN}.x")]
        {
            assert!(matches!(Token::of(other.as_bytes()), Err(InvalidToken::Form)), "{other}");
        }
    }
}
