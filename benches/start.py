#!/usr/bin/env python3
"""The sidecar's start: how long a SIGTERM kills it, and how long until it is ready.

  the window   a plain sidecar that is told to end right after it was started. Until it
               has a handler, SIGTERM ends it, without a word. It is told so many
               milliseconds after exec, many times each; how many of them died is counted.
               None may go on as if it had not been told
  ready        from exec until `ready --wait` says so, over a real S3 server on loopback

Both on a whole CPU and, as root, in a cgroup with the 10m that a pod may give it: as
the kubelet sets it, 1 ms of CPU in each 100 ms, in all threads. On a whole CPU all runs at
real-time priority, where it may, so that what else the machine does changes nothing.

Needs versitygw, openssl and util-linux's unshare. Standard library only. Exits 1 if a SIGTERM was lost.
"""

import argparse
import contextlib
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import group
import pod
import s3

CHECKOUT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DELAYS_MS = (0, 0.5, 1, 2, 5)
# Where the first period's millisecond is not enough, it ends with the second or the third.
THROTTLED_MS = (*DELAYS_MS, 50, 150, 250)
HEARD, DIED, DEAF = "heard", "died", "deaf"
PATIENCE = 10
NOT_OPTED_IN = '{"name":"step","inputs":{},"outputs":{},"metadata":{},"container":{"name":"","image":"busybox","resources":{}}}'


def told(binary, root, delay, before_exec):
    """What became of a sidecar that was told to end this many seconds after exec."""
    if before_exec:
        # A container's group is new, and has all of its first period.
        time.sleep(group.PERIOD_US / 1e6)
    log = f"{root}/termination-log"
    pod.write(log, [])
    command = [binary, "sidecar", "--mode", "sidecar", "--termination-log", log, "--builder-id", pod.BUILDER]
    # Popen returns when exec has happened.
    process = subprocess.Popen(
        command,
        env={"ARGO_TEMPLATE": NOT_OPTED_IN},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=before_exec,
    )
    if delay:
        time.sleep(delay)
    process.terminate()
    try:
        code = process.wait(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return DEAF
    if code not in (0, -signal.SIGTERM):
        sys.exit(f"the sidecar exited {code}: {open(log, encoding='utf-8').read()}")
    return HEARD if code == 0 else DIED


def window(options, root, delays, before_exec):
    """Of each delay: how many died, and how many went on as if nothing had been said."""
    counts = {}
    for ms in delays:
        ends = [told(options.binary, root, ms / 1000, before_exec) for _ in range(options.times)]
        counts[f"{ms:g}"] = {end: ends.count(end) for end in (DIED, DEAF)}
    return counts


def ready(options, root, runs, before_exec):
    seconds = []
    server = s3.Server(s3.find(options.versitygw, CHECKOUT), root)
    try:
        s3.Client(server.address).request("PUT", "warm-up")
        for run in range(runs):
            place = f"{root}/pod{run}"
            output = {"name": "out", "path": f"{place}/volume/out"}
            played = pod.Pod(options.binary, place, server, output=output, before_exec=before_exec)
            sidecar = played.start()
            seconds.append(sidecar.ready_seconds)
            sidecar.process.kill()
            sidecar.process.wait()
            played.remove()
    finally:
        server.stop()
    return {"median": statistics.median(seconds), "slowest": max(seconds), "runs": runs}


def measured(options, name, delays, runs, before_exec):
    with tempfile.TemporaryDirectory(prefix="argo-attest-start-") as root:
        result = {"window": window(options, root, delays, before_exec)}
        result["ready"] = ready(options, root, runs, before_exec)
    if not options.json:
        show(options, name, result)
    return result


def show(options, name, result):
    print(f"\n{name}")
    for ms, counts in result["window"].items():
        deaf = f", {counts[DEAF]} did not hear it" if counts[DEAF] else ""
        print(f"  told {ms:>4} ms after exec: {counts[DIED]:4} of {options.times} died{deaf}")
    seconds = result["ready"]
    print(f"  ready after {seconds['median']:.3f} s, median of {seconds['runs']}, slowest {seconds['slowest']:.3f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", required=True, help="argo-attest, a release build")
    parser.add_argument("--times", type=int, default=200, help="each delay (default 200)")
    parser.add_argument("--versitygw", help="the S3 server's program")
    parser.add_argument("--json", action="store_true", help="print one object")
    options = parser.parse_args()
    pod.in_own_mounts()
    options.binary = os.path.abspath(options.binary)
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    results = {"cpus": len(os.sched_getaffinity(0)), "load": os.getloadavg()[0]}
    if not options.json:
        print(f"{results['cpus']} CPUs, load {results['load']:.1f} at the start")
    results["whole"] = measured(options, "a whole CPU", DELAYS_MS, 20, None)
    if os.geteuid() == 0:
        with group.of(millicpu=10) as limited:
            results["10m"] = measured(options, "10m of CPU", THROTTLED_MS, 5, limited.join)
    elif not options.json:
        print("\nskipped: 10m of CPU needs root")
    if options.json:
        print(json.dumps(results, indent=2))
    windows = [counts for part in ("whole", "10m") if part in results for counts in results[part]["window"].values()]
    if any(counts[DEAF] for counts in windows):
        sys.exit("SIGTERM was caught and lost")


if __name__ == "__main__":
    main()
