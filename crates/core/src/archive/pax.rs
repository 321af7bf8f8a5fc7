//! PAX records (POSIX.1-2001 pax, "Extended Header"): what a ustar header has no
//! room for.

use super::tar_header::Dialect;
use super::walk::Broken;

/// The most bytes of records for one entry. Path and link target are at most
/// 4 KiB each, all else is short.
pub(super) const LIMIT: u64 = 32 * 1024;

/// The records that change what an entry is.
#[derive(Debug, Default)]
pub(super) struct Records {
    pub(super) path: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    pub(super) target: Option<Vec<u8>>,
}

/// The keys that Go writes; others would mean something to some unpackers
/// (`GNU.sparse.*`, `hdrcharset`).
const KNOWN: [&[u8]; 10] =
    [b"path", b"linkpath", b"size", b"uid", b"gid", b"uname", b"gname", b"mtime", b"atime", b"ctime"];

/// The keys that say something of a file's attributes alone, to every reader that knows them.
const ATTRIBUTES: [&[u8]; 5] =
    [b"SCHILY.xattr.", b"SCHILY.acl.", b"SCHILY.fflags", b"LIBARCHIVE.xattr.", b"LIBARCHIVE.creationtime"];

impl Records {
    pub(super) fn parse(mut rest: &[u8], dialect: Dialect) -> Result<Self, Broken> {
        let mut records = Self::default();
        let mut seen = [false; KNOWN.len()];
        while !rest.is_empty() {
            let (key, value, tail) = record(rest).ok_or(Broken::Header("a PAX record is malformed"))?;
            rest = tail;
            if dialect == Dialect::Common && ATTRIBUTES.iter().any(|prefix| key.starts_with(prefix)) {
                continue;
            }
            let known = KNOWN.iter().zip(&mut seen).find(|(known, _)| **known == key);
            let (_, seen) = known.ok_or(Broken::Foreign("a PAX record"))?;
            if std::mem::replace(seen, true) {
                return Err(Broken::Header("a PAX record occurs twice"));
            }
            match key {
                b"path" if value.is_empty() => return Err(Broken::Header("a PAX path is empty")),
                b"linkpath" if value.is_empty() => {
                    return Err(Broken::Header("a PAX link target is empty"));
                }
                b"linkpath" => records.target = Some(value.to_vec()),
                b"path" => records.path = Some(value.to_vec()),
                b"size" => {
                    records.size = Some(decimal(value).ok_or(Broken::Header("a PAX size is malformed"))?);
                }
                _ => {}
            }
        }
        Ok(records)
    }
}

type Record<'a> = (&'a [u8], &'a [u8], &'a [u8]);

/// Key, value and what follows: `<length> <key>=<value>\n`, where the length in
/// decimal counts the whole record.
fn record(bytes: &[u8]) -> Option<Record<'_>> {
    let digits = bytes.iter().position(|byte| *byte == b' ')?;
    let length = usize::try_from(decimal(bytes.get(..digits)?)?).ok()?;
    let (record, tail) = bytes.split_at_checked(length)?;
    let pair = record.get(digits + 1..)?.strip_suffix(b"\n")?;
    let equals = pair.iter().position(|byte| *byte == b'=')?;
    let (key, value) = (pair.get(..equals)?, pair.get(equals + 1..)?);
    // A NUL ends the value for C programs and not for others.
    (!value.contains(&0)).then_some((key, value, tail))
}

/// Plain digits: no sign, no leading zero that another reader might take as octal.
fn decimal(digits: &[u8]) -> Option<u64> {
    let plain = digits.iter().all(u8::is_ascii_digit) && (digits.len() == 1 || digits.first() != Some(&b'0'));
    if plain { std::str::from_utf8(digits).ok()?.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn argo(bytes: &[u8]) -> Result<Records, Broken> {
        Records::parse(bytes, Dialect::Argo)
    }

    #[test]
    fn others_write_attributes_too() {
        let xattr = b"27 SCHILY.xattr.user.x=a\0b\n";
        assert_eq!(argo(b"26 SCHILY.xattr.user.x=ab\n").unwrap_err(), Broken::Foreign("a PAX record"));
        Records::parse(b"26 SCHILY.xattr.user.x=ab\n13 path=a\n=b\n", Dialect::Common).unwrap();
        for other in
            [&b"22 GNU.sparse.major=1\n"[..], b"19 hdrcharset=ABCD\n", b"24 SCHILY.realsize=1234\n", xattr]
        {
            Records::parse(other, Dialect::Common).unwrap_err();
        }
    }

    #[test]
    fn reads_records() {
        let records = argo(b"12 path=a\n=b\n18 mtime=1.5000000\n18 size=9000000000\n").unwrap_err();
        assert_eq!(records, Broken::Header("a PAX record is malformed"));
        let records = argo(b"13 path=a\n=b\n19 size=9000000000\n15 mtime=1.500\n").unwrap();
        assert_eq!(records.path.unwrap(), b"a\n=b");
        assert_eq!(records.size, Some(9_000_000_000));
    }

    #[test]
    fn refuses_what_readers_could_read_differently() {
        for (bytes, why) in [
            (&b"8 path=a\n"[..], Broken::Header("a PAX record is malformed")),
            (b"11 path=a\n", Broken::Header("a PAX record is malformed")),
            (b"99999999999999999999 path=a\n", Broken::Header("a PAX record is malformed")),
            (b"0 path=a\n", Broken::Header("a PAX record is malformed")),
            (b"12 path=a\0b\n", Broken::Header("a PAX record is malformed")),
            (b"10 path=a\n10 path=b\n", Broken::Header("a PAX record occurs twice")),
            (b"8 path=\n", Broken::Header("a PAX path is empty")),
            (b"13 linkpath=\n", Broken::Header("a PAX link target is empty")),
            (b"11 size=-1\n", Broken::Header("a PAX size is malformed")),
            (b"11 size=07\n", Broken::Header("a PAX size is malformed")),
            (b"22 GNU.sparse.major=1\n", Broken::Foreign("a PAX record")),
        ] {
            assert_eq!(argo(bytes).unwrap_err(), why, "{}", bytes.escape_ascii());
        }
    }
}
