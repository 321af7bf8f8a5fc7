//! The name of a key in a token: a PKCS#11 URI (RFC 7512).

use std::ffi::OsString;
use std::fmt;
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;

use argo_attest_core::secret::shown;

use crate::store::percent_decoded;

/// Bytes of such a name.
const MAX_NAME: usize = 4096;

/// A key in a token, and by which module and PIN it is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pkcs11Key {
    /// As it was given.
    text: String,
    pub(super) token: Wanted,
    pub(super) object: Option<Vec<u8>>,
    pub(super) id: Option<Vec<u8>>,
    /// The library that speaks with the token.
    pub(super) module: Option<PathBuf>,
    /// The file that the PIN is in.
    pub(super) pin: Option<PathBuf>,
}

/// What a token has to be like.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) label: Option<String>,
    pub(super) serial: Option<String>,
    pub(super) manufacturer: Option<String>,
    pub(super) model: Option<String>,
    pub(super) slot: Option<u64>,
}

/// Why a text names no key of a token. Nothing of it is repeated: a PIN may be in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidPkcs11 {
    /// Not `NAME=VALUE;…?NAME=VALUE&…`.
    #[error(
        "pkcs11: must be followed by NAME=VALUE, separated by ; and after ? by &, in printable ASCII; \
         % by two hexadecimal digits"
    )]
    Form,
    /// A PIN by value, which command lines and pods' manifests show to everybody.
    #[error(
        "pin-value gives a PIN away to whoever sees the command line: write it to a file that nobody else \
         may read, and name that by pin-source=file:/PATH or --key-password-file"
    )]
    PinValue,
    /// An attribute that is known, and does not count here.
    #[error(
        "{0} does not count in the name of a key here: token, serial, manufacturer, model, slot-id, object, id \
         and type do, and after ? module-path and pin-source"
    )]
    Passed(&'static str),
    /// One that nobody knows.
    #[error(
        "an attribute is not known: token, serial, manufacturer, model, slot-id, object, id and type are, and \
         after ? module-path and pin-source"
    )]
    Unknown,
    /// The same twice.
    #[error("{0} is given twice")]
    Twice(&'static str),
    /// A value that cannot be meant.
    #[error("{0}")]
    Value(&'static str),
}

/// Attributes of the path and of the query, and those that RFC 7512 has besides.
const PATH: [&str; 8] = ["token", "serial", "manufacturer", "model", "slot-id", "object", "id", "type"];
const QUERY: [&str; 2] = ["module-path", "pin-source"];
const PASSED: [&str; 6] = [
    "library-manufacturer",
    "library-description",
    "library-version",
    "slot-description",
    "slot-manufacturer",
    "module-name",
];

impl Pkcs11Key {
    /// What follows `pkcs11:`.
    pub(in super::super) fn new(rest: &str) -> Result<Self, InvalidPkcs11> {
        if rest.len() > MAX_NAME || !rest.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(InvalidPkcs11::Form);
        }
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut given = Given::default();
        given.read(path, ';', &PATH)?;
        given.read(query, '&', &QUERY)?;
        let key = given.key(rest)?;
        // Behind a separator of the other part it is the end of a value, and a PIN all the same.
        if rest.to_ascii_lowercase().contains("pin-value=") {
            return Err(InvalidPkcs11::PinValue);
        }
        Ok(key)
    }
}

