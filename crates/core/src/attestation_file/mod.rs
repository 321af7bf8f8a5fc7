//! Attestation files as people hold them, whoever wrote them: from bytes to what is in there.
//!
//! One reader for all: Sigstore bundles of any version, DSSE envelopes, cosign's older
//! bundle, attestations of `PyPI` (PEP 740), unsigned statements, in-toto's older metablocks;
//! each by itself, one a line, in arrays, in the wrappers that registries and services put
//! around them, and gzipped. What is found is told apart by its shape, never by the file's
//! name. What is not known is passed over, as DSSE and in-toto demand of consumers, and said
//! to be: the reason is that of the part that was meant.
//!
//! Nothing is believed here. Whether a key signed is for [`crate::dsse::Envelope::verify`],
//! and whether an envelope of this program's own was altered for [`crate::verify`], which
//! asks it for its [`deviation`](crate::dsse::Envelope::deviation) from what is written.

mod certificate;
mod classic;
mod error;
mod item;
mod members;
mod search;
mod shapes;
mod unpacked;

use std::borrow::Cow;

use serde_json::value::RawValue;

pub use certificate::{CertificateSummary, UnreadableCertificate};
pub use classic::Classic;
pub use error::{FileError, Unusable};
pub use item::{Claimed, FileSignature, Found, Item, Manifest, Metablock, Signed, Unsigned};

use crate::json::{self, JsonError, Limits};
use search::Search;

/// Bytes that are read of a file, and of what is packed in one.
pub const MAX_FILE: usize = 16 * 1024 * 1024;
/// Attestations in one file.
pub const MAX_ITEMS: usize = 1024;
/// Parts of a file that are named because nothing could be done with them; more are counted.
pub const MAX_NAMED: usize = 16;

/// A file that has something in it.
#[derive(Debug)]
pub struct AttestationFile {
    form: Cow<'static, str>,
    items: Vec<Item>,
    passed_over: Vec<Unusable>,
    unnamed: usize,
}

impl AttestationFile {
    /// Reads a file of at most [`MAX_FILE`] bytes.
    ///
    /// Errors: [`FileError`] if nothing is found in it, with the reason of what was meant.
    pub fn read(bytes: &[u8]) -> Result<Self, FileError> {
        if bytes.len() > MAX_FILE {
            return Err(FileError::TooLarge { limit: MAX_FILE });
        }
        let inflated = unpacked::inflated(bytes)?;
        let file = Self::unpacked(inflated.as_deref().unwrap_or(bytes))?;
        Ok(match inflated {
            Some(_) => Self { form: format!("{}, gzipped", file.form).into(), ..file },
            None => file,
        })
    }

    fn unpacked(bytes: &[u8]) -> Result<Self, FileError> {
        // No line of ours has one: with it a line is not as it was written.
        let (bytes, marked) = unpacked::after_mark(bytes).map_or((bytes, false), |text| (text, true));
        if bytes.trim_ascii().is_empty() {
            return Err(FileError::Empty);
        }
        if let Some(manifest) = Manifest::read(bytes) {
            let item = Item { at: String::new(), found: Found::Manifest(manifest) };
            let form = "manifest of a directory's files".into();
            return Ok(Self { form, items: vec![item], passed_over: Vec::new(), unnamed: 0 });
        }
        unpacked::text(bytes)?;
        let error = match document(bytes) {
            Ok(document) => return Self::of_document(bytes, document, marked),
            Err(error) => error,
        };
        match Self::of_lines(bytes, marked)? {
            Some(file) => Ok(file),
            None => Err(FileError::Json(error)),
        }
    }

    fn of_document(bytes: &[u8], document: &RawValue, marked: bool) -> Result<Self, FileError> {
        let mut search = Search::default();
        let on_its_line = bytes.starts_with(document.get().as_bytes())
            && [&b""[..], b"\n", b"\r\n"].contains(&bytes.get(document.get().len()..).unwrap_or_default());
        search.document(document, on_its_line && !marked)?;
        let one_line = on_its_line && !document.get().contains('\n');
        let is_line = |search: &Search| {
            search
                .items
                .first()
                .is_some_and(|item| item.at.is_empty() && item.found.form() == "DSSE envelope")
        };
        let lines = (one_line && is_line(&search)).then_some("one a line");
        Self::found(search, lines)
    }

    /// One document a line; `None` if no line is one.
    fn of_lines(bytes: &[u8], marked: bool) -> Result<Option<Self>, FileError> {
        let mut search = Search::default();
        let mut documents = 0;
        for (index, line) in bytes.split(|b| *b == b'\n').enumerate() {
            let trimmed = line.trim_ascii();
            if trimmed.is_empty() {
                continue;
            }
            let plain = !(marked && index == 0) && line.strip_suffix(b"\r").unwrap_or(line) == trimmed;
            let at = format!("line {}", index + 1);
            match document(trimmed) {
                Ok(document) if document.get().starts_with(['{', '[']) => {
                    documents += 1;
                    search.line(document, at, plain)?;
                }
                Ok(_) => search.pass_over(at, "it is neither an object nor an array"),
                Err(error) => search.pass_over(at, &format!("it is not JSON: {error}")),
            }
        }
        if documents == 0 {
            return Ok(None);
        }
        Self::found(search, Some("one a line")).map(Some)
    }

    fn found(search: Search, lines: Option<&str>) -> Result<Self, FileError> {
        if search.items.is_empty() {
            return Err(search.nothing());
        }
        let wrapper = search.wrapper;
        let (items, passed_over, unnamed) = search.into_passed_over();
        let Some(first) = items.first() else { return Err(FileError::Nothing) };
        let form = match (lines, wrapper) {
            (Some(lines), _) => match first.found.many() {
                // What is said of lines of envelopes is an interface.
                Some(many) if items.iter().all(|item| item.found.many() == Some(many)) => {
                    format!("{many}, {lines}").into()
                }
                _ => format!("attestations, {lines}").into(),
            },
            (None, Some(wrapper)) => wrapper.into(),
            (None, None) => first.found.form().into(),
        };
        Ok(Self { form, items, passed_over, unnamed })
    }

    /// What kind of file it is, in words.
    pub fn form(&self) -> &str {
        &self.form
    }

    /// What is in it, in the file's order; at least one.
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// The same, without a copy.
    pub fn into_items(self) -> Vec<Item> {
        self.items
    }

    /// Parts that nothing could be done with: which, and why; [`MAX_NAMED`] at most.
    pub fn passed_over(&self) -> &[Unusable] {
        &self.passed_over
    }

    /// How many more there are.
    pub fn unnamed(&self) -> usize {
        self.unnamed
    }
}

/// One JSON value within the limits, no object of which has a name twice.
fn document(bytes: &[u8]) -> Result<&RawValue, JsonError> {
    json::raw(bytes, Limits::from(MAX_FILE))
}

#[cfg(test)]
mod tests;
