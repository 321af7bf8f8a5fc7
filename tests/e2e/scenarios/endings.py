"""Every way in which a step, or our container, can come to its end."""

import datetime
import json

from harness import expect
from harness.scenario import scenario
from harness.step import FORMS, Output, Step
from harness.waiting import wait_for

FILE = Output("out", "/data/out.txt", "none")
UNFINISHED = ("refused", "unfinished", "absent")


def native_never_fails(form, pod):
    """A native sidecar's exit code would mask main's own message; a plain one's must fail."""
    if form == "native":
        expect.exit_code(pod, 0)
    else:
        assert pod.ended()["exitCode"] != 0, "a plain sidecar said that all is well"


def main_fails(case, form):
    step = Step(form=form, script="echo x > /data/out.txt; sleep 1; exit 3", outputs=[FILE])
    running = case.submit(step)
    pod = running.pod()
    expect.failed(running)
    expect.not_attested(case, pod, FILE, fates=UNFINISHED)
    native_never_fails(form, pod)
    assert case.s3.exists(FILE.stored_as(pod.prefix())), "Argo keeps a failed step's outputs"


def main_fails_but_attested(case, form):
    step = Step(
        form=form,
        script="echo x > /data/out.txt; sleep 1; exit 3",
        outputs=[FILE],
        args=["--attest-failed"],
    )
    running = case.submit(step)
    pod = running.pod()
    expect.failed(running)
    expect.attested(case, pod, FILE)


def first_process_killed(case, form):
    """Memory that belongs to no process: the largest process goes, which is Argo's own in
    main, so that no exit code is ever written."""
    script = "echo x > /data/out.txt; sleep 1; dd if=/dev/zero of=/dev/shm/fill bs=1M count=60; sleep 60"
    step = Step(
        form=form,
        script=script,
        outputs=[FILE],
        main={"resources": {"requests": {"cpu": "10m"}, "limits": {"memory": "48Mi"}}},
    )
    running = case.submit(step)
    pod = running.pod()
    expect.failed(running)
    expect.not_attested(case, pod, FILE, fates=UNFINISHED)
    native_never_fails(form, pod)


def main_killed(case, form):
    """A signal that cannot be caught: Argo's own process in main lives and writes 137."""
    step = Step(form=form, script="echo x > /data/out.txt; sleep 1; kill -9 $$", outputs=[FILE])
    running = case.submit(step)
    pod = running.pod()
    expect.failed(running)
    expect.not_attested(case, pod, FILE, fates=UNFINISHED)
    native_never_fails(form, pod)


def deadline(case, form):
    step = Step(
        form=form,
        script="echo x > /data/out.txt; sleep 120",
        outputs=[FILE],
        template={"activeDeadlineSeconds": 12},
    )
    running = case.submit(step)
    pod = running.pod()
    expect.failed(running)
    expect.not_attested(case, pod, FILE, fates=UNFINISHED)


# A pod that vanishes within ten seconds of its start is made anew, under the same name
# (Argo's RECENTLY_STARTED_POD_DURATION).
OLD_SECONDS = 12


def runs_for_long(pod, seconds=OLD_SECONDS):
    started = datetime.datetime.fromisoformat(pod.document["metadata"]["creationTimestamp"])
    age = datetime.datetime.now(datetime.timezone.utc) - started
    return age.total_seconds() > seconds and pod.again().main_started()


def pod_deleted(case, form):
    step = Step(form=form, script="echo x > /data/out.txt; sleep 120", outputs=[FILE])
    running = case.submit(step)
    pod = running.pod()
    wait_for("main", 60 * case.settings.patience, lambda: runs_for_long(pod))
    case.kube.delete_pod(pod.name)
    expect.failed(running)
    # The pod is gone and its messages with it: what it said last is in the store.
    key = expect.outcome_key(pod)
    ended = lambda: case.s3.exists(key) and expect.outcome(case, pod)["state"] != "started"
    wait_for("the outcome of a deleted pod", 30, ended)
    told = expect.fate(case, pod, FILE)
    assert told["verdict"] in UNFINISHED, told
    expect.nothing_verifies(case, pod, FILE)


def retried(case, form):
    """The first attempt fails, the second does not: another pod, another key."""
    step = Step(
        form=form,
        script="echo attempt {{retries}} > /data/out.txt; sleep 1; [ {{retries}} = 1 ]",
        outputs=[FILE],
        template={"retryStrategy": {"limit": "2"}},
    )
    running = case.submit(step)
    expect.succeeded(running)
    pods = running.pods()
    assert len(pods) == 2, [pod.name for pod in pods]
    fates = {}
    for pod in pods:
        fates[case.s3.get(FILE.stored_as(pod.prefix()))] = pod
    expect.not_attested(case, fates[b"attempt 0\n"], FILE, fates=UNFINISHED)
    expect.attested(case, fates[b"attempt 1\n"], FILE)


