//! `table.rs` is made from what Go's reflection says of Argo's types, in three
//! versions: see `tests/fixtures/argo/encoder`.
//! `UPDATE_TABLE=1 cargo test --lib argo::encoder` writes it anew; without, a difference
//! is a failure.

use std::collections::BTreeMap;
use std::fmt::Write as _;

const VERSIONS: [(&str, &str); 3] = [
    ("3.7.18", include_str!("../../../../../../tests/fixtures/argo/encoder/types-3.7.18.txt")),
    ("4.0.7", include_str!("../../../../../../tests/fixtures/argo/encoder/types-4.0.7.txt")),
    ("4.1.2", include_str!("../../../../../../tests/fixtures/argo/encoder/types-4.1.2.txt")),
];

const KINDS: [&str; 10] =
    ["container", "containerSet", "steps", "dag", "script", "resource", "data", "suspend", "http", "plugin"];

#[derive(Debug, Clone, PartialEq, Eq)]
struct Field {
    name: String,
    optional: bool,
    form: String,
}

type Types = BTreeMap<String, Vec<Field>>;

fn read(text: &str) -> Types {
    let mut types = Types::new();
    let mut current = String::new();
    for line in text.lines() {
        match line.strip_prefix(' ') {
            None => {
                current = line.to_owned();
                types.insert(current.clone(), Vec::new());
            }
            Some(field) => {
                let (name, form) = field.split_once(' ').unwrap();
                let field = Field {
                    name: name.trim_end_matches('?').to_owned(),
                    optional: name.ends_with('?'),
                    form: form.to_owned(),
                };
                types.get_mut(&current).unwrap().push(field);
            }
        }
    }
    types
}

fn place(fields: &[Field], name: &str) -> Option<usize> {
    fields.iter().position(|field| field.name == name)
}

/// The fields of both, each in an order that keeps that of either.
fn merged_fields(one: &[Field], other: &[Field], types: &mut Types) -> Vec<Field> {
    let mut all: Vec<Field> = one.to_vec();
    let mut after = 0;
    for field in other {
        if let Some(at) = place(&all, &field.name) {
            assert!(at >= after, "{} stands elsewhere in another version", field.name);
            all[at].form = merged_form(&all[at].form, &field.form, types);
            all[at].optional |= field.optional;
            after = at + 1;
        } else {
            all.insert(after, Field { optional: true, ..field.clone() });
            after += 1;
        }
    }
    for field in &mut all {
        field.optional |= place(one, &field.name).is_none() || place(other, &field.name).is_none();
    }
    all
}

fn merged_form(one: &str, other: &str, types: &mut Types) -> String {
    if one == other {
        return one.to_owned();
    }
    let nullable = if one.ends_with(" null") || other.ends_with(" null") { " null" } else { "" };
    let [one, other] = [one, other].map(|form| form.trim_end_matches(" null").to_owned());
    let name = if one.split("-or-").any(|part| part == other) {
        one
    } else {
        let fields = merged_fields(&types[&one].clone(), &types[&other].clone(), types);
        let name = format!("{one}-or-{other}");
        types.insert(name.clone(), fields);
        name
    };
    name + nullable
}

fn merged() -> Types {
    let [first, rest @ ..] = VERSIONS.map(|(_, text)| read(text));
    let mut all = first;
    for version in rest {
        for (name, fields) in &version {
            all.entry(name.clone()).or_insert_with(|| fields.clone());
        }
        for (name, fields) in version {
            let merged = merged_fields(&all[&name].clone(), &fields, &mut all);
            all.insert(name, merged);
        }
    }
    all
}

fn constant(name: &str) -> String {
    name.replace(['.', '-'], "_").to_uppercase()
}

