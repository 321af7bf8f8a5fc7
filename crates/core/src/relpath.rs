//! Paths beneath a root, as bytes: what an artifact or a file in it is called.
//!
//! Linux file names are bytes. They may hold newlines, escape sequences and
//! anything that is not UTF-8, and an attacker picks them. A [`RelPath`] keeps
//! the bytes; [`RelPath::escaped`] is the one form in which they reach a log, a
//! terminal, a statement or a report: printable, and reversible without loss.

use std::ffi::OsStr;
use std::fmt;
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A path relative to some root: components joined by `/`, none of them empty,
/// `.` or `..`, no NUL. The empty path is the root itself.
///
/// Paths order by their bytes, as Go's `dirhash` sorts them.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct RelPath(Box<[u8]>);

/// Why bytes or text are not a [`RelPath`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRelPath {
    /// It starts with `/`.
    #[error("the path is absolute")]
    Absolute,
    /// It has an empty, `.` or `..` component.
    #[error("the path has an empty, `.` or `..` component")]
    Component,
    /// It holds a NUL byte, which no file name can.
    #[error("the path holds a NUL byte")]
    Nul,
    /// A `%` that two hexadecimal digits do not follow.
    #[error("the path holds a `%` that is not followed by two hexadecimal digits")]
    Escape,
}

impl RelPath {
    /// The root itself.
    pub fn root() -> Self {
        Self::default()
    }

    /// Takes raw bytes, as the kernel gives them.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, InvalidRelPath> {
        if bytes.is_empty() {
            return Ok(Self::root());
        }
        if bytes.starts_with(b"/") {
            return Err(InvalidRelPath::Absolute);
        }
        if bytes.contains(&0) {
            return Err(InvalidRelPath::Nul);
        }
        if bytes.split(|b| *b == b'/').any(|c| matches!(c, b"" | b"." | b"..")) {
            return Err(InvalidRelPath::Component);
        }
        Ok(Self(bytes.into()))
    }

    /// Takes the form that [`Self::escaped`] gives. Text in which nothing was
    /// escaped is taken as it is.
    pub fn from_escaped(text: &str) -> Result<Self, InvalidRelPath> {
        Self::from_bytes(&unescaped(text)?)
    }

    /// This path with one more component, which must be a plain file name.
    pub fn join(&self, name: &[u8]) -> Result<Self, InvalidRelPath> {
        if name.is_empty() || name.contains(&b'/') {
            return Err(InvalidRelPath::Component);
        }
        let name = Self::from_bytes(name)?;
        Ok(self.concat(&name))
    }

    /// This path followed by all components of `tail`.
    #[must_use]
    pub fn concat(&self, tail: &Self) -> Self {
        if self.is_root() {
            return tail.clone();
        }
        if tail.is_root() {
            return self.clone();
        }
        let mut bytes = Vec::with_capacity(self.0.len() + 1 + tail.0.len());
        bytes.extend_from_slice(&self.0);
        bytes.push(b'/');
        bytes.extend_from_slice(&tail.0);
        Self(bytes.into())
    }

    /// Whether this is the root itself.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The raw bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The raw bytes as a path; for the root, the empty path.
    pub fn as_path(&self) -> &Path {
        Path::new(OsStr::from_bytes(&self.0))
    }

    /// The components, first to last.
    pub fn components(&self) -> impl Iterator<Item = &[u8]> {
        self.0.split(|b| *b == b'/').filter(|c| !c.is_empty())
    }

    /// The last component; `None` for the root.
    pub fn file_name(&self) -> Option<&[u8]> {
        if self.is_root() { None } else { self.0.rsplit(|b| *b == b'/').next() }
    }

    /// The path without its last component; `None` for the root.
    pub fn parent(&self) -> Option<Self> {
        let name = self.file_name()?;
        let end = (self.0.len() - name.len()).saturating_sub(1);
        Some(Self(self.0.get(..end).unwrap_or_default().into()))
    }

    /// What is left of this path below `base`: the root if they are equal,
    /// `None` if it is not `base` or beneath it.
    pub fn strip_prefix(&self, base: &Self) -> Option<Self> {
        if base.is_root() {
            return Some(self.clone());
        }
        match self.0.strip_prefix(base.as_bytes())? {
            [] => Some(Self::root()),
            [b'/', rest @ ..] => Some(Self(rest.into())),
            _ => None,
        }
    }

    /// Whether this is `base` or beneath it.
    pub fn starts_with(&self, base: &Self) -> bool {
        base.is_root()
            || self.0.strip_prefix(base.as_bytes()).is_some_and(|rest| matches!(rest, [] | [b'/', ..]))
    }

    /// The printable form: `%` and every byte that is not part of a printable
    /// character as `%XX`, all else as it is. No two paths share one. A control,
    /// formatting or bidirectional character is never let through, so the result
    /// can neither end a log line nor drive a terminal.
    pub fn escaped(&self) -> String {
        escaped(&self.0)
    }
}

/// Any bytes in the printable, reversible form of [`RelPath::escaped`].
pub fn escaped(bytes: &[u8]) -> String {
    escape(bytes, |c| c != '%' && is_printable(c))
}

