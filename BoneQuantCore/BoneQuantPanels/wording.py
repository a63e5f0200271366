"""Sentences of the library as a panel says them: its ways out name options of the command line, which a panel lacks.

"Give it: --set signal.t1_s=SECONDS."  ->  "Give it: setting 'T1 s' of 'Signal' = SECONDS."
"""

from __future__ import annotations

import re

_SETTING = re.compile(r"--set ([a-z_0-9]+(?:\.[a-z_0-9]+)*)(=(?:\[[^]]*\]|[\w+-]+(?:\.\w+)*)?)?")
_FACT = re.compile(r"--fact ([a-z_0-9]+)=([\w/%.+-]*\w)")
_GIVE_FACT = re.compile(r"Give ([a-z_0-9]+)=\.\.\.")
_PHRASES = (
    (re.compile(r"(give (?:it|them)) with --mask\b"), r"\1 in the segmentation"),
    (re.compile(r"\(--mask\)"), "in a segmentation"),
    (re.compile(r"--mask\b(?!-)"), "a segmentation"),
    (re.compile(r"\(--confirm-same-patient\) and run again"), "in the panel, and do it again"),
    (re.compile(r"--find\b"), "'find candidates'"),
    (re.compile(r"--ct, --spect\b"), "a CT, a SPECT"),
    (re.compile(r" \((?:--t1-series|--t1-map|folder T1 of the date|file T1_map of the date)\)"), ""),
    (re.compile(r"as --ct was given"), "as it was chosen as the CT"),
    (re.compile(r"leave out --dicom"), "do without DICOM objects"),
    (re.compile(r"--second-reader, --second-time"), "a second reader's or a later drawing"),
    (re.compile(r"give another folder with --out(?:, or --overwrite to replace it)?"), "choose another folder"),
)


def in_the_panel(text: str) -> str:
    """``text`` with its options of the command line as what stands in a panel."""
    text = _SETTING.sub(_setting, text)
    text = _FACT.sub(lambda found: f"type {found[2]} for {_fact(found[1])}", text)
    text = _GIVE_FACT.sub(lambda found: f"Type {_fact(found[1])} in the panel.", text)
    for pattern, words in _PHRASES:
        text = pattern.sub(words, text)
    return text


def _setting(found: re.Match[str]) -> str:
    *groups, name = found[1].split(".")
    where = f" of '{_plain(': '.join(groups))}'" if groups else ""
    value = (found[2] or "=")[1:]
    return f"setting '{_plain(name)}'{where}" + (f" = {value}" if value else "")


def _fact(name: str) -> str:
    return "'Voxels are in'" if name == "unit" else f"the fact '{_plain(name)}'"


def _plain(name: str) -> str:
    """A name as the forms label it."""
    words = name.replace("_", " ")
    return words[:1].upper() + words[1:]
