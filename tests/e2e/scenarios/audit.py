"""Workflows that ran on this cluster, with gaps planted in what they left: each is named, and none invented.

A dozen workflows by default; with E2E_AUDIT=all every shape and gap there is (audited/table.py).
"""

import concurrent.futures
import copy
import json
import os
import subprocess
import tempfile

from audited import claims, gaps, shapes
from audited.gaps import STEP
from audited.table import OTHER_SECRET, table
from audited.world import ATTESTED, Run, World, difference
from harness import expect
from harness.place import bind, place, role
from harness.scenario import scenario
from harness.step import BUILDER

from .differential import location

REPOSITORY = "audited"
AT_ONCE = 6


def audited_place(case, expectations=""):
    """A namespace whose artifacts lie beneath one prefix of their own."""
    case = place(case, expectations=expectations)
    prefix = f"audited/{case.kube.namespace}"
    key_format = prefix + "/{{workflow.name}}/{{pod.name}}"
    repository = json.dumps({"s3": {**location(case.settings), "keyFormat": key_format}})
    case.kube.create_config_map("artifact-repositories", {REPOSITORY: repository})
    # What templates of the kind `resource` make there.
    role(case, "maker", [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["create", "get"]}])
    bind(case, "maker", "Role", {"kind": "ServiceAccount", "name": "default", "namespace": case.kube.namespace}, "maker")
    folder = tempfile.TemporaryDirectory(prefix="e2e-audit-")
    case.later(folder.cleanup)
    return World(case, folder.name, prefix)


