"""Radionuclides: half-lives in one place, what camera sees them, and every usual way to write their names.

Half-lives: DDEP (Decay Data Evaluation Project, LNHB, recommended data) or ENSDF (NNDC, Brookhaven), as each row says.
Codes and who images what: DICOM PS3.16 CID 18 (gamma camera) and CID 4020 (PET), codes both as SNOMED CT and in the
older SRT/99SDM form that scanners still write. 90Y is imaged by both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bonequant.errors import InputError

_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86400.0


@dataclass(frozen=True)
class Radionuclide:
    """One radionuclide.

    Attributes:
        name: mass number before symbol, "99mTc".
        source: of the half-life.
        codes: DICOM code values (SNOMED CT, SRT, NCIt) that mean the nuclide itself.
        photon_kev: the gamma line that a gamma camera images first, where there is one usual choice.
    """

    name: str
    half_life_s: float
    source: str
    codes: tuple[str, ...] = ()
    photon_kev: float | None = None


RADIONUCLIDES = (
    Radionuclide("11C", 20.361 * _MINUTE, "DDEP, 20.361 min", ("40565003", "C-105A1")),
    Radionuclide("13N", 9.967 * _MINUTE, "DDEP, 9.9670 min", ("21576001", "C-107A1")),
    Radionuclide("15O", 122.24, "ENSDF, 122.24 s"),
    Radionuclide("18F", 6588.0, "ENSDF, 109.8 min as PET scanners write it", ("77004003", "C-111A1")),
    Radionuclide("64Cu", 12.7004 * _HOUR, "DDEP, 12.7004 h", ("3932008", "C-127A2")),
    Radionuclide("67Cu", 61.83 * _HOUR, "ENSDF, 61.83 h", ("53700003", "C-127A3")),
    Radionuclide("67Ga", 3.2613 * _DAY, "DDEP, 3.2613 d", ("2008008", "C-131A2"), photon_kev=93.3),
    Radionuclide("68Ga", 67.71 * _MINUTE, "ENSDF, 67.71 min", ("35337001", "C-131A3")),
    Radionuclide("81mKr", 13.10, "ENSDF, 13.10 s", photon_kev=190.5),
    Radionuclide("89Sr", 50.57 * _DAY, "DDEP, 50.57 d", ("7770004", "C-158A6")),
    Radionuclide("89Zr", 78.41 * _HOUR, "ENSDF, 78.41 h", ("63360001", "C-168A4")),
    Radionuclide("90Y", 64.05 * _HOUR, "ENSDF, 64.05 h", ("14691008", "C-162A7")),
    Radionuclide("99mTc", 6.007 * _HOUR, "DDEP, 6.0067 h", ("72454006", "C-163A8"), photon_kev=140.5),
    Radionuclide("111In", 2.8049 * _DAY, "DDEP, 2.8049 d", ("56609000", "C-145A4"), photon_kev=171.3),
    Radionuclide("123I", 13.2234 * _HOUR, "DDEP, 13.2234 h", ("21572004", "C-114A4"), photon_kev=159.0),
    Radionuclide("124I", 4.176 * _DAY, "ENSDF, 4.1760 d", ("40937006", "C-114A5")),
    Radionuclide("125I", 59.388 * _DAY, "DDEP, 59.388 d", ("68630002", "C-114A6")),
    Radionuclide("131I", 8.0233 * _DAY, "DDEP, 8.0233 d", ("1368003", "C-114B1"), photon_kev=364.5),
    Radionuclide("133Xe", 5.2474 * _DAY, "DDEP, 5.2474 d", ("80751004", "C-172A8"), photon_kev=81.0),
    Radionuclide("153Sm", 46.284 * _HOUR, "ENSDF, 46.284 h", ("419804008", "C-B1134"), photon_kev=103.2),
    Radionuclide("161Tb", 6.953 * _DAY, "Duran, Appl Radiat Isot 2020, 6.953 d", photon_kev=74.6),
    Radionuclide("166Ho", 26.795 * _HOUR, "DDEP, 26.795 h", ("C1943",), photon_kev=80.6),
    Radionuclide("177Lu", 6.647 * _DAY, "DDEP, 6.647 d", ("447553000", "C-101ED"), photon_kev=208.4),
    Radionuclide("186Re", 3.7183 * _DAY, "ENSDF, 3.7183 d", ("395865006", "C-11906"), photon_kev=137.2),
    Radionuclide("188Re", 17.004 * _HOUR, "ENSDF, 17.0040 h", ("423578007", "C-1018D"), photon_kev=155.0),
    Radionuclide("201Tl", 3.0421 * _DAY, "DDEP, 3.0421 d", ("60057003", "C-138A9")),
    Radionuclide("223Ra", 11.43 * _DAY, "DDEP, 11.43 d", ("24853006", "C-136A2")),
)

_GAMMA_CAMERA = """
    99mTc 177Lu 123I 125I 131I 111In 201Tl 67Ga 133Xe 127Xe 81mKr 51Cr 57Co 58Co 75Se 153Sm 186Re 188Re 166Ho 161Tb
    155Tb 117mSn 223Ra 225Ac 213Bi 212Pb 203Pb 227Th 89Sr 169Er 177mLu 32P 67Cu 47Sc 133Ba 153Gd