/// What is in such a name, decoded.
#[derive(Default)]
struct Given(Vec<(&'static str, Vec<u8>)>);

impl Given {
    fn read(
        &mut self,
        text: &str,
        separator: char,
        known: &'static [&'static str],
    ) -> Result<(), InvalidPkcs11> {
        for part in text.split(separator).filter(|_| !text.is_empty()) {
            // Whatever is wrong with the rest of it.
            let (name, value) = part.split_once('=').ok_or(InvalidPkcs11::Form)?;
            if name.eq_ignore_ascii_case("pin-value") {
                return Err(InvalidPkcs11::PinValue);
            }
            let Some(name) = known.iter().find(|known| **known == name) else {
                let passed = PASSED.iter().find(|passed| **passed == name);
                return Err(passed.map_or(InvalidPkcs11::Unknown, |name| InvalidPkcs11::Passed(name)));
            };
            if self.0.iter().any(|(given, _)| given == name) {
                return Err(InvalidPkcs11::Twice(name));
            }
            self.0.push((name, percent_decoded(value.as_bytes()).ok_or(InvalidPkcs11::Form)?));
        }
        Ok(())
    }

    fn take(&mut self, name: &str) -> Option<Vec<u8>> {
        let at = self.0.iter().position(|(given, _)| *given == name)?;
        Some(self.0.swap_remove(at).1)
    }

    fn text(&mut self, name: &str) -> Result<Option<String>, InvalidPkcs11> {
        self.take(name).map(String::from_utf8).transpose().map_err(|_| InvalidPkcs11::Form)
    }

    fn key(mut self, rest: &str) -> Result<Pkcs11Key, InvalidPkcs11> {
        let value = |is: bool, why| if is { Ok(()) } else { Err(InvalidPkcs11::Value(why)) };
        let slot = self.text("slot-id")?.map(|text| text.parse()).transpose();
        let token = Wanted {
            label: self.text("token")?,
            serial: self.text("serial")?,
            manufacturer: self.text("manufacturer")?,
            model: self.text("model")?,
            slot: slot.map_err(|_| InvalidPkcs11::Value("slot-id must be a number"))?,
        };
        let (object, id) = (self.take("object"), self.take("id"));
        value(object.is_some() || id.is_some(), "pkcs11: must say which key: by object, or by id")?;
        let empty = |given: &Option<Vec<u8>>| given.as_ref().is_some_and(Vec::is_empty);
        value(!empty(&object) && !empty(&id), "object and id must not be empty")?;
        let kind = self.take("type");
        value(
            kind.is_none_or(|kind| kind == b"private"),
            "type must be private: the key that signs is named, and its public half is found by its id",
        )?;
        let module = self.take("module-path").map(path);
        value(
            module.as_ref().is_none_or(|module| module.is_absolute()),
            "module-path must be an absolute path, that of the module itself",
        )?;
        let pin = self.take("pin-source").map(pin_file);
        let why = "pin-source must be a file with an absolute path, file:/PATH; no program is run for it";
        let pin = pin.map(|file| file.ok_or(InvalidPkcs11::Value(why))).transpose()?;
        Ok(Pkcs11Key { text: rest.to_owned(), token, object, id, module, pin })
    }
}

fn path(bytes: Vec<u8>) -> PathBuf {
    OsString::from_vec(bytes).into()
}

/// `file:/PATH`, `file:///PATH`, or the path alone, as p11-kit had it first.
fn pin_file(value: Vec<u8>) -> Option<PathBuf> {
    let named = match value.strip_prefix(b"file:") {
        Some(rest) => match rest.strip_prefix(b"//") {
            Some(rest) => rest.strip_prefix(b"localhost").unwrap_or(rest).to_vec(),
            None => rest.to_vec(),
        },
        None => value,
    };
    Some(path(named)).filter(|path| path.is_absolute())
}

/// As it was given, unless it may be a key.
impl fmt::Display for Pkcs11Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", super::SCHEME, shown(self.text.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn names_are_those_of_cosign_and_p11_kit() {
        let cosign =
            "token=TokenLabel;slot-id=1;id=%4a%8d%2f%6e;object=key_label_1?module-path=/usr/lib/m.so";
        let key = Pkcs11Key::new(cosign).unwrap();
        assert_eq!(key.token.label.as_deref(), Some("TokenLabel"));
        assert_eq!((key.token.slot, key.id.as_deref()), (Some(1), Some(&b"\x4a\x8d\x2f\x6e"[..])));
        assert_eq!(key.object.as_deref(), Some(&b"key_label_1"[..]));
        assert_eq!(key.module.as_deref(), Some(Path::new("/usr/lib/m.so")));
        assert_eq!(key.to_string(), format!("pkcs11:{cosign}"));

        let p11_kit = "model=SoftHSM%20v2;manufacturer=SoftHSM%20project;serial=d0339d1f;token=ci+1;\
                       id=%01;object=a%3bb;type=private?pin-source=file:/etc/pin%20x&module-path=/m%26.so";
        let key = Pkcs11Key::new(p11_kit).unwrap();
        assert_eq!(key.token.label.as_deref(), Some("ci+1"));
        assert_eq!(key.token.model.as_deref(), Some("SoftHSM v2"));
        assert_eq!(key.token.manufacturer.as_deref(), Some("SoftHSM project"));
        assert_eq!(key.token.serial.as_deref(), Some("d0339d1f"));
        assert_eq!(key.object.as_deref(), Some(&b"a;b"[..]));
        assert_eq!(key.module.as_deref(), Some(Path::new("/m&.so")));
        assert_eq!(key.pin.as_deref(), Some(Path::new("/etc/pin x")));
        for (source, file) in [("/etc/pin", "/etc/pin"), ("file:///p", "/p"), ("file://localhost/p", "/p")] {
            let key = Pkcs11Key::new(&format!("object=a?pin-source={source}")).unwrap();
            assert_eq!(key.pin.as_deref(), Some(Path::new(file)), "{source}");
        }
    }

    #[test]
    fn what_does_not_count_is_refused_by_its_name_and_a_pin_never_repeated() {
        for (rest, why) in [
            ("object=a?pin-value=1234", "pin-value gives a PIN away"),
            ("object=a;pin-value=1234", "pin-value gives a PIN away"),
            ("object=a&pin-value=1234", "pin-value gives a PIN away"),
            ("object=a?module-path=/m.so;Pin-Value=1234", "pin-value gives a PIN away"),
            ("nonsense=1234?PIN-VALUE=1234", "an attribute is not known"),
            ("object=a?PIN-VALUE=1234", "pin-value gives a PIN away"),
            ("object=a?module-name=opensc", "module-name does not count"),
            ("object=a;library-version=3", "library-version does not count"),
            ("object=a;slot-description=1234", "slot-description does not count"),
            ("object=a;x-vendor=1234", "an attribute is not known"),
            ("object=a?x=1234", "an attribute is not known"),
            ("object=a;object=b", "object is given twice"),
            ("object=a;module-path=/m.so", "an attribute is not known"),
            ("", "which key"),
            ("token=t", "which key"),
            ("token=t;id=", "must not be empty"),
            ("object=a;", "NAME=VALUE"),
            ("object", "NAME=VALUE"),
            ("object=%4", "two hexadecimal digits"),
            ("object=a b", "printable ASCII"),
            ("object=\u{e4}", "printable ASCII"),
            ("object=a;token=%ff", "printable ASCII"),
            ("object=a;slot-id=x", "slot-id must be a number"),
            ("object=a;type=cert", "type must be private"),
            ("object=a?module-path=m.so", "module-path must be an absolute path"),
            ("object=a?pin-source=pin", "pin-source must be a file"),
            ("object=a?pin-source=%7ccat%20/etc/pin", "no program is run"),
            ("object=a?pin-source=file://host/pin", "pin-source must be a file"),
        ] {
            let said = Pkcs11Key::new(rest).unwrap_err().to_string();
            assert!(said.contains(why) && !said.contains("1234"), "{rest}: {said}");
        }
        Pkcs11Key::new(&format!("object={}", "a".repeat(MAX_NAME))).unwrap_err();
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_answered_and_none_repeated(
            names in proptest::collection::vec("[a-z-]{1,12}|object|id|token|slot-id|type|module-path|pin-source|pin-value", 0..6),
            value in "[0-9]{6,12}|(%[0-9a-f]{0,2}|[;?&=a-z/:]){0,12}",
            joint in "[;?&]",
        ) {
            let text = names.iter().map(|name| format!("{name}={value}")).collect::<Vec<_>>().join(&joint);
            match Pkcs11Key::new(&text) {
                Ok(key) => assert!(!text.contains("pin-value="), "{key}"),
                Err(error) => {
                    let is_number = value.len() >= 6 && value.bytes().all(|b| b.is_ascii_digit());
                    assert!(!is_number || !error.to_string().contains(&value), "{error}");
                }
            }
        }
    }
}
