//! Writing as Argo's encoder does.

use serde_json::{Map, Value};

use super::form::{Field, Form, Presence, Structure};
use super::{Foreign, scalar, template, text};

/// The text that Argo's encoder writes for a template, given as JSON with its fields
/// in any order: they are put into Argo's, what is always written is added, and what
/// is left out when empty is left out. Refused if it is no template of Argo's.
pub fn encode(value: &Value) -> Result<String, Foreign> {
    let mut out = String::new();
    write(value, super::TEMPLATE, &mut out);
    template(&out).map(|()| out)
}

/// What does not fit the form is written as it is, for the reader to refuse.
fn write(value: &Value, form: Form, out: &mut String) {
    match (form, value) {
        (Form::Nullable(_), Value::Null) => out.push_str("null"),
        (Form::Nullable(form), _) => write(value, *form, out),
        (Form::Object(structure), Value::Object(members)) => object(members, structure, out),
        (Form::Entries(form), Value::Object(members)) => {
            map(members, |value, out| write(value, *form, out), out);
        }
        (Form::List(form) | Form::Items(form), Value::Array(items)) => {
            list(items, |value, out| write(value, *form, out), out);
        }
        (_, Value::String(value)) => text::write(value, out),
        (_, Value::Object(members)) => map(members, |value, out| write(value, Form::Free, out), out),
        (_, Value::Array(items)) => list(items, |value, out| write(value, Form::Free, out), out),
        (_, Value::Number(number)) if number.is_f64() => {
            out.push_str(&number.as_f64().map_or_else(|| number.to_string(), scalar::float));
        }
        (_, value) => out.push_str(&value.to_string()),
    }
}

fn object(members: &Map<String, Value>, structure: &'static Structure, out: &mut String) {
    let mut pairs: Vec<(&str, Form, &Value)> = Vec::new();
    for Field { name, form, presence } in structure.fields {
        let given = members.get(*name).unwrap_or(&Value::Null);
        if *presence == Presence::Always || !is_empty(given, *form) {
            pairs.push((name, *form, given));
        }
    }
    let unknown = members.iter().filter(|(name, _)| structure.fields.iter().all(|field| field.name != *name));
    pairs.extend(unknown.map(|(name, value)| (name.as_str(), Form::Free, value)));
    separated(
        '{',
        pairs,
        |(name, form, value), out| {
            text::write(name, out);
            out.push(':');
            if value.is_null() { zero(form, out) } else { write(value, form, out) }
        },
        out,
    );
    out.push('}');
}

/// Whether Go leaves that out where the form says so.
fn is_empty(value: &Value, form: Form) -> bool {
    match form {
        Form::True => matches!(value, Value::Null | Value::Bool(false)),
        Form::NonZero(_) => value.is_null() || value.as_i64() == Some(0),
        Form::Items(_) => value.is_null() || value.as_array().is_some_and(Vec::is_empty),
        Form::Entries(_) => value.is_null() || value.as_object().is_some_and(Map::is_empty),
        _ => value.is_null(),
    }
}

/// What Go writes for the zero value of a type.
fn zero(form: Form, out: &mut String) {
    match form {
        Form::Nullable(_) => out.push_str("null"),
        Form::Object(structure) => object(&Map::new(), structure, out),
        Form::Text => out.push_str("\"\""),
        Form::Quantity => out.push_str("\"0\""),
        Form::Bool => out.push_str("false"),
        _ => out.push('0'),
    }
}

fn map(members: &Map<String, Value>, value: impl Fn(&Value, &mut String), out: &mut String) {
    let mut sorted: Vec<_> = members.iter().collect();
    sorted.sort_unstable_by_key(|(name, _)| *name);
    separated(
        '{',
        sorted,
        |(name, member), out| {
            text::write(name, out);
            out.push(':');
            value(member, out);
        },
        out,
    );
    out.push('}');
}

fn list(items: &[Value], value: impl Fn(&Value, &mut String), out: &mut String) {
    separated('[', items, value, out);
    out.push(']');
}

fn separated<T>(
    open: char,
    items: impl IntoIterator<Item = T>,
    mut each: impl FnMut(T, &mut String),
    out: &mut String,
) {
    out.push(open);
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        each(item, out);
    }
}
