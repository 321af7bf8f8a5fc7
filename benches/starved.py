#!/usr/bin/env python3
"""The sidecar with very little: 10m of CPU, 32 MiB of memory, and a store at 1 MB/s.

A step writes very many small files and ends well; Argo's own upload is as fast as it can
be, for its container has limits of its own. The sidecar is in a control group with the CPU
and the memory that it may be given at least, page cache included, and what it asks of the
store and hears from it passes a throttle on loopback. It ends with the grace period that a
pod has by default, and to read all of 100,000 files takes longer: `--grace 1800` gives it the time.

Whatever it does, it may not be killed for want of memory, must end by itself within its
grace period, and either attests the output or says why not. Exits 1 if not.

Needs root, versitygw, openssl and util-linux's unshare. Standard library only.
"""

import argparse
import json
import os
import signal
import sys
import tarfile
import tempfile
import threading
import time

import group
import pod
import proxy
import s3

CHECKOUT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
MIB = 1 << 20
RATE = 1_000_000
# Of the files, a hundred to a directory.
BYTES = 100
# What whoever sends SIGTERM allows beyond the grace period, in seconds.
SLACK = 5


def step(options, limits, root, server, grace):
    """One step, and how its sidecar ended."""
    store = proxy.Proxy(server, options.rate)
    output = {"name": "out", "path": f"{root}/volume/out"}
    played = pod.Pod(
        os.path.abspath(options.binary), root, store, output=output, before_exec=limits.join, grace=grace
    )
    sidecar = played.start()
    for number in range(options.files):
        path = f"{played.work}/out/{number // 100:04}/{number:06}"
        if number % 100 == 0:
            os.makedirs(os.path.dirname(path))
        pod.write(path, [f"{number:>{BYTES}}".encode()])
    key = f"{pod.PREFIX}/out.tgz"
    archive = f"{root}/out.tgz"
    with tarfile.open(archive, "w:gz", compresslevel=1) as packed:
        packed.add(f"{played.work}/out", "out")
    client = s3.Client(server.address)
    with open(archive, "rb") as body:
        client.put(key, body, os.path.getsize(archive))
    client.close()
    played.end()
    told = time.monotonic()
    sidecar.process.terminate()
    killer = threading.Timer(grace + SLACK, sidecar.process.kill)
    killer.start()
    code = sidecar.process.wait()
    seconds = time.monotonic() - told
    killer.cancel()
    with open(played.log, encoding="utf-8") as log:
        message = log.read()
    is_attested = os.path.exists(store.file(f"{key}.sigstore.json"))
    result = {
        "grace": grace,
        "readySeconds": sidecar.ready_seconds,
        "seconds": seconds,
        "code": code,
        "peakRss": sidecar.peak << 10,
        "killed": limits.killed(),
        "objectBytes": os.path.getsize(archive),
        "attested": is_attested,
        "message": message,
    }
    played.remove()
    return result


def wrong(result):
    """What may never be."""
    if result["killed"] or result["code"] == -signal.SIGKILL:
        return "the sidecar was killed"
    if result["code"] != 0:
        return f"the sidecar exited {result['code']}"
    said = json.loads(result["message"])
    if result["attested"] != (said.get("attested") == 1):
        return "what it says of itself is not what it did"
    if not result["attested"] and not all(artifact.get("reason") for artifact in said["artifacts"]):
        return "it does not say what is unfinished"
    return None


def show(result):
    print(f"\na grace period of {result['grace']} s")
    print(f"  ready after {result['readySeconds']:.1f} s; ended {result['seconds']:.1f} s after SIGTERM, code {result['code']}")
    print(f"  peak {result['peakRss'] / MIB:.1f} MiB resident; {result['killed']} killed for want of memory")
    print(f"  object of {result['objectBytes'] / MIB:.2f} MiB, attested: {'yes' if result['attested'] else 'no'}")
    print(f"  {result['message']}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", required=True, help="argo-attest, a release build, for pods")
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--millicpu", type=int, default=10)
    parser.add_argument("--memory", type=int, default=32 * MIB, help="bytes (default 32 MiB)")
    parser.add_argument("--rate", type=int, default=RATE, help="bytes a second (default 1,000,000)")
    parser.add_argument("--grace", type=int, action="append", help="seconds; may be repeated (default 30)")
    parser.add_argument("--versitygw", help="the S3 server's program")
    parser.add_argument("--json", action="store_true", help="print one object")
    options = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("needs root, for control groups")
    pod.in_own_mounts()
    results = []
    with tempfile.TemporaryDirectory(prefix="argo-attest-starved-") as root:
        server = s3.Server(s3.find(options.versitygw, CHECKOUT), root)
        try:
            s3.Client(server.address).request("PUT", "warm-up")
            for grace in options.grace or (30,):
                with group.of(options.millicpu, options.memory) as limits:
                    results.append(step(options, limits, f"{root}/pod{grace}", server, grace))
                if not options.json:
                    show(results[-1])
        finally:
            server.stop()
    if options.json:
        print(json.dumps(results, indent=2))
    for result in results:
        if what := wrong(result):
            sys.exit(f"with a grace period of {result['grace']} s: {what}")


if __name__ == "__main__":
    main()
