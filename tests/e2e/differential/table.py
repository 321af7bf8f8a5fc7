"""What the runs came to, as a table: `python3 tests/e2e/differential/table.py`."""

import json
import os
import sys

RESULTS = os.path.join(os.path.dirname(__file__), "..", "..", "..", "target", "differential")
PLAIN = "as it is"
WORDS = {"same": "same", "expected": "differs as expected", "different": "**differs**", "itself": "differs from itself"}


def table(version, found):
    """One line an example that ran as it is, one column a way in."""
    ways = [way for way in found if way != PLAIN]
    ran = {name: result for name, result in found[PLAIN].items() if result["came"] == "seen"}
    came = {way: {n: r["came"] for n, r in found[way].items() if n in ran} for way in ways}
    compared = sorted({name for way in ways for name, word in came[way].items() if word != "itself"})
    same = [n for n in compared if all(came[way].get(n, "same") in ("same", "itself") for way in ways)]
    yield f"### Argo {version}"
    yield ""
    yield f"What changes: nothing, in {len(same)} of {len(compared)} examples."
    yield ""
    yield "| example | " + " | ".join(ways) + " |"
    yield "|---" * (len(ways) + 1) + "|"
    for name in sorted(ran):
        cells = [WORDS.get(came[way].get(name), "") for way in ways]
        if any(cells):
            yield f"| `{name}` | " + " | ".join(cells) + " |"
    left = {}
    for name, result in found[PLAIN].items():
        if result["came"] != "seen":
            left.setdefault(result["why"].split(":")[0], []).append(name)
    yield ""
    yield f"{sum(map(len, left.values()))} others cannot run on a cluster without a way out:"
    yield ""
    for why, names in sorted(left.items()):
        yield f"- {why}: " + ", ".join(f"`{name}`" for name in sorted(names))


def main():
    for version in sorted((f[: -len(".json")] for f in os.listdir(RESULTS) if f.endswith(".json")), reverse=True):
        with open(os.path.join(RESULTS, f"{version}.json"), encoding="utf-8") as file:
            print("\n".join(table(version, json.load(file))), end="\n\n")


if __name__ == "__main__":
    sys.exit(main())
