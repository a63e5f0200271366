"""One patient at one visit: what a row of a manifest becomes once it is checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bonequant.settings import Settings


@dataclass(frozen=True)
class Case:
    """What one run of a job takes.

    Attributes:
        patient: pseudonym; it stands in tables, logs and folder names.
        visit: of the patient, "" where he has one.
        line: of the manifest, 0 where there is no file.
        paths: absolute paths by the job's column.
        texts: the job's other columns as they are written.
        facts: what the files do not say, keywords of :func:`bonequant.io.load`.
        settings: of the job, common ones and the row's own together.
        labels: columns carried to the tables, unread by the job.
    """

    patient: str
    settings: Settings
    visit: str = ""
    line: int = 0
    paths: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Name of the case's folder, unique in a manifest."""
        return f"{self.patient}_{self.visit}" if self.visit else self.patient

    def path(self, column: str) -> Path | None:
        """The one path of a column, None where the cell is empty."""
        found = self.paths.get(column, ())
        return found[0] if found else None

    def numbers(self, column: str) -> list[float] | None:
        """Numbers parted by blanks; None where the cell is empty. Checked with the manifest."""
        return [float(part) for part in self.texts[column].split()] if column in self.texts else None

    def flag(self, column: str) -> bool:
        return self.texts.get(column, "").lower() in ("yes", "true", "1")
