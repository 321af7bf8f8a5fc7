"""Ways in which something goes missing after a workflow has run, and what an audit has to say of each.

A gap is planted in the store, by whoever can write there; what it does to the objects and their
attestations is written here, apart from the code under test.
"""

import base64
import json
import os
import subprocess
import tempfile
from dataclasses import dataclass

from harness import expect
from harness.step import BUILDER

# What is told of the step itself, and not of an output.
STEP = ""
OUTCOME = "argo-attest-outcome-"


@dataclass(frozen=True)
class Gap:
    """Something planted at a node's output, or at its outcome; `breaks` are nodes that took that output."""

    kind: "Kind"
    node: str
    output: str = "app"
    breaks: tuple = ()


@dataclass(frozen=True)
class Kind:
    """`told` is the reason that the audit of the workflow has to give, `listed` that of the bucket's.

    None: it is told there as if nothing were. `of_step`: it is told of the step, and not of the output.
    `left`: what the bucket's says of the attestation itself, which is none any more.
    """

    plant: object
    told: str
    listed: str
    of_step: bool = False
    left: str = None


def delete_object(world, run, node, output):
    for key in run.objects(node, output):
        world.s3.delete(key)


def delete_attestation(world, run, node, output):
    bundle = run.bundle(node, output)
    for key in (bundle, lines_of(bundle)):
        world.s3.delete(key)


def lines_of(bundle):
    return bundle.removesuffix(".sigstore.json") + ".intoto.jsonl"


def swap(world, run, node, output):
    key = run.objects(node, output)[0]
    right = world.s3.get(key)
    world.s3.put(key, right[:-1] + bytes([right[-1] ^ 1]))


def truncate(world, run, node, output):
    bundle = run.bundle(node, output)
    world.s3.put(bundle, world.s3.get(bundle)[:200])
    world.s3.delete(lines_of(bundle))


def forge(world, bundle, change, key=None):
    """The bundle with another statement; signed anew, if there is a key to sign with. Else the old
    signature stays, as whoever has no key must leave it."""
    document = json.loads(world.s3.get(bundle))
    envelope = document["dsseEnvelope"]
    statement = json.loads(base64.b64decode(envelope["payload"]))
    change(statement)
    payload = json.dumps(statement).encode()
    envelope["payload"] = base64.b64encode(payload).decode()
    if key:
        envelope["signatures"][0]["sig"] = base64.b64encode(signed(envelope["payloadType"], payload, key)).decode()
    world.s3.put(bundle, json.dumps(document).encode())
    world.s3.delete(lines_of(bundle))


