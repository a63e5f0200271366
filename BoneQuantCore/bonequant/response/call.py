"""A call that explains itself: category, rule that fired, flags, every number raw, settings and warnings.

Conventions of this project for all criteria (design, "Rules of measurement"): values are stored raw and never rounded
before they are compared; a missing input gives ``NE``; a call names its rule and any gap of the criterion it fell into.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from bonequant.settings import Settings

NE = "NE"  # not evaluable

# Flags
GAP = "gap"  # the criterion's text does not cover this case
PDU = "PDu"  # progression that a later scan must confirm
FLARE = "flare"
PSEUDOPROGRESSION = "pseudoprogression suspected"
HETEROGENEOUS = "heterogeneous"  # response and progression side by side
DISCORDANT = "discordant"  # two measures of one lesion disagree
NEW_LESION = "new lesion"  # one that the criterion does not count

# Directions: one vocabulary, so that criteria with different categories can be set side by side
RESPONSE = "response"
STABLE = "stable"
PROGRESSION = "progression"
UNDETERMINED = "undetermined"
NOT_EVALUABLE = "not evaluable"
DESCRIPTION = "description"  # a finding at one date: a type, a score, a count


@dataclass(frozen=True)
class Call:
    """What a criterion says of one lesion, region or patient, and why.

    Attributes:
        criterion: name and version of the criterion.
        category: in the criterion's own words ("PR", "PMD", "failure", ...), or "NE".
        direction: "response", "stable", "progression", "undetermined", "not evaluable" or "description".
        rule: the rule that fired, as text, with the numbers that made it fire.
        flags: of "NE", "PDu", "flare", "gap", "pseudoprogression suspected", "heterogeneous", "discordant",
            "new lesion", ...
        values: every input and intermediate number, raw; names carry the unit; NaN or None where there is none.
        warnings: what a reader must know before trusting the call.
        settings: thresholds and operators used.
        parts: the calls it was made from (lesions, regions or modalities), by name.
    """

    criterion: str
    category: str
    direction: str
    rule: str
    flags: tuple[str, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    parts: Mapping[str, Call] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("values", "settings", "parts"):
            object.__setattr__(self, name, dict(getattr(self, name)))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON and tables; NaN becomes None, dates ISO text."""
        return {
            "criterion": self.criterion,
            "category": self.category,
            "direction": self.direction,
            "rule": self.rule,
            "flags": list(self.flags),
            "values": _plain(self.values),
            "warnings": list(self.warnings),
            "settings": _plain(self.settings),
            "parts": {name: part.to_dict() for name, part in self.parts.items()},
        }


@dataclass(frozen=True)
class Criterion:
    """A criterion's identity, and its categories from worst to best with the direction of each (``NE`` is understood).

    Attributes:
        name: of its file and function in :mod:`bonequant.response`.
        title: name and version as reports print it.
        source: primary publication.
        categories: category to direction, the worst first.
        level: what one call is about: "lesion", "region" or "patient".
    """

    name: str
    title: str
    source: str
    categories: Mapping[str, str]
    level: str = "lesion"

    def call(
        self,
        category: str,
        rule: str,
        settings: Settings | None = None,
        *,
        flags: tuple[str, ...] = (),
        values: Mapping[str, Any] | None = None,
        warnings: tuple[str, ...] = (),
        parts: Mapping[str, Call] | None = None,
    ) -> Call:
        """A call in one of this criterion's categories, or ``NE``."""
        direction = NOT_EVALUABLE if category == NE else self.categories[category]
        own = (category,) if category in (NE, PDU) else ()
        return Call(
            criterion=self.title,
            category=category,
            direction=direction,
            rule=rule,
            flags=tuple(dict.fromkeys((*own, *flags))),
            values=values or {},
            warnings=warnings,
            settings=settings.to_dict() if settings is not None else {},
            parts=parts or {},
        )


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(item) for item in value]
    return value
