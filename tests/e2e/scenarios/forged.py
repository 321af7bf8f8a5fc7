"""Text that rewrites a template: tried by who may only give values to another's workflow, by
a step's own output, by an author. Twice each: where protect.yaml judges what is given, and
where nothing but gate and sidecar stand in the way. Beside each, the honest one.
"""

import base64
import uuid

from harness import expect
from harness.kube import ApiError
from harness.manifests import admission
from harness.place import bind, place, role
from harness.scenario import scenario
from harness.step import OPT_IN, Output, Step, shell
from harness.verdict import PROVENANCE, statement

from .admission import OURS, injects, opt_out, pod_of
from .protection import AUTHOR, LABELS, protected

GATED = {"argo-attest.io/verify-inputs": "true"}
NONE = '"archive":{"none":{}}'


def encoded(text):
    return base64.b64encode(text.encode()).decode()


def twice(text):
    """A value that is its text only after Argo has substituted two times."""
    for _ in range(2):
        text = f"{{{{=fromBase64('{encoded(text)}')}}}}"
    return text


def template(case, name, script, annotations=None, **more):
    return {
        "name": name,
        "metadata": {"annotations": dict(annotations or {})},
        "container": {**shell(case.settings, script), "volumeMounts": [{"name": "data", "mountPath": "/data"}]},
        **more,
    }


def artifact(name, path, key=None, **more):
    return {"name": name, "path": path, "archive": {"none": {}}, **({"s3": {"key": key}} if key else {}), **more}


def workflow(entrypoint, templates, parameters=None, **spec):
    arguments = {"parameters": [{"name": k, "value": v} for k, v in (parameters or {}).items()]}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"generateName": "e2e-forged-", "labels": {"e2e": "argo-attest"}},
        "spec": {"entrypoint": entrypoint, "arguments": arguments, "templates": templates,
                 "volumes": [{"name": "data", "emptyDir": {}}], **spec},
    }


class Prefix:
    """Keys of this scenario's own, to tell what came to lie there."""

    def __init__(self, case):
        self.case, self.name = case, f"e2e/forged/{uuid.uuid4().hex[:8]}"

    def __call__(self, key):
        return f"{self.name}/{key}"

    def provenance(self, running=None):
        """Every key beneath it, or where Argo stores what the workflow makes, that holds provenance of ours."""
        # By Argo's default, and by the keyFormat that most have.
        argos = [running.name, f"{running.kube.namespace}/{running.name}"] if running else []
        keys = [key for prefix in (self.name, *argos) for key in self.case.s3.list(prefix + "/")]
        bundles = [key for key in keys if key.endswith(".sigstore.json")]
        told = {key: statement(self.case.s3.get(key), self.case.keys.public) for key in bundles}
        return sorted(key for key, said in told.items() if said["predicateType"] == PROVENANCE)


def judged(case):
    """Both policies; and who may create Workflows, and no more than that. What a step says
    of its inputs counts: so that there is something for text to take away.
    """
    case = protected(case, opt_out)
    return case, AUTHOR


def unjudged(case):
    """Injected only: what is given is given as it is."""
    case = place(case)
    admission(case, "inject", effective=injects(case), change=opt_out)
    return case, None


def refused(case, body, user):
    """Why it is not even taken, if so; else the workflow, which ran to its end."""
    try:
        running = case.run(body, user)
    except ApiError as error:
        return str(error), None
    running.finished(150)
    return None, running


def told(running):
    """All that people are shown of it: Argo's messages, and our containers'."""
    words = [running.workflow()["status"].get("message", "")] + [node.get("message", "") for node in running.nodes()]
    for pod in running.pods():
        for name in OURS:
            state = pod.again().container(name)
            words += [state.get(k, {}).get("terminated", {}).get("message", "") for k in ("state", "lastState")]
    return "\n".join(words)


def nothing_attested(case, prefix, running):
    found = prefix.provenance(running)
    assert not found, f"attested: {found}"
    assert any("template" in line or "annotation" in line for line in told(running).splitlines()), told(running)
    case.note(next((line for line in told(running).splitlines() if "template" in line), "")[:300])


def source_of(case, key):
    said = statement(case.s3.get(expect.bundle_key(key)), case.keys.public)
    return said["predicate"]["buildDefinition"]["internalParameters"]["sidecar"]["templateSource"]


