"""Containers of our names that a template brings itself, and what AWS's webhooks add to ours:
what protect.yaml says to each.
"""

import copy

from harness.kube import ApiError
from harness.place import KEY_SECRET
from harness.pods import again, changed, container, field, mount, step_pod
from harness.scenario import scenario
from harness.step import BUILDER

from .protection import both, protected, refusal

OWN = "a template may not bring its own"


def brought(case, gate=True):
    """The pod of a template that declares both as the files of workflow-templates/ do, and
    Argo mirrors main's mounts into them and adds its own: writable.
    """
    pod = step_pod(case)
    spec = pod["spec"]
    text = next(e for e in container(pod, "init")["env"] if e["name"] == "ARGO_TEMPLATE")
    identity = [
        {"name": "ARGO_ATTEST_BUILDER_ID", "value": BUILDER},
        field("ARGO_ATTEST_POD_NAME", "metadata.name"),
        field("ARGO_ATTEST_POD_UID", "metadata.uid"),
        field("ARGO_ATTEST_POD_NAMESPACE", "metadata.namespace"),
        field("ARGO_ATTEST_SERVICE_ACCOUNT", "spec.serviceAccountName"),
        field("ARGO_ATTEST_NODE_NAME", "metadata.annotations['workflows.argoproj.io/node-name']"),
        {"name": "ARGO_ATTEST_WORKFLOW_NAME", "value": "probe"},
        {"name": "ARGO_ATTEST_WORKFLOW_UID", "value": "1"},
    ]
    confined = {"runAsUser": 0, "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"}}

    def ours(name, *mounts, **more):
        env = [*identity, {"name": "ARGO_CONTAINER_NAME", "value": name}, dict(text), {"name": "ARGO_NODE_ID", "value": "probe-1"}]
        return {"name": name, "image": case.settings.image, "env": env, "securityContext": confined, **more,
                "volumeMounts": [*mounts, mount(case.settings.s3_secret, f"/argo/secret/{case.settings.s3_secret}", readOnly=True),
                                 mount("data", "/data"), mount("var-run-argo", "/var/run/argo")]}

    if gate:
        spec["initContainers"].append(ours(
            "argo-attest-gate", mount("argo-attest-policy", "/etc/argo-attest/policy", readOnly=True),
            mount("argo-attest-evidence", "/run/argo-attest"), args=["verify-inputs"]))
    spec["initContainers"].append(ours(
        "argo-attest", mount("argo-attest-key", "/etc/argo-attest/key", readOnly=True),
        mount("argo-attest-evidence", "/run/argo-attest", readOnly=True), args=["sidecar"], restartPolicy="Always",
        lifecycle={"postStart": {"exec": {"command": ["/argo-attest", "ready", "--wait"]}}}))
    spec["volumes"] += [
        {"name": "argo-attest-key", "secret": {"secretName": KEY_SECRET, "defaultMode": 256, "optional": True}},
        {"name": "argo-attest-policy", "configMap": {"name": "argo-attest-policy", "optional": True}},
        {"name": "argo-attest-evidence", "emptyDir": {}},
        {"name": "evil", "emptyDir": {}},
    ]
    return pod


def mounts(*more, without=()):
    def change(pod):
        there = container(pod, "argo-attest")["volumeMounts"]
        there[:] = [m for m in there if m["mountPath"] not in without] + list(more)
        for m in there:
            m["readOnly"] = True

    return change


def variable(name, value, first=False):
    def change(pod):
        entries = container(pod, "argo-attest")["env"]
        entries.insert(0 if first else len(entries), {"name": name, "value": value})

    return change


def text(old, new):
    """Changes the template's text wherever the pod has it."""

    def change(pod):
        for c in pod["spec"]["initContainers"] + pod["spec"]["containers"]:
            for entry in c.get("env", []):
                if entry["name"] == "ARGO_TEMPLATE":
                    assert old in entry["value"], entry
                    entry["value"] = entry["value"].replace(old, new)

    return change


