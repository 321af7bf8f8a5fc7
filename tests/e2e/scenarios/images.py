"""Images that steps build and push: attested in their registry, unchanged but for an annotation."""

import json
import os
import shutil
import subprocess
import tempfile
import urllib.parse

from harness import builder, expect
from harness.scenario import Skip, scenario
from harness.step import Output, Step

TIMEOUT_SECONDS = 60
WIDTH = 20
BUILDAH = shutil.which("buildah")


class Registry:
    """One of the two registries of tests/interop, where pods can reach it."""

    def __init__(self, case, kind):
        self.case = case
        if not case.settings.builder_image:
            raise Skip("E2E_BUILDER_IMAGE is not set: an image with tests/interop's registries in it")
        self.program = builder.registries()
        if not self.program:
            raise Skip("needs tests/interop/install registries")
        host = urllib.parse.urlsplit(case.settings.s3_endpoint).hostname
        self.server = subprocess.Popen(
            [self.program, kind, host], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        case.later(self.stop)
        self.address = self.server.stdout.readline().strip()

    def stop(self):
        self.server.kill()
        self.server.wait()

    def name(self, name):
        return f"{self.address}/{name}"

    def push(self, name, seed):
        """From here, as another pod might; the digests of the index and its images."""
        command = [self.program, "push", self.name(name), str(seed)]
        done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=TIMEOUT_SECONDS)
        return done.stdout.split()

    def verify(self, image, *more):
        """Exit code and the answer."""
        command = [self.case.verifier.binary, "verify", "--plain-http", "-o", "json", "--key", self.case.keys.public]
        done = subprocess.run(
            [*command, *more, f"oci://{image}"], capture_output=True, text=True, timeout=TIMEOUT_SECONDS,
            env=self.case.verifier.environment,
        )
        return done.returncode, done.stdout + done.stderr

    def accepted(self, image):
        code, told = self.verify(image)
        assert code == 0, f"{image}: {code} {told}"
        self.cosign(image, self.case.keys.public, True)
        self.cosign(image, self.case.keys.stranger, False)
        return json.loads(told.splitlines()[0])

    def cosign(self, image, key, good):
        cosign = shutil.which("cosign")
        if not cosign:
            return
        command = [cosign, "verify-attestation", "--key", key, "--type", "slsaprovenance1"]
        command += ["--insecure-ignore-tlog=true", "--allow-insecure-registry", "--allow-http-registry", image]
        with tempfile.TemporaryDirectory() as home:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, env={**os.environ, "HOME": home}
            )
        assert (done.returncode == 0) == good, f"cosign {image}: {done.returncode} {done.stderr[-600:]}"

    def evidence(self, image):
        """What the attestation says of its image."""
        command = [self.case.verifier.binary, "inspect", "--plain-http", "--json", f"oci://{image}"]
        done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=TIMEOUT_SECONDS)
        return done.stdout


def step(case, script, form="native", images="{{inputs.parameters.image}}", **more):
    main = {"image": case.settings.builder_image}
    template = {"inputs": {"parameters": [{"name": "image"}]}, **more.pop("template", {})}
    made = Step(form=form, script=script, main=main, template=template, args=["--plain-http"], opted_in=False, **more)
    rendered = made.rendered

    def annotated(settings):
        body = rendered(settings)
        body["metadata"] = {"annotations": {"argo-attest.io/images": images}}
        return body

    made.rendered = annotated
    return made


def fan(case, made, images, limit=240):
    arguments = {"parameters": [{"name": "image", "value": "{{item}}"}]}
    one = {"name": "one", "template": made.name, "arguments": arguments, "withItems": images}
    running = case.submit(made, templates=[{"name": "fan", "steps": [[one]]}], entrypoint="fan")
    return running


def told(pod, image):
    """What the termination message says of an image. Argo gives a step without output artifacts no
    place in a store, and so its outcome has none."""
    found = [entry for entry in pod.message()["artifacts"] if entry["name"] == f"oci://{image}"]
    assert len(found) == 1, pod.message()
    return found[0]


def with_items(case, kind, form):
    """The prototype's first scenario: an image for each item, pushed by what kaniko pushes with."""
    registry = Registry(case, kind)
    seconds = 0 if form == "native" else 5
    made = step(case, f"sleep {seconds}; registries push {{{{inputs.parameters.image}}}}", form)
    images = [registry.name(f"team/app{n}:1.{n}") for n in range(2)]
    running = fan(case, made, images)
    expect.succeeded_or_lost_emissary(case, running, 240)
    for pod in running.pods():
        message = pod.message()
        assert (message["attested"], message["notAttested"]) == (1, 0), message
    for image in images:
        answer = registry.accepted(image)
        assert answer["verdict"] == "attested", answer
        code, said = registry.verify(image, "--platform", "linux/arm64")
        assert code == 0, said
        assert '"changed"' in registry.evidence(image), registry.evidence(image)


# Not the plain form where a list under a tag has to stay for seconds: a second SIGTERM that comes as
# Argo's emissary ends makes it end with 2 (docs/sidecar.md).
for _kind, _form in (("native", "native"), ("native", "plain"), ("fallback", "native")):
    scenario(f"images/with-items/{_kind}/{_form}", kind=_kind, form=_form)(with_items)

BUILD = """
set -e
mkdir -p /tmp/c && echo "$RANDOM {{inputs.parameters.image}}" > /tmp/c/hello
c=$(buildah from scratch)
buildah copy $c /tmp/c/hello /hello >/dev/null
buildah config --label built=here $c
buildah commit $c it >/dev/null
buildah push --tls-verify=false --digestfile /tmp/digest it docker://{{inputs.parameters.image}}
"""