def of_parameters(case, how):
    """Somebody else's workflow, unchanged; the submitter gives `version` and `commit`."""
    case, user = how(case)
    prefix = Prefix(case)
    case.s3.put(prefix("sources/1.0"), b"the source")
    build = template(
        case, "build", "cp /data/src /data/app", OPT_IN | {"argo-attest.io/verify-inputs": "false"},
        inputs={"artifacts": [artifact("src", "/data/src", prefix("sources/{{workflow.parameters.version}}"))]},
        outputs={"artifacts": [artifact("app", "/data/app", prefix("releases/app"))]},
    )
    build["container"]["command"] = ["sh", "-c", "cp /data/src /data/app; sleep 1", "{{workflow.parameters.commit}}"]
    build["container"].pop("args")
    swallowed = (
        f'1.0"}},{NONE}}},{{"name":"evil","path":"/data/evil","raw":{{"data":"CHOSEN"}},{NONE}}}]}},'
        f'"outputs":{{"artifacts":[{{"name":"app","path":"/data/evil",{NONE},"s3":{{"key":"{prefix("releases/app")}"}}}}]}},'
        '"metadata":{"annotations":{"argo-attest.io/attest":"true","argo-attest.io/verify-inputs":"false"}},'
        '"zzz":{"inputs":{"artifacts":[{"s3":{"key":"',
        'c"]},"end":0},"container":{"name":"","image":"' + case.settings.main_image + '","command":["sh","-c","make","c0ffee',
    )
    added_input = (f'1.0"}},{NONE}}},{{"name":"more","path":"/data/more","raw":{{"data":"CHOSEN', "c0ffee")
    command = ("1.0", '","of another command')
    for version, commit in (swallowed, added_input, command):
        refusal, running = refused(case, workflow("build", [build], {"version": twice(version), "commit": twice(commit)}), user)
        if user:
            assert "argo-attest-protect-workflows" in (refusal or ""), refusal
        else:
            nothing_attested(case, prefix, running)
    refusal, running = refused(case, workflow("build", [build], {"version": "1.0", "commit": "c0ffee"}), user)
    assert refusal is None, refusal
    expect.attested(case, running.pod(), Output("app", "/data/app", "none", key=prefix("releases/app")))
    assert source_of(case, prefix("releases/app")) == "workflow"


def of_one_placeholder(case, how):
    """Nothing is swallowed and every member is known and in order: only a list is longer."""
    case, user = how(case)
    prefix = Prefix(case)
    evil = prefix("releases/evil")

    def build(key, path="/data/app"):
        return template(
            case, "build", "echo CHOSEN > /data/src; echo built > /data/app; sleep 1", OPT_IN,
            outputs={"artifacts": [artifact("app", path, key)]})

    in_key = build(prefix("releases/{{workflow.parameters.version}}"))
    in_path = build(prefix("releases/v1"), "/data/{{workflow.parameters.version}}")
    added = f'"}},{NONE}}},{{"name":"evil","path":"/data/src","s3":{{"key":"{evil}'
    # The same from a path: what is left of the real one becomes the added one's, with its key.
    exchanged = f'","s3":{{"key":"{evil}"}},{NONE}}},{{"name":"evil","path":"/data/src'
    for which, value in ((in_key, "v1" + added), (in_path, "app" + exchanged)):
        hostile = workflow("build", [which], {"version": twice(value)})
        refusal, running = refused(case, hostile, user)
        if user:
            assert "argo-attest-protect-workflows" in (refusal or ""), refusal
        else:
            nothing_attested(case, prefix, running)
    for which, value in ((in_key, "v1"), (in_path, "app")):
        refusal, running = refused(case, workflow("build", [which], {"version": value}), user)
        assert refusal is None, refusal
        expect.attested(case, running.pod(), Output("app", "/data/app", "none", key=prefix("releases/v1")))


