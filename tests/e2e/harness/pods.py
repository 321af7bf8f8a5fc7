"""A step's pod as Argo's controller makes it, for what needs no run: admission is asked
about it and about what others would make of it.
"""

import copy
import json

from .step import OPT_IN, shell

WORKFLOW, NODE = "probe", "probe-1"
TEMPLATE = {
    "name": "build",
    "inputs": {"artifacts": [{"name": "src", "path": "/data/src", "s3": {"key": "sources/src"}}]},
    "outputs": {"artifacts": [{"name": "app", "path": "/data/app", "archive": {"none": {}}}]},
    "metadata": {"annotations": dict(OPT_IN)},
}


def field(name, path):
    return {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}


def mount(name, path, **more):
    return {"name": name, "mountPath": path, **more}


def step_pod(case, annotations=OPT_IN, inputs=True, name="build", **template):
    """With our annotation and an input artifact, and nothing of ours."""
    main = {**shell(case.settings, "true"), "volumeMounts": [mount("data", "/data")]}
    whole = {**TEMPLATE, "container": {"name": "", "resources": {}, **main}, **template}
    if not inputs:
        whole["inputs"] = {}
    text = json.dumps(whole, separators=(",", ":"))
    argo = mount("var-run-argo", "/var/run/argo")
    secret = case.settings.s3_secret
    store = mount(secret, f"/argo/secret/{secret}", readOnly=True)
    staging = [mount("input-artifacts", "/argo/inputs/artifacts")] if inputs else []
    mirrored = mount("data", "/mainctrfs/data")

    def executor(name, mounts):
        return {
            "name": name,
            "image": "argoexec:1",
            "command": ["argoexec", name],
            "env": [
                field("ARGO_POD_NAME", "metadata.name"),
                *({"name": key, "value": value} for key, value in {
                    "ARGO_WORKFLOW_NAME": WORKFLOW, "ARGO_WORKFLOW_UID": "1", "ARGO_CONTAINER_NAME": name,
                    "ARGO_TEMPLATE": text, "ARGO_NODE_ID": NODE, "ARGO_INCLUDE_SCRIPT_OUTPUT": "false",
                    "ARGO_DEADLINE": "0001-01-01T00:00:00Z",
                }.items()),
            ],
            "volumeMounts": mounts,
        }

    owner = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "name": WORKFLOW, "uid": "1"}
    names = {"workflows.argoproj.io/node-id": NODE, "workflows.argoproj.io/node-name": WORKFLOW}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "labels": {"workflows.argoproj.io/workflow": WORKFLOW},
            "annotations": {**(annotations or {}), **names},
            "ownerReferences": [{**owner, "controller": True, "blockOwnerDeletion": True}],
        },
        "spec": {
            "restartPolicy": "Never",
            "initContainers": [executor("init", [store, *staging, mirrored, argo])],
            "containers": [
                executor("wait", [argo, store, mirrored]),
                {**main, "name": "main", "command": ["/var/run/argo/argoexec", "emissary", "--", "sh", "-c"],
                 "volumeMounts": [*main["volumeMounts"], argo]},
            ],
            "volumes": [
                {"name": "var-run-argo", "emptyDir": {}},
                {"name": "data", "emptyDir": {}},
                {"name": secret, "secret": {"secretName": secret}},
                *([{"name": "input-artifacts", "emptyDir": {}}] if inputs else []),
            ],
        },
    }


def container(pod, name):
    return next(c for c in pod["spec"]["initContainers"] + pod["spec"]["containers"] if c["name"] == name)


def changed(pod, change):
    """A copy of the pod after the change."""
    other = copy.deepcopy(pod)
    change(other)
    return other


def again(document):
    """A pod that was admitted, as its creator would send it with all that was added to it."""
    pod = copy.deepcopy(document)
    kept = ("labels", "annotations", "ownerReferences")
    pod["metadata"] = {"name": "again", **{k: v for k, v in pod["metadata"].items() if k in kept}}
    pod.pop("status", None)
    for name in ("nodeName", "priority", "preemptionPolicy", "tolerations"):
        pod["spec"].pop(name, None)
    return pod
