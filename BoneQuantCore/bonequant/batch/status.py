"""How far a cohort is, from its folder: while it runs, after it ended, and after it was killed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from bonequant.batch import output
from bonequant.batch.record import RECORD
from bonequant.errors import InputError


@dataclass(frozen=True)
class CohortStatus:
    """``done`` counts cases that have results, of whatever run; ``failed`` those of the last run."""

    job: str
    cases: int
    done: int
    failed: int
    state: str


def cohort_status(out: str | Path) -> CohortStatus:
    """Raises InputError for a folder that is no cohort's."""
    out = Path(out)
    found = output.former_run(out)
    if found is None:
        raise InputError(f"{out} is no folder of a cohort.")
    cases = [str(key) for key in found["cases"]]
    done = sum((out / output.PATIENTS / key / RECORD).is_file() for key in cases)
    failed, ended = 0, False
    for event in _events(out / "log.jsonl", str(found.get("run"))):
        failed += event.get("status") == "failed"
        ended = event.get("event") == "end"
    state = "ended" if ended else "not complete: run it again to continue"
    if (out / output.LOCK).exists():
        try:
            with output.locked(out, say=False):
                pass
        except InputError:
            state = "running"
    return CohortStatus(str(found.get("job")), len(cases), done, failed, state)


def _events(path: Path, run: str) -> list[dict[str, object]]:
    """The log's events of one run; a line that was broken off is passed over."""
    events = []
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    for line in lines:
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict) and event.get("run") == run:
            events.append(event)
    return events
