#!/usr/bin/env python3
"""CPU time of the digester beside `openssl dgst -sha256`, on the same files.

Two inputs: one file of 1 GiB, and 4000 files of 256 KiB. Every command runs in
turn, RUNS times, with the files in the page cache; the CPU time is what the
kernel accounts to the child (user + system, all its threads), so that load on
the machine costs accuracy rather than fairness. Printed is the median of each,
and its ratio to openssl's. `run` and `verify` are whole commands: beside the
digesting they scan, sign or check a signature, and start up (`--version` shows
how much of it that is).

Standard library only. Exits 1 if a command fails.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30


def fill(path, size, rng):
    with open(path, "wb") as out:
        while size > 0:
            chunk = rng(min(size, 4 * MIB))
            out.write(chunk)
            size -= len(chunk)


def pages_in(path):
    with open(path, "rb", buffering=0) as source:
        while source.read(4 * MIB):
            pass


def measure(command, cwd, env):
    """(CPU seconds, wall seconds) of one run."""
    began = time.monotonic()
    with tempfile.TemporaryFile() as said:
        child = subprocess.Popen(command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.monotonic() - began
        # Popen must not wait for a child that is reaped.
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            said.seek(0)
            text = said.read(4096).decode(errors="replace")
            sys.exit(f"{command[:6]} exited {child.returncode}:\n{text}")
    return usage.ru_utime + usage.ru_stime, wall


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", required=True, help="argo-attest, a release build")
    parser.add_argument("--runs", type=int, default=5, help="of each command (default 5)")
    parser.add_argument("--large", type=int, default=GIB, help="bytes of the one file")
    parser.add_argument("--files", type=int, default=4000, help="number of small files")
    parser.add_argument("--small", type=int, default=256 * KIB, help="bytes of a small file")
    parser.add_argument("--dir", help="where to make the files (default: a temporary directory)")
    parser.add_argument("--json", action="store_true", help="print one object")
    options = parser.parse_args()

    binary = os.path.abspath(options.binary)
    openssl = shutil.which("openssl")
    if openssl is None:
        sys.exit("needs openssl to compare with")
    with tempfile.TemporaryDirectory(prefix="argo-attest-bench-", dir=options.dir) as root:
        results = compare(options, binary, openssl, root)
    if options.json:
        print(json.dumps(results, indent=2))
    else:
        show(options, results)


def compare(options, binary, openssl, root):
    need = options.large + options.files * options.small
    if shutil.disk_usage(root).free < need + 64 * MIB:
        sys.exit(f"needs {need / GIB:.1f} GiB free in {root}; choose another place with --dir")
    # Nothing of the user's own configuration or environment is read.
    env = {"PATH": os.environ["PATH"], "HOME": root, "XDG_CONFIG_HOME": f"{root}/config", "LC_ALL": "C"}
    os.mkdir(f"{root}/config")

    os.mkdir(f"{root}/small")
    names = [f"small/{n:04}" for n in range(options.files)]
    fill(f"{root}/large", options.large, os.urandom)
    for name in names:
        fill(f"{root}/{name}", options.small, os.urandom)
    for name in ["large", *names]:
        pages_in(f"{root}/{name}")
    measure([binary, "keygen", "--out-dir", f"{root}/keys"], root, env)
    key, public = f"{root}/keys/attest.key", f"{root}/keys/attest.pub"

    inputs = {"large": ["large"], "small": names}
    times = {"start": {"--version": []}}
    for case in inputs:
        times[case] = {"openssl": [], "run": [], "verify": []}
    for _ in range(options.runs):
        times["start"]["--version"].append(measure([binary, "--version"], root, env))
        for case, files in inputs.items():
            of = times[case]
            of["openssl"].append(measure([openssl, "dgst", "-sha256", *files], root, env))
            # A first attestation each time, rather than one that is already there.
            for suffix in (".sigstore.json", ".intoto.jsonl", ".manifest.sha256"):
                if os.path.exists(f"{root}/{case}{suffix}"):
                    os.unlink(f"{root}/{case}{suffix}")
            # What a command did not touch is not attested anew.
            touch = ["find", case, "-type", "f", "-exec", "touch", "{}", "+"]
            run = [binary, "run", "--key", key, "--outputs", case, "--", *touch]
            of["run"].append(measure(run, root, env))
            of["verify"].append(measure([binary, "verify", "--key", public, case], root, env))

    return {
        "cpus": len(os.sched_getaffinity(0)),
        "runs": options.runs,
        "cases": {
            case: {
                command: {
                    "cpuSeconds": statistics.median(r[0] for r in rows),
                    "wallSeconds": statistics.median(r[1] for r in rows),
                }
                for command, rows in of.items()
            }
            for case, of in times.items()
        },
    }


def show(options, results):
    titles = {
        "large": f"one file of {options.large / MIB:g} MiB",
        "small": f"{options.files} files of {options.small / KIB:g} KiB",
    }
    print(f"median of {results['runs']} runs, {results['cpus']} CPUs, files in the page cache")
    for case, title in titles.items():
        rows = results["cases"][case]
        base = rows["openssl"]
        print(f"\n{title}\n  {'':24}{'CPU s':>8}{'ratio':>8}{'wall s':>9}{'ratio':>8}")
        for command, row in rows.items():
            label = "openssl dgst -sha256" if command == "openssl" else f"argo-attest {command}"
            print(
                f"  {label:24}{row['cpuSeconds']:8.3f}{row['cpuSeconds'] / base['cpuSeconds']:8.2f}"
                f"{row['wallSeconds']:9.3f}{row['wallSeconds'] / base['wallSeconds']:8.2f}"
            )
    start = results["cases"]["start"]["--version"]
    print(f"\nargo-attest --version: {start['cpuSeconds']:.3f} s CPU, {start['wallSeconds']:.3f} s wall")


if __name__ == "__main__":
    main()
