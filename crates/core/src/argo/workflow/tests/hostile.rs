//! Hostile values at every tag of Argo's examples: none may be taken that is not what
//! the stored template says.
//!
//! A sample of them; with `ARGO_ATTEST_EXHAUSTIVE` set, all (minutes).

use std::collections::BTreeSet;

use serde_json::Value;

use super::oracle::Oracle;
use super::payloads::Payloads;
use super::recorded::{Run, runs};
use super::texts::{Spot, Within, spots};
use super::*;
use crate::argo::{Source, Step, TemplateText};

/// What is tried on one text.
struct Target<'r> {
    run: &'r Run,
    text: &'r str,
    stored: StoredWorkflow,
    oracle: Oracle,
    spots: Vec<Spot>,
}

#[derive(Default, Debug)]
struct Count {
    tried: usize,
    /// Those that are JSON of another shape than the honest text.
    forged: usize,
    taken: usize,
}

impl Target<'_> {
    /// The text with raw payloads where the tags of these strings were.
    fn with(&self, at: &[(&Spot, &str)]) -> String {
        let mut text = String::new();
        let mut end = 0;
        for (spot, payload) in at {
            text.push_str(&self.text[end..spot.range.start]);
            text.push_str(payload);
            end = spot.range.end;
        }
        text.push_str(&self.text[end..]);
        text
    }

    fn attempt(&self, text: &str, count: &mut Count) {
        count.tried += 1;
        let holds = self.oracle.holds(text);
        let is_json = serde_json::from_str::<Value>(text).is_ok();
        count.forged += usize::from(is_json && !holds);
        if self.stored.compare(text).is_err() {
            return;
        }
        let parsed =
            TemplateText::new(Source::Env, text.as_bytes().to_vec()).and_then(|text| Step::parse(&text));
        if parsed.is_ok() {
            count.taken += 1;
            assert!(holds, "{} ({}): taken, and not what is stored: {text}", self.run.from, self.run.play);
        }
    }
}

fn targets(runs: &[Run]) -> Vec<Target<'_>> {
    let mut seen = BTreeSet::new();
    let mut targets = Vec::new();
    for run in runs {
        for pod in &run.pods {
            let oracle = Oracle::new(run, &pod.node, &pod.text);
            let all = spots(&pod.text).into_iter();
            let spots: Vec<_> = all.filter_map(|spot| narrowed(spot, &pod.text, &oracle)).collect();
            // The same template in another run is the same target.
            let places: Vec<_> = spots.iter().map(Spot::place).collect();
            if !spots.is_empty()
                && seen.insert((run.from.clone(), run.workflow["metadata"]["name"].to_string(), places))
            {
                targets.push(Target { run, text: &pod.text, stored: stored(run, &pod.node), oracle, spots });
            }
        }
    }
    targets
}

/// The place of the tags within a string: what is stored before the first and behind
/// the last stays as it is.
fn narrowed(mut spot: Spot, text: &str, oracle: &Oracle) -> Option<Spot> {
    let stored = oracle.stored(&spot.place());
    if stored.is_empty() {
        return None;
    }
    let escaped = |text: &str| {
        let text = serde_json::to_string(text).unwrap();
        text[1..text.len() - 1].to_owned()
    };
    for stored in stored {
        let before = escaped(stored.split("{{").next().unwrap());
        let behind = escaped(stored.rsplit("}}").next().unwrap());
        let content = &text[spot.range.clone()];
        if content.starts_with(&before)
            && content.ends_with(&behind)
            && content.len() >= before.len() + behind.len()
        {
            spot.range = spot.range.start + before.len()..spot.range.end - behind.len();
            break;
        }
    }
    Some(spot)
}

/// Takes one of so many, always the same ones.
struct Sample {
    every: u64,
    state: u64,
}

impl Sample {
    fn new(every: u64) -> Self {
        let every = if std::env::var_os("ARGO_ATTEST_EXHAUSTIVE").is_some() { 1 } else { every };
        Self { every, state: 0x9E37_79B9_7F4A_7C15 }
    }

    fn takes(&mut self) -> bool {
        // Xorshift64*, Marsaglia 2003 and Vigna 2016.
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        self.every == 1 || self.state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33 < (1 << 31) / self.every
    }
}

#[test]
fn one_value_forges_nothing() {
    let runs = runs();
    let mut sample = Sample::new(400);
    let mut count = Count::default();
    for target in targets(&runs) {
        for spot in &target.spots {
            Payloads::new(spot).each(&mut |payload| {
                if sample.takes() {
                    target.attempt(&target.with(&[(spot, &payload)]), &mut count);
                }
            });
        }
    }
    eprintln!("{count:?}");
    assert!(count.forged > 1000 && count.taken > 0, "{count:?}");
}

#[test]
fn several_values_forge_nothing() {
    let runs = runs();
    let mut sample = Sample::new(300);
    let mut count = Count::default();
    for target in targets(&runs) {
        let honest: Value = serde_json::from_str(target.text).unwrap();
        for (place, first) in target.spots.iter().enumerate() {
            for second in &target.spots[place + 1..] {
                swallow(&target, &honest, first, second, &mut sample, &mut count);
            }
        }
    }
    eprintln!("{count:?}");
    assert!(count.forged > 1000, "{count:?}");
}

