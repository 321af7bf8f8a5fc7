//! What must never be shown: keys, and the tokens that stand for somebody.
//!
//! People give a key where a path is meant, and a template points to a key where a
//! token is meant. [`KeyMaterial`] tells a key by its looks, [`shown`] and [`redacted`]
//! are how text that may hold one is told.

mod encoded;
mod hexadecimal;
mod looks;
mod material;
mod shown;
mod token;
mod unsaid;

pub use material::{KeyMaterial, is_private, is_private_key};
pub use shown::{redacted, shown, shown_path};
pub use token::is_signed_token;
pub use unsaid::never_repeat;