ALIASES = [{"ip": "127.0.0.1", "hostnames": ["sts.us-east-1.amazonaws.com"]}]
REFUSED = {
    "as the templates bring it": (lambda pod: None, "argo-attest-gate mounts data at /data, writable", OWN),
    "another volume where main has its own": (
        mounts(mount("evil", "/data"), without=["/data"]), "mounts evil at /data", OWN),
    "another volume where Argo has its own": (
        mounts(mount("evil", "/var/run/argo"), without=["/var/run/argo"]), "mounts evil at /var/run/argo", OWN),
    "a program over ours, by a detour": (
        mounts(mount("evil", "/argo/secret/../../argo-attest", subPath="x")), "at /argo/secret/../../argo-attest", OWN),
    "a program over ours, by another": (
        mounts(mount("evil", "/var/run/secrets/eks.amazonaws.com/../../../../argo-attest")), "mounts evil at", OWN),
    "a key over ours, by doubled slashes": (mounts(mount("evil", "//etc//argo-attest//key")), "mounts evil at", OWN),
    "a store's Secret that is another volume": (
        mounts(mount("evil", "/argo/secret/s3-credentials"), without=["/argo/secret/s3-credentials"]),
        "mounts evil at /argo/secret/s3-credentials", OWN),
    "a token file that is the key": (
        both(mounts(), variable("AWS_WEB_IDENTITY_TOKEN_FILE", "/etc/argo-attest/key/attest.key")),
        "argo-attest has AWS_WEB_IDENTITY_TOKEN_FILE", OWN),
    "an authority of its own": (
        both(mounts(), variable("SSL_CERT_FILE", "/argo/secret/s3-credentials/ca.crt")), "argo-attest has SSL_CERT_FILE", OWN),
    "a token service of its own": (
        both(mounts(), variable("AWS_ENDPOINT_URL_STS", "http://evil.example.com")), "argo-attest has AWS_ENDPOINT_URL_STS", OWN),
    "hostAliases": (lambda pod: pod["spec"].update(hostAliases=ALIASES), "may not have hostAliases"),
    "a name server": (
        lambda pod: pod["spec"].update(dnsPolicy="None", dnsConfig={"nameservers": ["10.0.0.1"]}), "dnsConfig.nameservers"),
    "a variable in the template's text": (
        both(text('"name":"build"', '"name":"build$(AWS_STS_REGIONAL_ENDPOINTS)"'),
             variable("AWS_STS_REGIONAL_ENDPOINTS", '","container":{"image":"trusted:1"},"x":"', first=True)),
        "the kubelet would expand AWS_STS_REGIONAL_ENDPOINTS"),
    "no gate": (
        lambda pod: pod["spec"]["initContainers"].remove(container(pod, "argo-attest-gate")), "no gate is there", OWN),
}


@scenario("admission/protect/brought")
def template_brings_its_own(case):
    """Refused whatever it is, each for what is wrong with it."""
    case = protected(case)
    wrong = []
    for name, (change, *reasons) in REFUSED.items():
        said = refusal(case, changed(brought(case), change)) or "admitted"
        if "argo-attest-protect-pods" not in said or not all(reason in said for reason in reasons):
            wrong.append(f"{name}: {said}, not {reasons}")
    assert not wrong, "\n".join(wrong)


def webhook(volume, path, audience, token, **variables):
    """What a webhook for workload identities adds to every container."""

    def change(pod):
        source = {"serviceAccountToken": {"audience": audience, "expirationSeconds": 86400, "path": token}}
        pod["spec"]["volumes"].append({"name": volume, "projected": {"sources": [source]}})
        for c in pod["spec"]["initContainers"] + pod["spec"]["containers"]:
            c.setdefault("env", []).extend({"name": k, "value": v} for k, v in variables.items())
            c["volumeMounts"].append(mount(volume, path, readOnly=True))

    return change


IRSA = {"AWS_STS_REGIONAL_ENDPOINTS": "regional", "AWS_DEFAULT_REGION": "eu-central-1", "AWS_REGION": "eu-central-1",
        "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/ci/attest",
        "AWS_WEB_IDENTITY_TOKEN_FILE": "/var/run/secrets/eks.amazonaws.com/serviceaccount/token"}
IRSA_AT = ("aws-iam-token", "/var/run/secrets/eks.amazonaws.com/serviceaccount", "sts.amazonaws.com", "token")
POD_IDENTITY = {
    "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.23/v1/credentials",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE":
        "/var/run/secrets/pods.eks.amazonaws.com/serviceaccount/eks-pod-identity-token"}
POD_IDENTITY_AT = ("eks-pod-identity-token", "/var/run/secrets/pods.eks.amazonaws.com/serviceaccount",
                   "pods.eks.amazonaws.com", "eks-pod-identity-token")


