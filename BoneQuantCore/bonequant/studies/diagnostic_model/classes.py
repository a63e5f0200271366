"""Words to classes: which lesions are positive, and what readers' calls and grades mean."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bonequant.errors import InputError, SettingsError
from bonequant.statistics.checks import Booleans, Floats
from bonequant.studies.diagnostic_model.csv_file import number
from bonequant.studies.diagnostic_model.inputs import Lesion
from bonequant.studies.diagnostic_model.settings import DiagnosticSettings

_ZERO_ONE = {"0", "1"}


def classes_of(lesions: Sequence[Lesion], positive: str) -> tuple[str, str, Booleans]:
    """The words of the positive and the negative class, and which lesions are positive (N,).

    Labels 0 and 1 need no word: 1 is positive. Raises InputError for one class or more than two.
    """
    words = list(dict.fromkeys(lesion.label for lesion in lesions))
    if len(words) != 2:
        what = f"all {len(lesions)} lesions are {words[0]!r}" if len(words) == 1 else f"labels are {', '.join(words)}"
        raise InputError(f"The {what}: a model needs lesions of two classes." if len(words) > 2 else
                         f"Only one class: {what}. A model needs lesions of two classes.")  # fmt: skip
    if set(words) == _ZERO_ONE:
        labels = np.array([lesion.label == "1" for lesion in lesions])
        return positive, f"no {positive}", labels
    if positive not in words:
        raise SettingsError(
            f"positive is {positive!r}; the labels are {' and '.join(words)}. Say which is looked for: --set "
            f"positive={words[0]}."
        )
    negative = next(word for word in words if word != positive)
    return positive, negative, np.array([lesion.label == positive for lesion in lesions])


@dataclass(frozen=True, eq=False)
class Calls:
    """What a reader said of the lesions in ``rows``: ``grades`` as numbers, ``called`` positive or None if unknown.

    ``words``: the text of each; ``cutoff``: the grade from which a lesion counts as positive, NaN for calls.
    """

    reader: str
    rows: Sequence[int]
    words: tuple[str, ...]
    grades: Floats
    graded: bool
    cutoff: float
    called: Booleans | None


def calls_of(reader: str, lesions: Sequence[Lesion], classes: tuple[str, str], settings: DiagnosticSettings) -> Calls:
    """The calls or grades of a reader.

    Raises InputError for a call that is neither of the labels' words, nor a number where all are.
    """
    said = {row: lesion.readers[reader] for row, lesion in enumerate(lesions) if reader in lesion.readers}
    words = tuple(said.values())
    numbers = np.array([number(word) for word in words])
    if set(words) <= set(classes):
        called = np.array([word == classes[0] for word in words])
        return Calls(reader, list(said), words, called.astype(np.float64), False, math.nan, called)
    if not np.isfinite(numbers).all():
        bad = next(word for word, value in zip(words, numbers.tolist(), strict=True) if not math.isfinite(value))
        raise InputError(f"{reader} says {bad!r}: {classes[0]}, {classes[1]}, or a number for every lesion is due.")
    if set(numbers.tolist()) <= {0.0, 1.0}:
        return Calls(reader, list(said), words, numbers, False, math.nan, numbers > 0)
    cutoff = settings.reader_positive_from
    called_from = None if cutoff is None else numbers >= cutoff
    return Calls(reader, list(said), words, numbers, True, math.nan if cutoff is None else cutoff, called_from)
