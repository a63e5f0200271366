"""What a cohort must know of a job: the manifest's columns, its settings, and how one case is measured."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from bonequant.batch.case import Case
from bonequant.progress import Progress
from bonequant.settings import Settings


@dataclass(frozen=True)
class Column:
    """A column of the manifest.

    Attributes:
        kind: "path" (one), "paths" (several, parted by a semicolon), "text", "numbers" (parted by blanks), "flag" (yes,
            no).
        choices: of a text; empty where any is allowed.
        modalities: of the DICOM series that belong here; a scan of a folder proposes these.
        series: name of the text column that chooses among several series in the path.
        dynamic: a scan proposes series of several phases alone.
        flip_angles: a scan proposes the volumes of two or more flip angles that lie beside the first role's series.
    """

    name: str
    kind: Literal["path", "paths", "text", "numbers", "flag"] = "text"
    required: bool = False
    choices: tuple[str, ...] = ()
    modalities: tuple[str, ...] = ()
    series: str = ""
    dynamic: bool = False
    flip_angles: bool = False
    help: str = ""


@dataclass(frozen=True)
class Measured:
    """What one case gives to the cohort.

    Attributes:
        rows: tidy rows, one per region.
        quality: numbers by which an unusual scan is told; NaN or None where unknown.
        warnings: of the job.
    """

    rows: Sequence[Mapping[str, Any]]
    quality: Mapping[str, float | None] = field(default_factory=dict)
    warnings: Sequence[str] = ()


Doubt = tuple[str, str]  # a column, and what is wrong with its cell


def no_doubts(case: Case) -> Iterable[Doubt]:
    return ()


@dataclass(frozen=True)
class Job:
    """A job.

    Attributes:
        settings: gives the class of its settings (a function, so that nothing heavy is imported early).
        measure: ``measure(case, out, progress)`` reads the case, runs the job, writes its results folder to ``out``.
        group: column of the rows that names the region; distributions are drawn for each.
        values: columns of the rows whose distribution is drawn, with their heading; the first drives the outliers.
        memory_gb: what one case of clinical size needs, from which the number of workers follows.
        compares_dates: a row is a patient's course, not a visit: a scan proposes the first date and the later ones.
        check: what the cells of a row, each sound, leave wrong together; asked before the first case starts.
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    settings: Callable[[], type[Settings]]
    measure: Callable[[Case, Path, Progress], Measured]
    group: str
    values: Mapping[str, str]
    memory_gb: float
    compares_dates: bool = False
    check: Callable[[Case], Iterable[Doubt]] = no_doubts

    def paths(self) -> list[Column]:
        return [column for column in self.columns if column.kind in ("path", "paths")]
