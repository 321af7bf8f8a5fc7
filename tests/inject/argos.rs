//! Argo's own examples, as people write workflows: what is put into one comes out again.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use argo_attest_core::inject::{Mode, Refusal, Settings, inject, remove, update};

use super::settings;
use crate::share::is_tried;
use crate::skip::skip;

/// The modules whose examples are read.
const MODULES: [&str; 2] = ["v4@v4.0.7", "v3@v3.7.18"];

/// Every example with a workflow in it, by its path.
fn examples(module: &str) -> Vec<(PathBuf, String)> {
    let cache = Command::new("go").args(["env", "GOMODCACHE"]).output().ok();
    let cache = cache.map(|out| PathBuf::from(String::from_utf8(out.stdout).unwrap().trim()));
    let folder =
        cache.map(|cache| cache.join("github.com/argoproj/argo-workflows").join(module).join("examples"));
    let Some(folder) = folder.filter(|folder| folder.is_dir()) else {
        skip(&format!("go mod download github.com/argoproj/argo-workflows/{module}"));
        return Vec::new();
    };
    let mut found = Vec::new();
    collect(&folder, &mut found);
    assert!(found.len() > 150, "{}", found.len());
    found
}

fn collect(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|end| end == "yaml" || end == "json") {
            let text = std::fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
}

/// With every template asking: an annotation beside the key that makes it a step.
fn asking(text: &str) -> String {
    let mut asking = String::new();
    for line in text.split_inclusive('\n') {
        let key = line.trim_start().trim_start_matches("- ");
        let step = ["container:", "script:", "containerSet:"].iter().any(|kind| key.starts_with(kind));
        if step && !line.trim_start().starts_with("- ") {
            let end = if line.ends_with("\r\n") { "\r\n" } else { "\n" };
            let indent = line.len() - line.trim_start().len();
            let asks = "metadata: {annotations: {argo-attest.io/attest: \"true\"}}";
            asking.extend([&" ".repeat(indent), asks, end]);
        }
        asking.push_str(line);
    }
    asking
}

#[test]
fn what_is_put_into_argos_examples_comes_out_again() {
    // Most are the same in all versions.
    let mut texts = HashSet::new();
    for module in MODULES {
        let (mut put, mut left) = (0, 0);
        for (at, (path, text)) in examples(module).into_iter().enumerate() {
            if !texts.insert(text.clone()) || !is_tried(at / 3) {
                left += 1;
                continue;
            }
            // In one of the ways in which lines may end.
            let text = match at % 3 {
                0 => text,
                1 => text.replace('\n', "\r\n"),
                _ => text.trim_end().to_owned(),
            };
            for (text, all) in [(text.clone(), true), (asking(&text), false)] {
                for mode in [Mode::Native, Mode::Sidecar] {
                    let settings = Settings { all, mode, ..settings() };
                    let done = match inject(&text, &settings) {
                        Ok(done) => done,
                        Err(Refusal::Unproven { what }) => panic!("{}: {what}", path.display()),
                        // Such as a key that is there twice, now that each template asks.
                        Err(_) => continue,
                    };
                    // Where nothing was to be put, the text that comes out is the one that went in.
                    if done.text == text {
                        continue;
                    }
                    put += 1;
                    let context = || format!("{}, {settings:?}", path.display());
                    let left = remove(&done.text, &[]).unwrap_or_else(|e| panic!("{e}: {}", context()));
                    assert!(left.text == text, "{}", context());
                    let other = Settings { image: "other".into(), ..settings.clone() };
                    let updated = update(&done.text, &other).unwrap_or_else(|e| panic!("{e}: {}", context()));
                    assert!(updated.text == inject(&text, &other).unwrap().text, "{}", context());
                }
            }
        }
        assert!(put + left == 0 || put > 500 || left > 100, "{module}: {put}, {left}");
    }
}