"""
_PET = """
    18F 11C 13N 15O 68Ga 66Ga 82Rb 64Cu 62Cu 60Cu 61Cu 89Zr 124I 86Y 44Sc 43Sc 45Ti 52Mn 52Fe 22Na 68Ge 14O 75Br 76Br
    77Br 38K 73Se 94mTc 152Tb 149Tb 55Co
"""
SINGLE_PHOTON = frozenset(_GAMMA_CAMERA.split())
POSITRON = frozenset(_PET.split())
_ELEMENTS = """
    actinium Ac barium Ba bismuth Bi bromine Br carbon C chromium Cr cobalt Co copper Cu erbium Er fluorine F
    gadolinium Gd gallium Ga germanium Ge holmium Ho indium In iodine I iron Fe krypton Kr lead Pb lutetium Lu
    manganese Mn nitrogen N oxygen O phosphorus P potassium K radium Ra rhenium Re rubidium Rb samarium Sm scandium Sc
    selenium Se sodium Na strontium Sr technetium Tc terbium Tb thallium Tl thorium Th tin Sn titanium Ti xenon Xe
    yttrium Y zirconium Zr
"""
_SYMBOLS = dict(re.findall(r"(\w+) (\w+)", _ELEMENTS))
_SYMBOLS |= {symbol.lower(): symbol for symbol in _SYMBOLS.values()}
_NAMED = SINGLE_PHOTON | POSITRON | {nuclide.name for nuclide in RADIONUCLIDES}
_BY_NAME = {nuclide.name: nuclide for nuclide in RADIONUCLIDES}
_NAME_OF_CODE = {code: nuclide.name for nuclide in RADIONUCLIDES for code in nuclide.codes}


def nuclide_name(written: str | None) -> str | None:
    """The name that ``written`` means: "99mTc" from "Tc-99m", "99Tcm", "^99m^Technetium", "Tc-99m MDP" or "C-163A8".

    None where the text names no nuclide that nuclear medicine images, or more than one.
    """
    if not written:
        return None
    if code := _NAME_OF_CODE.get(written.strip().upper()):
        return code
    plain = re.sub(r"[^a-z0-9]+", " ", written.lower())
    plain = re.sub(r"(\d) ?meta(stable)?\b", r"\1m", plain)
    read = [(mass, meta, element) for element, mass, meta in re.findall(r"\b([a-z]+) ?(\d{1,3}) ?(m?)\b", plain)]
    read += [(mass, "m", element) for mass, element in re.findall(r"\b(\d{1,3}) ?m ([a-z]+)", plain)]  # 99m Technetium
    for mass, letters in re.findall(r"\b(\d{1,3}) ?([a-z]+)", plain):
        read.append((mass, "", letters))
        if letters.startswith("m"):  # 99mTc
            read.append((mass, "m", letters[1:]))
        if letters.endswith("m"):  # 99Tcm
            read.append((mass, "m", letters[:-1]))
    found = _NAMED & {f"{mass}{meta}{_SYMBOLS[element]}" for mass, meta, element in read if element in _SYMBOLS}
    return next(iter(found)) if len(found) == 1 else None


def radionuclide(text: str) -> Radionuclide:
    """The radionuclide that ``text`` names, by name in any spelling or by DICOM code; see :func:`nuclide_name`.

    Raises InputError where it names none of the table, or more than one.
    """
    found = _BY_NAME.get(nuclide_name(text) or "")
    if found is None:
        known = ", ".join(_BY_NAME)
        raise InputError(f"Radionuclide {text!r} is not known. Known: {known}. For another one give half_life_s.")
    return found
