"""Write Docs/methods/response_criteria.md from the criteria themselves; without --write say whether it is stale."""

from __future__ import annotations

import argparse
import importlib
import inspect
from pathlib import Path

from bonequant.response import criteria
from bonequant.settings import Settings, describe

PAGE = Path(__file__).resolve().parents[1] / "Docs" / "methods" / "response_criteria.md"

HEAD = """# Methods: response criteria

Made by `python tools/list_criteria.py --write` from `bonequant.response`; a test compares the two. How the job uses
them: [treatment response](treatment_response.md).

Each criterion is one file with one pure function: evidence in, a `Call` out. The call holds the category, the rule that
fired as text, flags, every number raw, and the settings. Common to all:

- Nothing is rounded before it is compared. Two numbers that differ by less than 10⁻⁹ of a threshold are equal.
- Missing evidence, a baseline of zero and different units give `NE` with the reason, or an error; never a category.
- Where the criterion's text leaves a gap or the literature disagrees, the call is flagged (`gap`) and the operator is a
  setting. Rules recalled rather than read are marked "verify against the primary paper".
- Flags: `NE`, `PDu`, `flare`, `gap`, `pseudoprogression suspected`, `discordant`, `heterogeneous`,
  `new lesion`, `bone-modifying agent` (`mda`).

## Tables of evidence

What `--evidence` and the cohort column `evidence` take: a CSV, one row per call. The columns `criterion` and `id` are
ours (`id` may be left out: the row's number); all others are the arguments of the criterion's function, their fields
named with dots, lists parted by semicolons (`-` is a list of none), names and values as `T1=12; T2=8`. An empty cell is
"not known".

```
criterion,id,before.vp,before.vp_reference,after.vp,after.vp_reference,before.suv,after.suv,cycles,new_lesion
dce_vp,L1,9.26,1.0,1.13,1.0,,,,
eortc,L1,,,,,10,8,1,no
```

JSON is a list of objects `{"id": ..., "criterion": ..., "evidence": {...}}` with the same fields, nested.
"""


def page() -> str:
    parts = [HEAD]
    for name, criterion in criteria().items():
        module = importlib.import_module(f"bonequant.response.{name}")
        text = inspect.getdoc(module) or ""
        kinds = ", ".join(f"{category} ({kind})" for category, kind in criterion.categories.items())
        parts.append(
            f"## {criterion.title}\n\n`bonequant.response.{name}`, per {criterion.level}. {kinds}.\n\n{text}\n"
        )
        parts += [
            _settings(thing)
            for thing in vars(module).values()
            if inspect.isclass(thing) and issubclass(thing, Settings) and thing.__module__ == module.__name__
        ]
    return "\n".join(parts)


def _settings(kind: type[Settings]) -> str:
    rows = ["| setting | default | unit | meaning |", "|---|---|---|---|"]
    rows += [f"| `{row['name']}` | {row['value']} | {row['unit'] or ''} | {row['help']} |" for row in describe(kind())]
    return "\n".join(rows) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    if parser.parse_args().write:
        PAGE.write_text(page(), encoding="utf-8")
        return 0
    stale = PAGE.read_text(encoding="utf-8") != page()
    if stale:
        print(f"{PAGE.name} is not what the criteria say: run with --write.")
    return int(stale)


if __name__ == "__main__":
    raise SystemExit(main())
