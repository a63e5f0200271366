"""Half-lives, in one place, with the spellings and DICOM codes under which a radionuclide turns up.

Values: DDEP (Decay Data Evaluation Project, LNHB, recommended data) or ENSDF (NNDC, Brookhaven), as each row says.
Codes: DICOM PS3.16 CID 18 and CID 4020, both as SNOMED CT and in the older SRT/99SDM form that scanners still write.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bonequant.errors import InputError
from bonequant.spect.facts import check_positive, missing
from bonequant.volume import Acquisition

_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86400.0
DISAGREEMENT = 0.01  # relative; a file's half-life further off than this is worth a warning


@dataclass(frozen=True)
class Radionuclide:
    """One radionuclide.

    Attributes:
        codes: DICOM code values (SNOMED CT, SRT, NCIt) that mean the nuclide itself.
        photon_kev: the gamma line that a gamma camera images first, where there is one usual choice.
    """

    name: str
    element: str
    half_life_s: float
    source: str
    codes: tuple[str, ...] = ()
    photon_kev: float | None = None


RADIONUCLIDES = (
    Radionuclide("11C", "carbon", 20.361 * _MINUTE, "DDEP, 20.361 min", ("40565003", "C-105A1")),
    Radionuclide("13N", "nitrogen", 9.967 * _MINUTE, "DDEP, 9.9670 min", ("21576001", "C-107A1")),
    Radionuclide("15O", "oxygen", 122.24, "ENSDF, 122.24 s"),
    Radionuclide("18F", "fluorine", 6588.0, "ENSDF, 109.8 min as PET scanners write it", ("77004003", "C-111A1")),
    Radionuclide("64Cu", "copper", 12.7004 * _HOUR, "DDEP, 12.7004 h", ("3932008", "C-127A2")),
    Radionuclide("67Cu", "copper", 61.83 * _HOUR, "ENSDF, 61.83 h", ("53700003", "C-127A3")),
    Radionuclide("67Ga", "gallium", 3.2613 * _DAY, "DDEP, 3.2613 d", ("2008008", "C-131A2"), photon_kev=93.3),
    Radionuclide("68Ga", "gallium", 67.71 * _MINUTE, "ENSDF, 67.71 min", ("35337001", "C-131A3")),
    Radionuclide("81mKr", "krypton", 13.10, "ENSDF, 13.10 s", photon_kev=190.5),
    Radionuclide("89Sr", "strontium", 50.57 * _DAY, "DDEP, 50.57 d", ("7770004", "C-158A6")),
    Radionuclide("89Zr", "zirconium", 78.41 * _HOUR, "ENSDF, 78.41 h", ("63360001", "C-168A4")),
    Radionuclide("90Y", "yttrium", 64.05 * _HOUR, "ENSDF, 64.05 h", ("14691008", "C-162A7")),
    Radionuclide("99mTc", "technetium", 6.007 * _HOUR, "DDEP, 6.0067 h", ("72454006", "C-163A8"), photon_kev=140.5),
    Radionuclide("111In", "indium", 2.8049 * _DAY, "DDEP, 2.8049 d", ("56609000", "C-145A4"), photon_kev=171.3),
    Radionuclide("123I", "iodine", 13.2234 * _HOUR, "DDEP, 13.2234 h", ("21572004", "C-114A4"), photon_kev=159.0),
    Radionuclide("124I", "iodine", 4.176 * _DAY, "ENSDF, 4.1760 d", ("40937006", "C-114A5")),
    Radionuclide("125I", "iodine", 59.388 * _DAY, "DDEP, 59.388 d", ("68630002", "C-114A6")),
    Radionuclide("131I", "iodine", 8.0233 * _DAY, "DDEP, 8.0233 d", ("1368003", "C-114B1"), photon_kev=364.5),
    Radionuclide("133Xe", "xenon", 5.2474 * _DAY, "DDEP, 5.2474 d", ("80751004", "C-172A8"), photon_kev=81.0),
    Radionuclide("153Sm", "samarium", 46.284 * _HOUR, "ENSDF, 46.284 h", ("419804008", "C-B1134"), photon_kev=103.2),
    Radionuclide("161Tb", "terbium", 6.953 * _DAY, "Duran, Appl Radiat Isot 2020, 6.953 d", photon_kev=74.6),
    Radionuclide("166Ho", "holmium", 26.795 * _HOUR, "DDEP, 26.795 h", ("C1943",), photon_kev=80.6),
    Radionuclide("177Lu", "lutetium", 6.647 * _DAY, "DDEP, 6.647 d", ("447553000", "C-101ED"), photon_kev=208.4),
    Radionuclide("186Re", "rhenium", 3.7183 * _DAY, "ENSDF, 3.7183 d", ("395865006", "C-11906"), photon_kev=137.2),
    Radionuclide("188Re", "rhenium", 17.004 * _HOUR, "ENSDF, 17.0040 h", ("423578007", "C-1018D"), photon_kev=155.0),
    Radionuclide("201Tl", "thallium", 3.0421 * _DAY, "DDEP, 3.0421 d", ("60057003", "C-138A9")),
    Radionuclide("223Ra", "radium", 11.43 * _DAY, "DDEP, 11.43 d", ("24853006", "C-136A2")),
)

_BY_CODE = {code.upper(): nuclide for nuclide in RADIONUCLIDES for code in nuclide.codes}
_BY_NAME = {nuclide.name.lower(): nuclide for nuclide in RADIONUCLIDES}
_SYMBOLS = {re.sub(r"^\d+m?", "", nuclide.name).lower() for nuclide in RADIONUCLIDES}
_SYMBOL_OF = {nuclide.element: re.sub(r"^\d+m?", "", nuclide.name).lower() for nuclide in RADIONUCLIDES}
_SYMBOL_OF |= {symbol: symbol for symbol in _SYMBOLS}


def radionuclide(text: str) -> Radionuclide:
    """The radionuclide that ``text`` names: "99mTc", "Tc-99m", "Technetium Tc^99m^", "99Tcm", "I-123 MIBG" or a code.

    Raises InputError where it names none of the table, or more than one.
    """
    code = _BY_CODE.get(text.strip().upper())
    if code is not None:
        return code
    words = re.findall(r"\d+m?|[a-z]+", text.lower())
    masses = [word for word in words if word[0].isdigit()]
    letters = [word for word in words if not word[0].isdigit()]
    symbols = {_SYMBOL_OF[word] for word in letters if word in _SYMBOL_OF}
    metastable = "m" in letters
    for word in letters:  # "99Tcm"
        if word.endswith("m") and word[:-1] in _SYMBOLS and word not in _SYMBOL_OF:
            symbols.add(word[:-1])
            metastable = True
    names = {f"{mass}{'m' if metastable and not mass.endswith('m') else ''}{s}" for mass in masses for s in symbols}
    found = {_BY_NAME[name] for name in names if name in _BY_NAME}
    if len(found) != 1:
        known = ", ".join(nuclide.name for nuclide in RADIONUCLIDES)
        raise InputError(f"Radionuclide {text!r} is not known. Known: {known}. For another one give half_life_s.")
    return found.pop()


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
