#!/usr/bin/env python3
"""Many artifacts with one call: `verify s3://bucket/prefix/` and `attest`, beside the plain requests.

  verify   one call over a prefix of so many objects, each with an attestation beside it
  gets     the same bytes by `curl --parallel` over as many connections: each object and its
           bundle, signed beforehand, nothing checked
  attest   one call with as many objects that have no attestation yet
  asks     what that asks of the store, by `curl --parallel`: of each object twelve requests,
           two of which write as much as an attestation has; nothing waits for another

The goal is either within 1.5 times the plain requests, by a release binary. Needs versitygw and
curl (7.75 or newer, which signs). Standard library only. Exits 1 if anything was not attested.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

import s3

CHECKOUT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PREFIX = "audit"
AT_ONCE = 16
# Arguments of one `attest`.
BATCH = 250


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=os.path.join(CHECKOUT, "target/debug/argo-attest"))
    parser.add_argument("--versitygw", help="the server's program")
    parser.add_argument("--objects", type=int, default=1000)
    parser.add_argument("--bytes", type=int, default=4096, help="of each object")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--dir", help="where the server keeps its objects; needs extended attributes")
    parser.add_argument("--json", action="store_true", help="print one object")
    return parser.parse_args()


def fill(server, asked, root, prefix):
    """Stores the objects; gives their keys."""
    keys = [f"{prefix}/{number % 10}/{number:05}.bin" for number in range(asked.objects)]
    files = os.path.join(root, "files")
    os.makedirs(files, exist_ok=True)
    objects = []
    for number, key in enumerate(keys):
        path = os.path.join(files, str(number))
        with open(path, "wb") as file:
            file.write(os.urandom(asked.bytes))
        objects.append((key, path))
    server.put_all(objects)
    return sorted(keys)


# As whom curl asks.
WHO = f'user = "{s3.ACCESS_KEY}:{s3.SECRET_KEY}"\naws-sigv4 = "aws:amz:{s3.REGION}:s3"\nheader = "x-amz-content-sha256: UNSIGNED-PAYLOAD"\n'


def configuration(server, keys, root):
    """What curl fetches."""
    path = os.path.join(root, "curl")
    with open(path, "w", encoding="ascii") as file:
        file.write(WHO)
        for key in keys:
            for name in (key, f"{key}.sigstore.json"):
                file.write(f'url = "http://{server.address}/{s3.BUCKET}/{name}"\noutput = "/dev/null"\n')
    return path


def asks(server, keys, root, written):
    """What `attest` asks for each of these, for curl. `written`: an object that has an attestation."""
    bundle, lines = (server.file(f"{written}{suffix}") for suffix in (".sigstore.json", ".intoto.jsonl"))
    path = os.path.join(root, "asks")
    requests = []
    for key in keys:
        url = f"http://{server.address}/{s3.BUCKET}/{key}"
        apart = f"http://{server.address}/{s3.BUCKET}/.attestations/{key}.sigstore.json"
        gets = [url, apart] + [f"{url}.sigstore.json"] * 3 + [f"{url}.intoto.jsonl"] * 2
        heads = [url] * 3
        puts = [(f"{url}.intoto.jsonl", lines), (f"{url}.sigstore.json", bundle)]
        how = [f'url = "{url}"\n' for url in gets] + [f'url = "{url}"\nhead\n' for url in heads]
        how += [f'url = "{url}"\nupload-file = "{content}"\n' for url, content in puts]
        requests += [f'{one}output = "/dev/null"\n{WHO}' for one in how]
    with open(path, "w", encoding="ascii") as file:
        file.write("next\n".join(requests))
    return path


def seconds(command, env, root):
    began = time.monotonic()
    done = subprocess.run(command, env=env, cwd=root, capture_output=True, text=True)
    took = time.monotonic() - began
    if done.returncode != 0:
        sys.exit(f"{command[:3]}…: {done.returncode} {done.stdout[-300:]} {done.stderr[-300:]}")
    return took


def main():
    asked = arguments()
    binary = os.path.abspath(asked.binary)
    with tempfile.TemporaryDirectory(dir=asked.dir) as root:
        server = s3.Server(s3.find(asked.versitygw, CHECKOUT), root)
        try:
            env = {
                "PATH": os.environ["PATH"],
                "AWS_ENDPOINT_URL_S3": f"http://{server.address}",
                "AWS_REGION": s3.REGION,
                "AWS_ACCESS_KEY_ID": s3.ACCESS_KEY,
                "AWS_SECRET_ACCESS_KEY": s3.SECRET_KEY,
            }
            keys = fill(server, asked, root, PREFIX)
            seconds([binary, "keygen", "--out-dir", "keys"], env, root)
            attest = [binary, "attest", "--key", "keys/attest.key", "--builder-id", "https://ci.example.com/bench"]
            for at in range(0, len(keys), BATCH):
                seconds(attest + [f"s3://{s3.BUCKET}/{key}" for key in keys[at : at + BATCH]], env, root)
            curl = ["curl", "--silent", "--no-progress-meter", "--fail", "--parallel", "--parallel-max", str(AT_ONCE)]
            curl += ["--config", configuration(server, keys, root)]
            verify = [binary, "verify", "--quiet", "--key", "keys/attest.pub", f"s3://{s3.BUCKET}/{PREFIX}/"]
            plain = ["curl", "--silent", "--parallel", "--parallel-max", str(AT_ONCE), "--config"]
            times = {"gets": [], "verify": [], "asks": [], "attest": []}
            # In turn, so that all meet the same machine.
            for turn in range(asked.repeat):
                times["gets"].append(seconds(curl, env, root))
                times["verify"].append(seconds(verify, env, root))
                new = fill(server, asked, root, f"plain-{turn}")
                times["asks"].append(seconds(plain + [asks(server, new, root, keys[0])], env, root))
                new = fill(server, asked, root, f"new-{turn}")
                times["attest"].append(seconds(attest + [f"s3://{s3.BUCKET}/{key}" for key in new], env, root))
        finally:
            server.stop()
    found = {name: round(statistics.median(all_of), 3) for name, all_of in times.items()}
    found["ratio"] = round(found["verify"] / found["gets"], 2)
    found["attestRatio"] = round(found["attest"] / found["asks"], 2)
    if asked.json:
        print(json.dumps({"objects": asked.objects, "bytes": asked.bytes, **found}))
        return
    print(f"{asked.objects} objects of {asked.bytes} bytes, median of {asked.repeat}")
    print(f"gets    {found['gets']:8.3f} s\nverify  {found['verify']:8.3f} s  {found['ratio']} times the GETs")
    print(f"asks    {found['asks']:8.3f} s\nattest  {found['attest']:8.3f} s  {found['attestRatio']} times what it asks")


if __name__ == "__main__":
    main()
