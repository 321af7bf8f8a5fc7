"""A namespace of a scenario's own, with all that an attested step needs there."""

import copy
import uuid

from .kube import Kube
from .step import BUILDER

KEY_SECRET = "argo-attest-key"
POLICY = "argo-attest-policy"
# What Argo's own documentation asks for, and that we may read the Workflow as it is stored.
EXECUTOR = [
    {"apiGroups": ["argoproj.io"], "resources": ["workflowtaskresults"], "verbs": ["create", "patch"]},
    {"apiGroups": ["argoproj.io"], "resources": ["workflows"], "verbs": ["get"]},
]


def policy(more=""):
    """A policy that trusts this run's key, and what else the text says."""
    return (
        "apiVersion: argo-attest.io/v1\n"
        "kind: VerificationPolicy\n"
        "keys:\n- {name: ours, file: ours.pub}\n"
        f"builders:\n- {{id: \"{BUILDER}\", keys: [ours]}}\n{more}"
    )


def place(case, labels=None, key=True, expectations=""):
    """The case, in a new namespace with key, store's credentials, policy and executor's rights.

    It is removed with the case.
    """
    name = f"e2e-{uuid.uuid4().hex[:8]}"
    case.kube.call(
        "POST", "/api/v1/namespaces",
        {"apiVersion": "v1", "kind": "Namespace",
         "metadata": {"name": name, "labels": {"e2e": "argo-attest", **(labels or {})}}},
    )
    inner = copy.copy(case)
    inner.kube = Kube(case.kube.kubectl, name)
    case.later(_remove, case.kube, inner.kube)
    settings = case.settings
    names = dict(zip(settings.s3_secret_keys, (settings.s3_access_key, settings.s3_secret_key)))
    inner.kube.create_secret(settings.s3_secret, names)
    if key:
        inner.kube.create_secret(KEY_SECRET, {"attest.key": case.keys.private})
    with open(case.keys.public, encoding="ascii") as public:
        data = {"policy.yaml": policy(expectations), "ours.pub": public.read()}
    inner.kube.create(
        f"/api/v1/namespaces/{name}/configmaps",
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": POLICY}, "data": data},
    )
    role(inner, "executor", EXECUTOR)
    bind(inner, "executor", "Role", {"kind": "ServiceAccount", "name": "default", "namespace": name})
    return inner


def role(case, name, rules):
    """A Role in the case's namespace."""
    case.kube.create(
        f"/apis/rbac.authorization.k8s.io/v1/namespaces/{case.kube.namespace}/roles",
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "Role",
            "metadata": {"name": name},
            "rules": rules,
        },
    )


def bind(case, role, kind, subject, name="executor"):
    """Gives a subject a role, in the case's namespace."""
    case.kube.create(
        f"/apis/rbac.authorization.k8s.io/v1/namespaces/{case.kube.namespace}/rolebindings",
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": {"name": name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": role},
            "subjects": [subject],
        },
    )


def _remove(outer, inner):
    inner.close()
    outer.call("DELETE", f"/api/v1/namespaces/{inner.namespace}")
