"""Workflows of every shape that Argo has, as their authors write them: nothing of ours but an annotation.

Each function gives the spec of one; `Template` and its like write the few lines that they share.
"""

import json

from harness.step import OPT_IN, shell

MEMO = "audited-memo"
MEMOS = ("kept", "lost")
LIBRARY = "audited-library"
# What templates leave behind whose nodes share a key.
SHARED = "shared/{0}.txt"


class Author:
    """Writes templates for this cluster's images."""

    def __init__(self, settings, prefix):
        self.settings, self.prefix = settings, prefix

    def step(self, name, makes=("app",), takes=(), script="", ends="", opted_in=True, annotations=None, **more):
        """A container that writes each output, a name or what Argo calls one, and takes inputs by name."""
        declared = [self.output(output) for output in makes]
        write = [f"mkdir -p $(dirname {o['path']}); echo {{{{pod.name}}}} {o['name']} > {o['path']}" for o in declared]
        lines = [script or "; ".join(write) or "true", "sleep 0.5", *([ends] if ends else [])]
        container = {
            **shell(self.settings, "; ".join(lines)),
            "volumeMounts": [{"name": "data", "mountPath": "/data"}],
        }
        template = {"name": name, "container": container, **more}
        if opted_in:
            template["metadata"] = {"annotations": {**OPT_IN, **(annotations or {})}}
        if declared:
            template["outputs"] = {"artifacts": declared}
        if takes:
            inputs = [{"name": taken, "path": f"/data/in-{taken}"} for taken in takes]
            template["inputs"] = {**template.get("inputs", {}), "artifacts": inputs}
        return template

    def output(self, output):
        if isinstance(output, str):
            return {"name": output, "path": f"/data/{output}"}
        return output

    def memo(self, name):
        """The ConfigMap of a cache. Argo keeps it in the controller's namespace, and takes it for everybody's."""
        return f"{MEMO}-{name}-{self.prefix.rpartition('/')[2]}"

    def shared(self, name):
        """An output with a key of its own, the same whoever writes it."""
        return {"name": "app", "path": "/data/app", "archive": {"none": {}}, "s3": {"key": f"{self.prefix}/{SHARED.format(name)}"}}


def flow(groups, *templates, **spec):
    """Steps: each group a list of calls."""
    return {"entrypoint": "main", "templates": [{"name": "main", "steps": groups}, *templates], **spec}


def tasks(all_tasks, *templates, **spec):
    return {"entrypoint": "main", "templates": [{"name": "main", "dag": {"tasks": all_tasks}}, *templates], **spec}


def single(template, **spec):
    return {"entrypoint": template["name"], "templates": [template], **spec}


def call(name, template=None, parameters=None, artifacts=None, **more):
    """A step or a task; `artifacts` is what it takes, by name: from where."""
    arguments = {}
    if parameters:
        arguments["parameters"] = [{"name": k, "value": v} for k, v in parameters.items()]
    if artifacts:
        arguments["artifacts"] = [{"name": k, "from": f"{{{{{v}}}}}"} for k, v in artifacts.items()]
    return {"name": name, "template": template or name, **({"arguments": arguments} if arguments else {}), **more}


def of(kind, node, output="app"):
    return f"{kind}.{node}.outputs.artifacts.{output}"


def one(author):
    return single(author.step("one"))


def script(author):
    plain = {"name": "plain", "path": "/data/plain", "archive": {"none": {}}}
    base = {"name": "base", "path": "/tmp/base"}
    packed = {"name": "packed", "path": "/data/packed", "archive": {"zip": {}}}
    template = author.step("one", makes=(plain, base, packed))
    container = template.pop("container")
    template["script"] = {
        **{k: container[k] for k in ("image", "imagePullPolicy", "volumeMounts")},
        "command": ["sh"], "source": container["args"][0],
    }
    return single(template)


def steps(author):
    return flow(
        [[call("build")], [call("use", artifacts={"app": of("steps", "build")})]],
        author.step("build"), author.step("use", makes=("used",), takes=("app",)))


def dag(author):
    return tasks(
        [call("build"), call("test", depends="build", artifacts={"app": of("tasks", "build")})],
        author.step("build"), author.step("test", makes=("report",), takes=("app",)))