@scenario("images/buildah")
def with_buildah(case):
    """A real builder of single images, whose digest file is an output parameter."""
    if not BUILDAH:
        raise Skip("needs buildah")
    registry = Registry(case, "fallback")
    image = registry.name("team/built:1")
    privileged = {"image": case.settings.builder_image, "securityContext": {"privileged": True}}
    made = step(case, BUILD)
    made.main = {**privileged, "env": [{"name": "BUILDAH_ISOLATION", "value": "chroot"}]}
    running = fan(case, made, [image])
    expect.succeeded(running, 240)
    registry.accepted(image)


BUILDKIT = """
set -e
mkdir -p /tmp/c /run && echo "$RANDOM {{inputs.parameters.image}}" > /tmp/c/hello
printf 'FROM scratch\\nCOPY hello /hello\\nLABEL built=here\\n' > /tmp/c/Dockerfile
buildkitd --root /tmp/bk --addr unix:///tmp/bk.sock --containerd-worker=false --oci-worker-snapshotter=native > /tmp/bk.log 2>&1 &
n=0
until buildctl --addr unix:///tmp/bk.sock debug workers > /dev/null 2>&1; do
    n=$((n + 1)); [ $n -lt 300 ] || { cat /tmp/bk.log; exit 1; }; sleep 0.1
done
buildctl --addr unix:///tmp/bk.sock build --progress plain --frontend dockerfile.v0 --opt platform=linux/amd64,linux/arm64 \\
    --local context=/tmp/c --local dockerfile=/tmp/c --metadata-file /tmp/metadata \\
    --output type=image,name={{inputs.parameters.image}},push=true,registry.insecure=true || { cat /tmp/bk.log; exit 1; }
"""


@scenario("images/buildkit")
def with_buildkit(case):
    """The prototype's second scenario: a real builder of indexes, an image for each item."""
    if not builder.buildkit():
        raise Skip("needs tests/interop/install buildkit, and runc")
    registry = Registry(case, "fallback")
    images = [registry.name(f"team/kit{n}:1.{n}") for n in range(2)]
    made = step(case, BUILDKIT)
    made.main = {"image": case.settings.builder_image, "securityContext": {"privileged": True}}
    running = fan(case, made, images)
    expect.succeeded(running, 240)
    for pod in running.pods():
        message = pod.message()
        assert (message["attested"], message["notAttested"]) == (1, 0), message
    for image in images:
        registry.accepted(image)
        code, said = registry.verify(image, "--platform", "linux/arm64")
        assert code == 0, said
        assert '"changed"' in registry.evidence(image), registry.evidence(image)


@scenario("images/failed")
def failed(case):
    """Main fails after the push: what is there is not attested."""
    registry = Registry(case, "native")
    image = registry.name("app:1")
    running = fan(case, step(case, "registries push {{inputs.parameters.image}} && exit 3"), [image])
    expect.failed(running)
    (pod,) = running.pods()
    assert told(pod, image)["verdict"] == "unfinished", told(pod, image)
    code, said = registry.verify(image)
    assert code == 1 and "unattested" in said, said


@scenario("images/not-pushed")
def not_pushed(case):
    """A push that fails in silence, a name that nobody pushed, and one that was there before."""
    registry = Registry(case, "native")
    there, missing = registry.name("app:1"), registry.name("app:2")
    registry.push("app:1", 1)
    made = step(case, "true", images=f"{there}, {missing}", template={"inputs": {}})
    running = case.submit(made)
    expect.succeeded(running)
    (pod,) = running.pods()
    assert "nothing shows that this step made it" in told(pod, there)["reason"]
    assert "main did not push it" in told(pod, missing)["reason"]
    for image in (there, missing):
        code, said = registry.verify(image)
        assert code in (1, 66), said


@scenario("images/moved")
def moved(case):
    """Another pod moves the tag during the step: what is attested is what the tag points to, as changed."""
    registry = Registry(case, "fallback")
    image = registry.name("app:1")
    script = "registries push {{inputs.parameters.image}} 1; sleep 2; registries push {{inputs.parameters.image}} 2"
    running = fan(case, step(case, script), [image])
    expect.succeeded(running)
    last = registry.push("other:1", 2)
    answer = registry.accepted(image)
    assert last[0] in json.dumps(answer), answer
    first = registry.push("other:2", 1)
    code, said = registry.verify(f"{image.rpartition(':')[0]}@{first[0]}")
    assert code == 1, said


@scenario("images/twenty", alone=True)
def twenty(case):
    """Twenty pods push to one repository at once, and all are attested."""
    registry = Registry(case, "fallback")
    images = [registry.name(f"app:{n}") for n in range(WIDTH)]
    running = fan(case, step(case, "registries push {{inputs.parameters.image}}; sleep 1"), images)
    expect.succeeded(running, 300)
    for image in images:
        code, said = registry.verify(image)
        assert code == 0, f"{image}: {said}"
    case.note(f"{WIDTH} images in one repository")


@scenario("images/written")
def written(case):
    """A layout on a watched volume is the best evidence, and an output like any other."""
    registry = Registry(case, "native")
    image = registry.name("app:1")
    script = "registries layout write /data/img 5; registries layout push /data/img {{inputs.parameters.image}}"
    made = step(case, script, outputs=[Output("img", "/data/img")])
    running = fan(case, made, [image])
    expect.succeeded(running)
    registry.accepted(image)
    (pod,) = running.pods()
    outcome = expect.outcome(case, pod)
    assert outcome["complete"] and len(outcome["outputs"]) == 2, outcome
    assert '"written"' in registry.evidence(image), registry.evidence(image)
