//! What Argo cannot have written is refused.

use std::collections::BTreeSet;
use std::time::Instant;

use proptest::prelude::*;

use super::super::{Foreign, encode, parameters, template};
use super::tree::Tree;
use super::{FIXTURES, examples};

const TYPES: &str = include_str!("../../../../../../tests/fixtures/argo/encoder/types-4.1.2.txt");

fn refusal(text: &str) -> String {
    template(text).expect_err(text).to_string()
}

/// A template of one container, with `more` after it.
fn one(container: &str, more: &str) -> String {
    format!(r#"{{"name":"x","inputs":{{}},"outputs":{{}},"metadata":{{}},"container":{container}{more}}}"#)
}

const PLAIN: &str = r#"{"name":"","image":"i","resources":{}}"#;

/// A sample of the examples, different ones of all kinds.
fn sample() -> Vec<String> {
    examples().into_iter().step_by(9).chain(FIXTURES.map(str::to_owned)).collect()
}

/// Every object, of a structure or a map: its members doubled, in another order, with an
/// unknown one among them.
#[test]
fn no_object_has_a_member_twice_or_elsewhere_or_of_another_name() {
    let mut tried = 0;
    for text in sample() {
        let tree = Tree::read(&text);
        for number in 0..tree.count() {
            let Tree::Object(members) = tree.clone().at(number).clone() else { continue };
            let mut variants = Vec::new();
            for at in 0..members.len() {
                let mut doubled = members.clone();
                doubled.insert(at, members[at].clone());
                variants.push(doubled);
                let mut last = members.clone();
                last.push(members[at].clone());
                variants.push(last);
                if at > 0 {
                    let mut swapped = members.clone();
                    swapped.swap(at - 1, at);
                    variants.push(swapped);
                }
            }
            for at in 0..=members.len() {
                for value in ["{}", "[]", "null", "7", r#"{"a":[{"b":"c"}]}"#] {
                    let mut unknown = members.clone();
                    unknown.insert(at, ("\"zzz\"".to_owned(), Tree::Leaf(value.to_owned())));
                    variants.push(unknown);
                }
            }
            for variant in variants {
                let mut changed = tree.clone();
                *changed.at(number) = Tree::Object(variant);
                let changed = changed.write();
                // What is free-form by type is in no template that has a pod.
                if text.contains("\"withItems\"") || text.contains("\"plugin\":{") {
                    continue;
                }
                assert!(template(&changed).is_err(), "{changed}");
                tried += 1;
            }
        }
    }
    assert!(tried > 5000, "{tried}");
}

/// No white space or other character between any two tokens, and nothing after the end.
#[test]
fn nothing_stands_between_the_tokens() {
    for text in FIXTURES {
        let mut quoted = false;
        for (at, character) in text.char_indices() {
            quoted ^= character == '"' && !text[..at].ends_with('\\');
            let more = [" ", "\n", ",", "}", "//x\n", "\u{feff}"];
            for more in if quoted && character != '"' { &[][..] } else { &more[..] } {
                let changed = format!("{}{more}{}", &text[..at], &text[at..]);
                if quoted && character == '"' || !quoted && character != '"' {
                    assert!(template(&changed).is_err(), "{changed}");
                }
            }
        }
        for more in [" ", "\n", "{}", ",", "\0", text] {
            assert!(template(&format!("{text}{more}")).is_err());
            assert!(template(&format!("{more}{text}")).is_err());
        }
        for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
            assert!(template(&text[..end]).is_err());
        }
    }
}

