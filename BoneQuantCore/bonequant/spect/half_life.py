"""The half-life that a study is calculated with, and where it comes from: typed, from the file, or from the table."""

from __future__ import annotations

from bonequant.errors import InputError
from bonequant.radionuclides import radionuclide
from bonequant.spect.facts import check_positive, missing
from bonequant.volume import Acquisition

DISAGREEMENT = 0.01  # relative; a file's half-life further off than this is worth a warning


def half_life_of(acquisition: Acquisition, label: str = "The acquisition") -> tuple[float, str, tuple[str, ...]]:
    """Half-life in s for ``acquisition``, where it comes from ("file", "typed" or the table's source), and warnings.

    The file's (or the user's) half-life is used as it stands; more than 1 % off the table it brings a warning.
    Raises MissingFactError where neither a half-life nor a known radionuclide is there.
    """
    given = acquisition.half_life_s
    nuclide = None
    if acquisition.radionuclide:
        try:
            nuclide = radionuclide(acquisition.radionuclide)
        except InputError:
            if given is None:
                raise
    if given is None:
        if nuclide is None:
            raise missing("half_life_s", label, "Or give radionuclide, for example 99mTc.")
        return nuclide.half_life_s, nuclide.source, ()
    check_positive("half_life_s", given, label)
    origin = "typed" if "half_life_s" in acquisition.typed else "file"
    if nuclide is not None and abs(given / nuclide.half_life_s - 1) > DISAGREEMENT:
        warning = (
            f"{label}: half-life {given:g} s ({origin}) is {100 * (given / nuclide.half_life_s - 1):+.1f} % off "
            f"the {nuclide.half_life_s:g} s of {nuclide.name} ({nuclide.source}). The {origin} value is used; "
            f"give half_life_s={nuclide.half_life_s:g} to use the table's."
        )
        return given, origin, (warning,)
    return given, origin, ()
