"""The image for pods has not all of the program, and says so to a step that asks for the rest."""

from harness import expect
from harness.scenario import scenario


def asked(case, image):
    """A step that runs an audit by this image, after its end."""
    container = {
        "image": image,
        "imagePullPolicy": case.settings.pull_policy,
        "command": ["/argo-attest"],
        "args": ["audit", "--help"],
    }
    running = case.run({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"generateName": "e2e-pod-build-", "labels": {"e2e": "argo-attest"}},
        "spec": {"entrypoint": "ask", "templates": [{"name": "ask", "container": container}]},
    })
    return running


@scenario("pod-build/left-out")
def left_out(case):
    """`audit` is named, with the image that has it; in that image it is there."""
    refused, there = asked(case, case.settings.image), asked(case, case.settings.cli_image)
    expect.failed(refused)
    pod = refused.pod()
    assert pod.container("main")["state"]["terminated"]["exitCode"] == 64, pod.container("main")
    said = pod.logs("main")
    assert "audit is not in this build of argo-attest, which is the one for pods" in said, said
    assert "argo-attest-cli" in said, said
    expect.succeeded(there)
