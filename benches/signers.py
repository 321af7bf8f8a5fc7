#!/usr/bin/env python3
"""What a key elsewhere, a log and a timestamp add to a step: from SIGTERM to the sidecar's end.

A pod is played around the real binary (pod.py), with one small output that is stored already, so
that nearly all of the time is the signing: of a statement and of the outcome before and after it.
Against it stand a key in a file, and beside that, by turns in one run:

  cosign     cosign's key under a password (scrypt)
  openbao    a key in OpenBao's transit engine
  time       a key in a file, and an RFC 3161 timestamp by timestamp-authority
  rekor1     ... and an entry in Rekor 1 over Trillian
  rekor2     P-256, and an entry in rekor-tiles with a timestamp, which that asks for
  fulcio     no key: a certificate of Fulcio's for a token of an issuer's of this bench, and a timestamp

Real servers on loopback: what the network to them adds comes on top. Needs
tests/interop/install bao witnesses fulcio, cosign, and what sidecar.py needs; what is not installed is left
out and said so. AWS KMS is not there: moto's signatures are of something else. Exits 1 if anything
is not attested.
"""

import argparse
import atexit
import base64
import hashlib
import http.server
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

import pod
import s3

CHECKOUT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SINCE = "2026-01-01T00:00:00Z"
TOKEN = "root-token-of-a-bench"


