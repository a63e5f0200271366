"""Names of radionuclides as files write them ("99m Technetium", "^18^Fluorine", "Lu-177") brought to "99mTc", "18F",
"177Lu".

The sets say what a gamma camera and what a PET scanner sees (DICOM PS3.16 CID 18 and CID 4020). 90Y is in neither:
it is imaged by both.
"""

from __future__ import annotations

import re

from pydicom.dataset import Dataset

from bonequant.io.dicom_header import item, text

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
_NAMES = {
    "technetium": "Tc",
    "lutetium": "Lu",
    "iodine": "I",
    "indium": "In",
    "thallium": "Tl",
    "gallium": "Ga",
    "xenon": "Xe",
    "krypton": "Kr",
    "chromium": "Cr",
    "cobalt": "Co",
    "selenium": "Se",
    "samarium": "Sm",
    "rhenium": "Re",
    "holmium": "Ho",
    "terbium": "Tb",
    "tin": "Sn",
    "radium": "Ra",
    "actinium": "Ac",
    "bismuth": "Bi",
    "lead": "Pb",
    "thorium": "Th",
    "strontium": "Sr",
    "erbium": "Er",
    "phosphorus": "P",
    "yttrium": "Y",
    "fluorine": "F",
    "carbon": "C",
    "nitrogen": "N",
    "oxygen": "O",
    "rubidium": "Rb",
    "copper": "Cu",
    "zirconium": "Zr",
    "scandium": "Sc",
    "titanium": "Ti",
    "manganese": "Mn",
    "iron": "Fe",
    "sodium": "Na",
    "germanium": "Ge",
    "bromine": "Br",
    "potassium": "K",
    "barium": "Ba",
    "gadolinium": "Gd",
}
_SYMBOLS = {symbol.lower(): symbol for symbol in _NAMES.values()}
_KNOWN = SINGLE_PHOTON | POSITRON | {"90Y"}
_MASS = r"(\d{1,3})\s*(m?)"
_ELEMENT = r"([a-z]{1,12})"


def nuclide_of(radiopharmaceutical: Dataset | None) -> str | None:
    """The nuclide of an item of RadiopharmaceuticalInformationSequence: its code first, then the agent's name."""
    code = item(radiopharmaceutical, "RadionuclideCodeSequence")
    agent = item(radiopharmaceutical, "RadiopharmaceuticalCodeSequence")
    for written in (text(code, "CodeMeaning"), text(radiopharmaceutical, "Radiopharmaceutical")):
        if found := parse_nuclide(written):
            return found
    return parse_nuclide(text(agent, "CodeMeaning"))


def parse_nuclide(written: str | None) -> str | None:
    """ "99mTc" from any usual way to write it; None where the text names no nuclide that is known here."""
    if not written:
        return None
    plain = re.sub(r"[\^\-_\[\](),*/]+", " ", written.lower())
    plain = re.sub(r"(\d)\s*meta(stable)?\b", r"\1m", plain)
    for mass, meta, element in re.findall(rf"\b{_MASS}\s*{_ELEMENT}", plain):
        if found := _compose(mass, meta, element):
            return found
        if not meta and element.startswith("m") and (found := _compose(mass, "m", element[1:])):
            return found
    for element, mass, meta in re.findall(rf"\b{_ELEMENT}\s*{_MASS}\b", plain):
        if found := _compose(mass, meta, element):
            return found
    return None


def _compose(mass: str, meta: str, element: str) -> str | None:
    symbol = _NAMES.get(element) or _SYMBOLS.get(element)
    found = f"{mass}{meta}{symbol}"
    return found if symbol and found in _KNOWN else None
