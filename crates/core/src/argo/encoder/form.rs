//! What Go's `encoding/json` can write for a type.

/// A structure: its fields in the order in which they are written.
#[derive(Debug)]
pub(super) struct Structure {
    pub(super) fields: &'static [Field],
}

/// A field of a structure.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) form: Form,
    pub(super) presence: Presence,
}

/// When a field is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    /// Always.
    Always,
    /// Unless it is empty.
    Filled,
    /// If it is what the structure is one of.
    Kind,
}

/// What a value looks like.
#[derive(Debug, Clone, Copy)]
pub(super) enum Form {
    Bool,
    /// A `bool` that is left out if it is false.
    True,
    Text,
    Integer(Width),
    /// A number that is left out if it is zero.
    NonZero(Width),
    /// Any number.
    Number,
    /// `resource.Quantity` of Kubernetes.
    Quantity,
    /// `intstr.IntOrString` of Kubernetes.
    IntegerOrText,
    /// `metav1.Time` of Kubernetes.
    Time,
    /// Bytes, which are left out if there are none.
    Base64,
    /// Any JSON.
    Free,
    /// An object with one member, which may be any JSON.
    Wrapper,
    /// Nothing: see the fixtures' `describe/types.go`.
    Never,
    Object(&'static Structure),
    List(&'static Self),
    /// A list that is left out if it is empty.
    Items(&'static Self),
    /// A map that is left out if it is empty.
    Entries(&'static Self),
    Nullable(&'static Self),
}

/// The size of an integer.
#[derive(Debug, Clone, Copy)]
pub(super) enum Width {
    Int32,
    Int64,
    UInt64,
}

pub(super) const fn always(name: &'static str, form: Form) -> Field {
    Field { name, form, presence: Presence::Always }
}

pub(super) const fn filled(name: &'static str, form: Form) -> Field {
    Field { name, form, presence: Presence::Filled }
}

pub(super) const fn kind(name: &'static str, form: Form) -> Field {
    Field { name, form, presence: Presence::Kind }
}
