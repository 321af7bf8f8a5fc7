//! The pod's spec as the admission policy hands it over: `$ARGO_ATTEST_POD_SPEC`.
//!
//! The policy's language can join text and count its characters and do little more, so
//! the format is one of netstrings, whose lengths count Unicode code points:
//! `docs/template.md` has its grammar. Lengths come first, so that no name or argument
//! can pose as the end of its record.

use std::collections::BTreeMap;

use super::spec::{Phase, PodContainer, PodMount, PodSpec};

/// Characters that the policy hands over at most. In its place it says [`TOO_LARGE`].
const LIMIT: usize = 100_000;
/// What the policy says of a pod whose spec is longer.
const TOO_LARGE: &str = "too-large";
/// What the text begins with.
const VERSION: &str = "v1;";
/// Digits of a length that is within [`LIMIT`].
const DIGITS: usize = 6;

/// Why the text is no pod's spec.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HandedOverError {
    /// The pod's spec is longer than the policy hands over, or than is read.
    #[error("the pod's spec that was handed over has more than {LIMIT} characters")]
    TooLarge,
    /// Another format than the one that is known.
    #[error("the pod's spec that was handed over does not begin with {VERSION:?}")]
    Version,
    /// Not the format.
    #[error("the pod's spec that was handed over is malformed in its record {record}")]
    Malformed {
        /// Which one, from 1.
        record: usize,
    },
}

impl PodSpec {
    /// Reads the text that the admission policy handed over, as the kubelet left it in
    /// our environment.
    pub fn from_handed_over(text: &str) -> Result<Self, HandedOverError> {
        // A character has at most four bytes: what is too long is not counted through.
        if text == TOO_LARGE || text.len() > 4 * LIMIT || text.chars().count() > LIMIT {
            return Err(HandedOverError::TooLarge);
        }
        let mut records = Netstrings(text.strip_prefix(VERSION).ok_or(HandedOverError::Version)?);
        let mut containers = Vec::new();
        let mut annotations = None;
        let mut number = 0;
        while !records.at_end() {
            number += 1;
            let malformed = HandedOverError::Malformed { record: number };
            // That of the annotations is the last one.
            if annotations.is_some() {
                return Err(malformed);
            }
            match records.next().and_then(record).ok_or(malformed)? {
                Record::Container(container) => containers.push(container),
                Record::Annotations(all) => annotations = Some(all),
            }
        }
        let annotations = annotations.ok_or(HandedOverError::Malformed { record: number + 1 })?;
        Ok(Self { containers, annotations })
    }
}

enum Record {
    Container(PodContainer),
    Annotations(BTreeMap<String, String>),
}

fn record(text: &str) -> Option<Record> {
    let mut kind = text.chars();
    match (kind.next()?, kind.as_str()) {
        ('i', fields) => container(Phase::Init, fields).map(Record::Container),
        ('c', fields) => container(Phase::Main, fields).map(Record::Container),
        ('a', entries) => annotations(entries).map(Record::Annotations),
        _ => None,
    }
}

fn container(phase: Phase, text: &str) -> Option<PodContainer> {
    let mut fields = Netstrings(text);
    let container = PodContainer {
        phase,
        name: fields.next()?.to_owned(),
        image: fields.next()?.to_owned(),
        command: list(fields.next()?, |word| Some(word.to_owned()))?,
        args: list(fields.next()?, |word| Some(word.to_owned()))?,
        mounts: list(fields.next()?, mount)?,
    };
    fields.at_end().then_some(container)
}

fn mount(text: &str) -> Option<PodMount> {
    let mut fields = Netstrings(text);
    let mut field = || fields.next().map(str::to_owned);
    let (name, path, sub_path, sub_path_expr) = (field()?, field()?, field()?, field()?);
    let read_only = match fields.0 {
        "r" => true,
        "w" => false,
        _ => return None,
    };
    Some(PodMount { name, path, sub_path, sub_path_expr, read_only })
}

fn annotations(text: &str) -> Option<BTreeMap<String, String>> {
    let entries = list(text, |entry| {
        let mut fields = Netstrings(entry);
        let entry = (fields.next()?.to_owned(), fields.next()?.to_owned());
        fields.at_end().then_some(entry)
    })?;
    let count = entries.len();
    let all: BTreeMap<_, _> = entries.into_iter().collect();
    (all.len() == count).then_some(all)
}

fn list<T>(text: &str, item: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    let mut items = Netstrings(text);
    let mut list = Vec::new();
    while !items.at_end() {
        list.push(item(items.next()?)?);
    }
    Some(list)
}

/// Netstrings one after the other: `LENGTH:TEXT,`.
struct Netstrings<'a>(&'a str);

impl<'a> Netstrings<'a> {
    fn at_end(&self) -> bool {
        self.0.is_empty()
    }

    /// The next one; `None` if there is none.
    fn next(&mut self) -> Option<&'a str> {
        let (digits, rest) = self.0.split_at_checked(self.0.find(':')?)?;
        let plain =
            !digits.is_empty() && digits.len() <= DIGITS && digits.bytes().all(|b| b.is_ascii_digit());
        // One length has one spelling.
        if !plain || (digits.starts_with('0') && digits != "0") {
            return None;
        }
        let rest = rest.strip_prefix(':')?;
        let length: usize = digits.parse().ok()?;
        // One after the last character is the end, or the comma.
        let end = rest.char_indices().map(|(at, _)| at).nth(length)?;
        let (text, rest) = rest.split_at_checked(end)?;
        self.0 = rest.strip_prefix(',')?;
        Some(text)
    }
}