def not_opted_in(case, form):
    step = Step(form=form, script="echo x > /data/out.txt; sleep 1", outputs=[FILE], opted_in=False)
    running = case.submit(step)
    pod = running.pod()
    expect.succeeded(running)
    expect.exit_code(pod, 0)
    expect.nothing_verifies(case, pod, FILE)
    assert case.s3.list(pod.prefix() + "/") == [FILE.stored_as(pod.prefix())]


def nothing_declared(case, form):
    """No outputs: "nothing to attest" is said, so that silence means something."""
    step = Step(form=form, script="true", outputs=[Output("m", "/data/m", optional=True)])
    running = case.submit(step)
    pod = running.pod()
    expect.succeeded(running)
    expect.exit_code(pod, 0)
    assert expect.fate(case, pod, step.outputs[0])["verdict"] == "absent"


for _form in FORMS:
    scenario(f"ending/{_form}/main-fails", form=_form)(main_fails)
    scenario(f"ending/{_form}/main-fails-but-attested", form=_form)(main_fails_but_attested)
    scenario(f"ending/{_form}/main-oom-killed", form=_form)(first_process_killed)
    scenario(f"ending/{_form}/main-killed", form=_form)(main_killed)
    scenario(f"ending/{_form}/deadline", form=_form)(deadline)
    scenario(f"ending/{_form}/pod-deleted", form=_form)(pod_deleted)
    scenario(f"ending/{_form}/retried", form=_form)(retried)
    scenario(f"ending/{_form}/not-opted-in", form=_form)(not_opted_in)
    scenario(f"ending/{_form}/nothing-declared", form=_form)(nothing_declared)


# Main sees our process where the pod shares its process namespace; nothing else that
# every cluster has can kill it. The name is checked: Argo's wrapper must live.
KILL = "for p in /proc/[0-9]*; do case $(tr '\\0' ' ' < $p/cmdline 2>/dev/null) in " \
    "'/argo-attest sidecar'*) kill -9 ${p#/proc/};; esac; done"
SHARED = json.dumps({"shareProcessNamespace": True, "terminationGracePeriodSeconds": 20})


@scenario("ending/native/sidecar-killed")
def native_killed(case):
    """The kubelet starts it again in mid-step; nothing that was written is lost."""
    folder = Output("out", "/data/made", "none")
    step = Step(
        script=f"mkdir -p /data/made; echo before > /data/made/before; sleep 1; {KILL}; "
        "echo while > /data/made/while; sleep 6; echo after > /data/made/after; sleep 1",
        outputs=[folder],
    )
    running = case.submit(step, spec={"podSpecPatch": SHARED})
    pod = running.pod()
    expect.succeeded(running)
    assert pod.again().container()["restartCount"] == 1, "our container was not killed"
    expect.exit_code(pod, 0)
    told = expect.attested(case, pod, folder)
    names = {subject["name"].rpartition("/")[2] for subject in told["subject"]}
    assert {"before", "while", "after"} <= names, names


@scenario("ending/plain/sidecar-killed")
def plain_killed(case):
    """It is not started again, and Argo does not mind: then nothing verifies."""
    step = Step(
        form="plain",
        script=f"echo x > /data/out.txt; sleep 2; {KILL}; sleep 1",
        outputs=[FILE],
    )
    running = case.submit(step, spec={"podSpecPatch": SHARED})
    pod = running.pod()
    running.finished()
    assert pod.ended()["exitCode"] in (137, 143), pod.ended()
    expect.nothing_verifies(case, pod, FILE)


@scenario("ending/native/without-main")
def without_main(case):
    """A resource template has no main of the workflow's author: we idle."""
    rules = [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}]
    subject = {"kind": "ServiceAccount", "name": "default", "namespace": case.settings.namespace}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "e2e-argo-attest"}
    api = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{case.settings.namespace}"
    meta = {"metadata": {"name": "e2e-argo-attest", "labels": {"e2e": "argo-attest"}}}
    case.kube.create(f"{api}/roles", {**meta, "rules": rules})
    case.kube.create(f"{api}/rolebindings", {**meta, "roleRef": role, "subjects": [subject]})
    manifest = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: kube-root-ca.crt}\n"
    step = Step(script="", outputs=[])
    body = step.rendered(case.settings)
    body["name"] = "resource"
    body.pop("container")
    body.pop("outputs")
    for container in body["initContainers"]:
        container.pop("mirrorVolumeMounts")
    body["resource"] = {"action": "get", "manifest": manifest}
    unused = Step(name="unused", form=None, script="true")
    running = case.submit(unused, templates=[body], entrypoint="resource")
    pod = running.pod()
    expect.succeeded(running)
    expect.exit_code(pod, 0)
