"""The ways in which steps come to be attested without their workflow knowing of it."""

import subprocess

from harness.step import BUILDER

from . import examples


class Inject:
    """`argo-attest inject --all` on the file, before it is submitted."""

    name = "inject --all"

    def __init__(self, case):
        self.case = case

    def of(self, documents):
        settings = self.case.settings
        command = [
            self.case.verifier.binary, "inject", "--all", "--image", settings.image, "--builder-id", BUILDER,
            "--store-secret", settings.s3_secret,
        ]
        text = "".join("---\n" + examples.block(document) for document in documents)
        done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, f"inject: {done.stderr}"
        code, said = self.case.kube.ask("create", "--dry-run=client", "--validate=false", "-o", "json", "-f", "-", text=done.stdout)
        assert code == 0, said
        return examples.documents(said)


class Annotated:
    """An annotation on each template; the rest is the platform's: its defaults, or its admission."""

    def __init__(self, name):
        self.name = name

    def of(self, documents):
        return examples.annotated(documents)
