"""protect.yaml is an allow-list: every field that the API server knows of a pod and of our
containers is changed, one at a time. The list is the server's own, so that a field of
tomorrow is tried too, and refused unless somebody has thought about it.
"""

import copy
import json

from harness.kube import ApiError
from harness.pods import again, changed, container, step_pod
from harness.scenario import scenario

from .protection import both, protected

CORE = "io.k8s.api.core.v1."
# What may differ in a pod that holds the key, and why it cannot reach it.
POD_MAY = {
    "activeDeadlineSeconds", "automountServiceAccountToken", "enableServiceLinks", "hostUsers",
    "imagePullSecrets", "nodeName", "priority", "priorityClassName", "preemptionPolicy", "readinessGates",
    "schedulerName", "schedulingGates",  # when, where and as which account it runs
    "affinity", "nodeSelector", "tolerations", "topologySpreadConstraints", "overhead", "runtimeClassName",
    "resourceClaims", "resources", "serviceAccountName", "serviceAccount",
    "dnsPolicy", "restartPolicy",  # of values that Kubernetes has, not of servers
    "containers", "initContainers", "volumes",  # by fields of their own, and in protection.py
    "securityContext", "dnsConfig",  # below
}
SECURITY_MAY = {
    "appArmorProfile", "fsGroup", "fsGroupChangePolicy", "runAsGroup", "runAsNonRoot", "runAsUser",
    "seLinuxChangePolicy", "seLinuxOptions", "seccompProfile", "supplementalGroups", "supplementalGroupsPolicy",
}
OURS = ("argo-attest", "argo-attest-gate")
# Where any value will not do.
VALUES = {
    "mountPath": "/another", "devicePath": "/dev/xvda", "workingDir": "/data", "protocol": "TCP", "ip": "10.0.0.1",
    "containerPort": 8080, "terminationMessagePath": "/data/log", "terminationMessagePolicy": "FallbackToLogsOnError",
    "procMount": "Unmasked", "restartPolicy": "Never", "recursiveReadOnly": "IfPossible", "mountPropagation": "HostToContainer",
    "nameservers": ["10.0.0.1"], "searches": ["evil.example.com"], "hostname": "evil", "subdomain": "evil",
    "hostnameOverride": "evil", "stopSignal": "SIGUSR1", "os": {"name": "linux"}, "imagePullPolicy": "Never",
    "resizePolicy": [{"resourceName": "cpu", "restartPolicy": "RestartContainer"}], "volumeMounts": [{"name": "data", "mountPath": "/more"}],
    "resources": {"limits": {"example.com/gpu": "1"}, "requests": {"example.com/gpu": "1"}},
    "configMapKeyRef": {"name": "x", "key": "x"}, "secretKeyRef": {"name": "x", "key": "x"}, "fieldRef": {"fieldPath": "metadata.uid"},
    "resourceFieldRef": {"resource": "limits.memory"}, "fileKeyRef": {"volumeName": "data", "path": "x", "key": "x"},
    "readOnly": False, "drop": [], "subPathExpr": "$(ARGO_NODE_ID)", "type": "RuntimeDefault", "path": "x", "port": 80,
}


class Schema:
    """The API server's own description of its core types."""

    def __init__(self, kube):
        self.types = kube.call("GET", "/openapi/v3/api/v1")["components"]["schemas"]

    def fields(self, kind):
        return sorted(self.types[CORE + kind]["properties"])

    def value(self, kind, name, depth=0):
        """A value of the field's type."""
        return self._of(self.types[CORE + kind]["properties"][name], name, depth)

    def _of(self, shape, name, depth):
        for part in shape.get("allOf", []):
            shape = {**shape, **part}
        if name in VALUES:
            return copy.deepcopy(VALUES[name])
        if "$ref" in shape:
            target = shape["$ref"].rpartition("/")[2]
            if target.endswith("Quantity"):
                return "1"
            if target.endswith("IntOrString"):
                return 80
            return self._whole(self.types[target], depth + 1)
        kind = shape.get("type")
        if kind == "array":
            return [self._of(shape["items"], name + "[]", depth + 1)]
        if kind == "object":
            return self._whole(shape, depth + 1) if "properties" in shape else {"x": "x"}
        return {"integer": 1, "boolean": True}.get(kind, "x")

    def _whole(self, shape, depth):
        properties = shape.get("properties", {})
        wanted = shape.get("required") or ([next(iter(properties))] if properties and depth < 4 else [])
        return {name: self._of(properties[name], name, depth) for name in wanted}


