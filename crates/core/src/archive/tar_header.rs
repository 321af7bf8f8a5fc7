//! One 512-byte header of a tar (POSIX.1-1988 ustar).

use super::walk::{Broken, EntryKind};

/// The size of a header and the unit of content.
pub(super) const BLOCK: usize = 512;

/// What a header introduces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Entry(EntryKind),
    /// Records for the entry that follows (POSIX.1-2001 pax).
    Extended,
}

/// Whose tars are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// What Go's writer makes for Argo, and nothing else.
    Argo,
    /// What anybody's writer makes of plain files, in as far as all readers read it alike: also
    /// GNU's magic, and records of attributes.
    Common,
}

/// The fields that are used.
#[derive(Debug, Clone)]
pub(super) struct Header {
    pub(super) kind: Type,
    pub(super) name: Vec<u8>,
    pub(super) size: u64,
    /// Where a link leads.
    pub(super) target: Vec<u8>,
}

impl Header {
    pub(super) fn parse(block: &[u8; BLOCK], dialect: Dialect) -> Result<Self, Broken> {
        // Old tars and GNU's have other magics, and other meanings for the bytes
        // after it; Go writes this one for ustar and PAX.
        let is_gnu = match (field(block, 257, 8), dialect) {
            (b"ustar\x0000", _) => false,
            (b"ustar  \0", Dialect::Common) => true,
            _ => return Err(Broken::Foreign("a tar header that is not ustar")),
        };
        let sum: u64 = block
            .iter()
            .enumerate()
            // The checksum's own field counts as eight spaces.
            .map(|(at, byte)| u64::from(if (148..156).contains(&at) { b' ' } else { *byte }))
            .sum();
        if octal(field(block, 148, 8))? != sum {
            return Err(Broken::Header("the checksum of a tar header does not fit"));
        }
        let kind = match field(block, 156, 1) {
            b"0" => Type::Entry(EntryKind::File),
            b"\0" if dialect == Dialect::Common => Type::Entry(EntryKind::File),
            b"1" => Type::Entry(EntryKind::HardLink),
            b"2" => Type::Entry(EntryKind::Symlink),
            b"3" | b"4" => Type::Entry(EntryKind::Device),
            b"5" => Type::Entry(EntryKind::Directory),
            b"6" => Type::Entry(EntryKind::Fifo),
            b"x" => Type::Extended,
            _ => return Err(Broken::Foreign("a type of tar entry")),
        };
        // There GNU keeps times and what it knows of sparse files; other readers, a name.
        if is_gnu && field(block, 345, 155).iter().any(|byte| *byte != 0) {
            return Err(Broken::Foreign("a header of GNU's with more than a name"));
        }
        let (prefix, name) = (text(field(block, 345, 155)), text(field(block, 0, 100)));
        let mut full = Vec::with_capacity(prefix.len() + 1 + name.len());
        if !prefix.is_empty() {
            full.extend_from_slice(prefix);
            full.push(b'/');
        }
        full.extend_from_slice(name);
        let target = text(field(block, 157, 100)).to_vec();
        Ok(Self { kind, name: full, size: octal(field(block, 124, 12))?, target })
    }
}

fn field(block: &[u8; BLOCK], start: usize, length: usize) -> &[u8] {
    block.get(start..start + length).unwrap_or_default()
}

/// Up to the first NUL.
fn text(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// Octal digits, with NULs or spaces after them. The binary form that GNU has for
/// large numbers is not among them: Go writes a PAX record instead.
fn octal(field: &[u8]) -> Result<u64, Broken> {
    let malformed = Broken::Header("a number of a tar header is not octal");
    let end = field.iter().position(|byte| matches!(byte, 0 | b' ')).unwrap_or(field.len());
    let (digits, rest) = field.split_at(end);
    if digits.is_empty() || !rest.iter().all(|byte| matches!(byte, 0 | b' ')) {
        return Err(malformed);
    }
    digits.iter().try_fold(0_u64, |number, digit| match digit {
        b'0'..=b'7' => Ok(number << 3 | u64::from(digit - b'0')),
        _ => Err(malformed.clone()),
    })
}