def of_a_step(case, how):
    """Two output parameters that an unattested step prints are to open the gate of the next."""
    case, user = how(case)
    prefix = Prefix(case)
    values = (
        f'v1"}},{NONE}}}]}},"metadata":{{"annotations":{{"argo-attest.io/verify-inputs":"false"}}}},'
        '"zzz":{"outputs":{"artifacts":[{"s3":{"key":"',
        'c"]},"end":0},"container":{"name":"","image":"' + case.settings.main_image + '","command":["sh","-c","honest","c',
    )

    def pipeline(version, commit, annotations):
        handed = [{"name": name, "value": f"{{{{steps.build.outputs.parameters.{name}}}}}"} for name in ("version", "commit")]
        flow = {"name": "pipeline", "steps": [
            [{"name": "build", "template": "build"}],
            [{"name": "deploy", "template": "deploy", "arguments": {
                "artifacts": [{"name": "app", "from": "{{steps.build.outputs.artifacts.app}}"}], "parameters": handed}}],
        ]}
        build = template(
            case, "build",
            f"echo made > /data/app; printf %s {encoded(version)} | base64 -d > /data/version; "
            f"printf %s {encoded(commit)} | base64 -d > /data/commit; sleep 1", annotations,
            outputs={"artifacts": [artifact("app", "/data/app")],
                     "parameters": [{"name": n, "valueFrom": {"path": f"/data/{n}"}} for n in ("version", "commit")]})
        deploy = template(
            case, "deploy", "", OPT_IN,
            inputs={"artifacts": [{"name": "app", "path": "/data/app"}], "parameters": [{"name": "version"}, {"name": "commit"}]},
            outputs={"artifacts": [artifact("receipt", "/data/receipt", prefix("deployed/{{inputs.parameters.version}}"))]})
        deploy["container"].pop("args")
        deploy["container"]["command"] = ["sh", "-c", "echo deploying; echo done > /data/receipt; sleep 1", "{{inputs.parameters.commit}}"]
        return workflow("pipeline", [flow, build, deploy])

    def never_deployed(running):
        expect.failed(running, 150)
        pods = [p for p in running.pods() if "-deploy-" in p.name]
        assert not any(p.again().main_started() for p in pods), "main of deploy has started"
        assert not prefix.provenance(), prefix.provenance()
        case.note(told(running).strip().splitlines()[-1][:300] if told(running).strip() else "")

    hostile = case.run(pipeline(*map(twice, values), None), user)
    never_deployed(hostile)
    if user:
        assert "holds {{" in told(hostile), told(hostile)
    # Honest, and yet its input is not attested; then it is.
    never_deployed(case.run(pipeline("v1", "c0ffee", None), user))
    running = case.run(pipeline("v1", "c0ffee", OPT_IN), user)
    expect.succeeded(running, 150)
    expect.attested(case, pod_of(running, "deploy"), Output("receipt", "/data/receipt", "none", key=prefix("deployed/v1")))


def of_an_author(case, how):
    """Who writes the whole workflow has it say another image and command than run."""
    case, user = how(case)
    prefix = Prefix(case)
    other = "registry.example.com/trusted-builder@sha256:" + "0" * 64
    swallow = '"}},"zzz":{"a":{"b":{"c":"'
    again = f'x"]}},"end":0}},"container":{{"name":"","image":"{other}","command":["/usr/bin/reproducible-build","--release'

    def build(p, q):
        made = template(
            case, "build", "", {**OPT_IN, "x": "{{inputs.parameters.p}}"},
            inputs={"parameters": [{"name": "p", "value": p}, {"name": "q", "value": q}]},
            outputs={"artifacts": [artifact("app", "/data/app", prefix("app"))]})
        made["container"].pop("args")
        made["container"]["command"] = ["sh", "-c", "echo EVIL > /data/app; sleep 1", "{{inputs.parameters.q}}"]
        return made

    by_arguments = workflow(
        "build", [build("{{workflow.parameters.a}}", "{{workflow.parameters.b}}")],
        {"a": "{{workflow.parameters.v}}", "b": "{{workflow.parameters.w}}", "v": swallow, "w": again})
    # Nothing is given: all of it is in the template's own text.
    by_text = workflow("build", [build(twice(swallow), twice(again))])
    for hostile in (by_arguments, by_text):
        refusal, running = refused(case, hostile, user)
        if refusal:
            assert "argo-attest-protect-workflows" in refusal, refusal
            continue
        found = prefix.provenance(running)
        assert not found, f"attested: {found}"
    refusal, running = refused(case, workflow("build", [build("p", "q")]), user)
    assert refusal is None, refusal
    expect.attested(case, running.pod(), Output("app", "/data/app", "none", key=prefix("app")))