def signed(kind, payload, key):
    # https://github.com/secure-systems-lab/dsse/blob/master/protocol.md
    what = b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(payload), payload)
    with tempfile.TemporaryDirectory() as folder:
        files = {"what": what, "key": key.encode()}
        for name, content in files.items():
            with open(os.path.join(folder, name), "wb") as file:
                file.write(content)
        command = ["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", "key", "-in", "what", "-out", "sig"]
        if not ed25519(os.path.join(folder, "key")):
            command += ["-digest", "sha256"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, done.stderr
        with open(os.path.join(folder, "sig"), "rb") as file:
            return file.read()


def ed25519(key):
    command = ["openssl", "pkey", "-in", key, "-noout", "-text"]
    return "ED25519" in subprocess.run(command, capture_output=True, text=True, timeout=30).stdout


def change_commit(world, run, node, output):
    """Says that it was built from another commit, under the signature that was there."""
    def change(statement):
        source = {"uri": "git+https://git.example.com/app", "digest": {"gitCommit": "0" * 40}}
        statement["predicate"]["buildDefinition"]["resolvedDependencies"].append(source)

    forge(world, run.bundle(node, output), change)


def splice_signed(world, run, node, output):
    """What a trusted key signed for another run, under this key: a sidecar of that run wrote here."""
    def change(statement):
        metadata = statement["predicate"]["runDetails"]["metadata"]
        _, rest = metadata["invocationId"].split("/", 1)
        metadata["invocationId"] = f"00000000-0000-4000-8000-000000000000/{rest}"

    forge(world, run.bundle(node, output), change, world.keys.private)


def put_back(world, run, node, output):
    """What the same step had written before, with what the same key had signed for it then."""
    key, older = run.objects(node, output)[0], b"an earlier version\n"

    def change(statement):
        for subject in statement["subject"]:
            subject["digest"] = {"sha256": expect.sha256(older)}

    world.s3.put(key, older)
    forge(world, run.bundle(node, output), change, world.keys.private)


def attest(world, keys, key):
    command = [world.binary, "attest", "--key", key, "--builder-id", BUILDER, *map(world.s3.uri, keys)]
    done = subprocess.run(command, env=world.environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def own_key(world):
    return world.keys.public.removesuffix(".pub") + ".key"


def other_key(world, run, node, output):
    delete_attestation(world, run, node, output)
    attest(world, run.objects(node, output), world.keys.stranger.removesuffix(".pub") + ".key")


def by_hand(world, run, node, output):
    """The right key says that it is so, and no step does."""
    delete_attestation(world, run, node, output)
    attest(world, run.objects(node, output), own_key(world))


def moved_here(world, run, node, output):
    """Another run's object, with what attests it there."""
    other = world.donor
    for suffix, key in (("", run.objects(node, output)[0]), (".sigstore.json", run.bundle(node, output))):
        world.s3.put(key, world.s3.get(other + suffix))
    world.s3.delete(lines_of(run.bundle(node, output)))


def delete_outcome(world, run, node, _output):
    for key in run.outcome(node):
        world.s3.delete(key)
        world.s3.delete(lines_of(key))


def change_outcome(world, run, node, _output):
    """Says that all is absent, under the signature that was there."""
    def change(statement):
        statement["predicate"]["outputs"] = []

    for key in run.outcome(node):
        forge(world, key, change)


def outcome_by_other_key(world, run, node, _output):
    with open(world.keys.stranger.removesuffix(".pub") + ".key", encoding="ascii") as file:
        key = file.read()
    for at in run.outcome(node):
        forge(world, at, lambda statement: None, key)


def outcome_of_another(world, run, node, _output):
    """The outcome of another run's step in the place of this one's."""
    for key in run.outcome(node):
        world.s3.put(key, world.s3.get(world.donors_outcome))
        world.s3.delete(lines_of(key))


def remove_file(world, run, node, output):
    world.s3.delete(run.objects(node, output)[-1])


def add_file(world, run, node, output):
    world.s3.put(run.objects(node, output)[0] + "-more", b"more\n")


def delete_manifest(world, run, node, output):
    key = run.key(node, output) + ".manifest.sha256"
    assert world.s3.exists(key), key
    world.s3.delete(key)


def nothing(_world, _run, _node, _output):
    """It came about as the workflow ran."""


OBJECT_DELETED = Kind(delete_object, "object-gone", "object-gone")
ATTESTATION_DELETED = Kind(delete_attestation, "unattested", "unattested")
SWAPPED = Kind(swap, "altered", "altered")
# What lies there is no attestation, and may be anything: nobody attested it, whatever it is called.
TRUNCATED = Kind(truncate, "malformed", "malformed", left="unattested")
COMMIT_CHANGED = Kind(change_commit, "attestation-altered", "attestation-altered")
SPLICED = Kind(splice_signed, "spliced", None)
PUT_BACK = Kind(put_back, "altered", None)
OTHER_KEY = Kind(other_key, "untrusted", "untrusted")
BY_HAND = Kind(by_hand, "spliced", None)
MOVED_HERE = Kind(moved_here, "other-place", "other-place")
OUTCOME_DELETED = Kind(delete_outcome, "never-finished", None, of_step=True)
OUTCOME_CHANGED = Kind(change_outcome, "never-finished", "attestation-altered", of_step=True)
# It says that our key signed it.
OUTCOME_BY_OTHER_KEY = Kind(outcome_by_other_key, "never-finished", "attestation-altered", of_step=True)
OUTCOME_OF_ANOTHER = Kind(outcome_of_another, "never-finished", None, of_step=True)
FILE_REMOVED = Kind(remove_file, "altered", "altered")
FILE_ADDED = Kind(add_file, "altered", "altered")
# All that it lists is there, and the hash of the whole is in the statement: nothing is missing.
MANIFEST_DELETED = Kind(delete_manifest, "attested", "attested")
# As the workflow ran.
UNWATCHED = Kind(nothing, "unattested", "unattested")
NEVER_WATCHED = Kind(nothing, "never-finished", None, of_step=True)
PLACELESS = Kind(nothing, "never-finished", None, of_step=True)
SIDECAR_LOST = Kind(nothing, "never-finished", "never-finished", of_step=True)
# What is beside the refused link is attested.
REFUSED = Kind(nothing, "refused-in-step", "attested")
LEFT_BY_A_LOST_SIDECAR = Kind(nothing, "unattested", "unattested")
OVERWRITTEN = Kind(nothing, "stale-version", None)
OTHERS_NOW = Kind(nothing, "spliced", None)
FAILED_LEFT = Kind(nothing, "refused-in-step", "unattested")
GONE_WITH_THE_FIRST = Kind(nothing, "object-gone", "object-gone")
STILL_RUNS = Kind(nothing, "never-finished", None, of_step=True)
KEY_NOBODY_TRUSTS = Kind(nothing, "untrusted", "untrusted")
OUTCOME_NOBODY_TRUSTS = Kind(nothing, "never-finished", "untrusted", of_step=True)
OTHER_BUILDER = Kind(nothing, "policy/builder", "policy/builder")
OUTCOME_OF_OTHER_BUILDER = Kind(nothing, "never-finished", "policy/builder", of_step=True)
