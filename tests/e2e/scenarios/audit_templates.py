"""The audits of workflow-templates/ on Argo itself: each night, and in parts."""

import json
import subprocess
import tempfile

from audited import gaps, shapes
from audited.table import Shape, made
from audited.world import World
from harness import expect
from harness.manifests import apply
from harness.place import place
from harness.running import Running
from harness.scenario import Skip, scenario
from harness.waiting import wait_for

from .audit import all_ran, audited_place

ACCOUNT = "argo-attest-audit"
NIGHTLY = ACCOUNT
SHARDS = "argo-attest-audit-shards"
ANNOTATION = "argo-attest.io/audit"


def parameters(case, **more):
    values = {"endpoint": case.settings.s3_endpoint, "region": case.settings.s3_region, **more}
    return {"parameters": [{"name": name, "value": value} for name, value in values.items()]}


def objects(world, count, gaps_in):
    """A prefix with so many attested objects, of which some are then not as they should be."""
    prefix = f"{world.prefix}/parts"
    keys = [f"{prefix}/{n % 5}/{n:03}.bin" for n in range(count)]
    for key in keys:
        world.s3.put(key, key.encode())
    gaps.attest(world, keys, gaps.own_key(world))
    if gaps_in:
        world.s3.put(keys[3], b"other")
        world.s3.delete(keys[5])
        for form in (".sigstore.json", ".intoto.jsonl"):
            world.s3.delete(keys[8] + form)
        world.s3.put(f"{prefix}/more.bin", b"nobody attests it")
    return world.s3.uri(prefix + "/")


def shards(case, count, gaps_in):
    """So many parts say together, byte for byte, what one audit says."""
    case = place(case)
    found, _ = case.kube.ask("get", "clusterworkflowtemplate", SHARDS)
    if found == 0:
        raise Skip(f"a ClusterWorkflowTemplate {SHARDS} is there already")
    apply(case, "audit-nightly.yaml")
    apply(case, "audit-shards.yaml")
    with tempfile.TemporaryDirectory() as folder:
        world = World(case, folder, f"audited/{case.kube.namespace}")
        audited = objects(world, 40, gaps_in)
        reports = f"reports/{case.kube.namespace}"
        running = case.run_when_known({
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Workflow",
            "metadata": {"generateName": "e2e-shards-", "labels": {"e2e": "argo-attest"}},
            "spec": {
                "workflowTemplateRef": {"name": SHARDS, "clusterScope": True},
                "serviceAccountName": ACCOUNT,
                "arguments": parameters(case, place=audited, shards=str(count), reports=reports),
            },
        })
        (expect.failed if gaps_in else expect.succeeded)(running, 180)
        one = subprocess.run(
            [world.binary, "audit", "--policy", "policy.yaml", "-o", "json", audited],
            env=world.environment, cwd=folder, capture_output=True, timeout=60)
        merged = case.s3.get(f"{reports}/{running.name}/audit.json")
        assert merged == one.stdout, f"merged: {merged}\none: {one.stdout}"
        assert one.returncode == (1 if gaps_in else 0), one.stderr
        counts = case.s3.get(f"{reports}/{running.name}/audit.prom").decode()
        words = [json.loads(line).get("reason") for line in merged.splitlines()]
        for word in {word for word in words if word}:
            assert f'"{word}"}} {words.count(word)}\n' in counts, f"{word}: {counts}"
        parts = [p for p in running.pods() if "-part-" in p.name]
        assert len(parts) == count, [p.name for p in parts]
        case.note(f"{count} parts, {len(words)} lines, {sum(1 for word in words if word)} of them missing")


scenario("audit/shards/missing", alone=True, count=8, gaps_in=True)(shards)
scenario("audit/shards/whole", alone=True, count=3, gaps_in=False)(shards)