@scenario("admission/protect/identities")
def workload_identities(case):
    """AWS's two webhooks come after inject.yaml: what they add is known exactly, and nothing like it."""
    case = protected(case)
    admitted = again(case.kube.try_pod(step_pod(case)))
    for at, variables in ((IRSA_AT, IRSA), (POD_IDENTITY_AT, POD_IDENTITY)):
        said = refusal(case, changed(admitted, webhook(*at, **variables)))
        assert said is None, said
        others = {name: {**variables, name: "/etc/argo-attest/key/attest.key"} for name in variables}
        others["a variable more"] = {**variables, "AWS_CA_BUNDLE": "/data/ca.crt"}
        others["an endpoint"] = {**variables, "AWS_ENDPOINT_URL": "http://evil.example.com"}
        for name, values in others.items():
            said = refusal(case, changed(admitted, webhook(*at, **values))) or "admitted"
            assert "argo-attest-protect-pods" in said, f"{name}: {said}"
        volume, path, audience, token = at
        for elsewhere in ((volume, "/argo-attest", audience, token), (volume, path, "evil", token),
                          (volume, path + "/..", audience, token), (volume, path, audience, "other")):
            said = refusal(case, changed(admitted, webhook(*elsewhere, **variables))) or "admitted"
            assert "argo-attest-protect-pods" in said, f"{elsewhere}: {said}"


# Where main mounts a volume: whether it is mirrored into our containers.
PATHS = {
    "/data": True, "/data/": True, "//data//x": True, "/srv/./x": True, "/tmp": True, "/dev/shm": True, "/dev/shm/x": True,
    "/run/x": True, "/etc/app": True, "/var/lib/x": True, "/var/run/x": True, "/opt/argo-attest": True, "/argo-attested": True,
    "/argo/staging": True, "/home/.config": True, "/...": True,
    "/": False, "/.": False, "//": False, "/argo-attest": False, "//argo-attest": False, "/./argo-attest/": False,
    "/argo-attest/x": False, "/data/../argo-attest": False, "/data/..": False, "/etc": False, "/etc/": False, "/etc/.": False,
    "/etc/argo-attest": False, "/etc//argo-attest/key": False, "/etc/./argo-attest/policy": False, "/etc/argo-attest/more": False,
    "/etc/ssl": False, "/etc/ssl/certs": False, "//etc/ssl/certs/ca-certificates.crt": False, "/etc/hosts": False,
    "/etc/resolv.conf": False, "/run": False, "/run/.": False, "/run/argo-attest": False, "/run//argo-attest/x": False,
    "/dev": False, "/dev/null": False, "/proc": False, "/proc/1": False, "/sys/fs": False, "/argo": False, "/argo/secret": False,
    "/argo/secret/x": False, "/argo//config": False, "/var": False, "/var/run": False, "/var/run/secrets": False,
    "/var/run/./secrets/kubernetes.io": False,
}


@scenario("admission/inject/mounts")
def mirrored(case):
    """Main's mounts are mirrored wherever that is safe, by where their paths lead; and admitted."""
    case = protected(case)
    wrong = []
    for path, wanted in PATHS.items():
        pod = step_pod(case)
        container(pod, "main")["volumeMounts"].append(mount("more", path))
        pod["spec"]["volumes"].append({"name": "more", "emptyDir": {}})
        try:
            admitted = case.kube.try_pod(copy.deepcopy(pod))
        except ApiError as error:
            # Two volumes at one path are no pod.
            if "must be unique" not in str(error):
                wrong.append(f"{path}: {error}")
            continue
        for name in ("argo-attest", "argo-attest-gate"):
            found = [m for m in container(admitted, name)["volumeMounts"] if m["name"] == "more"]
            if [m["mountPath"] for m in found] != ([path] if wanted else []) or not all(m["readOnly"] for m in found):
                wrong.append(f"{path}: {name} mounts {found}")
    assert not wrong, "\n".join(wrong)
    # One within another, in whatever order and spelling: the outer is writable, or the kubelet
    # could make no place for the inner.
    for outer, inner, writable in (("/a", "/a/b", True), ("//a/", "/a/./b/c", True), ("/a", "/ab", False), ("/a/b", "/a", None)):
        for first, second in ((outer, inner), (inner, outer)):
            pod = step_pod(case)
            container(pod, "main")["volumeMounts"] += [mount("data", first), mount("more", second)]
            pod["spec"]["volumes"].append({"name": "more", "emptyDir": {}})
            at = {m["mountPath"]: m for m in container(case.kube.try_pod(pod), "argo-attest")["volumeMounts"]}
            found = not at[outer].get("readOnly", False)
            assert found == bool(writable) and bool(at[inner].get("readOnly")) == (writable is not None), f"{outer}, {inner}: {at}"
