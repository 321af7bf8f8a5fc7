"""What somebody says of a workflow that ran and of which nothing is missing: another policy, another text."""

import copy
from collections import Counter

from harness.place import policy
from harness.step import BUILDER

from .world import ATTESTED

# Of the workflow `dag`: a step that makes `app`, and one that takes it and makes `report`.
SUBJECT = "dag"

# A policy, and how many lines of which reason it comes to.
POLICIES = {
    "a key that is accepted no more": (
        policy().replace("file: ours.pub}", "file: ours.pub, notAfter: 2020-01-01T00:00:00Z}"),
        {"expired": 2, "never-finished": 2}),
    "a key that is not accepted yet": (
        policy().replace("file: ours.pub}", "file: ours.pub, notBefore: 2100-01-01T00:00:00Z}"),
        {"expired": 2, "never-finished": 2}),
    "nothing so old": (policy("expect: {maxAge: 1ms}\n"), {"policy/age": 2}),
    "another workflow": (policy("expect: {workflow: {name: other-*}}\n"), {"policy/parameter": 2}),
    "one template": (policy("expect: {template: [build]}\n"), {ATTESTED: 1, "policy/parameter": 1}),
    "another builder": (policy().replace(BUILDER, BUILDER + "/2"), {"policy/builder": 2, "never-finished": 2}),
}


def node_left_out(document):
    nodes = document["status"]["nodes"]
    del nodes[next(at for at, node in nodes.items() if node["name"] == f"{SUBJECT}.test")]


def output_left_out(document):
    _node(document, ".test").pop("outputs")


def other_input(document):
    _node(document, ".test")["inputs"]["artifacts"][0]["s3"]["key"] += "-2"


def called_skipped(document):
    _node(document, ".test").update(type="Skipped", phase="Skipped")


def called_memoised(document):
    _node(document, ".test")["memoizationStatus"] = {"hit": True, "key": "x", "cacheName": "x"}


def never_was(document):
    node = copy.deepcopy(_node(document, ".test"))
    node.update(id="dag-0", name=f"{SUBJECT}.more", displayName="more")
    for artifact in node["outputs"]["artifacts"]:
        artifact["s3"]["key"] += "-never"
    document["status"]["nodes"]["dag-0"] = node


# The text is changed so; with the bucket's own word beside it, where the text alone would hide it.
TEXTS = {
    "a node is left out": (node_left_out, True, {ATTESTED: 2, "not-found": 1}),
    "an output is left out": (output_left_out, False, {ATTESTED: 2}),
    "another input": (other_input, False, {ATTESTED: 2, "chain": 1}),
    "called skipped": (called_skipped, False, {ATTESTED: 2}),
    "called memoised": (called_memoised, False, {ATTESTED: 2}),
    "a node that never was": (never_was, False, {ATTESTED: 2, "never-finished": 1, "object-gone": 1}),
}


def _node(document, name):
    return next(node for node in document["status"]["nodes"].values() if node["name"] == SUBJECT + name)


def wrong(world):
    """What comes to something else than it should, in words."""
    run, found = world.runs[SUBJECT], []
    text = world.text(SUBJECT, run.document)
    for name, (trusted, wanted) in POLICIES.items():
        world.has("other.yaml", trusted)
        found += _differs(name, world.audit("-f", text, trusting="other.yaml"), wanted)
    for name, (change, with_bucket, wanted) in TEXTS.items():
        document = copy.deepcopy(run.document)
        change(document)
        places = [world.place + f"{SUBJECT}/"] if with_bucket else []
        found += _differs(name, world.audit("-f", world.text("changed", document), *places), wanted)
    return found


def _differs(name, audited, wanted):
    told = Counter(entry.get("reason", ATTESTED) for entry in audited.entries)
    missing = set(wanted) - {ATTESTED}
    if told == Counter(wanted) and audited.code == (1 if missing else 0):
        return []
    return [f"{name}: {dict(told)}, not {wanted}; exit code {audited.code}"]