/// The first value opens a member in which all up to the second disappears, the second
/// ends it and says something else instead.
fn swallow(
    target: &Target<'_>,
    honest: &Value,
    first: &Spot,
    second: &Spot,
    sample: &mut Sample,
    count: &mut Count,
) {
    let common = first.within.iter().zip(&second.within).take_while(|(a, b)| a == b).count();
    for level in 0..=common.min(first.within.len() - 1).min(second.within.len() - 1) {
        let (Within::Member(_), Within::Member(own)) = (&first.within[level], &second.within[level]) else {
            continue;
        };
        for field in super::payloads::FIELDS {
            if !sample.takes() {
                continue;
            }
            let (one, two) = (Payloads::new(first), Payloads::new(second));
            let opened = format!("{},{}", one.close(level), one.open_as(level, field));
            let said = honest.pointer(&target_of(second, level)).cloned().unwrap_or(Value::Null);
            for changed in changes(&said) {
                let ended = format!("{},\"{own}\":{changed},{}", two.close(level), two.open_as(level, "zzz"));
                target.attempt(&target.with(&[(first, &opened), (second, &ended)]), count);
                target.attempt(&target.with(&[(first, "x"), (second, &ended)]), count);
                if let Some(third) = target.spots.iter().find(|spot| spot.range.start > second.range.end) {
                    let closed = format!(
                        "{},{}",
                        Payloads::new(third).close(0),
                        Payloads::new(third).open_as(0, field)
                    );
                    target.attempt(
                        &target.with(&[(first, &opened), (second, &ended), (third, &closed)]),
                        count,
                    );
                }
            }
        }
    }
}

/// The pointer to the member of this level that the string is in, through first items.
fn target_of(spot: &Spot, level: usize) -> String {
    let names = spot.within[..=level].iter().map(|within| match within {
        Within::Member(name) => format!("/{name}"),
        Within::Item => "/0".to_owned(),
    });
    names.collect()
}

/// A value with one name, path or key in it changed, with an item added to a list, and
/// as it is.
fn changes(value: &Value) -> Vec<Value> {
    let mut changes = vec![value.clone()];
    match value {
        Value::String(text) => changes.push(Value::String(format!("{text}-evil"))),
        Value::Array(items) => {
            let mut longer = items.clone();
            longer.extend(items.first().cloned().or_else(|| Some(json!({"name": "evil", "path": "/evil"}))));
            changes.push(Value::Array(longer));
            if let Some(first) = items.first() {
                for changed in changes_of(first) {
                    let mut items = items.clone();
                    items[0] = changed;
                    changes.push(Value::Array(items));
                }
            }
        }
        Value::Object(_) => changes.extend(changes_of(value)),
        _ => {}
    }
    changes
}

fn changes_of(value: &Value) -> Vec<Value> {
    let Value::Object(members) = value else { return Vec::new() };
    let mut all = Vec::new();
    for (name, member) in members {
        for changed in changes(member).into_iter().skip(1).take(2) {
            let mut members = members.clone();
            members.insert(name.clone(), changed);
            all.push(Value::Object(members));
        }
    }
    all
}

/// The values of the attacks that were seen on a cluster, at every tag.
#[test]
fn what_was_seen_forges_nothing() {
    const SEEN: [&str; 7] = [
        r#"v1"},"archive":{"none":{}}},{"name":"evil","path":"/data/src","s3":{"key":"releases/evil"#,
        r#"1.0"},"archive":{"none":{}}},{"name":"evil","path":"/data/evil","raw":{"data":"BYTES OF THE SUBMITTER"},"archive":{"none":{}}}]},"outputs":{"artifacts":[{"name":"app","path":"/data/evil","archive":{"none":{}},"s3":{"key":"releases/app"}}]},"metadata":{"annotations":{"argo-attest.io/attest":"true","argo-attest.io/verify-inputs":"false"}},"zzz":{"inputs":{"artifacts":[{"s3":{"key":""#,
        r#"c"]},"end":0},"container":{"name":"","image":"localhost/busybox:1","command":["sh","-c","cp /data/src /data/app","c0ffee"#,
        r#""}},"zzz":{"a":{"b":{"c":""#,
        r#"x"]},"end":0},"container":{"name":"","image":"registry.example.com/trusted-builder@sha256:0000000000000000000000000000000000000000000000000000000000000000","command":["/usr/bin/reproducible-build","--release"#,
        r#"v1"},"archive":{"none":{}}}]},"metadata":{"annotations":{"argo-attest.io/verify-inputs":"false"}},"zzz":{"outputs":{"artifacts":[{"s3":{"key":""#,
        r#"c"]},"end":0},"container":{"name":"","image":"localhost/busybox:1","command":["sh","-c","honest","c"#,
    ];
    let runs = runs();
    let mut count = Count::default();
    for target in &targets(&runs) {
        for spot in &target.spots {
            for one in SEEN {
                target.attempt(&target.with(&[(spot, one)]), &mut count);
            }
        }
        for pair in target.spots.windows(2).take(4) {
            for (one, two) in [(SEEN[1], SEEN[2]), (SEEN[3], SEEN[4]), (SEEN[5], SEEN[6])] {
                target.attempt(&target.with(&[(&pair[0], one), (&pair[1], two)]), &mut count);
            }
        }
    }
    eprintln!("{count:?}");
    assert!(count.forged > 10 && count.taken == 0, "{count:?}");
}
