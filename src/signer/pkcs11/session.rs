//! A session at a token: where the key is found, and signs.
//!
//! All of this runs on the module's thread.

use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::keys::{KeyType, PublicKey, Signature};
use argo_attest_core::secret::shown;
use cryptoki::context::Pkcs11;
use cryptoki::error::Error;
use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::eddsa::{EddsaParams, EddsaSignatureScheme};
use cryptoki::object::{Attribute, AttributeType, KeyType as Kind, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::{Slot, TokenInfo};
use cryptoki::types::RawAuthPin;
use zeroize::Zeroizing;

use super::encoding;
use super::fault::{self, told};
use super::name::{Pkcs11Key, Wanted};
use crate::service::ServiceError;

/// What the two halves of a key are tried with before anything is attested. No pre-authentication
/// encoding begins so: as a signature it says nothing.
const PROBE: &[u8] = b"argo-attest asks whether this key signs, and states nothing";

/// Objects of one name that are looked at.
const MOST: usize = 16;

/// The key, in a session that is logged in.
#[derive(Debug)]
pub(super) struct Open {
    session: Session,
    key: ObjectHandle,
    curve: KeyType,
}

impl Open {
    /// Finds the one token and the one key that are named, and logs in. A token that was there
    /// before may be back soon.
    pub(super) fn find(
        module: &Pkcs11,
        key: &Pkcs11Key,
        pin: Option<&[u8]>,
        was_there: bool,
    ) -> Result<Self, ServiceError> {
        let (slot, token) = token(module, &key.token, was_there)?;
        let session = module.open_ro_session(slot).map_err(|error| told(&error))?;
        log_in(&session, &token, pin)?;
        let (key, curve) = private(&session, key)?;
        Ok(Self { session, key, curve })
    }

    /// The public half, of those that the token has beside the key: whoever may write to a token
    /// without its PIN can put another there, so it is the one that verifies what the key signs.
    pub(super) fn public_key(&self) -> Result<PublicKey, ServiceError> {
        let found = self.halves()?;
        let read: Vec<PublicKey> = found.iter().filter_map(|half| self.half(*half)).collect();
        if read.is_empty() {
            return Err(unusable(
                "the token has no public key of the key's id (CKA_ID) beside it, of the key's curve".into(),
                "write the public half beside the key, with the same id: pkcs11-tool --write-object FILE --type pubkey --id ID",
            ));
        }
        let signature = self.sign(PROBE).map_err(|error| told(&error))?;
        let verifies = |half: &PublicKey| half.verify(PROBE, signature.as_bytes()).is_ok();
        read.into_iter().find(verifies).ok_or_else(|| {
            unusable(
                "no public key that the token has of the key's id (CKA_ID) verifies what the key signs"
                    .into(),
                "find out who wrote it, and write the key's own public half in its place",
            )
        })
    }

    /// What is signed: the message with Ed25519, and its SHA-256 with ECDSA.
    pub(super) fn sign(&self, message: &[u8]) -> Result<Signature, Error> {
        let given = match self.curve {
            KeyType::Ed25519 => {
                let pure = Mechanism::Eddsa(EddsaParams::new(EddsaSignatureScheme::Ed25519));
                self.session.sign(&pure, self.key, message)?
            }
            KeyType::EcdsaP256 => {
                self.session.sign(&Mechanism::Ecdsa, self.key, Sha256Digest::of(message).as_bytes())?
            }
        };
        Ok(encoding::signature(self.curve, given))
    }

    /// What may be the public half: by the key's id or, of tokens that give ids to neither half, its
    /// label.
    fn halves(&self) -> Result<Vec<ObjectHandle>, ServiceError> {
        let is_said = |name: &Attribute| matches!(name, Attribute::Id(value) | Attribute::Label(value) if !value.is_empty());
        let own = attributes(&self.session, self.key, &[AttributeType::Id, AttributeType::Label]);
        let Some(name) = own.into_iter().find(is_said) else { return Ok(Vec::new()) };
        found(&self.session, &[name, Attribute::Class(ObjectClass::PUBLIC_KEY)]).map_err(|error| told(&error))
    }

    fn half(&self, half: ObjectHandle) -> Option<PublicKey> {
        let of = attributes(&self.session, half, &[AttributeType::EcParams, AttributeType::EcPoint]);
        let curve = of.iter().find_map(curve_of)?;
        let point = of.iter().find_map(|of| match of {
            Attribute::EcPoint(point) => Some(point),
            _ => None,
        })?;
        encoding::public_key(curve, point).filter(|_| curve == self.curve)
    }
}

/// The one token that is as it has to be.
fn token(module: &Pkcs11, wanted: &Wanted, was_there: bool) -> Result<(Slot, TokenInfo), ServiceError> {
    let slots = module.get_slots_with_token().map_err(|error| told(&error))?;
    let known = slots.into_iter().filter_map(|slot| {
        // One that was taken out meanwhile, or that nobody can read, is none of them.
        let info = module.get_token_info(slot).ok()?;
        (info.token_initialized() && is_wanted(wanted, slot, &info)).then_some((slot, info))
    });
    let mut fit: Vec<_> = known.take(2).collect();
    match (fit.pop(), fit.is_empty()) {
        (Some(one), true) => Ok(one),
        (Some(_), false) => Err(unusable(
            "several tokens are as the key's name says".into(),
            "say more of the token: serial=…, or slot-id=…",
        )),
        (None, _) => Err(ServiceError::Token {
            what: "the module has no token as the key's name says".into(),
            is_passing: was_there,
            is_sign_in: false,
            remedy:
                "see which tokens there are, p11tool --list-tokens or pkcs11-tool --list-slots, and name one \
                     of them: token=…"
                    .into(),
        }),
    }
}

fn is_wanted(wanted: &Wanted, slot: Slot, info: &TokenInfo) -> bool {
    let is = |wanted: &Option<String>, is: &str| wanted.as_deref().is_none_or(|wanted| wanted == is);
    is(&wanted.label, info.label())
        && is(&wanted.serial, info.serial_number())
        && is(&wanted.manufacturer, info.manufacturer_id())
        && is(&wanted.model, info.model())
        && wanted.slot.is_none_or(|wanted| wanted == slot.id())
}

/// Says the PIN once, and never where it may be the last time that the token takes one.
fn log_in(session: &Session, token: &TokenInfo, pin: Option<&[u8]>) -> Result<(), ServiceError> {
    let Some(pin) = pin else {
        if !token.login_required() {
            return Ok(());
        }
        return Err(ServiceError::Settings {
            what: "the token asks for a PIN, and none is said".into(),
            remedy: "write it to a file that nobody else may read, and name that: ?pin-source=file:/PATH in \
                     the key's name, or --key-password-file; or set COSIGN_PKCS11_PIN"
                .into(),
        });
    };
    if token.user_pin_locked() || token.user_pin_final_try() {
        let is =
            if token.user_pin_locked() { "is locked" } else { "takes its PIN once more before it locks" };
        return Err(unusable(
            format!("the token {is}, and is not told any"),
            "log in with the token's own tool, which sets the count back, or have its administrator (SO) set a new PIN",
        ));
    }
    let pin = RawAuthPin::new(Box::new(pin.to_vec()));
    match session.login_with_raw(UserType::User, &pin) {
        // Somebody else of this process, who is told of with the same PIN.
        Err(error) if !fault::is_logged_in(&error) => Err(told(&error)),
        _ => Ok(()),
    }
}

/// The one private key that is named, and may be used by a program.
fn private(session: &Session, key: &Pkcs11Key) -> Result<(ObjectHandle, KeyType), ServiceError> {
    let mut named = vec![Attribute::Class(ObjectClass::PRIVATE_KEY)];
    named.extend(key.object.clone().map(Attribute::Label));
    named.extend(key.id.clone().map(Attribute::Id));
    let found = found(session, &named).map_err(|error| told(&error))?;
    let handle = match found.as_slice() {
        [one] => *one,
        [] => {
            return Err(unusable(
                "the token has no private key of that name".into(),
                "see which keys it has, p11tool --login --list-privkeys or pkcs11-tool --login --list-objects, and name one of \
                 them: object=…, or id=…",
            ));
        }
        _ => {
            return Err(unusable(
                "the token has several private keys of that name".into(),
                "say which: object=… and id=…",
            ));
        }
    };
    let is = [
        AttributeType::KeyType,
        AttributeType::Sign,
        AttributeType::AlwaysAuthenticate,
        AttributeType::EcParams,
    ];
    let is = attributes(session, handle, &is);
    let other = |what: String| unusable(what, "name a key of ECDSA P-256 or Ed25519 that signs");
    for attribute in &is {
        match attribute {
            Attribute::KeyType(kind) if ![Kind::EC, Kind::EC_EDWARDS].contains(kind) => {
                let kind = kind.to_string();
                return Err(other(format!(
                    "the key is of type {:.40}; ECDSA P-256 and Ed25519 are supported",
                    shown(kind.as_bytes())
                )));
            }
            Attribute::Sign(false) => return Err(other("the key is not one that signs (CKA_SIGN)".into())),
            Attribute::AlwaysAuthenticate(true) => {
                return Err(other(
                    "the key asks for the PIN at each signature (CKA_ALWAYS_AUTHENTICATE), which is for people".into(),
                ));
            }
            _ => {}
        }
    }
    let curve = is.iter().find_map(curve_of);
    let curve = curve
        .ok_or_else(|| other("the key is of another curve; ECDSA P-256 and Ed25519 are supported".into()))?;
    Ok((handle, curve))
}

fn curve_of(attribute: &Attribute) -> Option<KeyType> {
    match attribute {
        Attribute::EcParams(parameters) => encoding::curve(parameters),
        _ => None,
    }
}

/// The objects that are so, as many as are looked at.
fn found(session: &Session, named: &[Attribute]) -> Result<Vec<ObjectHandle>, Error> {
    session.iter_objects(named)?.take(MOST).collect()
}

/// What it says of itself of these; what it does not say is left out.
fn attributes(session: &Session, object: ObjectHandle, of: &[AttributeType]) -> Vec<Attribute> {
    // Each by itself: some modules answer none where they do not know one.
    of.iter().filter_map(|of| session.get_attributes(object, &[*of]).ok()).flatten().collect()
}

fn unusable(what: String, remedy: &str) -> ServiceError {
    ServiceError::Token { what, is_passing: false, is_sign_in: false, remedy: remedy.to_owned() }
}

/// The key of a token, whether or not there is a session now.
#[derive(Debug)]
pub(super) struct Kept {
    name: Pkcs11Key,
    pin: Pin,
    open: Option<Open>,
    /// The PIN was refused. To say it again may be what locks the token.
    is_refused: bool,
}

/// Not to be shown.
struct Pin(Option<Zeroizing<Vec<u8>>>);

impl std::fmt::Debug for Pin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pin")
    }
}

impl Kept {
    pub(super) fn new(name: Pkcs11Key, pin: Option<Zeroizing<Vec<u8>>>, open: Open) -> Self {
        Self { name, pin: Pin(pin), open: Some(open), is_refused: false }
    }

    /// Signs, and where the session is lost, in another one: whether the key there is the same is
    /// for whoever verifies the signature.
    pub(super) fn sign(&mut self, module: &Pkcs11, message: &[u8]) -> Result<Signature, ServiceError> {
        if let Some(open) = &self.open {
            match open.sign(message) {
                Err(error) if fault::is_lost(&error) => self.open = None,
                signed => return signed.map_err(|error| told(&error)),
            }
        }
        if self.is_refused {
            return Err(unusable(
                "the token refused the PIN, which is not said again".into(),
                "correct the PIN in its file, before the token locks itself, and run it again",
            ));
        }
        let found = Open::find(module, &self.name, self.pin.0.as_ref().map(|pin| pin.as_slice()), true);
        let open = found.inspect_err(|error| self.is_refused = error.is_sign_in())?;
        let signed = open.sign(message).map_err(|error| told(&error));
        self.open = Some(open);
        signed
    }
}
