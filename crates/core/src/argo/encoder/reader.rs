//! Reading a text by the forms of Argo's types, once and from left to right.

use std::borrow::Cow;

use super::foreign::{Fault, Foreign, Segment};
use super::form::{Field, Form, Presence, Structure};
use super::{scalar, text};

/// How deep objects and lists may be in one another: less than `serde_json` allows
/// (128), which reads the text afterwards.
const DEPTH: usize = 100;

type Read<T = ()> = Result<T, Foreign>;

/// Whether `text` is one value of that form and nothing beside it.
pub(super) fn read(text: &str, form: Form) -> Read {
    let mut reader = Reader { rest: text, depth: 0 };
    reader.value(form)?;
    if reader.rest.is_empty() { Ok(()) } else { Err(Fault::Trailing.into()) }
}

struct Reader<'t> {
    rest: &'t str,
    depth: usize,
}

impl<'t> Reader<'t> {
    fn value(&mut self, form: Form) -> Read {
        match form {
            Form::Bool if self.take("false") || self.take("true") => Ok(()),
            Form::True if self.take("true") => Ok(()),
            Form::True if self.take("false") => Err(Fault::Empty("false").into()),
            Form::Bool | Form::True => self.unlike("true or false"),
            Form::Text => self.text("text").map(drop),
            Form::Integer(width) => self.number(|number| scalar::is_integer(number, width)).map(drop),
            Form::NonZero(width) => match self.number(|number| scalar::is_integer(number, width))? {
                "0" => Err(Fault::Empty("0").into()),
                _ => Ok(()),
            },
            Form::Number => self.number(scalar::is_number).map(drop),
            Form::Quantity => self.exact("a quantity", scalar::is_quantity),
            Form::Time => self.exact("a time", scalar::is_time),
            Form::Base64 => self.exact("base64", scalar::is_base64),
            Form::IntegerOrText if self.rest.starts_with('"') => self.value(Form::Text),
            Form::IntegerOrText => self.value(Form::Integer(super::form::Width::Int32)),
            Form::Free => self.free(),
            Form::Wrapper => match self.map("a plugin", Form::Free)? {
                1 => Ok(()),
                _ => Err(Fault::Wrapper.into()),
            },
            Form::Never => Err(Fault::Never.into()),
            Form::Object(structure) => self.object(structure),
            Form::List(item) => self.list(*item).map(drop),
            Form::Items(item) => match self.list(*item)? {
                0 => Err(Fault::Empty("an empty list").into()),
                _ => Ok(()),
            },
            Form::Entries(value) => match self.map("a map", *value)? {
                0 => Err(Fault::Empty("an empty map").into()),
                _ => Ok(()),
            },
            Form::Nullable(_) if self.take("null") => Ok(()),
            Form::Nullable(form) => self.value(*form),
        }
    }

    fn object(&mut self, structure: &'static Structure) -> Read {
        self.open('{', "an object")?;
        let mut expected = structure.fields;
        let mut found = None;
        let mut first = true;
        while self.another('}', &mut first)? {
            let name = self.name()?;
            let field = seek(name, &mut expected, structure)?;
            if field.presence == Presence::Kind
                && let Some(other) = found.replace(field.name)
            {
                return Err(Fault::TwoKinds(other, field.name).into());
            }
            self.value(field.form).map_err(|foreign| foreign.beneath(Segment::Field(field.name)))?;
        }
        if let Some(left) = expected.iter().find(|field| field.presence == Presence::Always) {
            return Err(Fault::Missing(left.name).into());
        }
        if found.is_none() && structure.fields.iter().any(|field| field.presence == Presence::Kind) {
            return Err(Fault::NoKind.into());
        }
        Ok(())
    }

    fn list(&mut self, item: Form) -> Read<usize> {
        self.open('[', "a list")?;
        let mut count = 0;
        let mut first = true;
        while self.another(']', &mut first)? {
            self.value(item).map_err(|foreign| foreign.beneath(Segment::Index(count)))?;
            count += 1;
        }
        Ok(count)
    }

    /// Go sorts the names by their bytes.
    fn map(&mut self, what: &'static str, value: Form) -> Read<usize> {
        self.open('{', what)?;
        let mut count = 0;
        let mut last: Option<Cow<'t, str>> = None;
        let mut first = true;
        while self.another('}', &mut first)? {
            let token = self.text("a name")?;
            let name = text::decoded(token).ok_or(Fault::Text)?;
            if !text::is_written(token, &name) {
                return Err(Fault::Spelling(name.into_owned()).into());
            }
            if last.is_some_and(|last| last >= name) {
                return Err(Fault::Unsorted(name.into_owned()).into());
            }
            self.expect(':')?;
            self.value(value).map_err(|foreign| foreign.beneath(Segment::Key(name.clone().into_owned())))?;
            last = Some(name);
            count += 1;
        }
        Ok(count)
    }

