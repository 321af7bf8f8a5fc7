"""Injection by the API server: what a step is given, and what it is spared."""

from harness import expect
from harness.kube import ApiError
from harness.manifests import admission, manifest
from harness.place import place
from harness.pods import step_pod
from harness.scenario import scenario
from harness.step import OPT_IN, Output, shell

APP = Output("app", "/data/app", "none")
REPORT = Output("report", "/tmp/report.txt")
OURS = ("argo-attest", "argo-attest-gate")


def step(case, name, script, outputs=(), inputs=(), annotations=OPT_IN, **more):
    """A template that knows nothing of us, but for its annotation."""
    return {
        "name": name,
        "metadata": {"annotations": dict(annotations or {})},
        "inputs": {"artifacts": [{"name": "app", "path": path} for path in inputs]},
        "outputs": {"artifacts": [output.declared() for output in outputs]},
        "container": {
            **shell(case.settings, script),
            "volumeMounts": [{"name": "data", "mountPath": "/data"}],
        },
        **more,
    }


def flow(*templates, taken_from="make", spec=None):
    """A workflow: the first step, then the others with its artifact."""
    first, *others = templates
    artifact = {"name": "app", "from": f"{{{{steps.{taken_from}.outputs.artifacts.app}}}}"}
    groups = [[{"name": first["name"], "template": first["name"]}]]
    for other in others:
        call = {"name": other["name"], "template": other["name"]}
        if other["inputs"]["artifacts"]:
            call["arguments"] = {"artifacts": [artifact]}
        groups.append([call])
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"generateName": "e2e-flow-", "labels": {"e2e": "argo-attest"}},
        "spec": {
            "entrypoint": "flow",
            "volumes": [{"name": "data", "emptyDir": {}}],
            "templates": [{"name": "flow", "steps": groups}, *templates],
            **(spec or {}),
        },
    }


def opt_out(text):
    """A policy whose platform lets steps do without the gate."""
    wanted = '{name: optOut, expression: "false"}'
    assert wanted in text
    return text.replace(wanted, wanted.replace("false", "true"))


def pod_of(running, template):
    """The pod of a step, by its template."""
    found = [p for p in running.pods() if p.name.rpartition("-")[0] == f"{running.name}-{template}"]
    assert len(found) == 1, f"{len(found)} pods of {template}: {[p.name for p in running.pods()]}"
    return found[0]


def probe(case, **annotations):
    """A pod as Argo makes them, in so far as the policies look at it."""
    container = {**shell(case.settings, "true"), "volumeMounts": [{"name": "data", "mountPath": "/data"}]}
    argo = {**container, "env": [{"name": "ARGO_TEMPLATE", "value": "{}"}]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "probe",
            "labels": {"workflows.argoproj.io/workflow": "probe"},
            "annotations": {**OPT_IN, **annotations},
            "ownerReferences": [
                {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "name": "probe", "uid": "1"}
            ],
        },
        "spec": {
            "restartPolicy": "Never",
            "initContainers": [{**argo, "name": "init"}],
            "containers": [{**argo, "name": "wait"}, {**container, "name": "main"}],
            "volumes": [{"name": "data", "emptyDir": {}}],
        },
    }


def injects(case, source="workflow"):
    """Whether the injection is in force, with this least that the template is compared with."""

    def effective():
        try:
            pod = case.kube.try_pod(probe(case))
        except ApiError as error:
            # What protects a namespace may be, too, and refuses what is not injected yet.
            if error.status == 422 and "argo-attest-protect-" in str(error):
                return False
            raise
        ours = [c for c in pod["spec"]["initContainers"] if c["name"] == "argo-attest"]
        # A policy of the same name that was there before may still be in the server's cache.
        return any(e["name"] == "ARGO_ATTEST_TEMPLATE_SOURCE" and e.get("value") == source for c in ours for e in c["env"])

    return effective


