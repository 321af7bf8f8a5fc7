"""Whether an attestation is accepted, by the tool under test and by others.

The others do not share a line with it: openssl checks the signature over the
bytes that DSSE says are signed, sigstore-go and cosign (where they are
installed) the whole bundle.
"""

import base64
import hashlib
import json
import os
import shutil
import subprocess
import tempfile

from .step import BUILDER

TIMEOUT_SECONDS = 60
PROVENANCE = "https://slsa.dev/provenance/v1"
PAYLOAD_TYPE = "application/vnd.in-toto+json"


class Keys:
    """A key pair of this run, another's public key, and the Secret in the cluster."""

    def __init__(self, binary, folder, kube, suffix, key_type="ed25519"):
        self.kube = kube
        self.binary, self.key_type = binary, key_type
        self.secret = f"e2e-key-{suffix}"
        self.public = self._generate(binary, folder, "ours", key_type)
        self.stranger = self._generate(binary, folder, "stranger", key_type)
        with open(os.path.join(folder, "ours", "attest.key"), encoding="ascii") as key:
            self.private = key.read()
        kube.create_secret(self.secret, {"attest.key": self.private})

    def generated(self, folder):
        """The public key of one more pair; `attest.key` lies beside it."""
        return self._generate(self.binary, folder, "more", self.key_type)

    @staticmethod
    def _generate(binary, folder, name, key_type):
        out = os.path.join(folder, name)
        command = [binary, "keygen", "--out-dir", out, "--type", key_type]
        subprocess.run(command, check=True, capture_output=True, timeout=TIMEOUT_SECONDS)
        return os.path.join(out, "attest.pub")

    def close(self):
        self.kube.delete_secret(self.secret)


class Verifier:
    """Asks the binary about objects in the store, as a consumer would."""

    def __init__(self, binary, settings, s3, keys):
        self.binary = binary
        self.s3 = s3
        self.keys = keys
        self.environment = {
            "PATH": os.environ.get("PATH", ""),
            "HOME": "/nonexistent",
            "AWS_ENDPOINT_URL_S3": settings.s3_endpoint,
            "AWS_REGION": settings.s3_region,
            "AWS_ACCESS_KEY_ID": settings.s3_access_key,
            "AWS_SECRET_ACCESS_KEY": settings.s3_secret_key,
        }

    def ask(self, key, public=None, builder=BUILDER):
        """Exit code and the one artifact's answer."""
        public = public or self.keys.public
        command = [self.binary, "verify", "-o", "json"]
        for key_file in [public] if isinstance(public, str) else public:
            command += ["--key", key_file]
        command += ["--builder-id", builder, self.s3.uri(key)]
        done = subprocess.run(
            command, capture_output=True, text=True, env=self.environment, timeout=TIMEOUT_SECONDS
        )
        try:
            answer = json.loads(done.stdout)
        except (ValueError, LookupError):
            answer = {"verdict": "none", "reason": done.stdout + done.stderr}
        return done.returncode, answer

    def accepted(self, key, **how):
        code, answer = self.ask(key, **how)
        assert code == 0 and answer["verdict"] == "attested", f"verify {key}: {code} {answer}"
        return answer

    def refused(self, key, **how):
        """A plain no: exit code 1, nothing else."""
        code, answer = self.ask(key, **how)
        assert code == 1 and answer["verdict"] == "refused", f"verify {key}: {code} {answer}"
        return answer


def statement(bundle, public):
    """The statement in a bundle whose signature openssl has checked."""
    document = json.loads(bundle)
    envelope = document["dsseEnvelope"]
    assert envelope["payloadType"] == PAYLOAD_TYPE, envelope["payloadType"]
    return signed_payload(envelope, public)


def signed_payload(envelope, public):
    payload = base64.b64decode(envelope["payload"], validate=True)
    kind = envelope["payloadType"].encode()
    # https://github.com/secure-systems-lab/dsse/blob/master/protocol.md
    signed = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
    assert len(envelope["signatures"]) == 1, "one signature a bundle"
    with tempfile.TemporaryDirectory() as folder:
        files = {"signed": signed, "sig": base64.b64decode(envelope["signatures"][0]["sig"])}
        for name, content in files.items():
            with open(os.path.join(folder, name), "wb") as file:
                file.write(content)
        command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", public, "-rawin"]
        command += ["-in", os.path.join(folder, "signed"), "-sigfile", os.path.join(folder, "sig")]
        if b"BEGIN PUBLIC KEY" in open(public, "rb").read() and not _is_ed25519(public):
            command += ["-digest", "sha256"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS)
    assert done.returncode == 0, f"openssl: {done.stdout}{done.stderr}"
    return json.loads(payload)


def _is_ed25519(public):
    command = ["openssl", "pkey", "-pubin", "-in", public, "-noout", "-text"]
    return "ED25519" in subprocess.run(command, capture_output=True, text=True, timeout=30).stdout


class Others:
    """The independent programs that are installed."""

    def __init__(self, interop):
        self.programs = {}
        installer = os.path.join(interop, "install")
        for name in ("go", "js", "python"):
            found = subprocess.run([installer, "--where", name], capture_output=True, text=True)
            if found.returncode == 0:
                self.programs[f"interop {name}"] = found.stdout.strip()
        self.cosign = shutil.which("cosign")
        # In CI a missing verifier is a failure, not a check that nobody misses.
        if os.environ.get("CI") == "true" and len(self.names()) < 4:
            raise SystemExit(f"CI needs every verifier; there is {self.names()}: make tools")

    def names(self):
        return [*self.programs, *(["cosign"] if self.cosign else [])]

    def agree(self, public, bundle, line, artifact, but_not):
        """Each accepts the attestation for `artifact` and refuses it for `but_not`."""
        with tempfile.TemporaryDirectory() as folder:
            contents = {"a.sigstore.json": bundle, "a.intoto.jsonl": line, "yes": artifact, "no": but_not}
            paths = {}
            for name, content in contents.items():
                paths[name] = os.path.join(folder, name)
                with open(paths[name], "wb") as file:
                    file.write(content)
            for name, program in self.programs.items():
                # securesystemslib knows envelopes, not bundles.
                form = "a.intoto.jsonl" if name.endswith("python") else "a.sigstore.json"
                command = [program, public, paths[form]]
                self._ask(name, [*command, paths["yes"]], True)
                self._ask(name, [*command, paths["no"]], False)
            if self.cosign:
                command = [self.cosign, "verify-blob-attestation", "--key", public]
                command += ["--bundle", paths["a.sigstore.json"], "--insecure-ignore-tlog"]
                command += ["--type", "slsaprovenance1"]
                self._ask("cosign", [*command, paths["yes"]], True)
                self._ask("cosign", [*command, paths["no"]], False)

    @staticmethod
    def _ask(name, command, expected):
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS)
        verdict = "accepts" if done.returncode == 0 else "refuses"
        assert (done.returncode == 0) == expected, f"{name} {verdict}: {done.stdout}{done.stderr}"


def sha256(data):
    return hashlib.sha256(data).hexdigest()