    /// Any JSON, as Go writes what it read without knowing its type.
    fn free(&mut self) -> Read {
        match self.rest.bytes().next() {
            Some(b'{') => self.map("an object", Form::Free).map(drop),
            Some(b'[') => self.list(Form::Free).map(drop),
            Some(b'"') => self.value(Form::Text),
            Some(b't' | b'f') => self.value(Form::Bool),
            Some(b'n') if self.take("null") => Ok(()),
            _ => self.value(Form::Number),
        }
    }

    /// Goes into an object or a list; [`Self::another`] goes out again.
    fn open(&mut self, bracket: char, what: &'static str) -> Read {
        if !self.rest.starts_with(bracket) {
            return self.unlike(what);
        }
        self.expect(bracket)?;
        self.depth += 1;
        if self.depth > DEPTH { Err(Fault::Depth.into()) } else { Ok(()) }
    }

    /// Whether another item follows, up to the closing bracket.
    fn another(&mut self, bracket: char, first: &mut bool) -> Read<bool> {
        if let Some(rest) = self.rest.strip_prefix(bracket) {
            self.rest = rest;
            self.depth -= 1;
            return Ok(false);
        }
        if !std::mem::take(first) {
            self.expect(',')?;
        }
        Ok(true)
    }

    /// The name of a field as it is written, without its quotes, and the colon.
    fn name(&mut self) -> Read<&'t str> {
        let token = self.text("a field's name")?;
        self.expect(':')?;
        Ok(token.get(1..token.len() - 1).unwrap_or_default())
    }

    fn text(&mut self, what: &'static str) -> Read<&'t str> {
        if !self.rest.starts_with('"') {
            return self.unlike(what);
        }
        let token = text::token(self.rest).ok_or(Fault::Text)?;
        self.skip(token.len());
        Ok(token)
    }

    /// Text that is never free: Argo has parsed it, so that no placeholder stood there.
    fn exact(&mut self, what: &'static str, is_written: fn(&str) -> bool) -> Read {
        let token = self.text(what)?;
        let inner = token.get(1..token.len() - 1).unwrap_or_default();
        if is_written(inner) { Ok(()) } else { Err(Fault::Scalar.into()) }
    }

    fn number(&mut self, is_written: impl Fn(&str) -> bool) -> Read<&'t str> {
        let token = scalar::token(self.rest);
        if token.is_empty() {
            return self.unlike("a number");
        }
        self.skip(token.len());
        // No number that Go writes is longer: -1.7976931348623157e+308.
        if token.len() <= 24 && is_written(token) { Ok(token) } else { Err(Fault::Scalar.into()) }
    }

    fn take(&mut self, word: &str) -> bool {
        let rest = self.rest.strip_prefix(word);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn expect(&mut self, character: char) -> Read {
        self.rest = self.rest.strip_prefix(character).ok_or(Fault::Punctuation(character))?;
        Ok(())
    }

    fn skip(&mut self, length: usize) {
        self.rest = self.rest.get(length..).unwrap_or_default();
    }

    /// What stands here instead of what is written.
    fn unlike<T>(&self, expected: &'static str) -> Read<T> {
        let found = match self.rest.bytes().next() {
            Some(b'{') => "an object",
            Some(b'[') => "a list",
            Some(b'"') => "text",
            Some(b't' | b'f') => "true or false",
            Some(b'n') => "null",
            Some(b'-' | b'0'..=b'9') => "a number",
            Some(_) => "a white space or another character",
            None => "the end",
        };
        Err(Fault::Type(found, expected).into())
    }
}

/// The field of that name among those that may still come; those before it are passed.
fn seek(
    name: &str,
    expected: &mut &'static [Field],
    structure: &'static Structure,
) -> Result<&'static Field, Fault> {
    let mut missing = None;
    let mut left = *expected;
    while let Some((field, rest)) = left.split_first() {
        left = rest;
        if field.name == name {
            *expected = rest;
            return missing.map_or(Ok(field), |missing| Err(Fault::Missing(missing)));
        }
        if field.presence == Presence::Always {
            missing = missing.or(Some(field.name));
        }
    }
    let known = structure.fields.iter().find(|field| field.name == name);
    Err(known.map_or_else(|| Fault::Unknown(name.to_owned()), |field| Fault::Order(field.name)))
}
