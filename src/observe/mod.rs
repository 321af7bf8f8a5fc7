//! A volume that somebody else writes to: what is in it, and the digest of
//! every file's bytes.
//!
//! Events are hints, the scan is the truth. Directories are watched one by one,
//! each watched first and listed then, so a file is seen by one or the other;
//! files are digested as they are closed or moved in; and at the end everything
//! is scanned, and a digest counts only if the file is still in the very state
//! that was read. See inotify(7), "Limitations and caveats", for what events
//! alone would miss.
//!
//! The writer is taken to be hostile. It may plant links, pipes and devices,
//! swap one thing for another at any moment, and choose any name.
//!
//! Not seen: a store through a shared mapping that was dirty already when the
//! file was read (it moves no time stamp), which is why what is attested is the
//! digest of the bytes that were read. Not done here: unpacking, signing, and
//! following links to wherever they lead.

mod artifact;
mod baseline;
mod books;
mod cancel;
mod closing;
mod entries;
#[cfg(test)]
mod fixture;
mod identity;
mod inbox;
mod inotify;
mod interests;
mod links;
mod observation;
mod observer;
mod pool;
mod progress;
mod reader;
mod refusal;
mod root;
mod sealed;
mod seen;
mod session;
mod standing;
mod stats;
mod subtree;
mod tracker;
mod walk;
mod watch;
mod watched;

pub use artifact::Artifact;
pub use baseline::Baseline;
pub use cancel::{Cancel, CancelOnDrop};
pub use entries::{Entries, Room, entries};
pub use identity::{Entry, Identity, Kind};
pub use inotify::Inotify;
pub use observation::{Observation, ObservedFile, Presence};
pub use observer::{Observer, ObserverConfig, ObserverError, digest_tree};
pub use pool::Pool;
pub use progress::{NoProgress, Progress};
pub use reader::Also;
pub use refusal::Refusal;
pub use root::{Root, RootError};
pub use sealed::{NOTHING_IN_IT, SealedArtifact, Shape};
pub use seen::{Seen, SeenFiles};
pub use session::{Sealed, Session, SessionError, Watching};
pub use standing::Standing;
pub use stats::{ObservationStats, Stats};
pub use watch::{Hint, HintSink, Watch, WatchError};
