"""The contrast agent by whatever name the scanner's operator typed, and its relaxivity.

Brand names are those under which the agents of :mod:`bonequant.kinetics.relaxivity` are sold.
"""

from __future__ import annotations

import re

from bonequant.errors import MissingFactError
from bonequant.kinetics import Relaxivity, relaxivity

_NAMES = {
    "gadobutrol": ("gadobutrol", "gadovist", "gadavist"),
    "gadoterate": ("gadoterate", "gadoteric", "dotarem", "clariscan"),
    "gadopentetate": ("gadopentetate", "gadopentetic", "magnevist", "gddtpa"),
    "gadobenate": ("gadobenate", "gadobenic", "multihance", "gdbopta"),
    "gadoteridol": ("gadoteridol", "prohance"),
    "gadodiamide": ("gadodiamide", "omniscan"),
    "gadoversetamide": ("gadoversetamide", "optimark"),
    "gadoxetate": ("gadoxetate", "gadoxetic", "primovist", "eovist"),
}
_WAY_OUT = "Give --set signal.relaxivity=VALUE (1/(mM s)), or --set signal.agent=NAME and --set signal.field_t=TESLA."


def agent_named(text: str | None) -> str | None:
    """The generic name in a free text such as "10 ml Gadovist"; None where there is none."""
    letters = re.sub(r"[^a-z]", "", (text or "").lower())
    return next((agent for agent, names in _NAMES.items() if any(name in letters for name in names)), None)


def relaxivity_of(text: str | None, field_t: float | None, label: str) -> Relaxivity:
    """r1 of the agent named in ``text`` at ``field_t``. Raises MissingFactError where either is not known."""
    agent = agent_named(text)
    if agent is None:
        said = f"names {text!r}" if text else "names none"
        raise MissingFactError(f"{label}: the contrast agent is not known (the file {said}). {_WAY_OUT}")
    if field_t is None:
        raise MissingFactError(f"{label}: the field strength is not known, on which relaxivity depends. {_WAY_OUT}")
    r1, source = relaxivity(agent, field_t)
    return Relaxivity(r1, f"{agent} at {field_t:g} T: {source}")
