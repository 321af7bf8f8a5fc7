//! What Argo's own encoder can have written.
//!
//! `ARGO_TEMPLATE` is a `Template` that the controller wrote with Go's
//! `encoding/json`, and over which it then substituted once more: a value that still
//! holds a placeholder at that time comes into the text as it is, quotes and brackets
//! included, and can close objects, open others and swallow what follows (see
//! `docs/template.md`). So the text is read by the forms of Argo's own types
//! ([`table`], made from those of 3.7, 4.0 and 4.1 by reflection): every field known,
//! of its type, in the order in which Go writes it, none twice, none left out that is
//! always written, none written that is left out when empty, exactly one kind of
//! template, no white space. Swallowing needs a place that takes what follows as it is
//! written, and of the kinds that have a pod none has one.
//!
//! Less strict is what may differ in honest text, and changes nothing but the text of
//! one value: a substituted value is not escaped as Go would (`<` for `\u003c`; an
//! escape of its own such as `\/`), and may be empty where Go leaves out what is.
//!
//! What keeps all these rules is accepted, such as one more item of a list. Only the
//! Workflow as it is stored can tell that.

mod foreign;
mod form;
mod reader;
mod scalar;
#[rustfmt::skip]
mod table;
mod text;
mod write;

pub use self::foreign::Foreign;
use self::form::Form;
pub use self::write::encode;

const TEMPLATE: Form = Form::Object(&table::WF_TEMPLATE);

const PARAMETERS: Form = Form::Nullable(&Form::List(&Form::Object(&table::WF_PARAMETER)));

/// Whether that can be a template that Argo wrote.
pub(super) fn template(text: &str) -> Result<(), Foreign> {
    reader::read(text, TEMPLATE)
}

/// Whether that can be a list of parameters that Argo wrote, or `null`.
pub(super) fn parameters(text: &str) -> Result<(), Foreign> {
    reader::read(text, PARAMETERS)
}

#[cfg(test)]
mod tests;
