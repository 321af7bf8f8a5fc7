//! A log's signed word on how large it is and what is in it (<https://c2sp.org/tlog-checkpoint>,
//! a signed note, <https://c2sp.org/signed-note>).

use super::inclusion::Hash;
use super::root::Log;
use crate::dsse::base64;

/// Bytes of a checkpoint.
const MAX_CHECKPOINT: usize = 64 * 1024;
/// Signatures under one: the log's, and those of witnesses.
const MAX_SIGNATURES: usize = 64;
/// Of those, how many that say to be the log's are checked.
pub(super) const MAX_OWN: usize = 4;

/// A checkpoint as it was read; whose it is is not known.
pub(super) struct Checkpoint<'a> {
    /// What is signed.
    text: &'a str,
    /// What the log calls itself.
    origin: &'a str,
    pub(super) size: u64,
    pub(super) root: Hash,
    signatures: Vec<Signature<'a>>,
}

struct Signature<'a> {
    name: &'a str,
    /// The beginning of the name of its key.
    hint: Vec<u8>,
    bytes: Vec<u8>,
}

impl<'a> Checkpoint<'a> {
    /// `None` if it is none.
    pub(super) fn read(note: &'a str) -> Option<Self> {
        if note.len() > MAX_CHECKPOINT {
            return None;
        }
        // The signatures are behind the last empty line; the one before it is signed.
        let at = note.rfind("\n\n")?;
        let (text, signatures) = (note.get(..=at)?, note.get(at + 2..)?);
        let mut lines = text.lines();
        let (origin, size, root) = (lines.next()?, lines.next()?, lines.next()?);
        let is_plain = size.bytes().all(|b| b.is_ascii_digit()) && (size == "0" || !size.starts_with('0'));
        let signatures = signatures.strip_suffix('\n')?.split('\n');
        let signatures: Vec<_> = signatures.take(MAX_SIGNATURES + 1).map(Signature::read).collect();
        if origin.is_empty() || !is_plain || signatures.len() > MAX_SIGNATURES {
            return None;
        }
        Some(Self {
            text,
            origin,
            size: size.parse().ok()?,
            root: base64(root)?.try_into().ok()?,
            signatures: signatures.into_iter().collect::<Option<_>>()?,
        })
    }

    /// Whether this log signed it, under its own name: that before ` - `, by which the logs of
    /// Rekor 1 tell their trees apart.
    pub(super) fn is_of(&self, log: &Log) -> bool {
        let own = self.origin.split(" - ").next().unwrap_or_default();
        let hint = log.id.get(..4).unwrap_or_default();
        let by_log = |signature: &&Signature<'_>| signature.name == own && signature.hint == hint;
        let mut by_log = self.signatures.iter().filter(by_log).take(MAX_OWN);
        by_log.any(|signature| log.key.verify(self.text.as_bytes(), &signature.bytes).is_ok())
    }
}

impl<'a> Signature<'a> {
    fn read(line: &'a str) -> Option<Self> {
        let (name, signature) = line.strip_prefix("\u{2014} ")?.rsplit_once(' ')?;
        let signature = base64(signature)?;
        let (hint, bytes) = signature.split_at_checked(4)?;
        Some(Self { name, hint: hint.to_vec(), bytes: bytes.to_vec() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_three_lines_and_signatures() {
        let root = "A".repeat(43) + "=";
        let note = |text: &str, signatures: &str| format!("{text}\n{signatures}");
        let good = format!("log.example.com\n12\n{root}\n");
        let signed = "\u{2014} log.example.com AAAAAAECAw==\n";
        assert_eq!(Checkpoint::read(&note(&good, signed)).unwrap().size, 12);
        let more = format!("{good}Timestamp: 7\n");
        assert_eq!(Checkpoint::read(&note(&more, signed)).unwrap().text, more);
        let second = signed.repeat(2);
        assert_eq!(Checkpoint::read(&note(&good, &second)).unwrap().signatures.len(), 2);
        for bad in [
            String::new(),
            good.clone(),
            note(&good, ""),
            note(&good, signed.trim_end()),
            note(&good, "\u{2014} log.example.com AAA=\n"),
            note(&good, "- log.example.com AAAAAAECAw==\n"),
            note(&good, &signed.repeat(MAX_SIGNATURES + 1)),
            note(&format!("\n12\n{root}\n"), signed),
            note(&format!("log.example.com\n{root}\n"), signed),
            note(&format!("log.example.com\n-1\n{root}\n"), signed),
            note(&format!("log.example.com\n+1\n{root}\n"), signed),
            note(&format!("log.example.com\n012\n{root}\n"), signed),
            note("log.example.com\n12\nAAAA\n", signed),
            note("log.example.com\n12\n", signed),
        ] {
            assert!(Checkpoint::read(&bad).is_none(), "{bad}");
        }
    }
}
