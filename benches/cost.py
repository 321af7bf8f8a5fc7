#!/usr/bin/env python3
"""What a file costs, by its size: CPU time of `verify` and of `run` beside openssl's, drawn.

Each size has as many files as make 128 MiB, of which there are 2000 at most. Every command runs in turn, and
of each the least CPU time counts, the start of the program included. The picture is an SVG: both of its axes
are logarithmic. Standard library only. Exits 1 if a command fails.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
from math import log10

from digest import KIB, MIB, fill, measure, pages_in

SIZES = (KIB, 4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB, MIB, 8 * MIB, 64 * MIB)
TOTAL, MOST = 128 * MIB, 2000
COLOURS = {"openssl": "#888888", "run": "#b4501e", "verify": "#1e64b4"}
LABELS = {"openssl": "openssl dgst -sha256", "run": "argo-attest run", "verify": "argo-attest verify"}
LEFT, TOP, WIDTH, HEIGHT = 70, 20, 560, 300


def seconds(binary, openssl, size, runs):
    """Least CPU seconds for one file of this size, of each command."""
    files = max(1, min(MOST, TOTAL // size))
    with tempfile.TemporaryDirectory(prefix="argo-attest-bench-") as root:
        env = {"PATH": os.environ["PATH"], "HOME": root, "LC_ALL": "C"}
        os.mkdir(f"{root}/out")
        names = [f"out/{number:05}" for number in range(files)]
        for name in names:
            fill(f"{root}/{name}", size, os.urandom)
            pages_in(f"{root}/{name}")
        measure([binary, "keygen", "--out-dir", "keys"], root, env)
        touch = ["find", "out", "-type", "f", "-exec", "touch", "{}", "+"]
        commands = {
            "openssl": [openssl, "dgst", "-sha256", *names],
            "run": [binary, "run", "--key", "keys/attest.key", "--outputs", "out", "--", *touch],
            "verify": [binary, "verify", "--key", "keys/attest.pub", "out"],
        }
        least = {}
        for _ in range(runs):
            for name, command in commands.items():
                cpu, _ = measure(command, root, env)
                least[name] = min(cpu, least.get(name, cpu))
    return {name: max(cpu, 1e-3) / files for name, cpu in least.items()}


def shown(size):
    return f"{size // MIB} MiB" if size >= MIB else f"{size // KIB} KiB"


def drawn(found):
    """The picture: seconds of CPU for a file, by its size."""
    low, high = -6, 1
    across = lambda at: LEFT + WIDTH * at / (len(SIZES) - 1)
    down = lambda cpu: TOP + HEIGHT * (1 - (log10(cpu) - low) / (high - low))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + WIDTH + 30} {TOP + HEIGHT + 60}" font-family="sans-serif" font-size="12">',
        "<title>CPU time for a file, by its size</title>",
        '<rect width="100%" height="100%" fill="#ffffff"/>',
    ]
    units = {-6: "1 µs", -5: "10 µs", -4: "100 µs", -3: "1 ms", -2: "10 ms", -1: "100 ms", 0: "1 s", 1: "10 s"}
    for power, text in units.items():
        y = down(10.0**power)
        parts.append(f'<path d="M{LEFT} {y:.1f}h{WIDTH}" stroke="#dddddd"/><text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{text}</text>')
    for at, size in enumerate(SIZES):
        parts.append(f'<text x="{across(at):.1f}" y="{TOP + HEIGHT + 20}" text-anchor="middle">{shown(size)}</text>')
    for row, name in enumerate(LABELS):
        points = " ".join(f"{across(at):.1f},{down(found[size][name]):.1f}" for at, size in enumerate(SIZES))
        y = TOP + 20 + 18 * row
        parts.append(f'<polyline points="{points}" fill="none" stroke="{COLOURS[name]}" stroke-width="2"/>')
        parts.append(f'<path d="M{LEFT + 20} {y - 4}h24" stroke="{COLOURS[name]}" stroke-width="2"/><text x="{LEFT + 50}" y="{y}">{LABELS[name]}</text>')
    parts.append(f'<text x="{LEFT + WIDTH / 2}" y="{TOP + HEIGHT + 45}" text-anchor="middle">size of a file</text></svg>')
    return "\n".join(parts) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", required=True, help="argo-attest, a release build")
    parser.add_argument("--runs", type=int, default=3, help="of each command (default 3)")
    parser.add_argument("--svg", help="where to write the picture")
    parser.add_argument("--json", action="store_true", help="print one object")
    options = parser.parse_args()
    openssl = shutil.which("openssl")
    if openssl is None:
        sys.exit("needs openssl to compare with")
    binary = os.path.abspath(options.binary)
    found = {size: seconds(binary, openssl, size, options.runs) for size in SIZES}
    if options.svg:
        with open(options.svg, "w", encoding="utf-8") as file:
            file.write(drawn(found))
    if options.json:
        print(json.dumps(found, indent=2))
        return
    print(f"CPU time for a file, the least of {options.runs} runs")
    for size, of in found.items():
        row = "  ".join(f"{name} {cpu * 1e6:10.1f} µs" for name, cpu in of.items())
        print(f"  {shown(size):>7}  {row}  verify/openssl {of['verify'] / of['openssl']:.2f}")


if __name__ == "__main__":
    main()
