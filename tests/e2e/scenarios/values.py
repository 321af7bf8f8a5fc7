"""Values that somebody gives to a template: what holds `{{` is refused wherever it can be
given, handed on or kept; a template's own text may hold it.
"""

from harness.pods import changed, container, step_pod
from harness.scenario import scenario

from .admission import APP, MAKE, step
from .protection import API, AUTHOR, protected, refusal, tried

CODE = "{{=fromBase64('eA==')}}"
HOSTILE = (
    CODE, "{{workflow.parameters.other}}", "{{inputs.parameters.x}}", "x{{", "{{{workflow.name}}{=1}}", "{{workflow.name}}{{=1}}",
    "{{workflow.annotations.x}}", "ends in {", "{\n{{=1}}", "{{ =1 }}", "{{workflow.name.x}}",
)
HONEST = (
    "", "1.0", '{"a": {"b": [{"c": 1}]}}', "{", "}}", "a { b", "${HOME} $(date) {% if %}", "{{workflow.name}}", "x-{{ workflow.uid }}-y",
    "{{workflow.creationTimestamp}} {{workflow.creationTimestamp.Y}}", "{{workflow.scheduledTime}}", "{{workflow.namespace}}/{{workflow.priority}}",
)
KINDS = {
    "Workflow": lambda spec: spec,
    "WorkflowTemplate": lambda spec: spec,
    "CronWorkflow": lambda spec: {"schedules": ["0 0 1 1 *"], "workflowSpec": spec},
}


class Judge:
    """Asks admission, and remembers what was not as it should be."""

    def __init__(self, case):
        self.case, self.wrong, self.asked = case, [], 0

    def document(self, what, document, policy, user=AUTHOR):
        kind = document["kind"].lower()
        path = f"/apis/{API}/namespaces/{self.case.kube.namespace}/{kind}s?dryRun=All"
        self.said(what, tried(self.case, path, document, user=user), policy)

    def said(self, what, said, policy):
        self.asked += 1
        if policy not in said if policy else said:
            self.wrong.append(f"{what}: {said or 'admitted'}")

    def end(self):
        assert not self.wrong, "\n".join(self.wrong)
        self.case.note(f"{self.asked} documents judged")


def spec_of(case, **more):
    return {"entrypoint": "make", "templates": [step(case, "make", MAKE, [APP])], **more}


def parameter(value):
    return {"arguments": {"parameters": [{"name": "x", "value": value}]}}


