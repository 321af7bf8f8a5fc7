"""Files of a step that speak of what else it leaves: signed as what they are, by the template's annotation."""

import json
import os
import shutil
import subprocess
import tempfile

from harness import expect
from harness.scenario import scenario
from harness.step import FORMS, Output, Step
from harness.verdict import statement

from .images import Registry

CYCLONEDX = "https://cyclonedx.org/bom"
SBOM = '{"bomFormat":"CycloneDX","specVersion":"1.6","components":[]}'
TIMEOUT_SECONDS = 60


def annotated(step, **annotations):
    """The step with these annotations and no other."""
    rendered = step.rendered

    def with_annotations(settings):
        body = rendered(settings)
        body["metadata"] = {"annotations": {f"argo-attest.io/{name}": value for name, value in annotations.items()}}
        return body

    step.rendered = with_annotations
    return step


def ask(case, artifact, kind, *more):
    command = [case.verifier.binary, "verify", "-o", "json", "--key", case.keys.public, "--type", kind, *more, artifact]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, env=case.verifier.environment
    )
    return done.returncode, done.stdout + done.stderr


def cosign(case, command, kind, *more):
    """Whether cosign accepts it; `None` where there is none."""
    program = shutil.which("cosign")
    if not program:
        return None
    line = [program, command, "--key", case.keys.public, "--type", kind, "--insecure-ignore-tlog=true", *more]
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "HOME": home}
        done = subprocess.run(line, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, env=environment)
    return done.returncode == 0


def on_outputs(case, form, path):
    """A bill of materials on a volume and on main's own layer, about a file and a folder."""
    app, folder = Output("app", "/data/app", "none"), Output("dist", "/data/dist")
    sbom = Output("sbom", path)
    script = (
        "head -c 1000 /dev/urandom > /data/app; mkdir -p /data/dist; echo x > /data/dist/x; "
        f"echo '{SBOM}' > {path}; sleep 0.5"
    )
    step = annotated(Step(form=form, script=script, outputs=[app, folder, sbom]), predicates="sbom=cyclonedx")
    running = case.submit(step)
    pod = running.pod()
    expect.succeeded(running)
    expect.exit_code(pod, 0)
    outcome = expect.outcome(case, pod)
    assert outcome["complete"], outcome
    assert [p["about"] for p in outcome["predicates"]] == ["app", "dist"], outcome["predicates"]
    for output in (app, folder):
        provenance = expect.attested(case, pod, output)
        key = output.stored_as(pod.prefix())
        bundle = case.s3.get(f"{key}.predicate-cyclonedx.sigstore.json")
        told = statement(bundle, case.keys.public)
        assert (told["predicateType"], told["predicate"]) == (CYCLONEDX, json.loads(SBOM)), told
        assert told["subject"] == provenance["subject"], told["subject"]
        linked = [b["name"] for b in provenance["predicate"]["runDetails"]["byproducts"]]
        assert "predicates/sbom" in linked, linked
        for kind, wanted in (("cyclonedx", 0), ("spdx", 1)):
            code, said = ask(case, case.s3.uri(key), kind)
            assert code == wanted, f"{kind}: {code} {said}"
        with tempfile.TemporaryDirectory() as folder_:
            paths = [os.path.join(folder_, name) for name in ("bundle", "blob")]
            for name, content in zip(paths, (bundle, case.s3.get(key))):
                with open(name, "wb") as file:
                    file.write(content)
            blob = ("verify-blob-attestation", "cyclonedx", "--bundle", *paths)
            assert cosign(case, *blob) in (True, None)
            assert cosign(case, blob[0], "slsaprovenance1", *blob[2:]) in (False, None)
    expect.attested(case, pod, sbom)


for _form in FORMS:
    for _place, _path in (("volume", "/data/sbom.json"), ("base", "/tmp/sbom.json")):
        scenario(f"predicates/{_form}/{_place}", form=_form, path=_path)(on_outputs)


@scenario("predicates/not-what-it-is-named")
def misnamed(case):
    """What is no bill of materials is signed as none, and the output is attested all the same."""
    app, sbom = Output("app", "/data/app", "none"), Output("sbom", "/data/sbom", "none")
    script = "echo app > /data/app; echo '{\"version\":\"2.1.0\",\"runs\":[]}' > /data/sbom; sleep 0.5"
    step = annotated(Step(script=script, outputs=[app, sbom]), predicates="sbom=cyclonedx")
    running = case.submit(step)
    pod = running.pod()
    expect.succeeded(running)
    outcome = expect.outcome(case, pod)
    (told,) = outcome["predicates"]
    assert told["verdict"] == "refused" and "does not look like CycloneDX" in told["reason"], told
    assert not outcome["complete"], outcome
    expect.attested(case, pod, app)
    code, said = ask(case, case.s3.uri(app.stored_as(pod.prefix())), "cyclonedx")
    assert code == 1, said


@scenario("predicates/images")
def on_images(case):
    """A bill of materials refers to an index and to each of its images."""
    registry = Registry(case, "native")
    image = registry.name("app:1")
    script = f"registries push {image} > /data/pushed; echo '{SBOM}' > /data/sbom.json; sleep 0.5"
    step = Step(
        script=script,
        outputs=[Output("sbom", "/data/sbom.json")],
        main={"image": case.settings.builder_image},
        args=["--plain-http"],
    )
    running = case.submit(annotated(step, predicates="sbom=cyclonedx", images=image))
    pod = running.pod()
    expect.succeeded(running)
    (told,) = expect.outcome(case, pod)["predicates"]
    assert (told["about"], told["verdict"]) == (f"oci://{image}", "attested"), told
    registry.accepted(image)
    for more in ((), ("--platform", "linux/arm64")):
        code, said = ask(case, f"oci://{image}", "cyclonedx", "--plain-http", *more)
        assert code == 0, said
    code, said = ask(case, f"oci://{image}", "spdx", "--plain-http")
    assert code == 1 and CYCLONEDX in said, said
    asked = ("--allow-insecure-registry", "--allow-http-registry", image)
    assert cosign(case, "verify-attestation", "cyclonedx", *asked) in (True, None)
    assert cosign(case, "verify-attestation", "spdx", *asked) in (False, None)
