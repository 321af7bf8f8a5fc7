#!/usr/bin/env python3
"""Many artifacts with one call: `verify s3://bucket/prefix/` beside the plain GETs.

  verify   one call over a prefix of so many objects, each with an attestation beside it
  gets     the same bytes by `curl --parallel` over as many connections: each object and its
           bundle, signed beforehand, nothing checked

The goal is verify within 1.5 times the GETs, by a release binary. Needs versitygw and curl
(7.75 or newer, which signs). Standard library only. Exits 1 if anything was not attested.
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


def fill(server, asked, root):
    """Stores the objects; gives their keys."""
    keys = [f"{PREFIX}/{number % 10}/{number:05}.bin" for number in range(asked.objects)]
    files = os.path.join(root, "files")
    os.mkdir(files)
    objects = []
    for number, key in enumerate(keys):
        path = os.path.join(files, str(number))
        with open(path, "wb") as file:
            file.write(os.urandom(asked.bytes))
        objects.append((key, path))
    server.put_all(objects)
    return sorted(keys)


def configuration(server, keys, root):
    """What curl fetches, and as whom."""
    path = os.path.join(root, "curl")
    with open(path, "w", encoding="ascii") as file:
        file.write(f'user = "{s3.ACCESS_KEY}:{s3.SECRET_KEY}"\naws-sigv4 = "aws:amz:{s3.REGION}:s3"\nheader = "x-amz-content-sha256: UNSIGNED-PAYLOAD"\n')
        for key in keys:
            for name in (key, f"{key}.sigstore.json"):
                file.write(f'url = "http://{server.address}/{s3.BUCKET}/{name}"\noutput = "/dev/null"\n')
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
            keys = fill(server, asked, root)
            seconds([binary, "keygen", "--out-dir", "keys"], env, root)
            attest = [binary, "attest", "--key", "keys/attest.key", "--builder-id", "https://ci.example.com/bench"]
            for at in range(0, len(keys), BATCH):
                seconds(attest + [f"s3://{s3.BUCKET}/{key}" for key in keys[at : at + BATCH]], env, root)
            curl = ["curl", "--silent", "--no-progress-meter", "--fail", "--parallel", "--parallel-max", str(AT_ONCE)]
            curl += ["--config", configuration(server, keys, root)]
            verify = [binary, "verify", "--quiet", "--key", "keys/attest.pub", f"s3://{s3.BUCKET}/{PREFIX}/"]
            times = {"gets": [], "verify": []}
            # In turn, so that both meet the same machine.
            for _ in range(asked.repeat):
                times["gets"].append(seconds(curl, env, root))
                times["verify"].append(seconds(verify, env, root))
        finally:
            server.stop()
    found = {name: round(statistics.median(all_of), 3) for name, all_of in times.items()}
    found["ratio"] = round(found["verify"] / found["gets"], 2)
    if asked.json:
        print(json.dumps({"objects": asked.objects, "bytes": asked.bytes, **found}))
        return
    print(f"{asked.objects} objects of {asked.bytes} bytes, median of {asked.repeat}")
    print(f"gets    {found['gets']:8.3f} s\nverify  {found['verify']:8.3f} s  {found['ratio']} times the GETs")


if __name__ == "__main__":
    main()