@scenario("admission/protect/values")
def given(case):
    """Arguments, annotations, hooks, what is supplied to a workflow that waits."""
    case = protected(case)
    judge, policy = Judge(case), "argo-attest-protect-workflows"

    def ask(what, kind, spec, refused, **metadata):
        document = {"apiVersion": API, "kind": kind, "metadata": {"name": "given", **metadata}, "spec": KINDS[kind](spec_of(case, **spec))}
        judge.document(f"{kind}, {what}", document, policy if refused else None)

    for kind in KINDS:
        for value in HOSTILE:
            ask(value, kind, parameter(value), True)
        for value in HONEST:
            # Alone it ends in a brace.
            ask(value, kind, parameter(value), value == "{")
        for name, artifact in {
            "a key": {"s3": {"key": CODE}}, "text": {"raw": {"data": CODE}}, "a place": {"http": {"url": CODE}}, "a commit": {"git": {"repo": "r", "revision": CODE}},
        }.items():
            ask(name, kind, {"arguments": {"artifacts": [{"name": "x", **artifact}]}}, True)
        ask("a default", kind, {"arguments": {"parameters": [{"name": "x", "value": "y", "default": CODE}]}}, True)
        ask("an annotation", kind, {}, True, annotations={"x": CODE})
        ask("kubectl's annotation", kind, {}, False, annotations={"kubectl.kubernetes.io/last-applied-configuration": CODE})
        if kind == "CronWorkflow":
            document = {"apiVersion": API, "kind": kind, "metadata": {"name": "given"},
                        "spec": {**KINDS[kind](spec_of(case)), "workflowMetadata": {"annotations": {"x": CODE}}}}
            judge.document("annotations of workflows to come", document, policy)
        ask("annotations to come", kind, {"workflowMetadata": {"annotations": {"x": CODE}}}, True)
        ask("the collector's pod", kind, {"artifactGC": {"strategy": "Never", "podSpecPatch": "hostPID: true"}}, True)
        ask("a collector", kind, {"artifactGC": {"strategy": "Never"}}, False)
        # A template's own text: Argo's way of writing workflows.
        flow = {"name": "flow", "steps": [[{"name": "make", "template": "make", "arguments": {"parameters": [
            {"name": "x", "value": "{{workflow.parameters.y}}"}, {"name": "z", "value": CODE}]}}]]}
        ask("a step's arguments", kind, {"entrypoint": "flow", "templates": [flow, step(case, "make", MAKE, [APP])]}, False)

    def hook(value):
        return {"hooks": {"exit": {"template": "make", "arguments": {"parameters": [{"name": "x", "value": value}]}}}}

    ask("a hook", "Workflow", hook(CODE), True)
    ask("a hook's status", "Workflow", hook("{{workflow.status}}"), False)
    ask("an escaped value", "Workflow", parameter('["\\u007b\\u007b=1}}"]'), True)
    ask("an open default", "Workflow", {"arguments": {"parameters": [{"name": "x", "valueFrom": {"supplied": {}, "default": "x{"}}]}}, True)
    workflows = f"/apis/{API}/namespaces/{case.kube.namespace}/workflows"
    document = {"apiVersion": API, "kind": "Workflow", "metadata": {"name": "waits"}, "spec": spec_of(case, suspend=True)}
    case.kube.call("POST", workflows, document)

    def change(what, status, refused):
        said = tried(case, f"{workflows}/waits?dryRun=All", {"status": status}, "PATCH", "application/merge-patch+json", user=AUTHOR)
        judge.said(what, said, policy if refused else None)

    for value, kind, refused in ((CODE, "Suspend", True), ("yes", "Suspend", False), (CODE, "Pod", False)):
        node = {"id": "n", "name": "n", "type": kind, "outputs": {"parameters": [{"name": "x", "value": value}]}}
        change(f"supplied to {kind}: {value}", {"nodes": {"n": node}}, refused)
    # What is run in place of the spec, and what a step's template is compared with.
    make = step(case, "make", MAKE, [APP])
    for name, value in {
        "storedTemplates": {"namespaced/release/make": make},
        "storedWorkflowTemplateSpec": spec_of(case),
        "artifactRepositoryRef": {"artifactRepository": {"s3": {"bucket": "mine", "endpoint": "mine.example.com"}}},
        "nodes": {"n": {"id": "n", "name": "n", "type": "Pod"}},
        "compressedNodes": "eA==",
    }.items():
        document = {"apiVersion": API, "kind": "Workflow", "metadata": {"name": "preset"}, "spec": spec_of(case), "status": {name: value}}
        judge.document(f"a preset {name}", document, policy)
        judge.document(f"{name} by the controller", document, None, user=None)
        if name not in ("nodes", "compressedNodes"):
            change(f"another {name}", {name: value}, True)
    # Argo's controller copies what was judged, and what the platform's defaults say.
    document = {"apiVersion": API, "kind": "Workflow", "metadata": {"name": "copied"}, "spec": spec_of(case, **parameter(CODE))}
    judge.document("by the controller", document, None, user=None)
    judge.end()


@scenario("admission/protect/results")
def handed_on(case):
    """Results of steps, and ConfigMaps that parameters and kept outputs come from."""
    case = protected(case)
    judge = Judge(case)
    tasks = f"/apis/{API}/namespaces/{case.kube.namespace}/workflowtasksets"
    case.kube.call("POST", tasks, {"apiVersion": API, "kind": "WorkflowTaskSet", "metadata": {"name": "s"}, "spec": {}})
    for value in (*HOSTILE, *HONEST):
        refused = "{{" in value or value.endswith("{")
        for what, outputs in {
            "parameter": {"parameters": [{"name": "x", "value": value}]},
            "result": {"result": value},
            "key": {"artifacts": [{"name": "x", "s3": {"key": f"k/{value}/k"}}]} if "{{" in value else {},
        }.items():
            document = {"apiVersion": API, "kind": "WorkflowTaskResult", "metadata": {"name": "r"}, "outputs": outputs}
            judge.document(f"{what}: {value}", document, "argo-attest-protect-results" if refused and outputs else None)
        # Of steps that Argo's agent runs: HTTP, plugins.
        status = {"status": {"nodes": {"n": {"phase": "Succeeded", "outputs": {"result": value}}}}}
        said = tried(case, f"{tasks}/s/status?dryRun=All", status, "PATCH", "application/merge-patch+json")
        judge.said(f"task set: {value}", said, "argo-attest-protect-results" if refused else None)
        for kind in ("Parameter", "Cache", None):
            label = {"workflows.argoproj.io/configmap-type": kind} if kind else {}
            document = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "labels": label}, "data": {"x": value}}
            said = tried(case, case.kube.core("configmaps", dryRun="All"), document)
            judge.said(f"{kind} {value}", said, "argo-attest-protect-parameters" if refused and kind else None)
    plain = {"apiVersion": API, "kind": "WorkflowTaskResult", "metadata": {"name": "r"}, "phase": "Succeeded"}
    judge.document("no outputs", plain, None)
    judge.end()