scenario("forged/parameters/judged", how=judged)(of_parameters)
scenario("forged/parameters/unjudged", how=unjudged)(of_parameters)
scenario("forged/one-placeholder/judged", how=judged)(of_one_placeholder)
scenario("forged/one-placeholder/unjudged", how=unjudged)(of_one_placeholder)
scenario("forged/step/judged", how=judged)(of_a_step)
scenario("forged/step/unjudged", how=unjudged)(of_a_step)
scenario("forged/author/judged", how=judged)(of_an_author)
scenario("forged/author/unjudged", how=unjudged)(of_an_author)


@scenario("forged/unseen")
def unseen(case):
    """An optional input where main sees it and the gate does not: /dev/shm, and elsewhere."""
    case = place(case)
    admission(case, "inject", effective=injects(case))
    prefix = Prefix(case)
    key = prefix("app")
    build = template(case, "build", "echo good > /data/app; sleep 1", OPT_IN, outputs={"artifacts": [artifact("app", "/data/app", key)]})
    expect.succeeded(case.run(workflow("build", [build])))
    case.s3.put(key, b"EVIL\n")
    for path in ("/dev/shm", "/run", "/var", "/etc/ssl"):
        use = template(case, "use", f"cat {path}/app", GATED, inputs={"artifacts": [artifact("app", f"{path}/app", key, optional=True)]})
        use["container"]["volumeMounts"] = [{"name": "data", "mountPath": path}]
        running = case.run(workflow("use", [use]))
        expect.failed(running)
        assert not running.pod().main_started(), f"{path}: main has started"
        assert "app" in told(running), told(running)
    # Where the gate sees it, what is there is checked, and what is not there is let through.
    for path, there in (("/data/in", True), ("/data/in", False)):
        at = key if there else prefix("nothing")
        use = template(case, "use", "true", GATED, inputs={"artifacts": [artifact("app", path, at, optional=True)]})
        running = case.run(workflow("use", [use]))
        (expect.failed if there else expect.succeeded)(running)


@scenario("forged/misspelt")
def misspelt(case):
    """An annotation that is nearly ours opens no gate, whoever judges it."""
    odd = ({"argo-attest.io/atest": "true"}, {"argo-attest.io/verify-inputs": "True"}, {"argo-attest.io/attest": "1"},
           {**GATED, "argo-attest.io/verify-input": "false"})
    for label, where in (("judged", judged), ("unjudged", unjudged)):
        inner, user = where(case)
        key = Prefix(case)("app")
        case.s3.put(key, b"EVIL\n")
        for annotations in odd:
            use = template(inner, "use", "cat /data/in", annotations, inputs={"artifacts": [artifact("app", "/data/in", key)]})
            running = inner.run(workflow("use", [use]), user)
            expect.failed(running)
            assert not any(pod.main_started() for pod in running.pods()), f"{label}, {annotations}: main has started"
            assert "argo-attest.io/" in told(running), told(running)


@scenario("forged/source")
def template_source(case):
    """What a statement says of the template's text, by how far it could be compared."""
    text = case.submit(Step(script="echo x > /data/app; sleep 1", outputs=[Output("app", "/data/app", "none")]))
    expect.succeeded(text)
    assert source_of(case, Output("app", "/data/app", "none").stored_as(text.pod().prefix())) == "text"
    for wanted, rules in (("workflow", None), ("pod", [{"apiGroups": ["argoproj.io"], "resources": ["workflowtaskresults"], "verbs": ["create", "patch"]}])):
        inner = place(case)
        if rules:
            inner.kube.ask("delete", "role", "executor")
            role(inner, "executor", rules)
        admission(inner, "inject", effective=injects(inner, wanted), change=lambda text, to=wanted: text.replace("expression: \"'workflow'\"", f"expression: \"'{to}'\""))
        key = Prefix(case)("app")
        build = template(inner, "build", "echo x > /data/app; sleep 1", OPT_IN, outputs={"artifacts": [artifact("app", "/data/app", key)]})
        expect.succeeded(inner.run(workflow("build", [build])))
        assert source_of(case, key) == wanted, source_of(case, key)
    # Demanded, and not to be had: nothing is attested, and why is told.
    inner = place(case)
    inner.kube.ask("delete", "role", "executor")
    role(inner, "executor", rules)
    admission(inner, "inject", effective=injects(inner))
    prefix = Prefix(case)
    build = template(inner, "build", "echo x > /data/app; sleep 1", OPT_IN, outputs={"artifacts": [artifact("app", "/data/app", prefix("app"))]})
    running = inner.run(workflow("build", [build]))
    running.finished()
    nothing_attested(case, prefix, running)