def injected(world, document, options=()):
    command = [
        world.binary, "inject", "--image", world.settings.image, "--builder-id", BUILDER,
        "--store-secret", world.settings.s3_secret,
    ]
    # The last of an option that is there twice would be refused: ours give way.
    for name in options[::2]:
        if name in command:
            at = command.index(name)
            del command[at:at + 2]
    done = subprocess.run([*command, *options], input=json.dumps(document), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def resource(world, kind, name, spec):
    own = {"artifactRepositoryRef": {"configMap": "artifact-repositories", "key": REPOSITORY}}
    if "workflowTemplateRef" not in spec:
        own["volumes"] = [{"name": "data", "emptyDir": {}}]
    return {
        "apiVersion": "argoproj.io/v1alpha1", "kind": kind,
        "metadata": {"name": name, "namespace": world.kube.namespace, "labels": {"e2e": "argo-attest"}},
        "spec": {**own, **spec},
    }


def ran(world, shape, author):
    """Runs it to its end; the workflow as the API server then has it."""
    document = injected(world, resource(world, "Workflow", shape.name, shape.spec(author)), shape.inject)
    running = world.case.run(document)
    if shape.during:
        shape.during(world, running)
    if shape.ends == "Running":
        return Run(world, shape.name, running.workflow())
    phase = running.finished(420)
    assert phase == shape.ends, f"{shape.name}: {phase}; {expect.told(running)}"
    return Run(world, shape.name, running.workflow())


def all_ran(world, wanted):
    """Every workflow, some at a time, those that need another's result behind it; what came to no end."""
    wrong = []
    author = shapes.Author(world.settings, world.prefix)
    library = injected(world, resource(world, "WorkflowTemplate", shapes.LIBRARY, shapes.library(author)))
    world.kube.apply(json.dumps(library))
    with open(world.keys.generated(world.folder).removesuffix(".pub") + ".key", encoding="ascii") as key:
        world.kube.create_secret(OTHER_SECRET, {"attest.key": key.read()})
    for name in shapes.MEMOS:
        world.case.later(world.kube.ask, "delete", "configmap", author.memo(name), "--ignore-not-found",
                         f"--namespace={world.settings.controller_namespace}")
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        # Those that take longest first; each behind the one that it needs.
        for late in (False, True):
            now = [shape for shape in wanted if bool(shape.after) == late]
            now.sort(key=lambda shape: (shape.during is None, shape.name != "fan-out"))
            for shape, run in [(shape, pool.submit(ran, world, shape, author)) for shape in now]:
                try:
                    world.runs[shape.name] = run.result()
                except AssertionError as error:
                    wrong.append(f"{shape.name} did not run: {error}")
    return wrong


def clean(shape):
    """The shape as it is before anything is planted: what came about as it ran stays."""
    shape = copy.copy(shape)
    shape.gaps = tuple(gap for gap in shape.gaps if gap.kind.plant is gaps.nothing and gap.kind is not gaps.GONE_WITH_THE_FIRST)
    return shape


def tells(world, shape, audited, how):
    """The lines of an audit of one workflow are those of the table, no more and no less."""
    run = world.runs[shape.name]
    wrong = difference(shape.told(), run.told(audited.entries))
    try:
        audited.adds_up()
    except AssertionError as error:
        wrong.append(str(error))
    return [f"{shape.name}, {how}: {line}" for line in wrong]


def text_of(world, shape):
    return world.text(shape.name, world.runs[shape.name].document)


def address(world, shape):
    return f"argo://{world.kube.namespace}/{shape.name}"


def listed(world, wanted, more):
    """What an audit of the bucket has to say: by address, and the reason."""
    lines, runs = {}, world.runs
    for shape in (shape for shape in wanted if all(node in runs[shape.name].nodes for node, _ in shape.whole)):
        run = runs[shape.name]
        for (node, what), word in shape.whole.items():
            if what != STEP and word in (ATTESTED, "memoised", "not-ours"):
                lines[world.s3.uri(run.key(node, what))] = "not-ours" if word == "not-ours" else ATTESTED
        for gap in shape.gaps:
            if gap.kind.listed is None:
                continue
            if gap.kind.of_step:
                lines.update({outcome: gap.kind.listed for outcome in run.outcome_names(gap.node)})
            else:
                lines[world.s3.uri(run.key(gap.node, gap.output))] = gap.kind.listed
            if gap.kind.left:
                lines[world.s3.uri(run.bundle(gap.node, gap.output))] = gap.kind.left
            if gap.kind is gaps.REFUSED:
                lines[f"{run.nodes[gap.node]['id']}#{gap.output}"] = "refused-in-step"
    return sorted([*lines.items(), *more])


def orphan(world):
    """An object that is attested by hand, and then deleted: what is left of it, and its reason."""
    key = f"{world.prefix}/by-hand/gone.bin"
    world.s3.put(key, b"gone")
    gaps.attest(world, [key], gaps.own_key(world))
    world.s3.delete(key)
    return world.s3.uri(key + ".sigstore.json"), "orphan"


def in_bucket(world, entries):
    """The same of what it said, but for what is absent by right; outputs by their nodes."""
    lines = []
    for entry in entries:
        if entry.get("reason") == "absent-by-right":
            continue
        name = entry["artifact"].rstrip("/")
        if entry["about"] == "output":
            name = name.rpartition("/")[2]
        lines.append((name, entry.get("reason", ATTESTED)))
    return sorted(lines)


@scenario("audit/workflows", alone=True)
def workflows(case):
    wanted = table(os.environ.get("E2E_AUDIT") == "all")
    # Gates let pass what steps take that nobody attested: it is the audit that has to find it.
    world = audited_place(case, "missing: warn\n")
    wrong = all_ran(world, wanted)
    wanted = [shape for shape in wanted if shape.name in world.runs]
    one = world.runs["one"]
    world.donor, world.donors_outcome = one.key("", "app"), one.outcome("")[0]
    # Before anything is planted nothing is missing but what came about as they ran.
    for shape in map(clean, wanted):
        wrong += tells(world, shape, world.audit("-f", text_of(world, shape)), "before anything was planted")
    wrong += claims.wrong(world)
    gone = orphan(world)
    for shape in wanted:
        # While its outcomes still say whose they are.
        world.runs[shape.name].read_outcomes()
    for shape in wanted:
        for gap in shape.gaps:
            try:
                gap.kind.plant(world, world.runs[shape.name], gap.node, gap.output)
            except (AssertionError, LookupError) as error:
                wrong.append(f"{shape.name}: not planted at {gap.node}: {error!r}")
    for shape in wanted:
        wrong += tells(world, shape, world.audit("-f", text_of(world, shape)), "as a file")
        wrong += tells(world, shape, world.audit(address(world, shape)), "from the cluster")
    bucket = world.audit(world.place)
    wrong += [f"the bucket: {line}" for line in difference(listed(world, wanted, [gone]), in_bucket(world, bucket.entries))]
    planted = [gap for shape in wanted for gap in shape.gaps] + [gone]
    whole = sum(len(shape.told()) for shape in wanted)
    case.note(f"{len(wanted)} workflows, {len(planted)} gaps, {whole} lines of workflows and {len(bucket.entries)} of the bucket")
    assert not wrong, "\n".join(wrong)