/// One value that closes the levels above it, opens a field of any name that exists, and
/// in that as many levels as the text goes on to close: the rest is swallowed.
#[test]
fn no_field_that_exists_swallows_the_rest() {
    let mut names: BTreeSet<&str> = TYPES
        .lines()
        .filter_map(|line| Some(line.strip_prefix(' ')?.split([' ', '?']).next().unwrap()))
        .collect();
    names.extend(["zzz", "Container", "semaphore"]);
    let (mut tried, mut taken) = (0, 0);
    for text in sample() {
        if text.len() > 1000 {
            continue;
        }
        let original: serde_json::Value = serde_json::from_str(&text).unwrap();
        for (at, open) in strings(&text) {
            for levels in 1..=open.len() {
                let closing: String = open[levels - 1..].chars().rev().map(close).collect();
                let opening: String =
                    open[levels..].chars().map(|b| if b == '{' { "{\"name\":" } else { "[" }).collect();
                if open[..levels].ends_with('[') {
                    continue;
                }
                let closing = &closing[..closing.len() - 1];
                for name in &names {
                    let changed = format!("{}\"{closing},\"{name}\":{opening}\"{}", &text[..at], &text[at..]);
                    tried += 1;
                    if template(&changed).is_err() {
                        continue;
                    }
                    taken += 1;
                    let value: serde_json::Value = serde_json::from_str(&changed).unwrap();
                    let members = original.as_object().unwrap().iter();
                    let differ = members.filter(|(key, member)| value[key.as_str()] != **member).count();
                    assert!(differ <= 1, "more than the member of the value itself: {changed}");
                }
            }
        }
    }
    assert!(tried > 100_000, "{tried}");
    // One more item of a map or a field of the same structure, which no look at the text
    // alone can tell.
    assert!(taken < tried / 100, "{taken} of {tried}");
}

fn close(bracket: char) -> char {
    if bracket == '{' { '}' } else { ']' }
}

/// The end of every string that is a value, with the brackets open there.
fn strings(text: &str) -> Vec<(usize, String)> {
    let (mut found, mut open) = (Vec::new(), String::new());
    let (mut quoted, mut escaped) = (false, false);
    for (at, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' if quoted => {
                quoted = false;
                if !text[at + 1..].starts_with(':') {
                    found.push((at, open.clone()));
                }
            }
            '"' => quoted = true,
            '{' | '[' if !quoted => open.push(character),
            '}' | ']' if !quoted => drop(open.pop()),
            _ => {}
        }
    }
    found
}

