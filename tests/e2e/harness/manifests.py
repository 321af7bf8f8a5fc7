"""The files of workflow-templates/, as a user applies them.

What a user changes is replaced as text, as README.md there says: the images and
the builder id; and, for the suite, main's image, the namespace and the
controller's user.
"""

import os
import re

from .scenario import Skip
from .step import BUILDER
from .waiting import wait_for

FOLDER = os.path.join(os.path.dirname(__file__), "..", "..", "..", "workflow-templates")
IMAGE = "localhost/argo-attest:dev"
CLI_IMAGE = "localhost/argo-attest-cli:dev"
BUILDER_ID = "https://ci.example.com/argo"
MAIN_IMAGE = "busybox:1.37"
STORE_SECRET = "s3-credentials"
CONTROLLER = "system:serviceaccount:argo:argo"


def manifest(case, name):
    """The text of a file, for the case's cluster and namespace."""
    settings = case.settings
    with open(os.path.join(FOLDER, name), encoding="utf-8") as file:
        text = file.read()
    text = text.replace(IMAGE, settings.image).replace(CLI_IMAGE, settings.cli_image).replace(BUILDER_ID, BUILDER)
    text = text.replace(MAIN_IMAGE, settings.main_image).replace(STORE_SECRET, settings.s3_secret)
    text = text.replace(CONTROLLER, settings.controller)
    return re.sub(r"namespace: argo(?![-\w])", f"namespace: {case.kube.namespace}", text)


def apply(case, name, change=None):
    """Applies a file, perhaps with other settings; it is removed with the case."""
    text = manifest(case, name)
    text = change(text) if change else text
    case.kube.apply(text)
    case.later(case.kube.unapply, text)


def admission(case, *names, effective, change=None, everywhere=False):
    """Applies admission policies, and waits until the API server heeds them.

    For the case's namespace, so that others see nothing of it; or as the files are, for the
    whole cluster, in scenarios that run alone.
    """
    code, said = case.kube.ask("api-resources", "--api-group=admissionregistration.k8s.io", "-o", "name")
    if code != 0 or "mutatingadmissionpolicies" not in said:
        raise Skip("needs MutatingAdmissionPolicy: Kubernetes 1.36")
    found, _ = case.kube.ask("get", "mutatingadmissionpolicy", "argo-attest-inject")
    if found == 0:
        raise Skip("argo-attest-inject is there already: kubectl delete -f workflow-templates/admission")

    def changed(text):
        text = change(text) if change else text
        return text if everywhere else within(case.kube.namespace, text)

    for name in names:
        apply(case, f"admission/{name}.yaml", changed)
    wait_for(f"admission policies {names}", 30 * case.settings.patience, effective, 0.3)


def within(namespace, text):
    """The same policies under names of their own, for what is in this namespace."""
    selector = f"namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: {namespace}}}}}"
    text, count = re.subn(r"^(  matchConstraints:\n)", rf"\1    {selector}\n", text, flags=re.MULTILINE)
    assert count
    named = r"((?:name|policyName): argo-attest-(?:inject|protect-\w+))\b(?!-)"
    return re.sub(named, rf"\1-{namespace}", text)
