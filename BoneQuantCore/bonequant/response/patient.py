"""The patient's call from the calls of its lesions, for criteria that judge one lesion at a time.

The worst lesion decides (this project's default; no criterion but RECIST, PERCIST, PCWG3 and RECIP says how): any
progression is progression; else a lesion that cannot be judged makes the patient NE; else the worst category found.
A lesion that is new since the first date has no change, and is none of those that were treated: it takes no part, and
the call says so by the flag "new lesion", since new disease is for criteria that count it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping

from bonequant.errors import InputError
from bonequant.response.call import HETEROGENEOUS, NE, NEW_LESION, PROGRESSION, RESPONSE, Call
from bonequant.response.registry import criteria


def patient_level(lesions: Mapping[str, Call], *, new: Collection[str] = ()) -> Call:
    """One call of the same criterion over ``lesions``; "heterogeneous" where some respond and others progress.

    Args:
        lesions: calls by lesion.
        new: names of those that were not there at the first date. They do not decide; where there are no others, the
            patient is NE.

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
    appeared = [name for name in lesions if name in new]
    judged = [call for name, call in lesions.items() if name not in new]
    ranks = list(criterion.categories)
    progressive = [category for category in ranks if criterion.categories[category] == PROGRESSION]
    order = [*progressive, NE, *(category for category in ranks if category not in progressive)]
    counts = Counter(call.category for call in judged)
    category = next((name for name in order if counts[name]), NE)
    directions = {call.direction for call in judged}
    flags = tuple(dict.fromkeys(flag for call in judged for flag in call.flags if flag != NE))
    if {RESPONSE, PROGRESSION} <= directions:
        flags += (HETEROGENEOUS,)
    warnings = tuple(f"{name}: {text}" for name, call in lesions.items() for text in call.warnings)
    found = [f"{counts[name]} {name}" for name in order if counts[name]]
    decides = "the worst decides" if judged else "none can be judged by a change"
    if appeared:
        flags += (NEW_LESION,)
        found.append(f"{len(appeared)} new since the first date")
        decides = "the worst of the others decides" if judged else decides
        warnings = (
            f"New since the first date: {', '.join(appeared)}. A change cannot judge a new lesion, and this call "
            "leaves it out; new disease is progression by criteria that count it (RECIST 1.1, MDA, PERCIST).",
            *warnings,
        )
    call = criterion.call(
        category,
        f"{len(lesions)} lesion{'s' * (len(lesions) > 1)}: {', '.join(found)}; {decides}: {category}",
        flags=flags,
        values={"lesions": dict(counts), "new_lesions": appeared},
        warnings=warnings,
        parts=lesions,
    )
    return Call(**{**call.__dict__, "settings": first.settings})
