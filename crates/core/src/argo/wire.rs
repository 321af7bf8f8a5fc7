//! The fields of Argo's `Template` that are used, as its JSON has them
//! (pkg/apis/workflow/v1alpha1 of Argo, and Kubernetes' `core/v1`).
//!
//! All else is passed over: the encoder's reader has looked at it. Go leaves out
//! what is empty, so every field may be absent, or `null`.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::bounded::{List, OwnAnnotations};

type Artifacts = List<Artifact, 4096>;
type Mounts = List<VolumeMount, 4096>;
type Words = List<String, 65_536>;

fn nullable<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Structures that are read from JSON objects only: what serde derives would take
/// a list of their fields as well, which Go does not.
macro_rules! wire {
    ($($(#[$doc:meta])* $name:ident { $($(#[$attribute:meta])* $field:ident: $type:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Deserialize, Default, Clone)]
        #[serde(rename_all = "camelCase", default, remote = "Self")]
        pub(super) struct $name {
            $($(#[$attribute])* #[serde(deserialize_with = "nullable")] pub(super) $field: $type,)*
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Object;

                impl<'de> Visitor<'de> for Object {
                    type Value = $name;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("an object")
                    }

                    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<$name, A::Error> {
                        $name::deserialize(MapAccessDeserializer::new(fields))
                    }
                }

                deserializer.deserialize_map(Object)
            }
        }
    )*};
}

wire! {
    Template {
        name: String,
        metadata: Metadata,
        inputs: Inputs,
        outputs: Outputs,
        container: Option<Container>,
        container_set: Option<ContainerSet>,
        script: Option<Container>,
        archive_location: Option<Location>,
        resource: Option<IgnoredAny>,
        data: Option<IgnoredAny>,
    }
    Metadata {
        annotations: OwnAnnotations,
    }
    Inputs {
        artifacts: Artifacts,
    }
    Outputs {
        artifacts: Artifacts,
        parameters: List<OutputParameter, 4096>,
    }
    OutputParameter {
        name: String,
        value_from: Option<ValueFrom>,
    }
    ValueFrom {
        path: String,
    }
    /// A container; a script template is one with a source.
    Container {
        name: String,
        image: String,
        command: Words,
        args: Words,
        env: List<EnvVar, 65_536>,
        volume_mounts: Mounts,
        source: String,
        dependencies: Words,
    }
    ContainerSet {
        containers: List<Container, 1024>,
        volume_mounts: Mounts,
    }
    /// Only the name: a value may be a secret.
    EnvVar {
        name: String,
    }
    VolumeMount {
        name: String,
        mount_path: String,
        sub_path: String,
        sub_path_expr: String,
    }
    /// Its location is spelt out, not flattened: serde would hold what is passed
    /// over in memory first.
    Artifact {
        name: String,
        path: String,
        optional: bool,
        archive: Option<Archive>,
        s3: Option<S3>,
        git: Option<Git>,
        http: Option<Http>,
        raw: Option<Raw>,
        artifactory: Option<Http>,
        hdfs: Option<Elsewhere>,
        oss: Option<Elsewhere>,
        gcs: Option<Elsewhere>,
        azure: Option<Elsewhere>,
        plugin: Option<Elsewhere>,
    }
    Archive {
        tar: Option<IgnoredAny>,
        none: Option<IgnoredAny>,
        zip: Option<IgnoredAny>,
    }
    Location {
        archive_logs: Option<bool>,
        s3: Option<S3>,
        git: Option<Git>,
        http: Option<Http>,
        raw: Option<Raw>,
        artifactory: Option<Http>,
        hdfs: Option<Elsewhere>,
        oss: Option<Elsewhere>,
        gcs: Option<Elsewhere>,
        azure: Option<Elsewhere>,
        plugin: Option<Elsewhere>,
    }
    S3 {
        endpoint: String,
        bucket: String,
        region: String,
        insecure: bool,
        key: String,
        #[serde(rename = "roleARN")]
        role_arn: String,
        #[serde(rename = "useSDKCreds")]
        use_sdk_creds: bool,
        access_key_secret: Option<SecretKey>,
        secret_key_secret: Option<SecretKey>,
        session_token_secret: Option<SecretKey>,
        ca_secret: Option<SecretKey>,
        addressing_style: String,
        create_bucket_if_not_present: Option<IgnoredAny>,
        encryption_options: Sse,
    }
    Sse {
        enable_encryption: bool,
        kms_key_id: String,
        kms_encryption_context: String,
        server_side_customer_key_secret: Option<SecretKey>,
    }
    SecretKey {
        name: String,
        key: String,
    }
    /// A location in a store that is not supported: what tells a complete one from
    /// one that Argo completes.
    Elsewhere {
        endpoint: String,
        bucket: String,
        container: String,
        addresses: List<IgnoredAny, 1024>,
        name: String,
        configuration: String,
        key: String,
        blob: String,
        path: String,
    }
    Git {
        repo: String,
        revision: String,
        branch: String,
    }
    /// Artifactory's locations have an address, too.
    Http {
        url: String,
    }
    Raw {
        data: String,
    }
}

impl Artifact {
    /// The artifact's own location, without the rest of it.
    pub(super) fn location(&self) -> Location {
        let Self { s3, git, http, raw, artifactory, hdfs, oss, gcs, azure, plugin, .. } = self.clone();
        Location { archive_logs: None, s3, git, http, raw, artifactory, hdfs, oss, gcs, azure, plugin }
    }
}
