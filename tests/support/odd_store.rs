//! A store in memory that speaks S3, with the habits of one or another that there is.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use crate::scripted::{Act, Plain, Request, Scripted, error, head, reply};

/// What it makes of `If-Match` and `If-None-Match`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Preconditions {
    #[default]
    Kept,
    /// 501, as s3proxy answers.
    Refused,
    /// An entity tag is compared without its quotes, as by Ceph before 17.
    Unquoted,
}

#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Habits {
    pub(crate) preconditions: Preconditions,
    /// The answer to `x-amz-checksum-*`, if it is one.
    pub(crate) checksums_refused: Option<(u16, &'static str)>,
    /// Who may not list the bucket is told that what is missing is denied.
    pub(crate) hides: bool,
    /// A header, and the value of it, without which a write is denied.
    pub(crate) demands: Option<(&'static str, &'static str)>,
}

#[derive(Debug, Clone)]
struct Held {
    bytes: Vec<u8>,
    tag: String,
    /// The SHA-256 that the store holds for it, in base64.
    sha256: Option<String>,
}

type Objects = Arc<Mutex<BTreeMap<String, Held>>>;

pub(crate) struct OddStore {
    pub(crate) server: Scripted,
    objects: Objects,
}

impl OddStore {
    pub(crate) fn start(habits: Habits) -> Self {
        let objects = Objects::default();
        let held = Arc::clone(&objects);
        let mut writes = 0_u32;
        let answer = move |request: &Request| {
            writes += 1;
            Some(Act::Reply(answer(habits, &mut held.lock().unwrap(), request, writes)))
        };
        Self { server: Scripted::choosing(Plain, answer), objects }
    }

    /// Puts an object there, past all habits. `sha256`: what the store says its checksum is.
    pub(crate) fn hold(&self, path: &str, bytes: &[u8], sha256: Option<&str>) {
        let held =
            Held { bytes: bytes.to_vec(), tag: "\"before\"".into(), sha256: sha256.map(str::to_owned) };
        self.objects.lock().unwrap().insert(path.to_owned(), held);
    }

    pub(crate) fn get(&self, path: &str) -> Option<Vec<u8>> {
        self.objects.lock().unwrap().get(path).map(|held| held.bytes.clone())
    }

    pub(crate) fn paths(&self) -> Vec<String> {
        self.objects.lock().unwrap().keys().cloned().collect()
    }
}

fn answer(habits: Habits, objects: &mut BTreeMap<String, Held>, request: &Request, count: u32) -> Vec<u8> {
    let path = request.path.split_once('?').map_or(request.path.as_str(), |(path, _)| path);
    let there = objects.get(path).cloned();
    match request.method.as_str() {
        "PUT" => {
            if let Some(refusal) = refused(habits, there.as_ref(), request) {
                return refusal;
            }
            let tag = format!("\"tag-{count}\"");
            let sha256 = Some(request.header("x-amz-checksum-sha256")).filter(|sum| !sum.is_empty());
            let held = Held { bytes: request.body.clone(), tag, sha256: sha256.map(str::to_owned) };
            let answer = reply(200, &[("ETag", &held.tag)], b"");
            objects.insert(path.to_owned(), held);
            answer
        }
        method => match there {
            None if habits.hides => error(403, "AccessDenied"),
            None => error(404, "NoSuchKey"),
            Some(Held { bytes, tag, sha256 }) => {
                let mut headers = vec![("ETag", tag.as_str())];
                let asked = !request.header("x-amz-checksum-mode").is_empty();
                headers.extend(sha256.as_deref().filter(|_| asked).map(|sum| ("x-amz-checksum-sha256", sum)));
                if method == "HEAD" { head(200, &headers, bytes.len()) } else { reply(200, &headers, &bytes) }
            }
        },
    }
}

fn refused(habits: Habits, there: Option<&Held>, request: &Request) -> Option<Vec<u8>> {
    let (matches, none_match) = (request.header("if-match"), request.header("if-none-match"));
    if let Some((status, code)) = habits.checksums_refused
        && request.headers.keys().any(|name| name.starts_with("x-amz-checksum-"))
    {
        return Some(error(status, code));
    }
    if let Some((name, value)) = habits.demands
        && request.header(name) != value
    {
        return Some(error(403, "AccessDenied"));
    }
    if habits.preconditions == Preconditions::Refused && !(matches.is_empty() && none_match.is_empty()) {
        return Some(error(501, "NotImplemented"));
    }
    let expected = |held: &Held| match habits.preconditions {
        Preconditions::Unquoted => held.tag.trim_matches('"') == matches,
        _ => held.tag == matches,
    };
    match there {
        Some(_) if none_match == "*" => Some(error(412, "PreconditionFailed")),
        Some(held) if !matches.is_empty() && !expected(held) => Some(error(412, "PreconditionFailed")),
        None if !matches.is_empty() => Some(error(404, "NoSuchKey")),
        _ => None,
    }
}
