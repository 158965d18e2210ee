"""`python -m tests.protocol NAME`: the verdict, and the shortest counterexample in plain words, of each row so named.

Without a name it lists the rows.
"""

import sys

from .ablations import intake_ablations, ledger_ablations
from .scenarios import full_intake, full_ledger, verdict


def main(words: list[str]) -> int:
    rows = [*full_ledger(), *full_intake(), *ledger_ablations(), *intake_ablations()]
    chosen = [row for row in rows if all(word in row.name for word in words)]
    for row in chosen:
        sys.stdout.write(f"{row.name}\n")
        if words:
            sys.stdout.write(f"  {verdict(row.model)}\n")
    return 0 if chosen else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
