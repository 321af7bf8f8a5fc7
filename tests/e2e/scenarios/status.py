"""What is said on the pod, with a service account that may and with one that may not."""

import json

from harness import expect
from harness.manifests import apply
from harness.place import KEY_SECRET, bind, place
from harness.scenario import scenario
from harness.step import FORMS, Output, Step
from harness.waiting import wait_for

OUT = Output("out", "/data/out.txt", "none")
ACCOUNT = "attested-workflow"
SAID = "argo-attest.io/"


def said_on(pod):
    return {
        name.removeprefix(SAID): value
        for name, value in pod.again().document["metadata"]["annotations"].items()
        if name.startswith(SAID) and name != SAID + "attest"
    }


def reasons(case, pod):
    """The reasons of our events."""
    return [e["reason"] for e in case.kube.events(pod.name) if e.get("source", {}).get("component") == "argo-attest"
            or e.get("reportingComponent") == "argo-attest"]


def status(case, form):
    """The role of secret-and-rbac.yaml is what it takes; without it nothing is said, and nothing amiss."""
    case = place(case)
    apply(case, "secret-and-rbac.yaml")
    spec = {"serviceAccountName": ACCOUNT}
    step = Step(form=form, script="echo x > /data/out.txt; sleep 1", outputs=[OUT], key_secret=KEY_SECRET)
    running = case.submit(step, spec=spec)
    silent = running.pod()
    expect.succeeded(running)
    expect.attested(case, silent, OUT)
    assert (said_on(silent), reasons(case, silent)) == ({}, []), said_on(silent)
    account = {"kind": "ServiceAccount", "name": ACCOUNT, "namespace": case.kube.namespace}
    bind(case, "argo-attest-status", "Role", account, "status")
    running = case.submit(step, spec=spec)
    pod = running.pod()
    expect.succeeded(running)
    expect.attested(case, pod, OUT)
    key = OUT.stored_as(pod.prefix())
    wanted = {
        "state": "attested",
        "attested": "1/1",
        "digests": {"out": "sha256:" + expect.sha256(case.s3.get(key))},
        "attestations": {"out": case.s3.uri(expect.bundle_key(key))},
    }
    told = said_on(pod)
    for name in ("digests", "attestations"):
        told[name] = json.loads(told.get(name, "null"))
    assert told == wanted, told
    wait_for("an event", 10, lambda: reasons(case, pod) == ["Attested"])


for _form in FORMS:
    scenario(f"status/{_form}", form=_form)(status)
