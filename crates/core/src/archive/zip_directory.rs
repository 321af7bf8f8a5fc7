//! The central directory of a zip, checked against the entries that were seen.

use std::io::Read;

use sha2::{Digest as _, Sha256};

use super::batch::Undigested;
use super::object::Object;
use super::taker::Telling;
use super::walk::{Broken, Budget, EntryKind, Stop};
use super::zip::{MAX_32, check_method, take, take_bytes, take_u16, take_u32, take_u64};
use crate::digest::Sha256Digest;

const CENTRAL: u32 = 0x0201_4b50;
const END_64: u32 = 0x0606_4b50;
const LOCATOR_64: u32 = 0x0706_4b50;
const END: u32 = 0x0605_4b50;

/// What is said of an entry in both places.
pub(super) struct Fields {
    pub(super) name: Vec<u8>,
    pub(super) flags: u16,
    pub(super) time: [u8; 4],
    pub(super) offset: u64,
    pub(super) crc: u32,
    pub(super) packed: u64,
    pub(super) size: u64,
}

/// What was said of all entries so far: a running digest of it, so that it takes
/// no memory an entry. Two ledgers are equal if and only if the same was said in
/// the same order.
#[derive(Clone, Default)]
pub(super) struct Ledger {
    hasher: Sha256,
    entries: u64,
}

impl Ledger {
    pub(super) fn add(&mut self, fields: &Fields) {
        let Fields { name, flags, time, offset, crc, packed, size } = fields;
        self.hasher.update(u64::try_from(name.len()).unwrap_or(u64::MAX).to_le_bytes());
        self.hasher.update(name);
        self.hasher.update(flags.to_le_bytes());
        self.hasher.update(time);
        for number in [*offset, u64::from(*crc), *packed, *size] {
            self.hasher.update(number.to_le_bytes());
        }
        self.entries = self.entries.saturating_add(1);
    }

    fn digest(&self) -> Sha256Digest {
        Sha256Digest::from_hasher(self.hasher.clone())
    }
}

/// Reads the directory to its end. Its first signature has been taken, at
/// `start`. `seen` is what the local headers said.
pub(super) fn read<R: Read>(
    object: &mut Object<'_, R>,
    first: u32,
    start: u64,
    budget: &mut Budget,
    seen: &Ledger,
    telling: &mut Telling<'_>,
) -> Result<(), Stop> {
    let mut said = Ledger::default();
    let mut signature = first;
    let mut end = start;
    while signature == CENTRAL {
        if said.entries == seen.entries {
            return Err(Broken::Directory("it lists more entries than there are").into());
        }
        let (fields, attributes) = header(object, budget)?;
        said.add(&fields);
        if attributes == Attributes::Disguise {
            telling.entry(Undigested {
                name: &fields.name,
                kind: EntryKind::File,
                size: fields.size,
                target: b"",
                disguised: true,
            })?;
        }
        end = object.consumed();
        signature = take_u32(object)?;
    }
    if said.entries != seen.entries {
        return Err(Broken::Directory("it lists fewer entries than there are").into());
    }
    if said.digest() != seen.digest() {
        return Err(Broken::Directory("names, sizes, checksums or places differ").into());
    }
    let directory = Extent { entries: said.entries, size: end - start, offset: start };
    let mut needs_64 = false;
    if signature == END_64 {
        end_64(object, &directory, end)?;
        needs_64 = true;
        signature = take_u32(object)?;
    }
    if signature != END {
        return Err(Broken::Header("an unknown record of a zip").into());
    }
    end_32(object, &directory, needs_64)
}

struct Extent {
    entries: u64,
    size: u64,
    offset: u64,
}

const WRONG_END: Broken = Broken::Directory("its end record does not fit");

/// The zip64 end record and its locator (APPNOTE 4.3.14, 4.3.15).
fn end_64(object: &mut impl Read, directory: &Extent, at: u64) -> Result<(), Stop> {
    let length = take_u64(object)?;
    let _versions: [u8; 4] = take(object)?;
    let disks = take::<8>(object)?;
    let (here, all) = (take_u64(object)?, take_u64(object)?);
    let (size, offset) = (take_u64(object)?, take_u64(object)?);
    let said = (length, disks, here, all, size, offset);
    if said != (44, [0; 8], directory.entries, directory.entries, directory.size, directory.offset) {
        return Err(WRONG_END.into());
    }
    let locator = (take_u32(object)?, take_u32(object)?, take_u64(object)?, take_u32(object)?);
    if locator == (LOCATOR_64, 0, at, 1) { Ok(()) } else { Err(WRONG_END.into()) }
}

