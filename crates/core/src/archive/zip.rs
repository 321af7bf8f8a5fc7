//! A zip (APPNOTE 6.3) as a stream, as Go's `archive/zip` writes it: each entry
//! deflated, its checksum and sizes in a data descriptor after it, no gaps, and
//! the central directory at the end.
//!
//! Unpackers believe the central directory, a stream shows the local headers. So
//! both are read, and must say the same of the same entries in the same order.

use std::io::{BufRead, Read};

use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::batch::Undigested;
use super::object::Object;
use super::taker::Telling;
use super::walk::{Broken, Budget, EntryKind, Stop};
use super::zip_directory::{self, Fields, Ledger};

const LOCAL: u32 = 0x0403_4b50;
const DESCRIPTOR: u32 = 0x0807_4b50;

/// Sizes from which a number does not fit its 32-bit field, by Go's reckoning.
pub(super) const MAX_32: u64 = 0xffff_ffff;

/// Sizes and checksum come after the content.
const HAS_DESCRIPTOR: u16 = 0x0008;

/// The name is UTF-8. Changes nothing here: names are bytes.
const UTF8_NAME: u16 = 0x0800;

const DEFLATED: u16 = 8;

/// Reads one zip. What follows it is left unread.
pub(super) fn read<R: Read>(
    object: &mut Object<'_, R>,
    budget: &mut Budget,
    telling: &mut Telling<'_>,
) -> Result<(), Stop> {
    let mut state = Decompress::new(false);
    let mut ledger = Ledger::default();
    loop {
        let offset = object.consumed();
        let signature = u32::from_le_bytes(take(object)?);
        if signature != LOCAL {
            return zip_directory::read(object, signature, offset, budget, &ledger, telling);
        }
        let mut fields = local_header(object, offset, budget)?;
        budget.entry(&fields.name)?;
        let content = inflate(&mut state, object, budget, telling)?;
        fields.crc = content.crc;
        fields.packed = content.packed;
        fields.size = content.size;
        descriptor(object, &fields)?;
        ledger.add(&fields);
        telling.entry(Undigested {
            name: &fields.name,
            // A name with a slash at its end is a directory's.
            kind: if fields.name.ends_with(b"/") { EntryKind::Directory } else { EntryKind::File },
            size: content.size,
            target: b"",
            disguised: false,
        })?;
    }
}

/// The next bytes.
pub(super) fn take<const N: usize>(object: &mut impl Read) -> Result<[u8; N], Stop> {
    let mut bytes = [0; N];
    object.read_exact(&mut bytes)?;
    Ok(bytes)
}

pub(super) fn take_u16(object: &mut impl Read) -> Result<u16, Stop> {
    Ok(u16::from_le_bytes(take(object)?))
}

pub(super) fn take_u32(object: &mut impl Read) -> Result<u32, Stop> {
    Ok(u32::from_le_bytes(take(object)?))
}

pub(super) fn take_u64(object: &mut impl Read) -> Result<u64, Stop> {
    Ok(u64::from_le_bytes(take(object)?))
}

pub(super) fn take_bytes(object: &mut impl Read, length: u16, budget: &mut Budget) -> Result<Vec<u8>, Stop> {
    let mut bytes = vec![0; usize::from(length)];
    budget.bytes(bytes.len())?;
    object.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// What must hold for the flags and the method of every entry. An entry that
/// tells its size beforehand, is stored or encrypted is not Argo's.
pub(super) fn check_method(flags: u16, method: u16) -> Result<(), Broken> {
    if flags & !UTF8_NAME != HAS_DESCRIPTOR {
        return Err(Broken::Foreign("flags of a zip entry"));
    }
    if method != DEFLATED {
        return Err(Broken::Foreign("a zip entry that is not deflated"));
    }
    Ok(())
}

fn local_header(object: &mut impl Read, offset: u64, budget: &mut Budget) -> Result<Fields, Stop> {
    let _version = take_u16(object)?;
    let flags = take_u16(object)?;
    check_method(flags, take_u16(object)?)?;
    let time = take(object)?;
    if take::<12>(object)? != [0; 12] {
        return Err(Broken::Foreign("a zip entry with its sizes in two places").into());
    }
    let (name_length, extra_length) = (take_u16(object)?, take_u16(object)?);
    let name = take_bytes(object, name_length, budget)?;
    // Extra fields can rename an entry (0x7075) or resize it; Go has none here.
    if extra_length != 0 {
        return Err(Broken::Foreign("an extra field of a zip entry").into());
    }
    budget.bytes(46)?;
    Ok(Fields { name, flags, time, offset, crc: 0, packed: 0, size: 0 })
}

/// The data descriptor: it must say what was seen. Its sizes have 64 bits if one
/// of them needs them.
fn descriptor(object: &mut impl Read, fields: &Fields) -> Result<(), Stop> {
    if take_u32(object)? != DESCRIPTOR {
        return Err(Broken::Header("a zip entry has no data descriptor").into());
    }
    let crc = take_u32(object)?;
    let (packed, size) = if fields.packed >= MAX_32 || fields.size >= MAX_32 {
        (take_u64(object)?, take_u64(object)?)
    } else {
        (take_u32(object)?.into(), take_u32(object)?.into())
    };
    if crc != fields.crc {
        return Err(Broken::Compression("the checksum of a zip entry does not fit".to_owned()).into());
    }
    if (packed, size) != (fields.packed, fields.size) {
        return Err(Broken::Header("the sizes of a zip entry do not fit").into());
    }
    Ok(())
}

struct Content {
    crc: u32,
    packed: u64,
    size: u64,
}

/// Reads one deflate stream (RFC 1951), to its own end mark.
fn inflate<R: Read>(
    state: &mut Decompress,
    object: &mut Object<'_, R>,
    budget: &mut Budget,
    telling: &mut Telling<'_>,
) -> Result<Content, Stop> {
    state.reset(false);
    let mut crc = Crc::new();
    loop {
        let room = telling.room()?;
        let input = object.fill_buf()?;
        let at_end = input.is_empty();
        let (taken, made) = (state.total_in(), state.total_out());
        let status = state
            .decompress(input, room, FlushDecompress::None)
            .map_err(|error| Broken::Compression(error.to_string()))?;
        let taken = usize::try_from(state.total_in() - taken).unwrap_or(usize::MAX);
        let made = usize::try_from(state.total_out() - made).unwrap_or(usize::MAX);
        object.consume(taken);
        budget.bytes(made)?;
        crc.update(room.get(..made).unwrap_or_default());
        telling.content(made);
        match status {
            Status::StreamEnd => break,
            _ if at_end && made == 0 => return Err(Broken::Truncated.into()),
            _ => {}
        }
    }
    Ok(Content { crc: crc.sum(), packed: state.total_in(), size: state.total_out() })
}
