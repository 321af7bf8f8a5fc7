//! `argo_attest_core::inject` on workflows of every make: written by hand, and generated.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

mod argos;
mod generated;
mod kinds;
mod layout;
mod life;
mod options;
mod oracle;
mod refusals;
mod schema;
#[path = "../support/share.rs"]
mod share;
#[path = "../support/skip.rs"]
#[expect(dead_code, reason = "shared with other tests")]
mod skip;
mod written;

use argo_attest_core::inject::{Injected, Refusal, Settings, inject, remove, update};

/// What most tests inject with.
fn settings() -> Settings {
    Settings {
        store_secrets: vec!["s3-credentials".parse().unwrap()],
        ..Settings::new("registry.example/argo-attest:1", "https://ci.example.com/argo")
    }
}

/// Injects, and holds the result to what is promised of every result.
fn injected(text: &str, settings: &Settings) -> Result<Injected, Refusal> {
    let done = inject(text, settings)?;
    oracle::only_added(text, &done.text);
    oracle::means_the_same(text, &done.text);
    let again = inject(&done.text, settings).unwrap();
    assert_eq!(again.text, done.text, "a second time adds something");
    assert_eq!(
        remove(&done.text, &[]).unwrap().text,
        text,
        "what was added is not taken out:\n{}",
        done.text
    );
    assert_eq!(update(&done.text, settings).unwrap().text, done.text, "an update changes something");
    Ok(done)
}

/// The lines that were added, joined.
fn added(text: &str, settings: &Settings) -> String {
    let done = injected(text, settings).unwrap();
    oracle::added_lines(text, &done.text).join("\n")
}
