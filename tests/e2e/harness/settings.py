"""What the suite is told from outside: the cluster, the store, the images."""

import os
import shlex
from dataclasses import dataclass, field


def _text(name, default=None):
    return os.environ.get(name) or default


@dataclass(frozen=True)
class Settings:
    """Every variable that the suite reads, once."""

    # An S3 endpoint as both the pods and this program reach it.
    s3_endpoint: str = field(default_factory=lambda: _text("E2E_S3_ENDPOINT"))
    s3_bucket: str = field(default_factory=lambda: _text("E2E_S3_BUCKET", "artifacts"))
    s3_access_key: str = field(default_factory=lambda: _text("AWS_ACCESS_KEY_ID"))
    s3_secret_key: str = field(default_factory=lambda: _text("AWS_SECRET_ACCESS_KEY"))
    s3_region: str = field(default_factory=lambda: _text("AWS_REGION", "us-east-1"))
    # The Secret that the controller's artifact repository names, with its two keys.
    s3_secret: str = field(default_factory=lambda: _text("E2E_S3_SECRET", "s3-credentials"))
    s3_secret_keys: tuple = field(
        default_factory=lambda: tuple(_text("E2E_S3_SECRET_KEYS", "accessKey,secretKey").split(","))
    )
    # Shell commands that take the server away and bring it back; without them the
    # scenarios that need it are skipped.
    s3_pause: str = field(default_factory=lambda: _text("E2E_S3_PAUSE"))
    s3_resume: str = field(default_factory=lambda: _text("E2E_S3_RESUME"))
    namespace: str = field(default_factory=lambda: _text("E2E_NAMESPACE", "argo"))
    # What runs in the pods of steps, and the whole program, which audits.
    image: str = field(default_factory=lambda: _text("E2E_IMAGE", "localhost/argo-attest:dev"))
    cli_image: str = field(default_factory=lambda: _text("E2E_CLI_IMAGE", "localhost/argo-attest-cli:dev"))
    # Any image with a shell and the usual small programs.
    main_image: str = field(default_factory=lambda: _text("E2E_MAIN_IMAGE", "localhost/busybox:1"))
    # One with tests/interop's registries (harness/builder.py).
    builder_image: str = field(default_factory=lambda: _text("E2E_BUILDER_IMAGE"))
    pull_policy: str = field(default_factory=lambda: _text("E2E_PULL_POLICY", "Never"))
    # Who creates the pods of workflows, as the API server knows it.
    controller: str = field(
        default_factory=lambda: _text("E2E_CONTROLLER", "system:serviceaccount:argo:argo")
    )
    # Where the controller's ConfigMap is.
    controller_namespace: str = field(default_factory=lambda: _text("E2E_CONTROLLER_NAMESPACE", "argo"))
    # What calls kubectl, where that is not plain `kubectl`.
    kubectl: tuple = field(default_factory=lambda: tuple(shlex.split(_text("E2E_KUBECTL", "kubectl"))))
    # Patience: multiplies every deadline, for slow clusters.
    patience: float = field(default_factory=lambda: float(_text("E2E_PATIENCE", "1")))
