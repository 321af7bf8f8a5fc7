"""Argo's examples, from the sources of its Go module, made fit for a cluster without a way out.

What is changed is changed for both runs alike: images and where they come from, S3
addresses, what ties a pod to machines or accounts that are not there. Templates, their
order, parameters, artifacts and scripts stay as they are.
"""

import json
import os
import subprocess

MODULES = {"4.0": "github.com/argoproj/argo-workflows/v4@v4.0.7", "3.7": "github.com/argoproj/argo-workflows/v3@v3.7.18"}
# What cannot be had here, by the field that asks for it.
OUTSIDE = (
    "git", "hdfs", "oss", "gcs", "azure", "artifactory", "plugin", "resource", "http", "data", "volumeClaimTemplates",
    "persistentVolumeClaim", "daemon", "semaphores", "semaphore", "database",
)
# What ties a pod to a cluster that is not this one.
TIES = (
    "nodeSelector", "tolerations", "affinity", "schedulerName", "priorityClassName", "imagePullSecrets", "resources",
    "serviceAccountName", "executor", "hooksServiceAccount",
)
SEEN = "/bin/seen"
# Images whose own entry point an example relies on.
ENTRY = {"argosay": "/bin/argosay"}


def folder(version):
    """Where Go keeps the module's examples."""
    told = os.environ.get("E2E_EXAMPLES")
    if told:
        return told
    cache = subprocess.run(["go", "env", "GOMODCACHE"], capture_output=True, text=True, check=True).stdout.strip()
    return os.path.join(cache, MODULES[version], "examples")


def fetch(version):
    """Has Go bring the module, if it is not there; inside the node there is no way out."""
    if not os.path.isdir(folder(version)):
        subprocess.run(["go", "mod", "download", MODULES[version]], cwd=os.path.sep, check=True)


def names(version):
    """The files that hold workflows and ask for nothing that is not here, in order."""
    root = folder(version)
    found = []
    for at, _, files in os.walk(root):
        for name in files:
            if name.endswith(".yaml"):
                with open(os.path.join(at, name), encoding="utf-8") as file:
                    if "kind: Workflow\n" in file.read():
                        found.append(os.path.relpath(os.path.join(at, name), root))
    return sorted(found)


def shared(kube, version, image, store):
    """The WorkflowTemplates among the examples, which others refer to."""
    root = folder(version)
    found = []
    for name in sorted(os.listdir(os.path.join(root, "workflow-template"))):
        documents = read(kube, version, os.path.join("workflow-template", name))
        found += fit([d for d in documents if d["kind"] == "WorkflowTemplate"], image, store)
    return found


class Unfit(Exception):
    """The example asks for something that is not here."""


def read(kube, version, name):
    """Its documents, as the API server would be sent them."""
    path = os.path.join(folder(version), name)
    code, said = kube.ask("create", "--dry-run=client", "--validate=false", "-o", "json", "-f", path)
    if code != 0:
        raise Unfit("kubectl does not read it: " + said.strip().splitlines()[-1][:200])
    return documents(said)


def documents(text):
    """What kubectl prints of a file: one object, a list, or one object after another."""
    found, at = [], 0
    while text[at:].strip():
        at += len(text[at:]) - len(text[at:].lstrip())
        document, at = json.JSONDecoder().raw_decode(text, at)
        found += document["items"] if document.get("kind") == "List" else [document]
    return found


def each(value):
    """Every object in a document, the outermost first."""
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from each(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from each(inner)


def fit(documents, image, store):
    """The documents as they run here. `store` is what an S3 location needs: endpoint, bucket, Secret."""
    for document in documents:
        document["metadata"].pop("namespace", None)
        for at in each(document.get("spec", {})):
            asked = [field for field in OUTSIDE if isinstance(at.get(field), (dict, list)) or at.get(field) is True]
            if asked:
                raise Unfit(f"it asks for {asked[0]}")
            for tie in TIES:
                at.pop(tie, None)
            if "image" in at and isinstance(at["image"], str):
                container(at, image)
            if isinstance(at.get("s3"), dict):
                location(at["s3"], store)
        for template in templates(document):
            watched(template)
    return documents


def container(at, image):
    """The same container from the one image that is here."""
    own = next((entry for name, entry in ENTRY.items() if name in at["image"]), None)
    at["image"], at["imagePullPolicy"] = image, "Never"
    if not at.get("command"):
        if not own:
            raise Unfit("it relies on the entry point of an image that is not here")
        at["command"] = [own]


def location(s3, store):
    """A bucket that is not here becomes the one that is; a key alone stays a key alone."""
    if any(field in s3 for field in ("endpoint", "bucket")):
        s3.update(store)
        for field in ("region", "roleARN", "useSDKCreds", "createBucketIfNotPresent", "encryptionOptions"):
            s3.pop(field, None)


def templates(document):
    spec = document.get("spec", {})
    for at in each(spec):
        if any(isinstance(at.get(kind), dict) for kind in ("container", "script", "containerSet")):
            yield at


def watched(template):
    """Main tells of the bytes of its inputs before it does anything else."""
    paths = [a["path"] for a in template.get("inputs", {}).get("artifacts", []) if a.get("path")]
    if not paths:
        return
    mains = [template[kind] for kind in ("container", "script") if isinstance(template.get(kind), dict)]
    mains += template.get("containerSet", {}).get("containers", [])[:1] if isinstance(template.get("containerSet"), dict) else []
    for main in mains:
        main["command"] = [SEEN, *main["command"]]
        main["env"] = [*main.get("env", []), {"name": "SEEN_PATHS", "value": " ".join(paths)}]


def annotated(documents):
    """Every template with a pod asks for attestation, as a user writes it."""
    documents = json.loads(json.dumps(documents))
    for document in documents:
        for template in templates(document):
            metadata = template.setdefault("metadata", {})
            metadata.setdefault("annotations", {})["argo-attest.io/attest"] = "true"
    return documents


def block(value, indent=0):
    """As YAML in block style, which is how people write workflows."""
    pad = "  " * indent
    if isinstance(value, dict) and value:
        return "".join(f"{pad}{json.dumps(key)}:{_member(inner, indent)}" for key, inner in value.items())
    if isinstance(value, list) and value:
        return "".join(f"{pad}- {block(inner, indent + 1).lstrip(' ')}" for inner in value)
    return f"{pad}{json.dumps(value)}\n"


def _member(value, indent):
    if isinstance(value, (dict, list)) and value:
        return "\n" + block(value, indent + 1)
    return f" {json.dumps(value)}\n"
