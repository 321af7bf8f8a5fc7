"""Attesting changes nothing: Argo's own examples, as they are and attested by every way in.

Ten examples by default. E2E_DIFFERENTIAL=all takes every one that can run without a way out,
one way in each by turns and all ways for the first; E2E_RESUME=1 goes on where a run
was stopped.
"""

import json
import os

from differential import image
from differential.compared import Comparison, Record
from differential.examples import names
from differential.ways import Annotated, Inject
from harness.manifests import admission, manifest
from harness.place import place
from harness.scenario import Skip, scenario

from .admission import injects
from .templates import controller_settings

WAYS = ("inject", "defaults", "admission")
# Of the first of them twenty can run.
ALL_WAYS = 38
# What of them is run by default: artifacts passed on, gathered, named by key, given as text; loops, results, exit handlers.
TEN = (
    "map-reduce.yaml", "artifact-path-placeholders.yaml", "global-outputs.yaml", "artifact-passing-subpath.yaml",
    "handle-large-output-results.yaml", "key-only-artifact.yaml", "input-artifact-raw.yaml", "exit-handler-with-artifacts.yaml",
    "conditional-artifacts.yaml", "steps.yaml",
)
RESULTS = os.path.join(os.path.dirname(__file__), "..", "..", "..", "target", "differential")


def differential(case, index, way, settle):
    """Runs this way's examples without us, then `settle`s the cluster and runs them with us."""
    version = os.environ.get("ARGO_VERSION", "4.0")
    everything = os.environ.get("E2E_DIFFERENTIAL") == "all"
    if not os.environ.get("E2E_EXAMPLES_IMAGE"):
        raise Skip("needs E2E_EXAMPLES_IMAGE: an image as tests/e2e/differential/image.py makes it")
    wanted = chosen(names(version) if everything else TEN, index)
    plain, attested = place(case, key=False), place(case, expectations="missing: warn\n")
    for kube in (plain.kube, attested.kube):
        beside(kube, case.settings)
    settings = case.settings
    store = location(settings)
    record = Record(os.path.join(RESULTS, f"{version}.json"), os.environ.get("E2E_RESUME"))
    jobs = int(os.environ.get("E2E_DIFFERENTIAL_JOBS", "4"))
    comparison = Comparison(plain, attested, record, version, image.NAME, store, jobs)
    before = comparison.as_they_are(wanted)
    with settle(case, attested):
        results = comparison.attested_by(way(attested), before)
    comparison.differ_from_themselves(way(attested), results, before)
    same = [name for name, result in results.items() if result["came"] == "same"]
    case.note(f"{len(same)} of {len(results)} the same; {len(wanted) - len(before)} cannot run here")
    different = {name: r["differences"] for name, r in results.items() if r["came"] == "different"}
    assert not different, f"{len(different)} differ: {different}"
    assert same, "nothing was compared"


def chosen(every, index):
    """One way each by turns, and all ways for the first; a handful goes round once."""
    return [name for at, name in enumerate(every) if at % len(WAYS) == index or (len(every) > len(TEN) and at < ALL_WAYS)]


def location(settings):
    """The bucket that is here, as a template names one."""
    access, secret = ({"name": settings.s3_secret, "key": key} for key in settings.s3_secret_keys)
    endpoint = settings.s3_endpoint.split("://")[1]
    return {
        "endpoint": endpoint, "bucket": settings.s3_bucket, "insecure": True, "accessKeySecret": access, "secretKeySecret": secret,
    }


def beside(kube, settings):
    """What some examples expect to be there."""
    path = f"/api/v1/namespaces/{kube.namespace}/configmaps"
    parameters = {"name": "simple-parameters", "labels": {"workflows.argoproj.io/configmap-type": "Parameter"}}
    kube.create(path, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": parameters, "data": {"msg": "hello world"}})
    repositories = {"my-key": json.dumps({"s3": {**location(settings), "keyFormat": "my-key/{{workflow.name}}/{{pod.name}}"}})}
    kube.create(path, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "artifact-repositories"}, "data": repositories})
    kube.create_secret("my-secret", {"mypassword": "S00perS3cretPa55word"})


class nothing:
    """The file itself brings all that is needed."""

    def __init__(self, *_):
        pass

    def __enter__(self):
        pass

    def __exit__(self, *_):
        pass


def by_defaults(case, _attested):
    return controller_settings(case, manifest(case, "workflow-defaults.yaml"))


class by_admission(nothing):
    def __init__(self, case, attested):
        admission(attested, "inject", effective=injects(attested))


@scenario("differential/inject", alone=True)
def inject(case):
    differential(case, 0, Inject, nothing)


@scenario("differential/defaults", alone=True)
def defaults(case):
    differential(case, 1, lambda _: Annotated("workflowDefaults"), by_defaults)


@scenario("differential/admission", alone=True)
def by_policy(case):
    differential(case, 2, lambda _: Annotated("admission"), by_admission)