# What has to stand before one's own text to close what is open, and after it to hide what is left.
TWICE = {
    "outputs": '"}},"outputs":{"artifacts":[]},"x":{"a":{"b":"',
    "inputs": '"}},"inputs":{},"x":{"a":{"b":"',
    "metadata": '"}},"metadata":{"annotations":{}},"x":{"a":{"b":"',
    "container": '"}},"container":{"image":"trusted"},"x":{"a":{"b":"',
    "container, spaced": '"}},"container" :\t{"image":"trusted"},"x":{"a":{"b":"',
    "archiveLocation": '"}},"archiveLocation":{"s3":{"bucket":"x"}},"archiveLocation":{"a":{"b":"',
    "volumes": '"}},"volumes":[],"volumes":[{"a":{"b":"',
}


@scenario("admission/protect/text")
def template_text(case):
    """A raw member that is there twice, a variable that the kubelet would expand, a text that is elsewhere."""
    case = protected(case)
    judge, policy = Judge(case), "argo-attest-protect-pods"

    def pod(change, annotations=None, **template):
        def everywhere(pod):
            for c in pod["spec"]["initContainers"] + pod["spec"]["containers"]:
                for entry in c.get("env", []):
                    if entry["name"] == "ARGO_TEMPLATE":
                        entry["value"] = change(entry["value"])

        return changed(step_pod(case, annotations, **template), everywhere)

    asks = {"argo-attest.io/attest": "true", "x": "MARK"}
    labelled = {"metadata": {"annotations": asks}}
    for name, text in TWICE.items():
        # Steps that do not ask, too: what they upload may be another's input.
        for annotations in ({"argo-attest.io/attest": "true"}, {}):
            said = refusal(case, pod(lambda whole, t=text: whole.replace("MARK", t), annotations, **labelled)) or ""
            judge.said(f"{name} twice", said, policy)
    for name, mark in {"quoted": '\\"container\\":{', "a label": "container", "none": ""}.items():
        judge.said(name, refusal(case, pod(lambda whole, m=mark: whole.replace("MARK", m), {"argo-attest.io/attest": "true"}, **labelled)) or "", None)
    claim = {"volumes": [{"name": "v", "ephemeral": {"volumeClaimTemplate": {"metadata": {"labels": {"a": "b"}}, "spec": {}}}}]}
    judge.said("a claim's metadata", refusal(case, step_pod(case, **claim)) or "", None)

    def says(text):
        return {"container": {"name": "", "resources": {}, "image": case.settings.main_image, "command": ["sh", "-c", text]}}

    for text, refused in {
        "echo $(ARGO_POD_NAME)": True, "echo $(KUBERNETES_SERVICE_HOST)": True, "cat /data/$(DB_PORT_5432_TCP_ADDR)": True,
        "echo $(ARGO_WORKFLOW_NAME)": True, "echo $(date) $$ $HOME ${HOME} $(NOBODYS_NAME) $( ARGO_POD_NAME )": False,
    }.items():
        judge.said(text, refusal(case, step_pod(case, **says(text))) or "", policy if refused else None)
    judge.said("offloaded", refusal(case, pod(lambda _: "offloaded", {"argo-attest.io/attest": "true"})) or "", policy)
    judge.said("offloaded, not attested", refusal(case, pod(lambda _: "offloaded", {})) or "", None)

    def other(pod):
        container(pod, "wait")["env"] = [
            {**e, "value": e["value"].replace('"name":"build"', '"name":"other"')} if e["name"] == "ARGO_TEMPLATE" else e
            for e in container(pod, "wait")["env"]]

    judge.said("wait's is another", refusal(case, changed(step_pod(case), other)) or "", policy)
    judge.end()
