#!/usr/bin/env python3
"""Makes the files beside it with Python's `cryptography`, which shares no code with
this crate. Run it again only to add a kind of file: ECDSA signatures come out
different each time. The keys are for tests; nothing real is signed with them.
"""
import base64
import hashlib
import json
import os
import struct

from cryptography.hazmat.primitives import hashes, serialization as s
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

TYPE = "application/vnd.in-toto+json"
HERE = os.path.dirname(os.path.abspath(__file__))


def b64(data):
    return base64.b64encode(data).decode()


def compact(value):
    return json.dumps(value, separators=(",", ":"))


def write(name, text):
    with open(os.path.join(HERE, name), "w", encoding="utf-8", newline="") as file:
        file.write(text)


def spki(public):
    return public.public_bytes(s.Encoding.DER, s.PublicFormat.SubjectPublicKeyInfo)


def fingerprint(public):
    line = public.public_bytes(s.Encoding.OpenSSH, s.PublicFormat.OpenSSH)
    return "SHA256:" + b64(hashlib.sha256(base64.b64decode(line.split()[1])).digest()).rstrip("=")


def sign(key, payload):
    pae = b"DSSEv1 %d %s %d %s" % (len(TYPE), TYPE.encode(), len(payload), payload)
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(pae)
    return key.sign(pae, ec.ECDSA(hashes.SHA256()))


def envelope(key, payload, **extra):
    return {"payload": b64(payload), "payloadType": TYPE, "signatures": [{"sig": b64(sign(key, payload)), **extra}]}


def bundle(hint, dsse, entries):
    return {
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {"publicKey": {"hint": hint}, "tlogEntries": entries},
        "dsseEnvelope": dsse,
    }


artifact = b"hello\n"
statement = compact(
    {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "hello.txt", "digest": {"sha256": hashlib.sha256(artifact).hexdigest()}}],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": "https://example.com/build/v1",
                "externalParameters": {"workflow": "hello \u00fc"},
            },
            "runDetails": {"builder": {"id": "https://example.com/builder"}},
        },
    }
)
write("hello.txt", artifact.decode())
write("statement.json", statement)

seed = hashlib.sha256(b"argo-attest test key, not for use").digest()
keys = {
    "ed25519": ed25519.Ed25519PrivateKey.from_private_bytes(seed),
    "p256": ec.derive_private_key(int.from_bytes(seed, "big") >> 8, ec.SECP256R1()),
}
for name, key in keys.items():
    public, payload = key.public_key(), statement.encode()
    pem = (s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption())
    write(name + ".key", key.private_bytes(*pem).decode())
    write(name + ".pub", public.public_bytes(s.Encoding.PEM, s.PublicFormat.SubjectPublicKeyInfo).decode())
    write(name + ".keyid", fingerprint(public) + "\n")
    dsse = envelope(key, payload, keyid=fingerprint(public))
    write(name + ".intoto.jsonl", compact(dsse) + "\n")
    write(name + ".sigstore.json", compact(bundle(fingerprint(public), dsse, [])))

# The shape of cosign's own bundles: no keyid, a hint of another kind, a log entry.
entry = {
    "logIndex": "25579",
    "logId": {"keyId": b64(hashlib.sha256(b"a log").digest())},
    "kindVersion": {"kind": "dsse", "version": "0.0.1"},
    "integratedTime": "1764000000",
    "inclusionProof": {"logIndex": "0", "rootHash": b64(bytes(32)), "treeSize": "1", "hashes": []},
    "canonicalizedBody": b64(b"{}"),
}
public = keys["p256"].public_key()
shaped = bundle(b64(hashlib.sha256(spki(public)).digest()), envelope(keys["p256"], statement.encode()), [entry])
write("cosign-shaped.sigstore.json", json.dumps(shaped, indent=2) + "\n")
