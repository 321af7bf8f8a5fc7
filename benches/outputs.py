#!/usr/bin/env python3
"""Many outputs of one command: `run` beside plain writing that is as durable.

  run     one call with so many outputs, each a small file that the command writes
  plain   the two files of each attestation written, synced, renamed and their directory
          synced, as many at a time as `run` does, by this script: nothing digested or signed

Both on the same file system, in turn. CPU is what the kernel accounts to the child, the
command that writes the outputs included. Standard library only. Exits 1 if anything was
not attested.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

AT_ONCE = 16
# Bytes of a bundle and of a line, about.
WRITTEN = (4096, 3072)


def durable(directory, name, content):
    """As the store of a directory keeps an object."""
    temporary = os.path.join(directory, f".{name}")
    with open(temporary, "xb", buffering=0) as file:
        file.write(content)
        os.fsync(file.fileno())
    os.rename(temporary, os.path.join(directory, name))
    opened = os.open(directory, os.O_RDONLY)
    os.fsync(opened)
    os.close(opened)


def plain(root, outputs):
    directory = os.path.join(root, "plain")
    os.mkdir(directory)

    def both(number):
        for which, size in enumerate(WRITTEN):
            durable(directory, f"{number}.{which}", b"x" * size)

    began = time.monotonic()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(both, range(outputs)))
    took = time.monotonic() - began
    subprocess.run(["rm", "-r", directory], check=True)
    return took


def run(binary, root, env, outputs):
    """(wall, CPU) seconds."""
    work = os.path.join(root, "work")
    os.mkdir(work)
    names = [f"o{number:05}" for number in range(outputs)]
    script = f"n=0; while [ $n -lt {outputs} ]; do printf '%05d' $n > o$(printf '%05d' $n); n=$((n+1)); done"
    command = [binary, "run", "--quiet", "--key", f"{root}/attest.key"]
    command += [part for name in names for part in ("--outputs", name)] + ["--", "sh", "-c", script]
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(command, cwd=work, env=env, capture_output=True, text=True)
    took, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    bundles = sum(name.endswith(".sigstore.json") for name in os.listdir(work))
    if done.returncode != 0 or bundles != outputs:
        sys.exit(f"run: {done.returncode}, {bundles} of {outputs} attested\n{done.stderr[-500:]}")
    subprocess.run(["rm", "-r", work], check=True)
    return took, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True, help="argo-attest, a release build")
    parser.add_argument("--outputs", type=int, default=1000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--dir", help="where to write; on the file system that is measured")
    parser.add_argument("--json", action="store_true", help="print one object")
    asked = parser.parse_args()
    binary = os.path.abspath(asked.binary)
    with tempfile.TemporaryDirectory(prefix="argo-attest-bench-", dir=asked.dir) as root:
        env = {"PATH": os.environ["PATH"], "HOME": root, "LC_ALL": "C"}
        subprocess.run([binary, "keygen", "--out-dir", root], check=True, env=env, capture_output=True)
        ran, wrote = [], []
        for _ in range(asked.repeat):
            wrote.append(plain(root, asked.outputs))
            ran.append(run(binary, root, env, asked.outputs))
    wall, cpu, reference = (statistics.median(of) for of in (*zip(*ran), wrote))
    found = {"runSeconds": round(wall, 3), "cpuSeconds": round(cpu, 3), "plainSeconds": round(reference, 3)}
    if asked.json:
        print(json.dumps({"outputs": asked.outputs, "repeat": asked.repeat, **found}))
        return
    print(f"{asked.outputs} outputs, median of {asked.repeat}, load {os.getloadavg()[0]:.1f} at the end")
    print(f"plain durable writing {reference:8.3f} s\nrun                   {wall:8.3f} s, {cpu:.3f} s CPU")


if __name__ == "__main__":
    main()
