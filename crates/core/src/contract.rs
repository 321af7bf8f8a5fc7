//! What a pod and our containers have agreed on: names of variables, containers, volumes and
//! annotations, and places in the file system. Each is written here and nowhere else; the
//! command line, `inject` and the tests of `workflow-templates` read it.

/// Variables of our containers.
pub mod variable {
    /// Declares them, each once, and lists them all.
    macro_rules! variables {
        ($($(#[$doc:meta])* $name:ident = $value:literal;)*) => {
            $($(#[$doc])* pub const $name: &str = $value;)*

            /// All of them.
            pub const ALL_VARIABLES: &[&str] = &[$($value),*];
        };
    }

    variables! {
        /// Every output is to be attested, whether its template asks or not.
        ALL = "ARGO_ATTEST_ALL";
        /// Whether an audit says on workflows what it found.
        ANNOTATE = "ARGO_ATTEST_ANNOTATE";
        /// Where Argo's own volume is mounted.
        ARGO_DIR = "ARGO_ATTEST_ARGO_DIR";
        /// The pod's annotation [`ATTEST`](super::annotation::ATTEST).
        ASKED_ATTEST = "ARGO_ATTEST_ASKED_ATTEST";
        /// The pod's annotation [`VERIFY_INPUTS`](super::annotation::VERIFY_INPUTS).
        ASKED_VERIFY_INPUTS = "ARGO_ATTEST_ASKED_VERIFY_INPUTS";
        /// The pod's annotation [`VERIFY_IMAGES`](super::annotation::VERIFY_IMAGES).
        ASKED_VERIFY_IMAGES = "ARGO_ATTEST_ASKED_VERIFY_IMAGES";
        /// Where the attestations of a step's outputs lie.
        ATTESTATIONS = "ARGO_ATTEST_ATTESTATIONS";
        /// What a step that failed left is to be attested, too.
        ATTEST_FAILED = "ARGO_ATTEST_ATTEST_FAILED";
        /// Who builds, a URI.
        BUILDER_ID = "ARGO_ATTEST_BUILDER_ID";
        /// A file that holds the attestation.
        BUNDLE = "ARGO_ATTEST_BUNDLE";
        /// Inputs are followed to what they were made of.
        CHAIN = "ARGO_ATTEST_CHAIN";
        /// Authorities that stores' certificates are checked by.
        CA = "ARGO_ATTEST_CA";
        /// The identity that a certificate has to be for.
        CERTIFICATE_IDENTITY = "ARGO_ATTEST_CERTIFICATE_IDENTITY";
        /// Who has to have vouched for that identity.
        CERTIFICATE_OIDC_ISSUER = "ARGO_ATTEST_CERTIFICATE_OIDC_ISSUER";
        /// Which steps the gate checks.
        CHECK = "ARGO_ATTEST_CHECK";
        /// Of which steps the gate checks the images of the containers.
        CHECK_IMAGES = "ARGO_ATTEST_CHECK_IMAGES";
        /// Whether an image's attestation goes under a tag, too.
        COSIGN_TAG = "ARGO_ATTEST_COSIGN_TAG";
        /// What CPU our containers may have at most.
        CPU_LIMIT = "ARGO_ATTEST_CPU_LIMIT";
        /// What CPU our containers ask for.
        CPU_REQUEST = "ARGO_ATTEST_CPU_REQUEST";
        /// Where the gate leaves what it found.
        EVIDENCE = "ARGO_ATTEST_EVIDENCE";
        /// A file with workflows.
        FILE = "ARGO_ATTEST_FILE";
        /// Who gives certificates for identity tokens.
        FULCIO_URL = "ARGO_ATTEST_FULCIO_URL";
        /// The pod's grace period, in seconds.
        GRACE_PERIOD = "ARGO_ATTEST_GRACE_PERIOD";
        /// Where the page of an audit is written.
        HTML = "ARGO_ATTEST_HTML";
        /// The file of the identity token.
        IDENTITY_TOKEN = "ARGO_ATTEST_IDENTITY_TOKEN";
        /// The image of our containers.
        IMAGE = "ARGO_ATTEST_IMAGE";
        /// When that image is pulled.
        IMAGE_PULL_POLICY = "ARGO_ATTEST_IMAGE_PULL_POLICY";
        /// Secrets for pulling that image.
        IMAGE_PULL_SECRET = "ARGO_ATTEST_IMAGE_PULL_SECRET";
        /// The step's parameters, as Argo writes them.
        INPUT_PARAMETERS = "ARGO_ATTEST_INPUT_PARAMETERS";
        /// Output for programs.
        JSON = "ARGO_ATTEST_JSON";
        /// Where the private key is.
        KEY = "ARGO_ATTEST_KEY";
        /// What the key has to be called.
        KEY_ID = "ARGO_ATTEST_KEY_ID";
        /// Where an encrypted key's password is.
        KEY_PASSWORD_FILE = "ARGO_ATTEST_KEY_PASSWORD_FILE";
        /// Variables by which the service is reached that has the key.
        KEY_VARIABLE = "ARGO_ATTEST_KEY_VARIABLE";
        /// The Secret that holds the key.
        KEY_SECRET = "ARGO_ATTEST_KEY_SECRET";
        /// What is logged.
        LOG = "ARGO_ATTEST_LOG";
        /// What becomes of an attestation for which a log or a timestamp authority does not vouch.
        LOG_FAILURE = "ARGO_ATTEST_LOG_FAILURE";
        /// What memory our containers may have at most.
        MEMORY_LIMIT = "ARGO_ATTEST_MEMORY_LIMIT";
        /// What memory our containers ask for.
        MEMORY_REQUEST = "ARGO_ATTEST_MEMORY_REQUEST";
        /// Where an audit's numbers are written.
        METRICS_FILE = "ARGO_ATTEST_METRICS_FILE";
        /// Where metrics are served.
        METRICS_LISTEN = "ARGO_ATTEST_METRICS_LISTEN";
        /// How the sidecar is started.
        MODE = "ARGO_ATTEST_MODE";
        /// The namespace of a Secret that is printed.
        NAMESPACE = "ARGO_ATTEST_NAMESPACE";
        /// A key may be made where nobody watches.
        NEW_KEY = "ARGO_ATTEST_NEW_KEY";
        /// Argo's id of the node.
        NODE_ID = "ARGO_ATTEST_NODE_ID";
        /// The node's name.
        NODE_NAME = "ARGO_ATTEST_NODE_NAME";
        /// Names of files that nobody attests.
        NOT_OURS = "ARGO_ATTEST_NOT_OURS";
        /// What becomes of a step that cannot be attested.
        NOT_READY = "ARGO_ATTEST_NOT_READY";
        /// Where spans are sent.
        OTLP_ENDPOINT = "ARGO_ATTEST_OTLP_ENDPOINT";
        /// Where new keys are put.
        OUT_DIR = "ARGO_ATTEST_OUT_DIR";
        /// A step's signed outcome to verify.
        OUTCOME = "ARGO_ATTEST_OUTCOME";
        /// In which form answers are told.
        OUTPUT = "ARGO_ATTEST_OUTPUT";
        /// What is attested, of a command's.
        OUTPUTS = "ARGO_ATTEST_OUTPUTS";
        /// Whether registries are asked without TLS.
        PLAIN_HTTP = "ARGO_ATTEST_PLAIN_HTTP";
        /// Which image of an index is meant.
        PLATFORM = "ARGO_ATTEST_PLATFORM";
        /// The pod's name.
        POD_NAME = "ARGO_ATTEST_POD_NAME";
        /// The pod's namespace.
        POD_NAMESPACE = "ARGO_ATTEST_POD_NAMESPACE";
        /// The pod's spec, as the admission policy writes it.
        POD_SPEC = "ARGO_ATTEST_POD_SPEC";
        /// The pod's UID.
        POD_UID = "ARGO_ATTEST_POD_UID";
        /// Where the policy is.
        POLICY = "ARGO_ATTEST_POLICY";
        /// The `ConfigMap` that holds the policy.
        POLICY_CONFIGMAP = "ARGO_ATTEST_POLICY_CONFIGMAP";
        /// The type of the claim to verify.
        PREDICATE_TYPE = "ARGO_ATTEST_PREDICATE_TYPE";
        /// Where the public key is.
        PUBLIC_KEY = "ARGO_ATTEST_PUBLIC_KEY";
        /// Only what went wrong is told.
        QUIET = "ARGO_ATTEST_QUIET";
        /// How long main is held.
        READY_TIMEOUT = "ARGO_ATTEST_READY_TIMEOUT";
        /// Where an audit's report is written.
        REPORT = "ARGO_ATTEST_REPORT";
        /// Where an audit's report will be found.
        REPORT_URL = "ARGO_ATTEST_REPORT_URL";
        /// Registries that are asked for what a chain names.
        REGISTRY = "ARGO_ATTEST_REGISTRY";
        /// The transparency log that is to hold what is signed.
        REKOR_URL = "ARGO_ATTEST_REKOR_URL";
        /// How that log is spoken with.
        REKOR_VERSION = "ARGO_ATTEST_REKOR_VERSION";
        /// The Secret with logins to registries.
        REGISTRY_SECRET = "ARGO_ATTEST_REGISTRY_SECRET";
        /// What the audit is called that several do together.
        RUN_ID = "ARGO_ATTEST_RUN_ID";
        /// As which user our containers run.
        RUN_AS_USER = "ARGO_ATTEST_RUN_AS_USER";
        /// Where the stores' Secrets are mounted.
        SECRETS_DIR = "ARGO_ATTEST_SECRETS_DIR";
        /// The name of a Secret that is printed.
        SECRET_NAME = "ARGO_ATTEST_SECRET_NAME";
        /// The pod's service account.
        SERVICE_ACCOUNT = "ARGO_ATTEST_SERVICE_ACCOUNT";
        /// Labels by which workflows are chosen.
        SELECTOR = "ARGO_ATTEST_SELECTOR";
        /// Which part of an audit is done.
        SHARD = "ARGO_ATTEST_SHARD";
        /// Since when something has to have changed to be audited.
        SINCE = "ARGO_ATTEST_SINCE";
        /// The key of a service that signs, in place of a Secret's.
        SERVICE_KEY = "ARGO_ATTEST_SERVICE_KEY";
        /// Where a token for the API server is mounted.
        SERVICE_ACCOUNT_DIR = "ARGO_ATTEST_SERVICE_ACCOUNT_DIR";
        /// Where attestations are put.
        STORE = "ARGO_ATTEST_STORE";
        /// Secrets with the stores' credentials.
        STORE_SECRET = "ARGO_ATTEST_STORE_SECRET";
        /// A newer attestation takes the place of the one that is there.
        SUPERSEDE = "ARGO_ATTEST_SUPERSEDE";
        /// Where the signed report of an audit is written.
        SIGNED_REPORT = "ARGO_ATTEST_SIGNED_REPORT";
        /// With what the template must have been compared.
        TEMPLATE_SOURCE = "ARGO_ATTEST_TEMPLATE_SOURCE";
        /// Where the termination message is written.
        TERMINATION_LOG = "ARGO_ATTEST_TERMINATION_LOG";
        /// The timestamp authority that is to have seen what is signed.
        TIMESTAMP_URL = "ARGO_ATTEST_TIMESTAMP_URL";
        /// For whom the identity token has to be.
        TOKEN_AUDIENCE = "ARGO_ATTEST_TOKEN_AUDIENCE";
        /// Whom to believe about logs, times and identities.
        TRUSTED_ROOT = "ARGO_ATTEST_TRUSTED_ROOT";
        /// The `ConfigMap` that holds the sidecar's trusted root.
        TRUSTED_ROOT_CONFIGMAP = "ARGO_ATTEST_TRUSTED_ROOT_CONFIGMAP";
        /// What kind of key is made.
        TYPE = "ARGO_ATTEST_TYPE";
        /// Where the summary of a verification is written.
        VSA = "ARGO_ATTEST_VSA";
        /// The verifier's own private key.
        VSA_KEY = "ARGO_ATTEST_VSA_KEY";
        /// What the artifact is called in the summary.
        VSA_RESOURCE_URI = "ARGO_ATTEST_VSA_RESOURCE_URI";
        /// Under which id the verifier is known.
        VSA_VERIFIER_ID = "ARGO_ATTEST_VSA_VERIFIER_ID";
        /// How long is waited.
        WAIT = "ARGO_ATTEST_WAIT";
        /// The Workflow's name.
        WORKFLOW_NAME = "ARGO_ATTEST_WORKFLOW_NAME";
        /// The Workflow's UID.
        WORKFLOW_UID = "ARGO_ATTEST_WORKFLOW_UID";
    }
}

/// Variables that all of OpenTelemetry's exporters take, and so do our containers
/// (<https://opentelemetry.io/docs/specs/otel/protocol/exporter/>).
pub mod opentelemetry {
    /// Where all signals are sent.
    pub const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
    /// Where traces are sent, all of the address.
    pub const TRACES_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
    /// In which form.
    pub const PROTOCOL: &str = "OTEL_EXPORTER_OTLP_PROTOCOL";
    /// In which form traces are.
    pub const TRACES_PROTOCOL: &str = "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL";
    /// What is sent along, often a secret.
    pub const HEADERS: &str = "OTEL_EXPORTER_OTLP_HEADERS";
    /// What is sent along with traces.
    pub const TRACES_HEADERS: &str = "OTEL_EXPORTER_OTLP_TRACES_HEADERS";
    /// Whom to believe over TLS, a file.
    pub const CERTIFICATE: &str = "OTEL_EXPORTER_OTLP_CERTIFICATE";
    /// Whom to believe about traces.
    pub const TRACES_CERTIFICATE: &str = "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE";
    /// Who sends.
    pub const RESOURCE_ATTRIBUTES: &str = "OTEL_RESOURCE_ATTRIBUTES";
    /// What that is called.
    pub const SERVICE_NAME: &str = "OTEL_SERVICE_NAME";
    /// `true` where nothing is sent.
    pub const SDK_DISABLED: &str = "OTEL_SDK_DISABLED";
    /// `none` where no traces are.
    pub const TRACES_EXPORTER: &str = "OTEL_TRACES_EXPORTER";
    /// The span that asked for the work, by W3C Trace Context. Argo 4.1 and later set it.
    pub const TRACEPARENT: &str = "TRACEPARENT";
}

/// Annotations: of templates, and so of pods; and of pods alone.
pub mod annotation {
    /// What every annotation of ours begins with.
    pub const PREFIX: &str = "argo-attest.io/";
    /// On a template: its outputs are to be attested if this is `"true"`.
    pub const ATTEST: &str = "argo-attest.io/attest";
    /// On a template: `"true"` asks for its inputs to be checked, `"false"` to leave it.
    pub const VERIFY_INPUTS: &str = "argo-attest.io/verify-inputs";
    /// On a template: `"true"` asks for the images of its containers to be checked, `"false"` to
    /// leave it.
    pub const VERIFY_IMAGES: &str = "argo-attest.io/verify-images";
    /// On a template: images that its step pushes, as `registry/repository:tag`, several by commas.
    pub const IMAGES: &str = "argo-attest.io/images";
    /// On a template: files of its outputs that say something of the others, as `output=type`.
    pub const PREDICATES: &str = "argo-attest.io/predicates";
    /// On a template: `"beside"` or `"apart"`, where the attestations of its outputs lie.
    pub const PLACE: &str = "argo-attest.io/place-attestations";
    /// On a Workflow: in a word and counts what an audit found of it.
    pub const AUDIT: &str = "argo-attest.io/audit";
    /// On a Workflow: where the audit's report is.
    pub const AUDIT_REPORT: &str = "argo-attest.io/audit-report";
    /// On a pod: in one word what became of the step.
    pub const STATE: &str = "argo-attest.io/state";
    /// On a pod: how many outputs are attested, of how many.
    pub const ATTESTED: &str = "argo-attest.io/attested";
    /// On a pod: the attested outputs' digests, by name.
    pub const DIGESTS: &str = "argo-attest.io/digests";
    /// On a pod: the attestations' URIs, by the outputs' names.
    pub const ATTESTATIONS: &str = "argo-attest.io/attestations";
}

/// Names in an artifact's bucket.
pub mod store {
    /// What the keys of attestations begin with that are kept apart from their artifacts.
    pub const APART: &str = ".attestations/";
    /// What the name of a step's signed outcome begins with; the pod's UID follows.
    pub const OUTCOME: &str = "argo-attest-outcome-";
}

/// Our containers.
pub mod container {
    /// The one that attests.
    pub const SIDECAR: &str = "argo-attest";
    /// The one that checks the inputs.
    pub const GATE: &str = "argo-attest-gate";
    /// The one that fails a step that cannot be attested.
    pub const CHECK: &str = "argo-attest-check";
}

/// Volumes that only our containers mount, and objects that they are made of.
pub mod volume {
    /// The private key.
    pub const KEY: &str = "argo-attest-key";
    /// The policy.
    pub const POLICY: &str = "argo-attest-policy";
    /// What the gate found.
    pub const EVIDENCE: &str = "argo-attest-evidence";
    /// Authorities that stores' certificates are checked by.
    pub const AUTHORITIES: &str = "argo-attest-ca";
    /// Logins to registries.
    pub const REGISTRY: &str = "argo-attest-registry";
    /// The trusted root by which the sidecar judges logs and timestamp authorities.
    pub const TRUST: &str = "argo-attest-trust";
    /// The pod's token for Fulcio.
    pub const IDENTITY: &str = "argo-attest-identity";
    /// The store's credentials. Not named like the Secret: such a volume is one that Argo
    /// itself may add to the pod.
    pub const STORE: &str = "argo-attest-store";
}

/// Places in a container's file system.
pub mod place {
    /// The program in the image.
    pub const PROGRAM: &str = "/argo-attest";
    /// What is configured lies below.
    pub const CONFIGURATION: &str = "/etc/argo-attest";
    /// The folder of the private key.
    pub const KEY: &str = "/etc/argo-attest/key";
    /// The private key.
    pub const KEY_FILE: &str = "/etc/argo-attest/key/attest.key";
    /// The folder of the policy.
    pub const POLICY: &str = "/etc/argo-attest/policy";
    /// The policy.
    pub const POLICY_FILE: &str = "/etc/argo-attest/policy/policy.yaml";
    /// The folder of authorities that stores' certificates are checked by.
    pub const AUTHORITIES: &str = "/etc/argo-attest/ca";
    /// The folder of logins to registries, which `DOCKER_CONFIG` names.
    pub const REGISTRY: &str = "/etc/argo-attest/registry";
    /// The folder of the sidecar's trusted root.
    pub const TRUST: &str = "/etc/argo-attest/trust";
    /// The sidecar's trusted root.
    pub const TRUSTED_ROOT_FILE: &str = "/etc/argo-attest/trust/trusted_root.json";
    /// The folder of the pod's token for Fulcio.
    pub const IDENTITY: &str = "/etc/argo-attest/identity";
    /// That token.
    pub const IDENTITY_TOKEN: &str = "/etc/argo-attest/identity/token";
    /// What the gate found.
    pub const EVIDENCE: &str = "/run/argo-attest";
    /// What the sidecar says of itself, to a check in another container; a file beside what the
    /// gate found.
    pub const STATE_NAME: &str = "sidecar.json";
    /// Where Argo mounts the stores' Secrets, each in a folder of its name
    /// (`common.SecretVolMountPath` in Argo's workflow/common/common.go).
    pub const STORE_SECRETS: &str = "/argo/secret";
    /// Argo's own volume (`VarRunArgoPath`, there).
    pub const ARGO: &str = "/var/run/argo";
    /// Where the kubelet takes a termination message from.
    pub const TERMINATION_LOG: &str = "/dev/termination-log";
    /// Where the admission policy mounts a token for the API server.
    pub const API_TOKEN: &str = "/etc/argo-attest/api";
    /// Where the kubelet mounts a service account's token, authority and namespace.
    pub const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
}
