//! Under which key Argo's executor stores an artifact: the artifact's own location, completed
//! from the step's `archiveLocation`.

use std::sync::Arc;

use super::elsewhere::Elsewhere;
use super::location::{
    Addressing, ArtifactStore, EncryptionOptions, KeyError, ObjectRef, S3Bucket, SecretKey, StoreKind,
    Unlocated,
};
use super::output::Destination;
use super::{path, wire};

/// The step's `archiveLocation`, which completes partial locations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Repository {
    Absent,
    Known {
        store: Result<Arc<ArtifactStore>, Unlocated>,
        key: String,
    },
    /// In another kind of store, its key being the prefix; nowhere, in one that Argo does not
    /// write to.
    Other(StoreKind, Option<Elsewhere>),
    Ambiguous,
}

impl Repository {
    pub(super) fn from_wire(location: Option<&wire::Location>) -> Self {
        let Some(location) = location else { return Self::Absent };
        match (kinds(location).as_slice(), &location.s3) {
            ([], _) => Self::Absent,
            ([StoreKind::S3], Some(s3)) => {
                Self::Known { store: complete(s3).map(Arc::new), key: s3.key.clone() }
            }
            ([kind], _) => Self::Other(*kind, Elsewhere::of(*kind, location)),
            _ => Self::Ambiguous,
        }
    }

    /// As [`Self::destination`], in a store that can be asked.
    pub(super) fn locate(
        &self,
        own: &wire::Location,
        file_name: Option<&str>,
    ) -> Result<ObjectRef, Unlocated> {
        self.destination(own, file_name)?.object().cloned()
    }

    /// Where Argo stores an artifact that says `own`, named `file_name` if the
    /// artifact has no key (`saveArtifactFromFile` in Argo's
    /// workflow/executor/executor.go, `Relocate` in `workflow_types.go`). With no
    /// `file_name`, an artifact without a key is stored nowhere.
    ///
    /// An endpoint, bucket and key together are a location; any two of them are
    /// not, and then all but the key comes from the archive location.
    pub(super) fn destination(
        &self,
        own: &wire::Location,
        file_name: Option<&str>,
    ) -> Result<Destination, Unlocated> {
        let own_key = match (kinds(own).as_slice(), &own.s3) {
            ([], _) => None,
            ([StoreKind::S3], Some(s3)) if is_complete(s3) => {
                return object(Arc::new(complete(s3)?), s3.key.clone());
            }
            ([StoreKind::S3], Some(s3)) => Some(s3.key.as_str()),
            ([kind], _) => match partial_key(*kind, own, file_name) {
                Some(key) => Some(key),
                None => return self.complete_elsewhere(*kind, own, file_name),
            },
            _ => return Err(Unlocated::Ambiguous),
        }
        .filter(|key| !key.is_empty());
        let key = || match (own_key, file_name) {
            (Some(key), _) => Ok(key.to_owned()),
            (None, Some(file_name)) => Ok(path::join(self.prefix(), file_name)),
            (None, None) => Err(KeyError::Empty),
        };
        match self {
            Self::Absent => Err(Unlocated::NoRepository),
            Self::Ambiguous => Err(Unlocated::Ambiguous),
            Self::Other(_, Some(place)) if file_name.is_some() => {
                Ok(Destination::Elsewhere(place.with_key(&key()?)?))
            }
            // Where an input is that cannot be fetched is nobody's question.
            Self::Other(kind, _) => Err(Unlocated::Unsupported(*kind)),
            Self::Known { store, .. } => object(store.clone()?, key()?),
        }
    }

    /// In another kind of store, where its own location needs no completion but, perhaps, a key.
    fn complete_elsewhere(
        &self,
        kind: StoreKind,
        own: &wire::Location,
        file_name: Option<&str>,
    ) -> Result<Destination, Unlocated> {
        let (Some(place), Some(file_name)) = (Elsewhere::of(kind, own), file_name) else {
            return Err(Unlocated::Unsupported(kind));
        };
        let key = match place.key() {
            "" => path::join(self.prefix(), file_name),
            key => key.to_owned(),
        };
        Ok(Destination::Elsewhere(place.with_key(&key)?))
    }

    /// What the keys of artifacts without a key of their own begin with.
    fn prefix(&self) -> &str {
        match self {
            Self::Known { key, .. } => key,
            Self::Other(_, Some(place)) => place.key(),
            Self::Other(_, None) | Self::Absent | Self::Ambiguous => "",
        }
    }
}

/// An S3 location that needs no completion (`S3Artifact.HasLocation`).
fn is_complete(s3: &wire::S3) -> bool {
    !s3.endpoint.is_empty() && !s3.bucket.is_empty() && !s3.key.is_empty()
}