/// The end record (APPNOTE 4.3.16). After a zip64 one its fields may hold their
/// highest value instead of the true one. No comment: it could hold another end
/// record, and readers search for the last.
fn end_32(object: &mut impl Read, directory: &Extent, has_64: bool) -> Result<(), Stop> {
    let disks = take::<4>(object)?;
    let (here, all) = (take_u16(object)?, take_u16(object)?);
    let (size, offset) = (take_u32(object)?, take_u32(object)?);
    let comment = take_u16(object)?;
    let fits = |said: u64, highest: u64, is: u64| said == is || (has_64 && said == highest);
    let right = disks == [0; 4]
        && fits(here.into(), 0xffff, directory.entries)
        && fits(all.into(), 0xffff, directory.entries)
        && fits(size.into(), MAX_32, directory.size)
        && fits(offset.into(), MAX_32, directory.offset);
    if !right {
        return Err(WRONG_END.into());
    }
    if comment != 0 { Err(Broken::Foreign("a comment of a zip").into()) } else { Ok(()) }
}

#[derive(PartialEq, Eq)]
enum Attributes {
    Plain,
    /// An unpacker would make something else of it: a link, a directory, a device.
    Disguise,
}

fn header(object: &mut impl Read, budget: &mut Budget) -> Result<(Fields, Attributes), Stop> {
    let creator = take_u16(object)?;
    let _needed = take_u16(object)?;
    let flags = take_u16(object)?;
    check_method(flags, take_u16(object)?)?;
    let time = take(object)?;
    let crc = take_u32(object)?;
    let (packed, size) = (take_u32(object)?, take_u32(object)?);
    let (name_length, extra_length, comment_length) =
        (take_u16(object)?, take_u16(object)?, take_u16(object)?);
    let (disk, _internal) = (take_u16(object)?, take_u16(object)?);
    let attributes = take_u32(object)?;
    let offset = take_u32(object)?;
    if disk != 0 || comment_length != 0 {
        return Err(Broken::Foreign("a comment or another disk of a zip entry").into());
    }
    let name = take_bytes(object, name_length, budget)?;
    let extra = take_bytes(object, extra_length, budget)?;
    let (packed, size, offset) = sizes((packed.into(), size.into(), offset.into()), &extra)?;
    let fields = Fields { name, flags, time, offset, crc, packed, size };
    Ok((fields, disguise(creator, attributes)))
}

/// Go sets no attributes. Those of a plain file are let pass: Unix (host 3) has
/// the mode in the high half, and DOS bit 4 means a directory.
fn disguise(creator: u16, attributes: u32) -> Attributes {
    let (mode, dos) = (attributes >> 16, attributes.to_le_bytes());
    match creator >> 8 {
        0 if attributes == 0 => Attributes::Plain,
        3 if matches!(mode & 0o170_000, 0 | 0o100_000) && mode & 0o7000 == 0 && dos.starts_with(&[0, 0]) => {
            Attributes::Plain
        }
        _ => Attributes::Disguise,
    }
}

/// Packed size, size and offset, with the zip64 extra field (APPNOTE 4.5.3) where
/// they need it. Go writes all three numbers into it if one of them needs it, and
/// both sizes as their highest value then.
fn sizes(short: (u64, u64, u64), extra: &[u8]) -> Result<(u64, u64, u64), Broken> {
    let (packed, size, offset) = short;
    if extra.is_empty() {
        return Ok(short);
    }
    let Some([1, 0, 24, 0, numbers @ ..]) = extra.first_chunk::<28>().filter(|_| extra.len() == 28) else {
        return Err(Broken::Foreign("an extra field of a zip entry"));
    };
    let (numbers, _) = numbers.as_chunks::<8>();
    let [long_size, long_packed, long_offset] = numbers else {
        return Err(Broken::Foreign("an extra field of a zip entry"));
    };
    let long = [*long_packed, *long_size, *long_offset].map(u64::from_le_bytes);
    let [long_packed, long_size, long_offset] = long;
    if (packed, size) != (MAX_32, MAX_32) || (offset != MAX_32 && offset != long_offset) {
        return Err(Broken::Header("the zip64 numbers of an entry do not fit"));
    }
    Ok((long_packed, long_size, long_offset))
}