def installed(name):
    told = subprocess.run([f"{CHECKOUT}/tests/interop/install", "--where", name], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return told.stdout.decode().strip() if told.returncode == 0 else None


def openssl(*arguments):
    return subprocess.run(["openssl", *arguments], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout


def serve(root, arguments, port, env=None):
    """A server, when it listens."""
    log = open(f"{root}/server-{port}.log", "wb")
    process = subprocess.Popen(arguments, cwd=root, env={"HOME": root, "PATH": os.environ["PATH"]} | (env or {}), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    atexit.register(process.kill)
    deadline = time.monotonic() + 90
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return f"http://127.0.0.1:{port}"
        except OSError:
            if time.monotonic() > deadline or process.poll() is not None:
                sys.exit(f"{arguments[0]} does not listen on {port}")
            time.sleep(0.05)


def words(text):
    return text.split()


class Signer:
    """One way to sign: what the sidecar is given for it."""

    def __init__(self, name, key, options=(), env=None):
        self.name, self.key, self.options, self.env = name, key, list(options), env or {}


class SigningPod(pod.Pod):
    def __init__(self, binary, root, store, signer):
        self.signer = signer
        super().__init__(binary, root, store, output={"name": "out", "path": f"{root}/volume/out", "archive": {"none": {}}})

    def key(self):
        return self.signer.key

    def options(self):
        return self.signer.options

    def env(self):
        return self.signer.env


def file_key(root, name, *kind):
    # A folder of its own: no output of a step lies beneath what the sidecar alone has.
    os.mkdir(f"{root}/{name}")
    openssl("genpkey", *kind, "-out", f"{root}/{name}/attest.key")
    return f"{root}/{name}/attest.key"


def cosign(root):
    folder, env = f"{root}/cosign", {"COSIGN_PASSWORD": "of a bench"}
    os.makedirs(folder)
    subprocess.run(["cosign", "generate-key-pair"], cwd=folder, env=env | {"PATH": os.environ["PATH"], "HOME": folder},
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return Signer("cosign", f"{folder}/cosign.key", env=env)


def openbao(root, program):
    port = s3.free_port()
    server = serve(root, [program, *words(f"server -dev -dev-no-store-token -dev-root-token-id={TOKEN} -dev-listen-address=127.0.0.1:{port}")], port)
    env = {"BAO_ADDR": f"http://127.0.0.1:{port}", "BAO_TOKEN": TOKEN, "HOME": root}
    deadline = time.monotonic() + 60
    for command in ("secrets enable transit", "write -f transit/keys/ci type=ecdsa-p256"):
        while subprocess.run([program, *words(command)], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode:
            if time.monotonic() > deadline:
                sys.exit(f"bao {command}: no success within 60 s")
            time.sleep(0.2)
    return Signer("openbao", "hashivault://ci", env={"VAULT_ADDR": server, "VAULT_TOKEN": TOKEN})


def certificates_of(pem):
    return {"certificates": [{"rawBytes": "".join(part.split("-----END")[0].split())} for part in pem.split("-----BEGIN CERTIFICATE-----")[1:]]}


def url_safe(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class Issuer:
    """Who says who a pod is: a key, where its public half is told of, and tokens for an hour."""

    def __init__(self, root):
        self.key, self.root = f"{root}/issuer.key", root
        openssl("genpkey", "-algorithm", "ED25519", "-out", self.key)
        point = openssl("pkey", "-in", self.key, "-pubout", "-outform", "DER")[-32:]
        port = s3.free_port()
        self.address = f"http://127.0.0.1:{port}"
        told = {
            "/keys": {"keys": [{"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": "1", "x": url_safe(point)}]},
            "/.well-known/openid-configuration": {
                "issuer": self.address, "jwks_uri": f"{self.address}/keys", "response_types_supported": ["id_token"],
                "subject_types_supported": ["public"], "id_token_signing_alg_values_supported": ["EdDSA"],
            },
        }

        class Answers(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = json.dumps(told[self.path]).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Answers)
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def token(self):
        now = int(time.time())
        claims = {
            "iss": self.address, "sub": "system:serviceaccount:ci:builder", "aud": ["sigstore"], "iat": now, "exp": now + 3600,
            "kubernetes.io": {"namespace": "ci", "pod": {"name": "p", "uid": "u"}, "serviceaccount": {"name": "builder", "uid": "u"}},
        }
        said = ".".join(url_safe(json.dumps(part).encode()) for part in ({"alg": "EdDSA", "kid": "1"}, claims))
        with open(f"{self.root}/said", "w", encoding="ascii") as file:
            file.write(said)
        return f"{said}.{url_safe(openssl('pkeyutl', '-sign', '-inkey', self.key, '-rawin', '-in', f'{self.root}/said'))}"


def fulcio(root, program, clocked):
    """Without a key; what proves when it is signed is the authority of `clocked`, which a trusted root names."""
    issuer = Issuer(root)
    with open(f"{root}/fulcio.yaml", "w", encoding="utf-8") as file:
        file.write(f"oidc-issuers:\n  {issuer.address}:\n    issuer-url: {issuer.address}\n    client-id: sigstore\n    type: kubernetes\n")
    ports = [s3.free_port() for _ in range(3)]
    server = serve(root, [program, *words(
        f"serve --ca ephemeralca --config-path fulcio.yaml --host 127.0.0.1 --port {ports[0]} --grpc-host 127.0.0.1 --grpc-port {ports[1]} "
        f"--metrics-port {ports[2]} --legacy-unix-domain-socket {root}/fulcio.sock --ct-log-url=")], ports[0])
    with urllib.request.urlopen(f"{server}/api/v2/trustBundle", timeout=60) as answer:
        chain = "".join(json.load(answer)["chains"][0]["certificates"])
    with open(f"{root}/trust/root.json", encoding="utf-8") as file:
        trusted = json.load(file)
    # What a root names a log for, verifiers want to be in it.
    trusted["tlogs"] = []
    trusted["certificateAuthorities"] = [{
        "subject": {"organization": "local", "commonName": "fulcio"}, "uri": "https://fulcio.local",
        "certChain": certificates_of(chain), "validFor": {"start": SINCE},
    }]
    with open(f"{root}/trust/certified.json", "w", encoding="utf-8") as file:
        json.dump(trusted, file)
    os.mkdir(f"{root}/identity")
    with open(f"{root}/identity/token", "w", encoding="ascii") as file:
        file.write(issuer.token())
    stamped = clocked.options[clocked.options.index("--timestamp-url"):]
    return Signer("fulcio", None, ["--trusted-root", f"{root}/trust/certified.json", *stamped,
                                   "--fulcio-url", server, "--identity-token", f"{root}/identity/token"])


def witnesses(root, program, ed25519, p256):
    """Two logs and an authority, and a trusted root that names them."""
    def log_key(name, kind):
        openssl("genpkey", *kind, "-out", f"{root}/{name}.key")
        return openssl("pkey", "-in", f"{root}/{name}.key", "-pubout", "-outform", "DER")

    one = log_key("rekor1", ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"])
    two = log_key("rekor2", ["-algorithm", "ED25519"])
    ports = [s3.free_port() for _ in range(5)]
    clock = serve(root, [program, *words(f"timestamp-server serve --host 127.0.0.1 --port {ports[0]} --timestamp-signer memory --disable-ntp-monitoring")], ports[0])
    rekor1 = serve(root, [program, *words(
        f"rekor1 serve --port {ports[1]} --rekor_server.address 127.0.0.1 --rekor_server.hostname rekor1.local --rekor_server.signer rekor1.key")], ports[1])
    rekor2 = serve(root, [program, *words(
        f"rekor2 serve --hostname rekor2.local --storage-dir tiles --signer-filepath rekor2.key --http-address 127.0.0.1 --http-port {ports[2]} "
        f"--grpc-address 127.0.0.1 --grpc-port {ports[3]} --http-metrics-port {ports[4]} --checkpoint-interval 1s --batch-max-age 100ms")], ports[2])

    def text(raw):
        return base64.b64encode(raw).decode()

    def log(host, spki, details, identity):
        key = {"rawBytes": text(spki), "keyDetails": details, "validFor": {"start": SINCE}}
        return {"baseUrl": f"https://{host}", "hashAlgorithm": "SHA2_256", "publicKey": key, "logId": {"keyId": text(identity)}}

    with urllib.request.urlopen(f"http://127.0.0.1:{ports[0]}/api/v1/timestamp/certchain", timeout=60) as answer:
        chain = answer.read().decode()
    # The name of a key in a signed note: its last 32 bytes are the key itself.
    named = hashlib.sha256(b"rekor2.local\n\x01" + two[-32:]).digest()
    trusted = {
        "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
        "tlogs": [
            log("rekor1.local", one, "PKIX_ECDSA_P256_SHA_256", hashlib.sha256(one).digest()),
            log("rekor2.local", two, "PKIX_ED25519", named),
        ],
        "timestampAuthorities": [{
            "subject": {"organization": "local", "commonName": "time"},
            "uri": "https://time.local",
            "certChain": certificates_of(chain),
            "validFor": {"start": SINCE},
        }],
    }
    os.makedirs(f"{root}/trust")
    with open(f"{root}/trust/root.json", "w", encoding="utf-8") as file:
        json.dump(trusted, file)
    rooted = ["--trusted-root", f"{root}/trust/root.json"]
    stamped = ["--timestamp-url", f"{clock}/api/v1/timestamp"]
    return [
        Signer("time", ed25519, rooted + stamped),
        Signer("rekor1", ed25519, [*rooted, "--rekor-url", rekor1, "--rekor-version", "1"]),
        Signer("rekor2", p256, [*rooted, *stamped, "--rekor-url", rekor2, "--rekor-version", "2"]),
    ]


def signers(root):
    ed25519 = file_key(root, "ed25519", "-algorithm", "ED25519")
    p256 = file_key(root, "p256", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
    all_of_them = [Signer("file", ed25519)]
    if shutil.which("cosign"):
        all_of_them.append(cosign(root))
    else:
        print("left out: needs cosign")
    if program := installed("bao"):
        all_of_them.append(openbao(root, program))
    else:
        print("left out: needs tests/interop/install bao")
    if program := installed("witnesses"):
        witnessed = witnesses(root, program, ed25519, p256)
        all_of_them += witnessed
        if program := installed("fulcio"):
            all_of_them.append(fulcio(root, program, witnessed[0]))
        else:
            print("left out: needs tests/interop/install fulcio")
    else:
        print("left out: needs tests/interop/install witnesses")
    return all_of_them


def one_step(binary, root, store, signer, number):
    """Seconds from SIGTERM to the end, processor seconds within them, seconds until it was ready."""
    played = SigningPod(binary, f"{root}/pod-{signer.name}-{number}", store, signer)
    sidecar = played.start()
    path = f"{played.work}/out"
    pod.write(path, [b"built\n"])
    store.put_all([(f"{pod.PREFIX}/out", path)])
    played.end()
    done = sidecar.finish(f"{pod.PREFIX}/out")
    played.remove()
    return done["exitSeconds"], done["cpuSeconds"], sidecar.ready_seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--versitygw")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    pod.in_own_mounts()
    binary = os.path.abspath(options.binary)
    with tempfile.TemporaryDirectory(prefix="argo-attest-bench-") as root:
        store = s3.Server(s3.find(options.versitygw, CHECKOUT), root)
        atexit.register(store.stop)
        s3.Client(store.address).request("PUT", "warm-up")
        ways = signers(root)
        seen = {signer.name: [] for signer in ways}
        # By turns: what else the machine does meets all of them.
        for number in range(options.rounds):
            for signer in ways:
                seen[signer.name].append(one_step(binary, root, store, signer, number))
        table = {
            name: dict(zip(("seconds", "cpuSeconds", "readySeconds"), map(statistics.median, zip(*rounds))))
            for name, rounds in seen.items()
        }
        store.stop()
    if options.json:
        print(json.dumps(table, indent=2))
        return
    least = table["file"]["seconds"]
    print(f"{'':10} {'SIGTERM to end':>15} {'adds':>9} {'processor':>10} {'ready':>8}")
    for name, row in table.items():
        print(f"{name:10} {row['seconds'] * 1000:12.0f} ms {(row['seconds'] - least) * 1000:6.0f} ms "
              f"{row['cpuSeconds'] * 1000:7.0f} ms {row['readySeconds'] * 1000:5.0f} ms")


if __name__ == "__main__":
    main()
