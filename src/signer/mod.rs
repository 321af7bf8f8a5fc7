//! Keys where they lie: in files, in a mounted Secret that is replaced, in a variable.

mod followed;
mod key_file;
mod mounted;
mod pair;
mod read;
mod source;

pub use followed::{Followed, FollowedKey};
pub use key_file::KeyFileError;
pub use pair::{Origin, check_pair, create_pair, load_or_create_pair, load_pair, public_path};
pub use read::{load_private, load_public};
pub use source::{InvalidKeySource, KeyError, KeySource, VariableName, Variables};
