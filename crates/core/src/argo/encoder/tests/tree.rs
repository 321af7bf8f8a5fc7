//! JSON that keeps the order of its members, to be changed and written again.

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Tree {
    Object(Vec<(String, Self)>),
    List(Vec<Self>),
    /// As it is written.
    Leaf(String),
}

impl Tree {
    /// Reads JSON without white space.
    pub(super) fn read(text: &str) -> Self {
        let (tree, rest) = read(text);
        assert_eq!(rest, "");
        tree
    }

    pub(super) fn write(&self) -> String {
        match self {
            Self::Leaf(text) => text.clone(),
            Self::List(items) => format!("[{}]", items.iter().map(Self::write).collect::<Vec<_>>().join(",")),
            Self::Object(members) => {
                let members = members.iter().map(|(name, value)| format!("{name}:{}", value.write()));
                format!("{{{}}}", members.collect::<Vec<_>>().join(","))
            }
        }
    }

    /// How many values there are, this one included.
    pub(super) fn count(&self) -> usize {
        1 + match self {
            Self::Leaf(_) => 0,
            Self::List(items) => items.iter().map(Self::count).sum(),
            Self::Object(members) => members.iter().map(|(_, value)| value.count()).sum(),
        }
    }

    /// The value with that number, in the order of the text.
    pub(super) fn at(&mut self, mut number: usize) -> &mut Self {
        if number == 0 {
            return self;
        }
        number -= 1;
        let inner: Vec<&mut Self> = match self {
            Self::Leaf(_) => panic!("no such value"),
            Self::List(items) => items.iter_mut().collect(),
            Self::Object(members) => members.iter_mut().map(|(_, value)| value).collect(),
        };
        for value in inner {
            let count = value.count();
            if number < count {
                return value.at(number);
            }
            number -= count;
        }
        panic!("no such value")
    }
}

fn read(text: &str) -> (Tree, &str) {
    if let Some(mut rest) = text.strip_prefix('[') {
        let mut items = Vec::new();
        while !rest.starts_with(']') {
            let (item, after) = read(rest.trim_start_matches(','));
            items.push(item);
            rest = after;
        }
        return (Tree::List(items), &rest[1..]);
    }
    if let Some(mut rest) = text.strip_prefix('{') {
        let mut members = Vec::new();
        while !rest.starts_with('}') {
            let (name, after) = leaf(rest.trim_start_matches(','));
            let (value, after) = read(&after[1..]);
            members.push((name.to_owned(), value));
            rest = after;
        }
        return (Tree::Object(members), &rest[1..]);
    }
    let (leaf, rest) = leaf(text);
    (Tree::Leaf(leaf.to_owned()), rest)
}

fn leaf(text: &str) -> (&str, &str) {
    let mut escaped = false;
    let end = match text.strip_prefix('"') {
        None => text.find([',', '}', ']']).unwrap_or(text.len()),
        Some(inner) => {
            let closing = inner.find(|character| {
                let closes = character == '"' && !escaped;
                escaped = character == '\\' && !escaped;
                closes
            });
            closing.unwrap() + 2
        }
    };
    text.split_at(end)
}
