//! Builds zips as Go's writer does, and lets everything in them be changed.

use std::io::Write as _;

use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};

/// What is written of an entry in one of its two headers.
#[derive(Clone)]
pub(super) struct Record {
    pub(super) name: Vec<u8>,
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) extra: Vec<u8>,
    pub(super) comment: Vec<u8>,
    pub(super) creator: u16,
    pub(super) attributes: u32,
    pub(super) crc: u32,
    pub(super) packed: u32,
    pub(super) size: u32,
    pub(super) offset: u32,
}

/// A zip in the making.
#[derive(Default)]
pub(super) struct Zipball {
    pub(super) bytes: Vec<u8>,
    /// What the central directory will say.
    pub(super) central: Vec<Record>,
}

impl Zipball {
    pub(super) fn file(self, name: &[u8], content: &[u8]) -> Self {
        self.entry(name, content, |_| {})
    }

    /// An entry whose local header is changed; the central directory will say the
    /// honest thing.
    pub(super) fn entry(mut self, name: &[u8], content: &[u8], change: impl FnOnce(&mut Record)) -> Self {
        let mut crc = Crc::new();
        crc.update(content);
        let packed = deflate(content);
        let record = Record {
            name: name.to_vec(),
            flags: 0x0008,
            method: 8,
            extra: Vec::new(),
            comment: Vec::new(),
            creator: 20,
            attributes: 0,
            crc: crc.sum(),
            packed: packed.len().try_into().unwrap(),
            size: content.len().try_into().unwrap(),
            offset: self.bytes.len().try_into().unwrap(),
        };
        let mut local = record.clone();
        change(&mut local);
        self.central.push(record);
        self.u32(0x0403_4b50).u16(20).u16(local.flags).u16(local.method).u32(0);
        self.bytes.extend([0; 12]);
        self.u16(local.name.len()).u16(local.extra.len());
        self.bytes.extend_from_slice(&local.name);
        self.bytes.extend_from_slice(&local.extra);
        self.bytes.extend_from_slice(&packed);
        self.u32(0x0807_4b50).u32(local.crc).u32(local.packed).u32(local.size);
        self
    }

    /// Changes what the central directory will say of the last entry.
    pub(super) fn central(mut self, change: impl FnOnce(&mut Record)) -> Self {
        change(self.central.last_mut().unwrap());
        self
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.finish_with(|end| end)
    }

    /// With the end record changed.
    pub(super) fn finish_with(mut self, change: impl FnOnce(Vec<u8>) -> Vec<u8>) -> Vec<u8> {
        let (start, size) = self.directory();
        let entries = self.central.len();
        let mut end = Self::default();
        end.u32(0x0605_4b50).u32(0).u16(entries).u16(entries);
        end.u32(size).u32(start).u16(0_u16);
        self.bytes.extend(change(end.bytes));
        self.bytes
    }

    /// With a zip64 end record and its locator, whose numbers are changed.
    pub(super) fn finish_64(mut self, change: impl FnOnce(&mut [u64; 5])) -> Vec<u8> {
        let (start, size) = self.directory();
        let mut numbers = [44, self.central.len() as u64, size.into(), start.into(), self.bytes.len() as u64];
        change(&mut numbers);
        let [length, entries, size, start, at] = numbers;
        self.u32(0x0606_4b50)
            .u64(length)
            .u16(45)
            .u16(45)
            .u64(0)
            .u64(entries)
            .u64(entries)
            .u64(size)
            .u64(start);
        self.u32(0x0706_4b50).u32(0).u64(at).u32(1);
        self.u32(0x0605_4b50).u32(0).u32(u32::MAX).u32(u32::MAX).u32(u32::MAX).u16(0_u16);
        self.bytes
    }

    fn directory(&mut self) -> (u32, u32) {
        let start = self.bytes.len();
        for record in self.central.clone() {
            self.u32(0x0201_4b50).u16(record.creator).u16(20).u16(record.flags).u16(record.method).u32(0);
            self.u32(record.crc).u32(record.packed).u32(record.size);
            self.u16(record.name.len()).u16(record.extra.len()).u16(record.comment.len());
            self.u32(0).u32(record.attributes).u32(record.offset);
            self.bytes.extend_from_slice(&record.name);
            self.bytes.extend_from_slice(&record.extra);
            self.bytes.extend_from_slice(&record.comment);
        }
        (start.try_into().unwrap(), (self.bytes.len() - start).try_into().unwrap())
    }

    fn u16(&mut self, number: impl TryInto<u16>) -> &mut Self {
        let Ok(number) = number.try_into() else { panic!("does not fit") };
        self.bytes.extend(number.to_le_bytes());
        self
    }

    fn u32(&mut self, number: u32) -> &mut Self {
        self.bytes.extend(number.to_le_bytes());
        self
    }

    fn u64(&mut self, number: u64) -> &mut Self {
        self.bytes.extend(number.to_le_bytes());
        self
    }
}

pub(super) fn deflate(content: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}