def ours_apart(workflow):
    """The workflow without what the audit may write, and what the server writes as it does."""
    workflow = json.loads(json.dumps(workflow))
    metadata = workflow["metadata"]
    said = {name: metadata["annotations"].pop(name) for name in list(metadata.get("annotations", {})) if name.startswith(ANNOTATION)}
    for name in ("resourceVersion", "managedFields"):
        metadata.pop(name)
    return workflow, said


@scenario("audit/nightly", alone=True)
def nightly(case):
    """Made by Argo at its time, and by hand: page, report and counts are in the bucket, it fails where something is missing."""
    world = audited_place(case)
    shape = Shape("steps", shapes.steps, {**made("[0].build"), **made("[1].use", output="used")})
    wrong = all_ran(world, [shape])
    assert not wrong, wrong
    inner = world.case
    every_minute = lambda text: text.replace('schedules: ["17 2 * * *"]', 'schedules: ["* * * * *"]').replace(
        "https://s3.eu-central-1.amazonaws.com", case.settings.s3_endpoint).replace("eu-central-1", case.settings.s3_region)
    before, _ = ours_apart(inner.kube.workflow("steps"))
    apply(inner, "audit-nightly.yaml", every_minute)
    path = f"/apis/argoproj.io/v1alpha1/namespaces/{inner.kube.namespace}"

    def began():
        selector = f"?labelSelector=workflows.argoproj.io/cron-workflow%3D{NIGHTLY}"
        return inner.kube.call("GET", f"{path}/workflows{selector}")["items"]

    first = wait_for("the CronWorkflow's first", 100 * case.settings.patience, began, 0.5)[0]
    cron = inner.kube.call("PATCH", f"{path}/cronworkflows/{NIGHTLY}", {"spec": {"suspend": True}}, "application/merge-patch+json")
    running = adopted(inner, first)
    expect.succeeded(running, 90)

    def narrowed(report):
        """All lines but the first, which says by what the audit was narrowed."""
        first, *others = report
        assert first["reason"] == "not-looked-at" and "only what changed since" in first["message"], first
        return others

    report, page, counts = left(world, running)
    assert "Nothing is missing" in page and "<script" not in page, page[:2000]
    assert [line["verdict"] for line in narrowed(report)] == ["attested"] * 2, report
    assert 'argo_attest_audit_complete' in counts, counts
    after, said = ours_apart(inner.kube.workflow("steps"))
    assert after == before, "the audit changed more than its annotations"
    page = f"s3://artifacts/audits/{inner.kube.namespace}/{running.name}/audit.html"
    assert said == {ANNOTATION: "complete: 2 attested of 2", f"{ANNOTATION}-report": page}, said
    # One more by hand, when something is missing.
    gaps.delete_attestation(world, world.runs["steps"], "[1].use", "used")
    running = inner.run({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow",
        "metadata": {"generateName": "e2e-nightly-", **cron["spec"]["workflowMetadata"]}, "spec": cron["spec"]["workflowSpec"]})
    expect.failed(running, 90)
    report, page, counts = left(world, running)
    assert sorted(line.get("reason", "") for line in narrowed(report)) == ["", "unattested"], report
    assert "Something is not attested" in page, page[:2000]
    after, said = ours_apart(inner.kube.workflow("steps"))
    assert after == before and said.get(ANNOTATION) == "incomplete: 1 attested, 1 unattested of 2", said
    case.note(said[ANNOTATION])


def adopted(case, document):
    """A workflow that somebody else submitted."""
    running = Running.__new__(Running)
    running.kube, running.settings = case.kube, case.settings
    running.name, running.uid = document["metadata"]["name"], document["metadata"]["uid"]
    case.running.append(running)
    return running


def left(world, running):
    """The report's lines, the page and the counts that it put into the bucket."""
    folder = f"audits/{world.kube.namespace}/{running.name}"
    report = [json.loads(line) for line in world.s3.get(f"{folder}/audit.json").splitlines()]
    return report, world.s3.get(f"{folder}/audit.html").decode(), world.s3.get(f"{folder}/audit.prom").decode()
