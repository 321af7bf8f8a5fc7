#!/usr/bin/env python3
"""How many of other people's attestation files `argo-attest inspect` shows.

    tests/interop/corpus.py [--binary PATH] DIRECTORY...

Every file beneath the directories is tried; which are attestations is for whoever collected
them to know. Prints each that is not shown, with the reason given, each of which a part was
passed over, and the count. The exit code is 1 if fewer than 95 of 100 are shown.
"""

import argparse
import json
import pathlib
import subprocess
import sys


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default="target/debug/argo-attest")
    parser.add_argument("directory", nargs="+", type=pathlib.Path)
    arguments = parser.parse_args()
    files = sorted(f for d in arguments.directory for f in d.rglob("*") if f.is_file())
    shown = 0
    for file in files:
        ended = subprocess.run([arguments.binary, "inspect", "--json", file], capture_output=True, timeout=60)
        if ended.returncode != 0:
            print(f"{file}: {ended.stderr.decode(errors='replace').splitlines()[0]}")
            continue
        shown += 1
        for part in json.loads(ended.stdout).get("passedOver", []):
            print(f"{file}: shown, but for {part['at']}: {part['reason']}")
    print(f"{shown} of {len(files)} shown")
    return 0 if shown * 100 >= len(files) * 95 else 1


if __name__ == "__main__":
    sys.exit(main())
