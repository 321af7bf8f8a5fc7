//! Whether the adapter's promises are kept on a server.

use std::panic::{AssertUnwindSafe, catch_unwind};

use argo_attest::store::S3Store;

use super::server::Server;
use crate::conformance::{Leave, Promise, kept};
use crate::servers::{SECRET_KEY, config};

const RACES: usize = 20;

/// Those that are not, in words for the table; how each was broken goes to the log.
pub(crate) fn broken(server: &Server) -> Vec<&'static str> {
    let store = S3Store::new(config(&server.endpoint, SECRET_KEY)).unwrap();
    let keeps = |prefix: &str, promise, leave| {
        let tried = || server.runtime.block_on(kept(&store, prefix, promise, leave));
        catch_unwind(AssertUnwindSafe(tried)).is_ok()
    };
    let mut broken = Vec::new();
    for promise in Promise::ALL {
        // A race that went well may have been luck.
        let times = if promise == Promise::Races { RACES } else { 1 };
        if (0..times).all(|time| keeps(&format!("suite{time}"), promise, Leave::default())) {
            continue;
        }
        let only_control = Leave { control_characters: true, ..Leave::default() };
        broken.push(match promise {
            Promise::OddKeys if keeps("again", promise, only_control) => "keys with control characters",
            promise => words(promise),
        });
    }
    broken
}

fn words(promise: Promise) -> &'static str {
    match promise {
        Promise::Missing => "objects that are not there",
        Promise::Create => "objects that are there already",
        Promise::Replace => "objects that were replaced",
        Promise::Limits => "limits",
        Promise::Sizes => "sizes",
        Promise::OddKeys => "odd keys",
        Promise::Made => "what is made while it is sent",
        Promise::Races => "racing writers",
        Promise::Lists => "listings",
    }
}
