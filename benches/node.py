#!/usr/bin/env python3
"""What a node full of steps costs: so many sidecars at a time, and what a cluster of such nodes comes to.

Each is the native sidecar of a step with one small output, on a real S3 server on loopback. All
wait at once, as they do while mains work; then all are told to end at once, each with its output
stored. Measured: memory (what a process has of its own, and its share of what all of them map),
the processor's time while they wait and from start to end, requests to the store. Computed from
that: what `--steps` steps come to that run at a time, on as many such nodes as they need.

Needs versitygw, openssl and util-linux's unshare. Standard library only. Exits 1 if an output is
not attested.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time

import pod
import proxy
import s3

CHECKOUT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
KIB, MIB = 1 << 10, 1 << 20
WAITING_SECONDS = 20


def proportional(pid):
    """Bytes of a process, what it shares with others divided among them."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as rollup:
        return next(int(line.split()[1]) << 10 for line in rollup if line.startswith("Pss:"))


def measured(options, root):
    server = s3.Server(s3.find(options.versitygw, CHECKOUT), root)
    store = proxy.Proxy(server)
    s3.Client(server.address).request("PUT", "warm-up")
    binary, block, pods, sidecars = os.path.abspath(options.binary), pod.block(), [], []
    try:
        for number in range(options.pods):
            place = f"{root}/pod{number}"
            output = {"name": "out", "path": f"{place}/volume/out", "archive": {"none": {}}}
            pods.append(pod.Pod(binary, place, store, output=output, node=f"wf-step-{number}"))
            sidecars.append(pods[-1].start())
        started = sum(sidecar.used() for sidecar in sidecars)
        asked = sum(store.requests.values())
        memory = [sidecar.memory() for sidecar in sidecars]
        shares = [proportional(sidecar.process.pid) for sidecar in sidecars]
        before = sum(sidecar.processor() for sidecar in sidecars)
        time.sleep(WAITING_SECONDS)
        waiting = (sum(sidecar.processor() for sidecar in sidecars) - before) / 1e9 / WAITING_SECONDS
        waiting_requests = sum(store.requests.values()) - asked
        client = s3.Client(server.address)
        for number, played in enumerate(pods):
            pod.write(f"{played.work}/out", pod.chunks(block, number, KIB))
            client.put(f"wf/{played.node}/out", pod.chunks(block, number, KIB), KIB)
        client.close()
        for played in pods:
            played.end()
        told = time.monotonic()
        for sidecar in sidecars:
            sidecar.process.terminate()
        cpu = 0.0
        for sidecar in sidecars:
            at_end = os.wait4(sidecar.process.pid, 0)
            sidecar.process.returncode = os.waitstatus_to_exitcode(at_end[1])
            cpu += at_end[2].ru_utime + at_end[2].ru_stime
        seconds = time.monotonic() - told
        for sidecar in sidecars:
            with open(sidecar.pod.log, encoding="utf-8") as log:
                message = log.read()
            if sidecar.process.returncode != 0 or json.loads(message).get("attested") != 1:
                sys.exit(f"a sidecar exited {sidecar.process.returncode}: {message}")
        for played in pods:
            played.remove()
    finally:
        server.stop()
    return {
        "pods": options.pods,
        "rss": statistics.median(row["rss"] for row in memory),
        "anonymous": statistics.median(row["anonymous"] for row in memory),
        "proportional": statistics.median(shares),
        "all": sum(shares),
        "startCpuSeconds": started / options.pods,
        "stepCpuSeconds": cpu / options.pods,
        "waitingCpuShare": waiting / options.pods,
        "waitingRequests": waiting_requests,
        "requests": {method: count / options.pods for method, count in sorted(store.requests.items())},
        "endSeconds": seconds,
    }


def show(options, row):
    print(f"{row['pods']} steps at a time on one node")
    print(f"  resident in a sidecar that waits         {row['rss'] / MIB:9.1f} MiB, {row['anonymous'] / MIB:.1f} of them its own")
    print(f"  with its share of the binary's pages     {row['proportional'] / MIB:9.1f} MiB; all of them {row['all'] / MIB:.0f} MiB")
    print(f"  CPU of one that waits                    {row['waitingCpuShare'] * 1000:9.3f} thousandths of a core")
    print(f"  CPU of one, start to end                 {row['stepCpuSeconds'] * 1000:9.1f} ms, {row['startCpuSeconds'] * 1000:.1f} until it is ready")
    asked = ", ".join(f"{count:g} {method}" for method, count in row["requests"].items())
    print(f"  requests to the store, each              {sum(row['requests'].values()):9.1f}: {asked}; while it waits {row['waitingRequests']}")
    print(f"  all told at once, all ended after        {row['endSeconds']:9.2f} s")
    steps, nodes = options.steps, options.steps / row["pods"]
    print(f"\ncomputed: {steps} steps at a time, on {nodes:g} such nodes")
    print(f"  memory                                   {row['all'] * nodes / (1 << 30):9.1f} GiB, {row['all'] / MIB:.0f} MiB a node")
    print(f"  CPU while they wait                      {row['waitingCpuShare'] * steps:9.2f} cores")
    print(f"  CPU of all, start to end                 {row['stepCpuSeconds'] * steps:9.0f} s")
    print(f"  requests to the store                    {sum(row['requests'].values()) * steps:9.0f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", required=True, help="argo-attest, a release build, for pods")
    parser.add_argument("--pods", type=int, default=100, help="at a time (default 100; a node takes 110)")
    parser.add_argument("--steps", type=int, default=10_000, help="what is computed (default 10,000)")
    parser.add_argument("--versitygw", help="the S3 server's program")
    parser.add_argument("--json", action="store_true", help="print one object")
    options = parser.parse_args()
    pod.in_own_mounts()
    with tempfile.TemporaryDirectory(prefix="argo-attest-node-") as root:
        row = measured(options, root)
    if options.json:
        print(json.dumps(row, indent=2))
    else:
        show(options, row)


if __name__ == "__main__":
    main()
