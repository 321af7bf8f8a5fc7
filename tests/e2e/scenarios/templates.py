"""Each file of workflow-templates/, applied as it is and run."""

import json
import os
import subprocess
import tempfile

from harness import expect
from harness.manifests import apply, manifest
from harness.place import KEY_SECRET, POLICY, place, policy
from harness.scenario import Skip, scenario
from harness.step import BUILDER, Output
from harness.waiting import wait_for

from .admission import APP, MAKE, USE, flow, ours, pod_of, step, upstream

# What the files' own `build` writes.
BUILT = Output("app", "/data/app", "none")
VOUCHER = BUILDER + "/vouched"


def started(case, reference, spec=None):
    """A workflow that is nothing but a reference."""
    return case.run_when_known({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"generateName": "e2e-ref-", "labels": {"e2e": "argo-attest"}},
        "spec": {"workflowTemplateRef": reference, **(spec or {})},
    })


def built_and_deployed(case, running):
    """The example of two steps: one attested, one behind its gate."""
    expect.succeeded(running, 120)
    build = pod_of(running, "build")
    expect.attested(case, build, BUILT)
    deploy = pod_of(running, "deploy").again()
    gate = deploy.container("argo-attest-gate")["state"]["terminated"]
    assert gate["exitCode"] == 0 and "app" in gate.get("message", ""), gate
    # It asked for the gate alone.
    assert deploy.message()["state"] == "idle", deploy.message()
    return build


@scenario("templates/workflowtemplate")
def workflow_template(case):
    case = place(case)
    apply(case, "workflowtemplate.yaml")
    built_and_deployed(case, started(case, {"name": "argo-attest-example"}))


@scenario("templates/workflowtemplate/refused")
def workflow_template_refused(case):
    """The same under a policy that trusts another builder: the second step never starts."""
    case = place(case)
    wrong = policy().replace(BUILDER, expect.STRANGE_BUILDER)
    code, said = case.kube.ask(
        "patch", "configmap", POLICY, "--type", "merge", "-p", json.dumps({"data": {"policy.yaml": wrong}}))
    assert code == 0, said
    apply(case, "workflowtemplate.yaml")
    running = started(case, {"name": "argo-attest-example"})
    expect.failed(running)
    expect.attested(case, pod_of(running, "build"), BUILT)
    deploy = pod_of(running, "deploy").again()
    assert not deploy.main_started(), "main started"
    case.note(deploy.container("argo-attest-gate")["state"]["terminated"]["message"].splitlines()[0])


@scenario("templates/fail-closed")
def fail_closed(case):
    """Attested, the step is green; without a usable key it fails."""
    case = place(case)
    apply(case, "fail-closed.yaml")
    running = started(case, {"name": "argo-attest-fail-closed"})
    expect.succeeded(running)
    pod = running.pod()
    expect.attested(case, pod, BUILT)
    case.kube.delete_secret(KEY_SECRET)
    case.kube.create_secret(KEY_SECRET, {"other": "x"})
    running = started(case, {"name": "argo-attest-fail-closed"})
    expect.failed(running)
    expect.nothing_verifies(case, running.pod(), BUILT)


def cluster_template(case):
    """The ClusterWorkflowTemplate; there is one of the name in a cluster."""
    case = place(case)
    found, _ = case.kube.ask("get", "clusterworkflowtemplate", "argo-attest")
    if found == 0:
        raise Skip("a ClusterWorkflowTemplate argo-attest is there already")
    apply(case, "clusterworkflowtemplate.yaml")
    return case


def store_parameters(case, uri):
    values = {"uri": uri, "endpoint": case.settings.s3_endpoint, "region": case.settings.s3_region}
    return {"parameters": [{"name": name, "value": value} for name, value in values.items()]}


@scenario("templates/clusterworkflowtemplate", alone=True)
def cluster_workflow_template(case):
    """What workflowTemplateRef reaches, what templateRef does, and the two that are for calling."""
    case = cluster_template(case)
    reference = {"name": "argo-attest", "clusterScope": True}
    build = built_and_deployed(case, started(case, reference))
    attested = case.s3.uri(BUILT.stored_as(build.prefix()))

    # Taken by templateRef, `build` comes without the defaults of the file.
    running = case.run_when_known(called(reference, "build", None))
    expect.succeeded(running)
    bare = running.pod()
    assert ours(bare) == [], ours(bare)
    expect.nothing_verifies(case, bare, BUILT)
    unattested = BUILT.stored_as(bare.prefix())

    # verify-artifact, called and run.
    running = case.run_when_known(called(reference, "verify-artifact", store_parameters(case, attested)))
    expect.succeeded(running)
    running = case.run_when_known(called(reference, "verify-artifact", store_parameters(case, case.s3.uri(unattested))))
    expect.failed(running)
    running = started(case, reference, {
        "entrypoint": "verify-artifact", "arguments": store_parameters(case, attested)})
    expect.succeeded(running)

    # attest-artifact: with a key and a builder id of its own.
    case.kube.create_secret("argo-attest-vouch-key", {"attest.key": case.keys.private})
    running = case.run_when_known(called(reference, "attest-artifact", store_parameters(case, case.s3.uri(unattested))))
    expect.succeeded(running)
    case.verifier.accepted(unattested, builder=VOUCHER)
    case.verifier.refused(unattested)
    case.verifier.refused(unattested, builder=VOUCHER, public=case.keys.stranger)