/// The key of a location in another kind of store that Argo completes from the
/// archive location, whatever kind that is; `None` if it needs no completion.
///
/// `HasLocation` of each kind, after an artifact without a key was given
/// `file_name` as its key, decides. A plugin is the exception: given a key, the
/// artifact forgets it (the order of `ArtifactLocation.Get`).
fn partial_key<'a>(kind: StoreKind, own: &'a wire::Location, file_name: Option<&str>) -> Option<&'a str> {
    let (key, is_place) = match kind {
        StoreKind::Gcs => own.gcs.as_ref().map(|gcs| (&gcs.key, !gcs.bucket.is_empty())),
        StoreKind::Oss => {
            own.oss.as_ref().map(|oss| (&oss.key, !oss.endpoint.is_empty() && !oss.bucket.is_empty()))
        }
        StoreKind::Azure => {
            let is_place =
                |azure: &wire::Elsewhere| !azure.endpoint.is_empty() && !azure.container.is_empty();
            own.azure.as_ref().map(|azure| (&azure.blob, is_place(azure)))
        }
        StoreKind::Hdfs => own.hdfs.as_ref().map(|hdfs| (&hdfs.path, !hdfs.addresses.0.is_empty())),
        StoreKind::Plugin => own
            .plugin
            .as_ref()
            .map(|plugin| (&plugin.key, !plugin.name.is_empty() && !plugin.configuration.is_empty())),
        StoreKind::S3 | StoreKind::Git | StoreKind::Http | StoreKind::Raw | StoreKind::Artifactory => None,
    }?;
    let will_have_key = !key.is_empty() || (file_name.is_some() && kind != StoreKind::Plugin);
    // HDFS is complete without a path.
    if is_place && (will_have_key || kind == StoreKind::Hdfs) { None } else { Some(key) }
}

fn object(store: Arc<ArtifactStore>, key: String) -> Result<Destination, Unlocated> {
    if key.contains("{{") {
        return Err(Unlocated::Unresolved);
    }
    Ok(Destination::Object(ObjectRef::new(store, key)?))
}

/// Whether a location says anything at all (`HasLocationOrKey`).
pub(super) fn says_anything(location: &wire::Location) -> bool {
    match (kinds(location).as_slice(), location) {
        ([], _) => false,
        ([StoreKind::S3], wire::Location { s3: Some(s3), .. }) => !s3.key.is_empty(),
        ([StoreKind::Git], wire::Location { git: Some(git), .. }) => !git.repo.is_empty(),
        ([StoreKind::Http], wire::Location { http: Some(http), .. }) => !http.url.is_empty(),
        ([kind], location) => partial_key(*kind, location, None).is_none_or(|key| !key.is_empty()),
        _ => true,
    }
}

/// The kinds of storage a location names.
pub(super) fn kinds(location: &wire::Location) -> Vec<StoreKind> {
    let wire::Location { s3, git, http, raw, artifactory, hdfs, oss, gcs, azure, plugin, archive_logs: _ } =
        location;
    [
        (StoreKind::S3, s3.is_some()),
        (StoreKind::Git, git.is_some()),
        (StoreKind::Http, http.is_some()),
        (StoreKind::Raw, raw.is_some()),
        (StoreKind::Artifactory, artifactory.is_some()),
        (StoreKind::Hdfs, hdfs.is_some()),
        (StoreKind::Oss, oss.is_some()),
        (StoreKind::Gcs, gcs.is_some()),
        (StoreKind::Azure, azure.is_some()),
        (StoreKind::Plugin, plugin.is_some()),
    ]
    .into_iter()
    .filter_map(|(kind, named)| named.then_some(kind))
    .collect()
}

fn complete(s3: &wire::S3) -> Result<ArtifactStore, Unlocated> {
    for (what, text) in [("endpoint", &s3.endpoint), ("bucket", &s3.bucket)] {
        if text.is_empty() {
            return Err(Unlocated::Incomplete(what));
        }
        if text.contains("{{") {
            return Err(Unlocated::Unresolved);
        }
    }
    let given = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    let secret = |secret: &Option<wire::SecretKey>| {
        let wire::SecretKey { name, key } = secret.clone()?;
        Some(SecretKey { name, key })
    };
    Ok(ArtifactStore::S3(S3Bucket {
        endpoint: s3.endpoint.clone(),
        bucket: s3.bucket.clone(),
        region: given(&s3.region),
        insecure: s3.insecure,
        role_arn: given(&s3.role_arn),
        use_sdk_creds: s3.use_sdk_creds,
        access_key: secret(&s3.access_key_secret),
        secret_key: secret(&s3.secret_key_secret),
        session_token: secret(&s3.session_token_secret),
        ca: secret(&s3.ca_secret),
        addressing: Addressing::from_text(&s3.addressing_style),
        creates_bucket: s3.create_bucket_if_not_present.is_some(),
        encryption: EncryptionOptions {
            enabled: s3.encryption_options.enable_encryption,
            kms_key_id: given(&s3.encryption_options.kms_key_id),
            kms_context: given(&s3.encryption_options.kms_encryption_context),
            customer_key: secret(&s3.encryption_options.server_side_customer_key_secret),
        },
    }))
}
