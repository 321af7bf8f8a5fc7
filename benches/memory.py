#!/usr/bin/env python3
"""Memory of `run` and `verify` with very many files: what the kernel says was the most of it.

Each file has a few bytes, a thousand of them are in a directory, and the command writes all of them while
`run` watches. It is no matter how busy the machine is. Standard library only. Exits 1 if a command fails.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile

MIB = 1 << 20
WRITES = """
import os
for number in range({files}):
    folder = f"out/d{{number // 1000:04}}"
    os.makedirs(folder, exist_ok=True)
    with open(f"{{folder}}/file-{{number % 1000:05}}.txt", "w") as file:
        file.write(str(number))
"""


def peak(command, root, env):
    """Bytes that a command had in memory at most, and its CPU seconds."""
    with tempfile.TemporaryFile() as said:
        child = subprocess.Popen(command, cwd=root, env=env, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            said.seek(0)
            sys.exit(f"{command[:2]} exited {child.returncode}:\n{said.read(4096).decode(errors='replace')}")
    return {"bytes": usage.ru_maxrss * 1024, "cpuSeconds": round(usage.ru_utime + usage.ru_stime, 2)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", required=True, help="argo-attest, a release build")
    parser.add_argument("--files", type=int, action="append", help="how many; can be given several times (default 100000)")
    parser.add_argument("--dir", help="where to write (default: /dev/shm)", default="/dev/shm")
    parser.add_argument("--json", action="store_true", help="print one object")
    options = parser.parse_args()
    binary, found = os.path.abspath(options.binary), {}
    for files in options.files or [100_000]:
        with tempfile.TemporaryDirectory(prefix="argo-attest-bench-", dir=options.dir) as root:
            env = {"PATH": os.environ["PATH"], "HOME": root, "LC_ALL": "C"}
            subprocess.run([binary, "keygen", "--out-dir", "keys"], cwd=root, check=True, env=env, capture_output=True)
            write = [sys.executable, "-c", WRITES.format(files=files)]
            run = [binary, "run", "--quiet", "--key", "keys/attest.key", "--outputs", "out", "--", *write]
            verify = [binary, "verify", "--quiet", "--key", "keys/attest.pub", "out"]
            found[files] = {"run": peak(run, root, env), "verify": peak(verify, root, env)}
        for command, of in {} if options.json else found[files].items():
            print(f"{command:7} {files:8} files: {of['bytes'] / MIB:6.1f} MiB, {of['cpuSeconds']:.2f} s CPU")
    if options.json:
        print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
