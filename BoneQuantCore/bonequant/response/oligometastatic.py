"""Oligometastatic disease: one to five metastases, counted over all organs.

Source: the count of the ESTRO and EORTC consensus (Guckenberger et al., Lancet Oncol 2020;21:e18) as the project's
paper 5 uses it. None is not oligometastatic.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bonequant.errors import InputError
from bonequant.response.call import DESCRIPTION, NE, Call, Criterion
from bonequant.settings import Settings, setting

CRITERION = Criterion(
    name="oligometastatic",
    title="Oligometastatic count",
    source="Guckenberger et al., Lancet Oncol 2020;21:e18",
    categories={"polymetastatic": DESCRIPTION, "oligometastatic": DESCRIPTION, "no metastasis": DESCRIPTION},
    level="patient",
)


@dataclass(frozen=True)
class OligometastaticSettings(Settings):
    """The largest count."""

    most_lesions: int = setting(5, low=1, help="Largest number of metastases that is oligometastatic.")


def oligometastatic(lesions: Mapping[str, int | None], settings: OligometastaticSettings | None = None) -> Call:
    """The category "oligometastatic", "polymetastatic", "no metastasis" or "NE".

    Args:
        lesions: number of metastases by organ, bone among them; None for an organ that was not examined, which gives
            NE unless the other organs alone hold too many.
    """
    settings = OligometastaticSettings.of(settings)
    known = {organ: count for organ, count in lesions.items() if count is not None}
    wrong = [organ for organ, count in known.items() if not (count >= 0 and float(count).is_integer())]
    if wrong:
        raise InputError(f"The number of lesions in {', '.join(wrong)} is no count.")
    total, most = sum(known.values()), settings.most_lesions
    unseen = [organ for organ, count in lesions.items() if count is None]
    values = {"lesions": total, "by_organ": dict(lesions)}
    if total > most:
        category, rule = "polymetastatic", f"{total} metastases, more than {most}"
    elif unseen or not lesions:
        category, rule = NE, f"{total} metastases, and not examined: {', '.join(unseen) or 'any organ'}"
    elif total == 0:
        category, rule = "no metastasis", "none in any organ"
    else:
        category, rule = "oligometastatic", f"{total} of at most {most} metastases in all organs"
    return CRITERION.call(category, f"{rule}: {category}", settings, values=values)
