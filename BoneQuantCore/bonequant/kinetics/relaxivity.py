"""Longitudinal relaxivity r1 of gadolinium agents, by field strength, at 37 C in plasma or blood.

Sources: Rohrer et al., Invest Radiol 2005;40:715, Table 2 (bovine plasma); Szomolanyi et al., Invest Radiol 2019;54:559
(human plasma, and human blood at 3 T). The two differ by up to 15 % for one agent: name the source in the report.
"""

from __future__ import annotations

from typing import NamedTuple

from bonequant.errors import InputError

_FIELD_TOLERANCE_T = 0.2  # 2.89 T is "3 T"


class Relaxivity(NamedTuple):
    """r1 in 1/s per mM, and where it comes from."""

    r1: float
    source: str


_ROHRER = "Rohrer 2005, plasma, 37 C"
_SZOMOLANYI = "Szomolanyi 2019, human plasma, 37 C"
_SZOMOLANYI_BLOOD = "Szomolanyi 2019, human blood, 37 C"

# (agent, field in tesla, medium): (r1, source)
TABLE: dict[tuple[str, float, str], Relaxivity] = {
    ("gadopentetate", 1.5, "plasma"): Relaxivity(4.1, _ROHRER),
    ("gadopentetate", 3.0, "plasma"): Relaxivity(3.7, _ROHRER),
    ("gadobenate", 1.5, "plasma"): Relaxivity(6.3, _ROHRER),
    ("gadobenate", 3.0, "plasma"): Relaxivity(5.5, _ROHRER),
    ("gadodiamide", 1.5, "plasma"): Relaxivity(4.3, _ROHRER),
    ("gadodiamide", 3.0, "plasma"): Relaxivity(4.0, _ROHRER),
    ("gadoversetamide", 1.5, "plasma"): Relaxivity(4.7, _ROHRER),
    ("gadoversetamide", 3.0, "plasma"): Relaxivity(4.5, _ROHRER),
    ("gadoxetate", 1.5, "plasma"): Relaxivity(6.9, _ROHRER),
    ("gadoxetate", 3.0, "plasma"): Relaxivity(6.2, _ROHRER),
    ("gadobutrol", 1.5, "plasma"): Relaxivity(4.78, _SZOMOLANYI),
    ("gadobutrol", 3.0, "plasma"): Relaxivity(4.97, _SZOMOLANYI),
    ("gadobutrol", 7.0, "plasma"): Relaxivity(3.83, _SZOMOLANYI),
    ("gadobutrol", 3.0, "blood"): Relaxivity(3.47, _SZOMOLANYI_BLOOD),
    ("gadoteridol", 1.5, "plasma"): Relaxivity(3.80, _SZOMOLANYI),
    ("gadoteridol", 3.0, "plasma"): Relaxivity(3.28, _SZOMOLANYI),
    ("gadoteridol", 7.0, "plasma"): Relaxivity(3.21, _SZOMOLANYI),
    ("gadoteridol", 3.0, "blood"): Relaxivity(2.61, _SZOMOLANYI_BLOOD),
    ("gadoterate", 1.5, "plasma"): Relaxivity(3.32, _SZOMOLANYI),
    ("gadoterate", 3.0, "plasma"): Relaxivity(3.00, _SZOMOLANYI),
    ("gadoterate", 7.0, "plasma"): Relaxivity(2.84, _SZOMOLANYI),
    ("gadoterate", 3.0, "blood"): Relaxivity(2.72, _SZOMOLANYI_BLOOD),
}


def relaxivity(agent: str, field_t: float, medium: str = "plasma") -> Relaxivity:
    """r1 of ``agent`` at the tabulated field nearest to ``field_t`` (within 0.2 T).

    Args:
        agent: generic name, such as "gadobutrol".
        field_t: field strength in tesla, as the scanner states it.
        medium: "plasma" or "blood".

    Raises:
        InputError: not in the table; the message lists what is.
    """
    for (name, field, where), value in TABLE.items():
        if name == agent.lower() and where == medium and abs(field - field_t) <= _FIELD_TOLERANCE_T:
            return value
    known = sorted({f"{name} {field:g} T {where}" for name, field, where in TABLE})
    raise InputError(
        f"No relaxivity of {agent} at {field_t:g} T in {medium}. Give the value, or use: {', '.join(known)}."
    )