def diamond(author):
    return tasks(
        [call("top"),
         *(call(side, "side", depends="top", artifacts={"app": of("tasks", "top")}) for side in ("left", "right")),
         call("bottom", depends="left && right", artifacts={s: of("tasks", s) for s in ("left", "right")})],
        author.step("top"), author.step("side", takes=("app",)), author.step("bottom", takes=("left", "right")))


def fan_out(author, width):
    return flow(
        [[call("map", parameters={"n": "{{item}}"}, withSequence={"count": str(width)})]],
        author.step("map", inputs={"parameters": [{"name": "n"}]}), parallelism=8)


def with_items(author):
    return flow(
        [[call("each", parameters={"n": "{{item}}"}, withItems=["red", "green", "blue"])]],
        author.step("each", inputs={"parameters": [{"name": "n"}]}))


def with_param(author):
    listing = author.step("list", script="echo '[\"x\", \"y\"]' > /data/list; cp /data/list /data/app")
    listing["outputs"]["parameters"] = [{"name": "all", "valueFrom": {"path": "/data/list"}}]
    return flow(
        [[call("list")],
         [call("each", parameters={"n": "{{item}}"}, withParam="{{steps.list.outputs.parameters.all}}")]],
        listing, author.step("each", inputs={"parameters": [{"name": "n"}]}))


def retried(author):
    """The first try fails and leaves nothing."""
    template = author.step("flaky", retryStrategy={"limit": "1"})
    template["container"]["args"][0] = "[ {{retries}} = 1 ] || exit 3; " + template["container"]["args"][0]
    return flow([[call("flaky")]], template)


def retried_with_an_object(author):
    """The first try fails and has left its output all the same."""
    return flow([[call("flaky")]], author.step("flaky", ends="[ {{retries}} = 1 ]", retryStrategy={"limit": "1"}))


def retried_after_a_loss(author):
    """The first pod is lost: the scenario deletes it while it waits."""
    template = author.step("lost", retryStrategy={"limit": "1", "retryPolicy": "Always"})
    template["container"]["args"][0] = "sleep 40; " + template["container"]["args"][0]
    return flow([[call("lost")]], template)


def exit_handler(author, opted_in=True):
    return flow([[call("build")]], author.step("build"), author.step("last", opted_in=opted_in), onExit="last")


def failing(author):
    """A step that fails before it leaves anything, one that was to follow, and an exit handler that runs."""
    return tasks(
        [call("build"), call("use", "build", depends="build")],
        author.step("build", script="exit 3"), author.step("last"), onExit="last")


def hooked(author):
    """A hook of one step, that runs as it ends."""
    hooks = {"exit": {"template": "after"}}
    return flow([[call("build", hooks=hooks)]], author.step("build"), author.step("after"))


def memoised(author, name=MEMOS[0]):
    memo = {"key": name, "maxAge": "1h", "cache": {"configMap": {"name": author.memo(name)}}}
    return flow([[call("build")]], author.step("build", memoize=memo))


def memoised_and_lost(author):
    return memoised(author, MEMOS[1])


def suspended(author):
    """Begins only when it is told to, and waits once more by itself."""
    return flow(
        [[call("build")], [call("wait")], [call("use", artifacts={"app": of("steps", "build")})]],
        author.step("build"), {"name": "wait", "suspend": {"duration": "2"}},
        author.step("use", makes=("used",), takes=("app",)), suspend=True)


def never_resumed(author):
    return flow([[call("build")], [call("wait")], [call("use", "build")]], author.step("build"), {"name": "wait", "suspend": {}})


def template_ref(author):
    """Templates of a WorkflowTemplate, which was injected by itself."""
    referred = [{"name": name, "templateRef": {"name": LIBRARY, "template": name}} for name in ("build", "use")]
    referred[1]["arguments"] = call("use", artifacts={"app": of("steps", "build")})["arguments"]
    return flow([[referred[0]], [referred[1]]])


def library(author):
    return steps(author)


def workflow_template_ref(_author):
    return {"workflowTemplateRef": {"name": LIBRARY}}


def daemon(author):
    """A server that lives as long as its workflow, and a client."""
    server = author.step("server", makes=(), script="sleep 300", opted_in=False, daemon=True)
    return flow([[call("server")], [call("client")]], server, author.step("client"))


