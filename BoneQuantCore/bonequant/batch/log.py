"""The log of a cohort: one JSON object a line, without names, paths or identifiers of patients."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from types import TracebackType
from typing import Any

from bonequant.batch.task import Outcome
from bonequant.errors import InputError


class Log:
    """Appends events to a file; every line stands on the disk before the next case is followed."""

    def __init__(self, path: Path, run: str) -> None:
        self._run = run
        # A line that a killed run left unfinished must not swallow the next one.
        try:
            broken_off = path.is_file() and path.stat().st_size > 0 and not path.read_bytes().endswith(b"\n")
            self._stream = path.open("a", encoding="utf-8", buffering=1)
            if broken_off:
                self._stream.write("\n")
        except OSError as error:
            raise InputError(f"{path} cannot be written: {error.strerror}.") from error

    def __enter__(self) -> Log:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with suppress(OSError):  # of a full disk, which was told when the line was written
            self._stream.close()

    def write(self, event: str, **facts: Any) -> None:
        """Raises InputError where it cannot be written."""
        now = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
        try:
            self._stream.write(json.dumps({"time": now, "run": self._run, "event": event, **facts}) + "\n")
        except OSError as error:
            raise InputError(
                f"The log cannot be written: {error.strerror}. What is done is kept; run again to continue."
            ) from error

    def outcome(self, outcome: Outcome) -> None:
        """One case that ended."""
        facts = {name: value for name, value in vars(outcome).items() if value not in ("", None) and name != "key"}
        self.write("case", case=outcome.key, **facts)