/// The bytes that a text in the form of [`escaped`] stands for. Text in which nothing was
/// escaped is taken as it is.
pub(crate) fn unescaped(text: &str) -> Result<Vec<u8>, InvalidRelPath> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        if *first != b'%' {
            bytes.push(*first);
            rest = tail;
            continue;
        }
        let [high, low, tail @ ..] = tail else {
            return Err(InvalidRelPath::Escape);
        };
        let (Some(high), Some(low)) = (nibble(*high), nibble(*low)) else {
            return Err(InvalidRelPath::Escape);
        };
        bytes.push(high << 4 | low);
        rest = tail;
    }
    Ok(bytes)
}

fn escape(bytes: &[u8], keep: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if keep(c) {
                out.push(c);
            } else {
                let mut utf8 = [0; 4];
                escape_bytes(&mut out, c.encode_utf8(&mut utf8).as_bytes());
            }
        }
        escape_bytes(&mut out, chunk.invalid());
    }
    out
}

fn escape_bytes(out: &mut String, bytes: &[u8]) {
    for b in bytes {
        // Writing to a `String` cannot fail.
        let _ = write!(out, "%{b:02X}");
    }
}

fn nibble(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|d| u8::try_from(d).ok())
}

/// Whether a character may reach a terminal as it is. Control characters (Cc),
/// and of the formatting characters (Cf) and separators those that move, hide or
/// reorder text (Unicode TR 36, "bidirectional text spoofing").
pub fn is_printable(c: char) -> bool {
    !(c.is_control()
        || matches!(c,
            '\u{00AD}' | '\u{061C}' | '\u{180E}'
            | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
            | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E0FFF}'))
}

/// Text from elsewhere (a server's error, a name in a statement) as one line that
/// a terminal shows as it is. For people: not reversible, since `%` stays `%`.
pub fn printable(bytes: &[u8]) -> String {
    escape(bytes, is_printable)
}

impl fmt::Display for RelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_root() { f.write_str(".") } else { f.write_str(&self.escaped()) }
    }
}

impl fmt::Debug for RelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.escaped())
    }
}

impl Serialize for RelPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.escaped())
    }
}

impl<'de> Deserialize<'de> for RelPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::from_escaped(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn path(bytes: &[u8]) -> RelPath {
        RelPath::from_bytes(bytes).unwrap()
    }

    #[test]
    fn refuses_what_could_leave_the_root() {
        use InvalidRelPath::{Absolute, Component, Nul};
        for (bytes, why) in [
            (&b"/etc"[..], Absolute),
            (b"a//b", Component),
            (b"a/", Component),
            (b"./a", Component),
            (b"a/../b", Component),
            (b"..", Component),
            (b"a\0b", Nul),
        ] {
            assert_eq!(RelPath::from_bytes(bytes), Err(why), "{bytes:?}");
        }
        assert_eq!(RelPath::from_escaped("a%2e"), Ok(path(b"a.")));
        assert_eq!(RelPath::from_escaped("%2E%2E/x"), Err(Component));
        assert_eq!(RelPath::from_escaped("%2"), Err(InvalidRelPath::Escape));
        assert_eq!(path(b"a").join(b"b/c"), Err(Component));
    }

    #[test]
    fn escapes_what_could_fool_a_reader() {
        for (bytes, shown) in [
            (&b"plain name.txt"[..], "plain name.txt"),
            (b"100%", "100%25"),
            (b"a\nb\x1b[31m", "a%0Ab%1B[31m"),
            (b"\xff\xfe", "%FF%FE"),
            ("grün/日本".as_bytes(), "grün/日本"),
            ("\u{202E}gpj.exe".as_bytes(), "%E2%80%AEgpj.exe"),
            ("\u{85}".as_bytes(), "%C2%85"),
        ] {
            assert_eq!(path(bytes).escaped(), shown);
        }
        assert_eq!(printable(b"100%\n"), "100%%0A");
    }

    #[test]
    fn knows_its_relatives() {
        let p = path(b"a/b/c");
        assert_eq!(p.parent(), Some(path(b"a/b")));
        assert_eq!(path(b"a").parent(), Some(RelPath::root()));
        assert_eq!(RelPath::root().parent(), None);
        assert_eq!(p.file_name(), Some(&b"c"[..]));
        assert_eq!(p.strip_prefix(&path(b"a")), Some(path(b"b/c")));
        assert_eq!(p.strip_prefix(&path(b"a/b/c")), Some(RelPath::root()));
        assert_eq!(p.strip_prefix(&path(b"a/bb")), None);
        assert_eq!(path(b"ab").strip_prefix(&path(b"a")), None);
        assert!(
            p.starts_with(&RelPath::root()) && p.starts_with(&p) && !path(b"ab").starts_with(&path(b"a"))
        );
        assert_eq!(p.components().count(), 3);
        assert_eq!(RelPath::root().concat(&p), p);
    }

    proptest! {
        #[test]
        fn any_bytes_survive(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(p) = RelPath::from_bytes(&bytes) {
                let text = p.escaped();
                prop_assert!(text.chars().all(is_printable));
                prop_assert_eq!(RelPath::from_escaped(&text).unwrap(), p);
            }
        }
    }
}