def put(*path):
    """A change that sets the last of a path within the pod; lists are added to."""
    *steps, last, value = path

    def change(pod):
        at = pod
        for step in steps:
            at = step(at) if callable(step) else at.setdefault(step, {})
        there = at.get(last) if isinstance(at, dict) else None
        at[last] = [*there, *value] if isinstance(there, list) and isinstance(value, list) and value and last != "args" else value

    return change


def ours(name):
    return lambda pod: container(pod, name)


def variants(schema):
    """Every change, by its name; and whether it may pass."""
    for name in schema.fields("PodSpec"):
        if name not in POD_MAY:
            yield f"spec.{name}", put("spec", name, schema.value("PodSpec", name)), False
    for name in schema.fields("PodSecurityContext"):
        value = schema.value("PodSecurityContext", name)
        if name not in SECURITY_MAY:
            yield f"spec.securityContext.{name}", put("spec", "securityContext", name, value), False
    for name in schema.fields("PodDNSConfig"):
        value = [{"name": "ndots", "value": "2"}] if name == "options" else schema.value("PodDNSConfig", name)
        yield f"spec.dnsConfig.{name}", put("spec", "dnsConfig", name, value), name == "options"
    for whose in OURS:
        yield from of_container(schema, whose)


def of_container(schema, whose):
    find = ours(whose)
    for name in schema.fields("Container"):
        # A name of another's is another container: protection.py.
        if name != "name":
            yield f"{whose}.{name}", put(find, name, schema.value("Container", name)), False
    for name in schema.fields("SecurityContext"):
        value = schema.value("SecurityContext", name)
        # Each differs from what inject.yaml writes.
        value = {"allowPrivilegeEscalation": True, "readOnlyRootFilesystem": False, "runAsUser": 4711,
                 "capabilities": {"add": ["NET_RAW"], "drop": ["ALL"]}, "seccompProfile": {"type": "Unconfined"}}.get(name, value)
        change = put(find, "securityContext", name, value)
        if name == "privileged":
            change = both(change, put(find, "securityContext", "allowPrivilegeEscalation", True))
        yield f"{whose}.securityContext.{name}", change, False
    for name in schema.fields("Lifecycle"):
        value = schema.value("Lifecycle", name)
        value = value if isinstance(value, str) else {"exec": {"command": ["/argo-attest", "attest", "s3://b/k"]}}
        yield f"{whose}.lifecycle.{name}", put(find, "lifecycle", name, value), False
    claim = put("spec", "resourceClaims", [{"name": "gpu", "resourceClaimName": "gpu"}])
    yield f"{whose}.resources.claims", both(claim, put(find, "resources", "claims", [{"name": "gpu"}])), False
    for name in schema.fields("VolumeMount"):
        value = schema.value("VolumeMount", name)
        value = "input-artifacts" if name == "name" else value
        yield f"{whose}.volumeMounts.{name}", put(find, "volumeMounts", mounted("data"), name, value), False
    for name in schema.fields("EnvVarSource"):
        source = schema.value("EnvVarSource", name)
        yield f"{whose}.env.{name}", put(find, "env", [{"name": "MORE", "valueFrom": {name: source}}]), False


def mounted(name):
    return lambda mounts: next(m for m in mounts if m["name"] == name)


@scenario("admission/protect/fields")
def fields(case):
    """Field by field; and those that may differ do pass."""
    case = protected(case)
    admitted = again(case.kube.try_pod(step_pod(case)))
    as_it_is = case.kube.try_pod(admitted)["spec"]
    tried, by_us, dropped, wrong = 0, 0, [], []
    for name, change, may in variants(Schema(case.kube)):
        pod = changed(admitted, change)
        assert json.dumps(pod) != json.dumps(admitted), f"{name}: nothing was changed"
        tried += 1
        try:
            found = case.kube.try_pod(pod)["spec"]
        except ApiError as error:
            by_us += "argo-attest-protect-pods" in str(error)
            if may:
                wrong.append(f"{name}: {error}")
            continue
        if found == as_it_is:
            # A field behind a feature gate that is off: the server forgets it.
            dropped.append(name)
        elif not may:
            wrong.append(f"{name}: admitted")
    assert not wrong, "\n".join(wrong)
    assert by_us >= 100 and len(dropped) < 10, f"{by_us} of {tried} were judged by the policy, {dropped} forgotten"
    case.note(f"{tried} changes: {by_us} refused by the policy; forgotten by the server: {', '.join(dropped) or 'none'}")
