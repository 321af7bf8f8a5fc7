//! A tar (POSIX.1 ustar and pax), gzipped (RFC 1952) or not, as a stream.

use std::io::{self, Read};

use flate2::bufread::GzDecoder;

use super::batch::Undigested;
use super::object::Object;
use super::pax::{self, Records};
use super::taker::Telling;
use super::tar_header::{BLOCK, Dialect, Header, Type};
use super::walk::{Broken, Budget, EntryKind, Stop};

/// Reads one gzip member that holds one tar. What follows it is left unread.
pub(super) fn read_gzipped<R: Read>(
    object: &mut Object<'_, R>,
    dialect: Dialect,
    budget: &mut Budget,
    telling: &mut Telling<'_>,
) -> Result<(), Stop> {
    read(GzDecoder::new(object), dialect, budget, telling)
}

/// Reads one tar to the end of what it comes from.
pub(super) fn read<R: Read>(
    input: R,
    dialect: Dialect,
    budget: &mut Budget,
    telling: &mut Telling<'_>,
) -> Result<(), Stop> {
    let mut blocks = Blocks { input, budget, telling };
    let mut records: Option<Records> = None;
    loop {
        let block = blocks.header()?;
        if block == [0; BLOCK] {
            return match records {
                Some(_) => Err(Broken::Header("PAX records have no entry").into()),
                None => blocks.end(),
            };
        }
        let header = Header::parse(&block, dialect)?;
        match header.kind {
            Type::Extended if records.is_some() => {
                return Err(Broken::Foreign("PAX records for PAX records").into());
            }
            Type::Extended => records = Some(Records::parse(&blocks.short(header.size)?, dialect)?),
            Type::Entry(kind) => {
                let Records { path, size, target } = records.take().unwrap_or_default();
                let target = target.unwrap_or(header.target);
                let (name, size) = (path.unwrap_or(header.name), size.unwrap_or(header.size));
                // Readers differ on whether such an entry has content.
                if kind != EntryKind::File && size != 0 {
                    return Err(Broken::Foreign("content of what is not a file").into());
                }
                blocks.budget.entry(&name)?;
                blocks.telling.begins(&name, size)?;
                blocks.content(size)?;
                blocks.telling.entry(Undigested {
                    name: &name,
                    kind,
                    size,
                    target: &target,
                    disguised: false,
                })?;
            }
        }
    }
}

struct Blocks<'a, 't, R> {
    input: R,
    budget: &'a mut Budget,
    telling: &'a mut Telling<'t>,
}

impl<R: Read> Blocks<'_, '_, R> {
    fn header(&mut self) -> Result<[u8; BLOCK], Stop> {
        let mut block = [0; BLOCK];
        self.budget.bytes(BLOCK)?;
        self.input.read_exact(&mut block)?;
        Ok(block)
    }

    /// Content that is kept, so short.
    fn short(&mut self, size: u64) -> Result<Vec<u8>, Stop> {
        if size > pax::LIMIT {
            return Err(Broken::Header("the PAX records of an entry are too long").into());
        }
        let mut bytes = vec![0; usize::try_from(size).unwrap_or(0)];
        self.budget.bytes(bytes.len())?;
        self.input.read_exact(&mut bytes)?;
        self.padding(size)?;
        Ok(bytes)
    }

    fn content(&mut self, size: u64) -> Result<(), Stop> {
        let mut left = size;
        while left > 0 {
            let room = self.telling.room()?;
            let most = usize::try_from(left).unwrap_or(usize::MAX).min(room.len());
            let count = self.input.read(room.get_mut(..most).unwrap_or_default())?;
            if count == 0 {
                return Err(Broken::Truncated.into());
            }
            self.budget.bytes(count)?;
            self.telling.content(count);
            left = left.saturating_sub(count.try_into().unwrap_or(u64::MAX));
        }
        self.padding(size)
    }

    /// Content is padded to whole blocks, with zeros: anything else there would
    /// be bytes that nobody compares.
    fn padding(&mut self, size: u64) -> Result<(), Stop> {
        let over = usize::try_from(size % 512).unwrap_or(0);
        if over == 0 {
            return Ok(());
        }
        let mut padding = [0; BLOCK];
        let padding = padding.get_mut(over..).unwrap_or_default();
        self.budget.bytes(padding.len())?;
        self.input.read_exact(padding)?;
        if padding.iter().any(|byte| *byte != 0) {
            return Err(Broken::Header("the padding of a tar entry is not zero").into());
        }
        Ok(())
    }

    /// After the first of the two zero blocks that end a tar: the other one, and
    /// nothing but zeros to the end of the gzip stream, whose checksum and size
    /// are looked at only there.
    fn end(&mut self) -> Result<(), Stop> {
        if self.header()? != [0; BLOCK] {
            return Err(Broken::Header("a tar has a single zero block").into());
        }
        loop {
            let room = self.telling.room()?;
            let count = match self.input.read(room) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                count => count?,
            };
            let Some(read @ [_, ..]) = room.get(..count) else { return Ok(()) };
            self.budget.bytes(count)?;
            if read.iter().any(|byte| *byte != 0) {
                return Err(Broken::TrailingData.into());
            }
        }
    }
}
