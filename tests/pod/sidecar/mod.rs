//! The sidecar: from its start to the step's outcome.

mod annotations;
mod elsewhere;
mod endings;
mod idle;
mod images;
mod keyless;
mod keys;
mod layouts;
mod many;
mod mounts;
mod odd_stores;
mod packings;
mod placing;
mod predicates;
mod readiness;
mod reports;
mod restarts;
mod rotation;
mod services;
mod settings;
mod started;
mod stores;
mod tampering;
mod template;
mod threads;
#[cfg(feature = "pkcs11")]
mod tokens;
mod witnessed;