def ours(pod):
    """The names of our containers, in the order in which they start."""
    spec = pod.document["spec"]
    assert not any(c["name"] in OURS for c in spec["containers"])
    return [c["name"] for c in spec["initContainers"] if c["name"] in OURS]


MAKE = "echo right > /data/app; echo report > /tmp/report.txt; sleep 0.5"
USE = "cat /data/in > /data/app; echo used > /tmp/report.txt; sleep 0.5"


@scenario("admission/inject/step", alone=True)
def per_step(case):
    """Sidecar and gate for who asked for them; the others run as if we were not there."""
    case = place(case)
    admission(case, "inject", effective=injects(case), everywhere=True)
    running = case.run(flow(
        step(case, "make", MAKE, [APP, REPORT]),
        step(case, "use", USE, [APP, REPORT], ["/data/in"]),
        step(case, "use-base", "cat /tmp/in", [], ["/tmp/in"]),
        step(case, "gate-only", "cat /tmp/in", [], ["/tmp/in"], {"argo-attest.io/verify-inputs": "true"}),
        step(case, "no-gate", "cat /tmp/in > /data/app", [APP], ["/tmp/in"],
             {**OPT_IN, "argo-attest.io/verify-inputs": "false"}),
        step(case, "other", "cat /data/in", [], ["/data/in"], None),
    ))
    expect.succeeded(running, 180)
    make = pod_of(running, "make")
    assert ours(make) == ["argo-attest"], ours(make)
    for output in (APP, REPORT):
        expect.attested(case, make, output)
    use = pod_of(running, "use")
    assert ours(use) == ["argo-attest-gate", "argo-attest"], ours(use)
    told = expect.attested(case, use, APP)
    expect.attested(case, use, REPORT)
    upstream(case, told, make)
    assert ours(pod_of(running, "use-base")) == ["argo-attest-gate", "argo-attest"]
    assert ours(pod_of(running, "gate-only")) == ["argo-attest-gate"]
    # It asks in vain: the platform does not let it.
    no_gate = pod_of(running, "no-gate")
    assert ours(no_gate) == ["argo-attest-gate", "argo-attest"]
    expect.attested(case, no_gate, APP)
    other = pod_of(running, "other")
    assert ours(other) == []
    assert not [v for v in other.document["spec"]["volumes"] if v["name"].startswith("argo-attest")]
    read_only(use)


@scenario("admission/inject/opt-out")
def opted_out(case):
    """Unchecked, where the step says so and the platform that it may; else never."""
    case = place(case)
    off = {**OPT_IN, "argo-attest.io/verify-inputs": "false"}
    plain = step(case, "plain", "echo left > /data/app; sleep 0.5", [APP], annotations=None)
    use = step(case, "use", USE, [APP], ["/data/in"], off)
    admission(case, "inject", effective=injects(case))
    expect.failed(case.run(flow(plain, use, taken_from="plain")))
    case.kube.unapply(manifest(case, "admission/inject.yaml"))
    admission(case, "inject", effective=lambda: not gated(case, off), change=opt_out)
    running = case.run(flow(plain, use, taken_from="plain"))
    expect.succeeded(running, 120)
    assert ours(pod_of(running, "use")) == ["argo-attest"]
    # Only who says no, and says so rightly.
    for asked in (OPT_IN, {**OPT_IN, "argo-attest.io/verify-inputs": "no"}, {"argo-attest.io/verify-inputs": "true"}):
        assert gated(case, asked), asked


def gated(case, annotations):
    pod = case.kube.try_pod(step_pod(case, annotations=annotations))
    there = [c["name"] for c in pod["spec"]["initContainers"]]
    return "argo-attest-gate" in there or not set(there) & set(OURS)


def upstream(case, told, make):
    """The consumer's statement names the statement that its gate accepted."""
    entries = told["predicate"]["buildDefinition"]["resolvedDependencies"]
    found = [entry for entry in entries if entry.get("name") == "inputs/app"]
    assert len(found) == 1, entries
    key = expect.bundle_key(APP.stored_as(make.prefix()))
    wanted = {"uri": case.s3.uri(key), "sha256": expect.sha256(case.s3.get(key))}
    assert found[0]["annotations"]["attestation"] == wanted, f"{found[0]}, not {wanted}"