/// Two values: the first opens something that swallows up to the second, which closes it
/// and writes what was swallowed anew.
#[test]
fn two_values_swallow_nothing_between_them() {
    let honest = concat!(
        r#"{"name":"build","inputs":{"artifacts":[{"name":"src","path":"/data/src","s3":{"key":"sources/FIRST"},"#,
        r#""archive":{"none":{}}}]},"outputs":{"artifacts":[{"name":"app","path":"/data/app","s3":{"key":"app"}}]},"#,
        r#""metadata":{"annotations":{"argo-attest.io/attest":"true"}},"container":{"name":"","image":"real","#,
        r#""command":["sh","-c","SECOND"],"resources":{},"volumeMounts":[{"name":"d","mountPath":"/data"}]}}"#,
    );
    template(honest).unwrap();
    let rewritten = r#"1"}}]},"outputs":{},"metadata":{}"#;
    let container = r#""container":{"name":"","image":"other","command":["sh","-c","x"#;
    for (swallow, free) in [
        (r#""zzz":{"inputs":{"artifacts":[{"s3":{"key":""#, r#"c"]},"end":0}"#),
        (r#""plugin":{"inputs":{"artifacts":[{"s3":{"key":""#, r#"c"]}}"#),
        (r#""nodeSelector":{"inputs":{"artifacts":[{"s3":{"key":""#, r#"c"]}}"#),
        (r#""metrics":{"prometheus":[{"a":[{"s3":{"key":""#, r#"c"]}]}"#),
        (
            r#""steps":[[{"name":"a","inline":{"inputs":{"artifacts":[{"name":"","s3":{"key":""#,
            r#"c"],"resources":{}}}}]]"#,
        ),
        (r#""sidecars":[{"name":"a","artifacts":[{"s3":{"key":""#, r#"c"]}]"#),
        (r#""volumes":[{"name":"v","csi":{"driver":"d","volumeAttributes":{"s3":{"key":""#, r#"c"]}}}]"#),
        (
            r#""volumes":[{"name":"v","ephemeral":{"volumeClaimTemplate":{"metadata":{"managedFields":[{"fieldsV1":{"key":""#,
            r#"c"]}}]}}}]"#,
        ),
        (r#""annotations":{"a":[{"s3":{"key":""#, r#"c"]}"#),
    ] {
        for between in
            [swallow.to_owned(), format!("{}{swallow}", r#""container":{"name":"","resources":{}},"#)]
        {
            let text = honest
                .replace("FIRST", &format!("{rewritten},{between}"))
                .replace("SECOND", &format!("{free},{container}"));
            assert!(template(&text).is_err(), "{text}");
        }
    }
}

#[test]
fn a_template_is_of_one_kind() {
    for (text, expected) in [
        (one(PLAIN, r#","script":{"name":"","resources":{},"source":""}"#), "it is both `container` and `script`"),
        (one(PLAIN, r#","suspend":{}"#), "it is both `container` and `suspend`"),
        (one(PLAIN, r#","plugin":{"a":{"b":1}}"#), "it is both `container` and `plugin`"),
        (
            r#"{"name":"x","inputs":{},"outputs":{},"metadata":{}}"#.to_owned(),
            "it is of no kind: neither `container` nor `script` nor another",
        ),
        (
            r#"{"inputs":{},"outputs":{},"metadata":{},"steps":[[{"inline":{"inputs":{},"outputs":{},"metadata":{}},"arguments":{}}]]}"#.to_owned(),
            "at steps[0][0].inline: it is of no kind: neither `container` nor `script` nor another",
        ),
    ] {
        assert_eq!(refusal(&text), expected);
    }
}

#[test]
fn it_is_said_where_and_what() {
    let artifact = |artifact: &str| {
        format!(
            r#"{{"name":"x","inputs":{{}},"outputs":{{"artifacts":[{{"name":"a"}},{artifact}]}},"metadata":{{}},"suspend":{{}}}}"#
        )
    };
    for (text, expected) in [
        ("", "the end stands where the encoder writes an object"),
        ("[]", "a list stands where the encoder writes an object"),
        ("{", "the end stands where the encoder writes a field's name"),
        ("{\"", "text is not closed"),
        (r#"{"inputs":{}} "#, "the field `outputs` is missing, which is never left out"),
        (
            &artifact(r#"{"name":"b","s3":{"key":"k","zzz":{}}}"#),
            "at outputs.artifacts[1].s3: the field `zzz` is unknown",
        ),
        (
            &artifact(r#"{"name":"b","s3":{"\u006bey":"k"}}"#),
            "at outputs.artifacts[1].s3: the field `\\u006bey` is unknown",
        ),
        (
            &artifact(r#"{"name":"b","\u001b[2J":1}"#),
            "at outputs.artifacts[1]: the field `\\u001b[2J` is unknown",
        ),
        (
            &artifact(r#"{"path":"p","name":"b"}"#),
            "at outputs.artifacts[1]: the field `name` is missing, which is never left out",
        ),
        (
            &artifact(r#"{"name":"b","s3":{},"path":"p"}"#),
            "at outputs.artifacts[1]: the field `path` stands twice, or after one that it comes before",
        ),
        (
            &artifact(r#"{"name":"b","optional":false}"#),
            "at outputs.artifacts[1].optional: false is written out, which is left out when it is empty",
        ),
        (
            &artifact(r#"{"name":"b","mode":"7"}"#),
            "at outputs.artifacts[1].mode: text stands where the encoder writes a number",
        ),
        (
            &artifact(r#"{"name":"b","mode":01}"#),
            "at outputs.artifacts[1].mode: the number, quantity or time is not written",
        ),
        (
            &artifact(r#"{"name":"b","mode":2147483648}"#),
            "at outputs.artifacts[1].mode: the number, quantity or time is not written",
        ),
        (
            &artifact(r#"{"name":"b","path":null}"#),
            "at outputs.artifacts[1].path: null stands where the encoder writes text",
        ),
        (
            &artifact(r#"{"name":"b","git":{"repo":"r","fetch":[]}}"#),
            "at outputs.artifacts[1].git.fetch: an empty list is written out, which is left out when it is empty",
        ),
        (
            &artifact(r#"{"name":"b", "path":"p"}"#),
            "at outputs.artifacts[1]: a white space or another character stands where the encoder writes a field's name",
        ),
        (
            &artifact(r#"{"name" :"b"}"#),
            "at outputs.artifacts[1]: a white space or another character stands where `:` is written",
        ),
        (
            &artifact("{\"name\":\"a\nb\"}"),
            "at outputs.artifacts[1].name: text is not closed, or has an escape or a raw character",
        ),
        (
            &artifact(r#"{"name":"\d"}"#),
            "at outputs.artifacts[1].name: text is not closed, or has an escape or a raw character",
        ),
        (
            &artifact(r#"{"name":"\ud800x"}"#),
            "at outputs.artifacts[1].name: text is not closed, or has an escape or a raw character",
        ),
    ] {
        let said = refusal(text);
        assert!(said.starts_with(expected), "{text}\n{said}\n{expected}");
        assert!(said.len() < 400, "{said}");
    }
}

#[test]
fn it_is_said_of_maps_too() {
    for (text, expected) in [
        (&one(PLAIN, "}"), "something follows the end"),
        (
            &one(r#"{"name":"","resources":{"limits":{"cpu":"1","a":"1"}}}"#, ""),
            "at container.resources.limits: the name `a` stands twice, or after one that it comes before",
        ),
        (
            &one(r#"{"name":"","resources":{"limits":{"cpu":"1.50"}}}"#, ""),
            "at container.resources.limits[`cpu`]: the number, quantity or time is not written as Argo's encoder writes it",
        ),
        (
            &one(PLAIN, r#","annotations":{"a\/b":""}"#),
            "at annotations: the name `a/b` is not written as Argo's encoder writes it",
        ),
        (
            &one(PLAIN, r#","annotations":{"a<b":""}"#),
            "at annotations: the name `a<b` is not written as Argo's encoder writes it",
        ),
        (
            &one(PLAIN, r#","annotations":{"\u001b[2J":1}"#),
            "at annotations[`%1B[2J`]: a number stands where the encoder writes text",
        ),
        (
            &one(PLAIN, r#","annotations":{}"#),
            "at annotations: an empty map is written out, which is left out when it is empty",
        ),
    ] {
        let said = refusal(text);
        assert!(said.starts_with(expected), "{text}\n{said}\n{expected}");
        assert!(said.len() < 400, "{said}");
    }
}

#[test]
fn what_is_said_is_short() {
    let deep = format!(r#"{{"a":{}1{}}}"#, "[".repeat(5000), "]".repeat(5000));
    let plugin = format!(r#"{{"inputs":{{}},"outputs":{{}},"metadata":{{}},"plugin":{deep}}}"#);
    assert!(refusal(&plugin).ends_with("it is nested too deeply"));
    assert!(refusal(&plugin).len() < 400);
    let long = one(PLAIN, &format!(r#","{}":1"#, "z".repeat(100_000)));
    assert!(refusal(&long).len() < 200);
}

#[test]
fn a_plugin_is_free_but_as_go_writes_it() {
    let plugin = |plugin: &str| {
        template(&format!(r#"{{"inputs":{{}},"outputs":{{}},"metadata":{{}},"plugin":{plugin}}}"#))
    };
    for honest in [r#"{"hello":{}}"#, r#"{"a":{"b":[1,1.5,"x",null,true,{"c":[]}],"d":""}}"#, r#"{"a":null}"#]
    {
        plugin(honest).unwrap();
    }
    for hostile in [
        "{}",
        r#"{"a":1,"b":1}"#,
        r#"{"a":{"b":1,"b":1}}"#,
        r#"{"a":{"b":1,"a":1}}"#,
        r#"{"a": 1}"#,
        r#"{"a":1.0}"#,
        r#"{"a":NaN}"#,
        r#"{"a":nul}"#,
        r#"{"a":}"#,
        r#"{"a":[1,]}"#,
        r#"{"a":[,1]}"#,
        r#"{"a":1,}"#,
        "null",
        "[]",
    ] {
        assert!(plugin(hostile).is_err(), "{hostile}");
    }
}

/// What the worst of 2 MiB costs.
#[test]
fn the_time_grows_with_the_text_only() {
    const SIZE: usize = 2 * 1024 * 1024;
    let limit = if cfg!(debug_assertions) { 20.0 } else { 2.0 };
    let items = |item: &str| vec![item; SIZE / (item.len() + 1) - 100].join(",");
    let keys: Vec<String> = (0..SIZE / 14 - 100).map(|n| format!(r#""k{n:07}":"""#)).collect();
    let artifacts = |items: String| {
        format!(r#"{{"inputs":{{}},"outputs":{{"artifacts":[{items}]}},"metadata":{{}},"suspend":{{}}}}"#)
    };
    for (text, taken) in [
        (artifacts(items(r#"{"name":"","deleted":true}"#)), true),
        (artifacts(items(r#"{"name":""}"#)), true),
        (one(PLAIN, &format!(r#","annotations":{{{}}}"#, keys.join(","))), true),
        (one(PLAIN, &format!(r#","tolerations":[{}]"#, items("{}"))), true),
        (one(PLAIN, &format!(r#","podSpecPatch":"{}""#, "\\u0000".repeat(SIZE / 6 - 100))), true),
        (one(PLAIN, &format!(r#","podSpecPatch":"{}"#, "\\\"".repeat(SIZE / 2 - 100))), false),
        (one(PLAIN, &format!(r#","parallelism":{}"#, "1".repeat(SIZE - 200))), false),
        ("[".repeat(SIZE), false),
        (format!("{{\"{}", "\\u0061".repeat(SIZE / 6 - 10)), false),
    ] {
        assert!(text.len() <= SIZE);
        let start = Instant::now();
        let read: Result<(), Foreign> = template(&text).and(Ok(()));
        assert_eq!(read.is_ok(), taken, "{:?}", read.map_err(|foreign| foreign.to_string()));
        let _ = parameters(&text);
        assert!(start.elapsed().as_secs_f32() < limit, "{:?}", start.elapsed());
    }
}

/// The text with every string spelt in one way.
fn respelt(text: &str) -> String {
    let (mut out, mut rest) = (String::new(), text);
    while let Some(start) = rest.find('"') {
        let mut strings = serde_json::Deserializer::from_str(&rest[start..]).into_iter::<String>();
        let string = strings.next().unwrap().unwrap();
        out += &rest[..start];
        out += &serde_json::to_string(&string).unwrap();
        rest = &rest[start + strings.byte_offset()..];
    }
    out + rest
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    /// Pieces of other JSON put into honest text: what is still taken is, but for the
    /// spelling of text, what the encoder writes for what it means.
    #[test]
    fn what_is_taken_is_written_again(
        fixture in 0..FIXTURES.len(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), 0..4_usize, 0..PIECES.len()), 1..4),
    ) {
        let mut text: Vec<char> = FIXTURES[fixture].chars().collect();
        for (at, removed, piece) in changes {
            let at = at.index(text.len());
            text.splice(at..(at + removed).min(text.len()), PIECES[piece].chars());
        }
        let text: String = text.into_iter().collect();
        if template(&text).is_ok() {
            let value: serde_json::Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(respelt(&encode(&value).unwrap()), respelt(&text));
        }
    }
}

const PIECES: [&str; 24] = [
    "",
    "x",
    "\"",
    "\\\"",
    "\\u003C",
    "\\/",
    "<",
    "1",
    "-",
    "0",
    ".5",
    "e9",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    " ",
    "null",
    "true",
    "\",\"path\":\"",
    "\"},{\"name\":\"",
    ",\"optional\":true",
];
