"""Symbolic links in an output, and outputs with nothing in them: as Argo itself stores and stages them."""

import base64
import hashlib
import json

from harness import expect
from harness.scenario import scenario
from harness.step import FORMS, Output, Step

from .gate import ENTERS_ALL, Policy, consumer, starts, takes

LINKED = (
    "mkdir -p {0}/a && echo one > {0}/one && echo two > {0}/a/two"
    " && ln -s one {0}/latest && ln -s ../one {0}/a/up"
)
LINKS = [{"path": "a/up", "target": "../one"}, {"path": "latest", "target": "one"}]
LEAVING = "mkdir -p {0} && echo one > {0}/one && ln -s one {0}/latest && ln -s ../elsewhere {0}/out"
NOTHING = "mkdir -p {0}"
TARS = {"base-tar": Output("app", "/srv/app"), "volume-tar": Output("app", "/data/app")}


def ran(case, form, output, script, ends=expect.succeeded, code=0):
    step = Step(form=form, name="produce", script=script.format(output.path) + "; sleep 0.5", outputs=[output])
    running = case.submit(step)
    pod = running.pod()
    ends(running)
    expect.exit_code(pod, code)
    return pod


def taken(case, pod, output, capabilities=None):
    """A consumer's gate accepts what Argo stages of it."""
    artifact = takes(output.stored_as(pod.prefix()), (output, None))
    out, step = consumer(case, Policy(case), artifact, capabilities=capabilities)
    starts(case, step, out)


def within(case, form, packing):
    """A tar has links as what they are: signed, compared, and found again by the next step."""
    output = TARS[packing]
    pod = ran(case, form, output, LINKED)
    told = expect.attested(case, pod, output)
    byproducts = told["predicate"]["runDetails"]["byproducts"]
    listed = next(b for b in byproducts if b["name"] == "symbolic-links")
    assert json.loads(base64.b64decode(listed["content"])) == {"links": LINKS}, listed
    said = expect.fate(case, pod, output)
    assert "refused" not in said and "notStored" not in said, said
    taken(case, pod, output)


def not_stored(case, form):
    """Of an output that is stored file by file Argo keeps no link, and that fails nothing."""
    output = Output("app", "/data/app", "none")
    pod = ran(case, form, output, LINKED)
    expect.attested(case, pod, output)
    said = expect.fate(case, pod, output)
    assert said["notStoredCount"] == 2 and "latest" in json.dumps(said["notStored"]), said
    assert expect.outcome(case, pod)["complete"] is True
    taken(case, pod, output)


def leaving(case, form):
    """A link that leads out is refused by name: the plain form fails the step for it."""
    output = Output("app", "/data/app")
    plain = form == "plain"
    ends = expect.failed if plain else expect.succeeded
    pod = ran(case, form, output, LEAVING, ends, code=1 if plain else 0)
    refused = {one["name"]: one["reason"] for one in expect.fate(case, pod, output)["refused"]}
    assert refused == {"out": "a symbolic link that leads out of the output"}, refused
    assert expect.outcome(case, pod)["complete"] is False


def empty(case, form, archive):
    """A directory without files is attested as that, where Argo stores anything of it."""
    output = Output("app", "/data/app", archive)
    pod = ran(case, form, output, NOTHING)
    said = expect.fate(case, pod, output)
    assert expect.outcome(case, pod)["complete"] is True
    if archive == "none":
        assert said["verdict"] == "absent" and "no file in it" in said["reason"], said
        return
    assert said["verdict"] == "attested", said
    assert said["digest"] == "dirHash:" + hashlib.sha256(b"").hexdigest(), said
    case.verifier.accepted(output.stored_as(pod.prefix()))
    taken(case, pod, output, ENTERS_ALL["volume-folder-zip"] if archive == "zip" else None)


for _form in FORMS:
    for _packing in TARS:
        scenario(f"links/{_form}/{_packing}", form=_form, packing=_packing)(within)
    scenario(f"links/{_form}/none", form=_form)(not_stored)
    scenario(f"links/{_form}/leaving", form=_form)(leaving)
    for _archive in ("tar", "zip", "none"):
        scenario(f"empty/{_form}/{_archive}", form=_form, archive=_archive)(empty)
