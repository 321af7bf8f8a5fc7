"""What `argo-attest inject` prints is submitted as it is, and runs."""

import json
import subprocess

from harness import expect
from harness.place import place
from harness.scenario import scenario
from harness.step import BUILDER, Output
from harness.verdict import sha256

from .admission import OURS, pod_of

APP = Output("app", "/data/app", "none")
REPORT = Output("report", "/tmp/report.txt", "tar")

BUILD = """\
  - name: build
    metadata: {annotations: {argo-attest.io/attest: "true"}}   # the whole of it
    container: &shell
      image: IMAGE
      imagePullPolicy: PULL
      command: [sh, -c, "echo right > /data/app; echo report > /tmp/report.txt; sleep 0.5"]
      volumeMounts: [{name: work, mountPath: /data}]
    outputs:
      artifacts:
      - {name: app, path: /data/app, archive: {none: {}}}
      - name: report
        path: /tmp/report.txt
"""
# Its input is in main's own file system: a mount of Argo's own.
USE = """\
  - name: use
    metadata:
      annotations:
        argo-attest.io/attest: "true"
    inputs:
      artifacts:
      - {name: app, path: /srv/in/app}
    container:
      <<: *shell
      command: [sh, -c, "cat /srv/in/app > /data/app; echo used > /tmp/report.txt; sleep 0.5"]
    outputs:
      artifacts:
      - {name: app, path: /data/app, archive: {none: {}}}
      - {name: report, path: /tmp/report.txt}
"""
FLOW = """\
  - name: flow
    steps:
    - - {name: build, BUILD}
    - - name: use
        USE
        arguments: {artifacts: [{name: app, from: "{{steps.build.outputs.artifacts.app}}"}]}
"""


def text(case, kind, name, spec, templates):
    """A file as somebody would write it."""
    written = (
        f"# {kind}, by hand\napiVersion: argoproj.io/v1alpha1\nkind: {kind}\n"
        f"metadata: {{{name}, labels: {{e2e: argo-attest}}}}\nspec:\n{spec}"
        "  volumes:\n  - {name: work, emptyDir: {}}\n  templates:\n" + templates
    )
    return written.replace("IMAGE", case.settings.main_image).replace("PULL", case.settings.pull_policy)


def injected(case, written, *options):
    """The result; run again it is the same, and no line of the input is missing."""
    settings = case.settings
    command = [
        case.verifier.binary, "inject", "--image", settings.image, "--builder-id", BUILDER,
        "--store-secret", settings.s3_secret, *options,
    ]

    def run(what):
        done = subprocess.run(command, input=what, capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, done.stderr
        return done.stdout

    result = run(written)
    assert run(result) == result, "not the same when run again"
    rest = iter(result.splitlines())
    assert all(line in rest for line in written.splitlines()), "a line of the input is gone"
    return result


def submitted(case, written):
    code, said = case.kube.ask("create", "--dry-run=client", "-o", "json", "-f", "-", text=written)
    assert code == 0, said
    return case.run_when_known(json.loads(said))


def both_attested(case, running, upstream=True):
    expect.succeeded(running, 120)
    build, use = pod_of(running, "build"), pod_of(running, "use")
    for pod in (build, use):
        for output in (APP, REPORT):
            told = expect.attested(case, pod, output)
    if upstream:
        dependencies = told["predicate"]["buildDefinition"]["resolvedDependencies"]
        found = next(d for d in dependencies if d["name"] == "inputs/app")
        bundle = case.s3.get(expect.bundle_key(APP.stored_as(build.prefix())))
        assert found["annotations"]["attestation"]["sha256"] == sha256(bundle), found


@scenario("inject/native")
def native(case):
    case = place(case)
    flow = FLOW.replace("BUILD", "template: build").replace("USE", "template: use")
    written = text(case, "Workflow", "generateName: e2e-inject-", "  entrypoint: flow\n", flow + BUILD + USE)
    both_attested(case, submitted(case, injected(case, written)))


@scenario("inject/sidecar")
def sidecar(case):
    """Plain sidecars, which fail the step they cannot attest, with a longer grace period."""
    case = place(case)
    written = text(case, "Workflow", "generateName: e2e-inject-", "  entrypoint: build\n", BUILD)
    running = submitted(case, injected(case, written, "--mode", "sidecar", "--grace-period", "45"))
    expect.succeeded(running)
    pod = running.pod()
    assert pod.document["spec"]["terminationGracePeriodSeconds"] == 45, pod.document["spec"]
    for output in (APP, REPORT):
        expect.attested(case, pod, output)
    assert [c["name"] for c in pod.document["spec"]["initContainers"] if c["name"] in OURS] == []


def library(case, templates):
    return text(case, "WorkflowTemplate", "name: library", "", templates)


@scenario("inject/all")
def everywhere(case):
    """--all reaches, by templateDefaults, what the workflow takes by templateRef and nobody annotated."""
    case = place(case)
    bare = [line for line in (BUILD + USE).splitlines() if "argo-attest.io" not in line]
    bare = "\n".join(line for line in bare if line.strip() not in ("metadata:", "annotations:")) + "\n"
    case.kube.apply(library(case, bare))
    reference = "templateRef: {{name: library, template: {0}}}"
    flow = FLOW.replace("BUILD", reference.format("build")).replace("USE", reference.format("use"))
    written = text(case, "Workflow", "generateName: e2e-inject-", "  entrypoint: flow\n", flow)
    both_attested(case, submitted(case, injected(case, written, "--all")))


@scenario("inject/workflowtemplate")
def workflow_template(case):
    """Injected once, a WorkflowTemplate's templates stay attested wherever templateRef takes them."""
    case = place(case)
    case.kube.apply(injected(case, library(case, BUILD + USE)))
    reference = "templateRef: {{name: library, template: {0}}}"
    flow = FLOW.replace("BUILD", reference.format("build")).replace("USE", reference.format("use"))
    written = text(case, "Workflow", "generateName: e2e-inject-", "  entrypoint: flow\n", flow)
    both_attested(case, submitted(case, written))