fn form(text: &str) -> String {
    if let Some(inner) = text.strip_suffix(" null") {
        return format!("Nullable(&{})", form(inner));
    }
    let (open, inner) = text.split_at(1);
    if let Some((name, inner)) = match open {
        "[" if text.ends_with('!') => inner.strip_suffix("]!").map(|inner| ("Items", inner)),
        "[" => inner.strip_suffix(']').map(|inner| ("List", inner)),
        // No map is written when it is empty.
        "{" => inner.strip_suffix("}!").map(|inner| ("Entries", inner)),
        _ => None,
    } {
        return format!("{name}(&{})", form(inner));
    }
    let width = |name: &str| match name {
        "int32" => "Int32",
        "int64" => "Int64",
        "uint64" => "UInt64",
        _ => panic!("{name}"),
    };
    match text {
        "bool" => "Bool".to_owned(),
        "true" => "True".to_owned(),
        "string" => "Text".to_owned(),
        "number" => "Number".to_owned(),
        "quantity" => "Quantity".to_owned(),
        "int-or-string" => "IntegerOrText".to_owned(),
        "time" => "Time".to_owned(),
        "base64!" => "Base64".to_owned(),
        "any" => "Free".to_owned(),
        "one-member" => "Wrapper".to_owned(),
        "never" => "Never".to_owned(),
        _ if text.contains('.') => format!("Object(&{})", constant(text)),
        _ => match text.strip_suffix('!') {
            Some(name) => format!("NonZero({})", width(name)),
            None => format!("Integer({})", width(text)),
        },
    }
}

/// Those that the template holds.
fn held(types: &Types) -> Types {
    let mut held = Types::new();
    let mut left = vec!["wf.Template".to_owned()];
    while let Some(name) = left.pop() {
        let fields = types[&name].clone();
        for field in &fields {
            let inner: String = field.form.trim_end_matches(" null").replace(['[', ']', '{', '}', '!'], "");
            let inner = inner.split(' ').next().unwrap().to_owned();
            if inner.contains('.') && !held.contains_key(&inner) {
                left.push(inner);
            }
        }
        held.insert(name, fields);
    }
    held
}

fn rendered(types: &Types) -> String {
    let mut page = String::from(
        "//! The types of Argo's `Template`, of 3.7, 4.0 and 4.1 in one: made by the test\n\
         //! `tests/table.rs`, which says how.\n\n\
         use super::form::Form::{\n    \
         Base64, Bool, Entries, Free, Integer, IntegerOrText, Items, List, Never, NonZero, Nullable, Number, Object,\n    \
         Quantity, Text, Time, True, Wrapper,\n};\n\
         use super::form::Width::{Int32, Int64, UInt64};\n\
         use super::form::{Structure, always, filled, kind};\n",
    );
    for (name, fields) in types {
        let mut line = String::new();
        writeln!(page, "\npub(super) static {}: Structure = Structure {{ fields: &[", constant(name))
            .unwrap();
        for field in fields {
            let function = match field.optional {
                true if name == "wf.Template" && KINDS.contains(&field.name.as_str()) => "kind",
                true => "filled",
                false => "always",
            };
            let item = format!("{function}({:?}, {}),", field.name, form(&field.form));
            if line.len() + item.len() > 104 {
                writeln!(page, "    {}", line.trim_end()).unwrap();
                line.clear();
            }
            line += &(item + " ");
        }
        if !line.is_empty() {
            writeln!(page, "    {}", line.trim_end()).unwrap();
        }
        page.push_str("] };\n");
    }
    page
}

#[test]
fn the_table_is_that_of_argos_types() {
    let page = rendered(&held(&merged()));
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/argo/encoder/table.rs");
    if std::env::var_os("UPDATE_TABLE").is_some() {
        std::fs::write(path, &page).unwrap();
    }
    assert!(page == std::fs::read_to_string(path).unwrap(), "UPDATE_TABLE=1 writes it anew");
}

/// Whoever reads by the table reads what each version writes: its fields, in its order,
/// and nothing of what it always writes is thought away.
#[test]
fn the_table_keeps_the_order_of_every_version() {
    let types = merged();
    for (version, text) in VERSIONS {
        for (name, fields) in held(&read(text)) {
            let all = &types[&name];
            let places: Vec<usize> = fields.iter().map(|field| place(all, &field.name).unwrap()).collect();
            assert!(places.is_sorted(), "{version} {name}");
            for field in all.iter().filter(|field| !field.optional) {
                let own = &fields[place(&fields, &field.name).unwrap()];
                assert!(!own.optional, "{version} {name}.{} may be left out", field.name);
            }
        }
    }
    let names = |version: usize| read(VERSIONS[version].1).keys().cloned().collect::<Vec<_>>();
    assert!(names(0) != names(1) && names(1) != names(2), "the versions differ");
}

#[test]
fn every_kind_of_template_is_one() {
    let template = &merged()["wf.Template"];
    for kind in KINDS {
        assert!(template[place(template, kind).unwrap()].optional, "{kind}");
    }
}
