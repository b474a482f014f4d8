"""``make bench``: every line is a ratio measured in this run, on this machine.

python -m bench                 the pack, the metrics at 0.2 and 2 million tickets, the models
python -m bench pack            one part
python -m bench metrics 20000000
python -m bench retention 10000000
python -m bench failures 10000000
python -m bench maps            what `analysis map` finds in folders of exports
"""

from __future__ import annotations

import subprocess
import sys

PARTS = {
    "pack": [],
    "metrics": ["200000", "2000000"],
    "models": [],
    "retention": ["1000000"],
    "failures": ["1000000"],
    "maps": [],
}


def main() -> None:
    asked, *more = sys.argv[1:] or ["all"]
    if asked in ("-h", "--help") or asked != "all" and asked not in PARTS:
        print(__doc__)
        raise SystemExit(0 if asked in ("-h", "--help") else 2)
    for part, arguments in PARTS.items():
        if asked in ("all", part):
            print(f"\n{part}", flush=True)
            subprocess.run([sys.executable, "-m", f"bench.{part}", *(more or arguments)], check=True)


if __name__ == "__main__":
    main()