def called(reference, template, arguments):
    """A workflow whose only step is a template from elsewhere."""
    call = {"name": "call", "templateRef": {**reference, "template": template}}
    if arguments:
        call["arguments"] = arguments
    # A template taken by templateRef finds the volumes of the workflow that takes it.
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"generateName": "e2e-call-", "labels": {"e2e": "argo-attest"}},
        "spec": {
            "entrypoint": "call",
            "volumes": [{"name": "work", "emptyDir": {}}],
            "templates": [{"name": "call", "steps": [[call]]}],
        },
    }


@scenario("templates/workflow-defaults", alone=True)
def workflow_defaults(case):
    """A workflow that knows nothing of us, and one in a namespace that has nothing for us."""
    inner, bare = place(case), place(case, key=False)
    bare.kube.ask("delete", "configmap", POLICY)
    text = manifest(case, "workflow-defaults.yaml")
    with controller_settings(case, text):
        running = inner.run(flow(
            step(inner, "make", MAKE, [APP]),
            step(inner, "use", USE, [APP], ["/data/in"]),
            step(inner, "other", "cat /data/in", [], ["/data/in"], None),
        ))
        expect.succeeded(running, 150)
        make = pod_of(running, "make")
        expect.attested(inner, make, APP)
        told = expect.attested(inner, pod_of(running, "use"), APP)
        upstream(inner, told, make)
        other = pod_of(running, "other")
        assert other.message()["state"] == "idle", other.message()
        running = bare.run(flow(step(bare, "make", MAKE, [APP], annotations=None)))
        expect.succeeded(running)


class controller_settings:
    """The controller's ConfigMap with a file patched in; then as it was.

    The controller reads it anew without a restart, within a second or so.
    """

    NAME = "workflow-controller-configmap"

    def __init__(self, case, text=None, **data):
        self.case, self.text, self.data = case, text, data
        self.path = f"/api/v1/namespaces/{case.settings.controller_namespace}/configmaps/{self.NAME}"

    def __enter__(self):
        self.before = self.case.kube.call("GET", self.path)
        if self.text:
            namespace = self.case.settings.controller_namespace
            command = [*self.case.kube.kubectl, "patch", "configmap", self.NAME, "-n", namespace]
            command += ["--type", "merge", "--patch-file", "/dev/stdin"]
            done = subprocess.run(command, input=self.text, capture_output=True, text=True, timeout=60)
            assert done.returncode == 0, done.stderr
        else:
            self._merge(self.data)
        self._settled()

    def __exit__(self, *_):
        now = self.case.kube.call("GET", self.path).get("data", {})
        before = self.before.get("data", {})
        self._merge({**{name: None for name in now if name not in before}, **before})
        self._settled()

    def _merge(self, data):
        self.case.kube.call("PATCH", self.path, {"data": data}, "application/merge-patch+json")

    def _settled(self):
        """The controller says nowhere what it has read: a workflow shows it."""
        wanted = "workflowDefaults" in self.case.kube.call("GET", self.path).get("data", {})
        if not wanted and not self.text:
            return

        def heeded():
            probe = self.case.run({
                "apiVersion": "argoproj.io/v1alpha1",
                "kind": "Workflow",
                "metadata": {"generateName": "e2e-settled-"},
                "spec": {"entrypoint": "wait", "templates": [{"name": "wait", "suspend": {"duration": "1"}}]},
            })
            wait_for("a workflow", 30, lambda: probe.workflow().get("status", {}).get("phase"))
            return ("templateDefaults" in json.dumps(probe.workflow())) == wanted

        wait_for("the controller's settings", 60 * self.case.settings.patience, heeded, 1)


@scenario("templates/secret-and-rbac")
def secret_and_rbac(case):
    """The service account of the file is enough, the key that keygen makes is taken."""
    case = place(case, key=False)
    case.kube.ask("delete", "rolebinding,role,configmap", "--all")
    apply(case, "secret-and-rbac.yaml")
    apply(case, "policy.yaml")
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "keys")
        command = [case.verifier.binary, "keygen", "--out-dir", out, "--secret-name", KEY_SECRET]
        command += ["--namespace", case.kube.namespace]
        made = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert made.returncode == 0, made.stderr
        case.kube.apply(made.stdout)
        with open(os.path.join(out, "attest.pub"), encoding="ascii") as public:
            data = json.dumps({"data": {"ours.pub": public.read()}})
    # With the file as it is every gate refuses.
    apply(case, "workflowtemplate.yaml")
    spec = {"serviceAccountName": "attested-workflow"}
    expect.failed(started(case, {"name": "argo-attest-example"}, spec))
    code, said = case.kube.ask("patch", "configmap", POLICY, "--type", "merge", "-p", data)
    assert code == 0, said
    expect.succeeded(started(case, {"name": "argo-attest-example"}, spec), 120)
    account = f"system:serviceaccount:{case.kube.namespace}:attested-workflow"
    code, said = case.kube.ask("auth", "can-i", "get", "workflows.argoproj.io", f"--as={account}")
    assert said.strip().endswith("yes"), said
    others = (("list", "workflows.argoproj.io"), ("update", "workflows.argoproj.io"), ("create", "workflows.argoproj.io"))
    kept = [(verb, f"{kind}/{name}") for kind, name in (("secrets", KEY_SECRET), ("configmaps", POLICY), ("configmaps", "kube-root-ca.crt"))
            for verb in ("update", "patch", "delete")]
    others += (*kept, ("get", "secrets"), ("create", "secrets"), ("create", "configmaps"), ("create", "serviceaccounts/token"))
    for verb, what in (*others, ("create", "pods"), ("patch", "pods"), ("create", "pods/exec")):
        code, said = case.kube.ask("auth", "can-i", verb, what, f"--as={account}")
        assert said.strip().endswith("no"), f"{verb} {what}: {said}"

