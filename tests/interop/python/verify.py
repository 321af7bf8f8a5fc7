#!/usr/bin/env python3
"""Holds JSON lines of argo-attest against securesystemslib and in-toto-attestation.

    verify.py PUB JSONL (ARTIFACT | --digest ALG:HEX)

The last line's envelope is verified with the public key, its payload is parsed and
validated as an in-toto statement, and the artifact's digest is looked for among its
subjects. Prints the predicate's type and exits with 0, or says why not and exits
with 1.
"""
import hashlib
import json
import sys

from cryptography.hazmat.primitives.serialization import load_pem_public_key
from google.protobuf import json_format
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement
from securesystemslib.dsse import Envelope
from securesystemslib.signer import SSlibKey


def wanted(args):
    if args[0] == "--digest":
        algorithm, _, digest = args[1].partition(":")
        return algorithm, digest
    with open(args[0], "rb") as file:
        return "sha256", hashlib.file_digest(file, "sha256").hexdigest()


def verify(public, lines, args):
    with open(lines, encoding="utf-8") as file:
        document = json.loads(file.read().splitlines()[-1])
    # The library finds a key by its name only, so it is registered under the one that
    # the envelope has; that proves nothing, the signature does.
    keyid = document["signatures"][0]["keyid"]
    with open(public, "rb") as file:
        key = SSlibKey.from_crypto(load_pem_public_key(file.read()), keyid)
    envelope = Envelope.from_dict(document)
    envelope.verify([key], 1)
    message = json_format.Parse(envelope.payload, statement_pb2.Statement())
    statement = Statement.copy_from_pb(message)
    statement.validate()
    algorithm, digest = wanted(args)
    if not any(subject.digest.get(algorithm) == digest for subject in message.subject):
        raise ValueError(f"no subject has the {algorithm} digest {digest}")
    return message.predicate_type


def main():
    if len(sys.argv) < 4:
        print("usage: verify.py PUB JSONL (ARTIFACT | --digest ALG:HEX)", file=sys.stderr)
        return 1
    try:
        print("accepted:", verify(sys.argv[1], sys.argv[2], sys.argv[3:]))
    except Exception as error:  # whatever a library raises is its way of refusing
        print(f"refused: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


sys.exit(main())