def read_only(pod):
    """We mount all that main does, and can change none of it. (But where a mount has another
    in it: that needs a place.)
    """
    spec = pod.document["spec"]
    main = next(c for c in spec["containers"] if c["name"] == "main")
    for container in (c for c in spec["initContainers"] if c["name"] in OURS):
        mounts = {m["mountPath"]: m for m in container["volumeMounts"]}
        for mount in main["volumeMounts"]:
            mine = mounts[mount["mountPath"]]
            assert mine["readOnly"] and mine.get("subPath") == mount.get("subPath"), mine
        writable = [path for path, mount in mounts.items() if not mount.get("readOnly")]
        assert writable == (["/run/argo-attest"] if container["name"] == "argo-attest-gate" else []), writable


@scenario("admission/inject/awkward")
def awkward(case):
    """Steps that are hard to copy from, and one that would have its own program run with the key."""
    case = place(case)
    admission(case, "inject", effective=injects(case))
    # Above 128 KiB Argo keeps it in a ConfigMap.
    large = step(case, "large", MAKE, [APP], annotations={**OPT_IN, "note": "x" * 140_000})
    over = step(case, "over", MAKE, [APP])
    over["container"]["volumeMounts"] += [
        {"name": "data", "mountPath": "/argo-attest", "subPath": "bin"},
        {"name": "data", "mountPath": "/etc/../run/argo-attest/", "subPath": "evidence"},
        {"name": "data", "mountPath": "/etc/argo-attest/key/", "subPath": "key"},
        {"name": "data", "mountPath": "/mine", "subPathExpr": "$(ARGO_NODE_ID)"},
    ]
    aliased = step(case, "aliased", MAKE, [APP], annotations=None)
    private = step(case, "private", "umask 077; " + MAKE, [APP])
    private["container"]["securityContext"] = {"runAsUser": 1000, "runAsNonRoot": True}
    nested = step(case, "nested", MAKE.replace("/data/app", "/data/in/here/app"), [Output("app", "/data/in/here/app", "none")])
    nested["volumes"] = [{"name": "here", "emptyDir": {}}]
    nested["container"]["volumeMounts"].append({"name": "here", "mountPath": "/data//in/here/"})
    running = case.run(flow(large, over, aliased, private, nested, spec={"podMetadata": {"annotations": dict(OPT_IN)}}))
    expect.succeeded(running, 120)
    for name in ("large", "over", "aliased", "private"):
        expect.attested(case, pod_of(running, name), APP)
    expect.attested(case, pod_of(running, "nested"), Output("app", "/data/in/here/app", "none"))
    spec = pod_of(running, "over").document["spec"]
    mounts = next(c for c in spec["initContainers"] if c["name"] == "argo-attest")["volumeMounts"]
    paths = sorted(m["mountPath"] for m in mounts if m["name"] == "data")
    assert paths == ["/data", "/mine"], paths
    spec = pod_of(running, "large").document["spec"]
    env = next(c for c in spec["initContainers"] if c["name"] == "argo-attest")["env"]
    assert {"name": "ARGO_TEMPLATE", "value": "offloaded"} in env, "the template was not large enough"


@scenario("admission/inject/namespace", alone=True)
def whole_namespace(case):
    """A label on the namespace: every step, though none asks for it."""
    case = place(case, {"argo-attest.io/attest": "true"})
    admission(case, "inject", effective=injects(case), everywhere=True)
    running = case.run(flow(
        step(case, "make", MAKE, [APP], annotations=None),
        step(case, "use", USE, [APP], ["/data/in"], annotations=None),
    ))
    expect.succeeded(running, 120)
    expect.attested(case, pod_of(running, "make"), APP)
    use = pod_of(running, "use")
    assert ours(use) == ["argo-attest-gate", "argo-attest"], ours(use)
    expect.attested(case, use, APP)