def container_set(author):
    container = shell(author.settings, "true")
    first = {**container, "name": "first", "args": ["echo one > /data/first"]}
    main = {**container, "name": "main", "dependencies": ["first"], "args": ["cat /data/first > /data/app; sleep 0.5"]}
    template = author.step("set")
    mounts = template.pop("container")["volumeMounts"]
    return single({**template, "containerSet": {"volumeMounts": mounts, "containers": [first, main]}})


def nested(author):
    """Steps within a task within steps."""
    inner = {"name": "inner", "steps": [[call("make"), call("more", "make")]]}
    outer = {"name": "outer", "dag": {"tasks": [call("within", "inner")]}}
    return flow([[call("outer")]], outer, inner, author.step("make"))


def conditional(author):
    """One that is skipped, and one that is left out since it depends on a failure that never came."""
    return tasks(
        [call("build"), call("never", "build", depends="build", when="1 == 2"),
         call("mourn", "build", depends="build.Failed")],
        author.step("build"))


def nothing_made(author):
    """An output that is optional and is not made, a step that has none and whose log is kept, and one of
    which Argo stores nothing at all, so that nobody says where its outcome is to lie."""
    maybe = {"name": "maybe", "path": "/data/maybe", "optional": True}
    return flow([[call("maybe"), call("none"), call("placeless")]],
                author.step("maybe", makes=("app", maybe), script="echo x > /data/app"),
                author.step("none", makes=(), archiveLocation={"archiveLogs": True}), author.step("placeless", makes=()))


def folders(author):
    """Outputs that are stored file by file."""
    made = {"name": "app", "path": "/data/made", "archive": {"none": {}}}
    write = "mkdir -p /data/made/b; echo 1 > /data/made/a; echo 2 > /data/made/b/c"
    # So many that a manifest lists them.
    many = "mkdir -p /data/made; for n in $(seq 1 1100); do echo $n > /data/made/$n; done"
    scripts = {"lacking": write, "grown": write, "whole": write, "unlisted": many}
    return flow([[call(name) for name in scripts]], *(author.step(name, makes=(made,), script=scripts[name]) for name in scripts))


def leading_out(author):
    """A link that leads out of the output: the step's own word is that it refuses."""
    made = {"name": "app", "path": "/data/app"}
    return single(author.step("one", makes=(made,), script="mkdir -p /data/app; echo 1 > /data/app/a; ln -s ../../etc /data/app/out"))


def resource(author):
    manifest = json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "audited-made-"}})
    return flow([[call("make")], [call("build")]],
                {"name": "make", "resource": {"action": "create", "manifest": manifest}}, author.step("build"))


def logged(author):
    return single(author.step("one", archiveLocation={"archiveLogs": True}))


def overwriting(author):
    """Two steps, one after the other, that write to the same key."""
    step = author.step("make", makes=(author.shared("within"),))
    return flow([[call("first", "make")], [call("second", "make")]], step)


def shared(author):
    """Two workflows that write to the same key."""
    return single(author.step("one", makes=(author.shared("across"),)))


def unwatched(author):
    return flow([[call("build")], [call("use", artifacts={"app": of("steps", "build")})]],
                author.step("build", opted_in=False), author.step("use", makes=("used",), takes=("app",)))


def apart(author):
    return single(author.step("one", annotations={"argo-attest.io/place-attestations": "apart"}))


def map_reduce(author):
    """A fan-out writes beneath one prefix by key, and a step takes the prefix."""
    key = f"{author.prefix}/map-reduce/parts"
    part = {"name": "part", "path": "/data/part", "archive": {"none": {}}, "s3": {"key": f"{key}/{{{{inputs.parameters.n}}}}.txt"}}
    reduce = author.step("reduce", makes=("sum",))
    reduce["inputs"] = {"artifacts": [{"name": "parts", "path": "/data/in-parts", "s3": {"key": key}}]}
    return flow(
        [[call("map", parameters={"n": "{{item}}"}, withItems=["a", "b"])], [call("reduce")]],
        author.step("map", makes=(part,), inputs={"parameters": [{"name": "n"}]}), reduce)


def killed_sidecar(author, kill):
    return single(author.step("one", script=f"echo x > /data/app; sleep 2; {kill}; sleep 1"),
                  podSpecPatch=json.dumps({"shareProcessNamespace": True, "terminationGracePeriodSeconds": 20}))
