"""The patient's call from the calls of its lesions, for criteria that judge one lesion at a time.

The worst lesion decides (this project's default; no criterion but RECIST, PERCIST, PCWG3 and RECIP says how): any
progression is progression; else a lesion that cannot be judged makes the patient NE; else the worst category found.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from bonequant.errors import InputError
from bonequant.response.call import HETEROGENEOUS, NE, PROGRESSION, RESPONSE, Call
from bonequant.response.registry import criteria


def patient_level(lesions: Mapping[str, Call]) -> Call:
    """One call of the same criterion over ``lesions``; "heterogeneous" where some respond and others progress.

    Raises InputError for no lesion, or calls of different criteria or settings.
    """
    if not lesions:
        raise InputError("No lesion was judged: there is nothing to make a patient's call from.")
    first = next(iter(lesions.values()))
    for call in lesions.values():
        if call.criterion != first.criterion or call.settings != first.settings:
            raise InputError("Lesions judged by different criteria or settings do not make one patient's call.")
    criterion = next((known for known in criteria().values() if known.title == first.criterion), None)
    if criterion is None:
        raise InputError(f"{first.criterion!r} is no criterion of bonequant.response.")
    ranks = list(criterion.categories)
    progressive = [category for category in ranks if criterion.categories[category] == PROGRESSION]
    order = [*progressive, NE, *(category for category in ranks if category not in progressive)]
    counts = Counter(call.category for call in lesions.values())
    category = next(name for name in order if counts[name])
    directions = {call.direction for call in lesions.values()}
    flags = tuple(dict.fromkeys(flag for call in lesions.values() for flag in call.flags if flag != NE))
    if {RESPONSE, PROGRESSION} <= directions:
        flags += (HETEROGENEOUS,)
    found = ", ".join(f"{counts[name]} {name}" for name in order if counts[name])
    call = criterion.call(
        category,
        f"{len(lesions)} lesions: {found}; the worst decides: {category}",
        flags=flags,
        values={"lesions": dict(counts)},
        warnings=tuple(f"{name}: {text}" for name, call in lesions.items() for text in call.warnings),
        parts=lesions,
    )
    return Call(**{**call.__dict__, "settings": first.settings})
