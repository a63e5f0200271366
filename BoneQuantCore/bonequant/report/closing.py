"""Sections with which every report ends: the settings it was made with, and where its numbers come from."""

from __future__ import annotations

from bonequant.provenance import Provenance
from bonequant.report.page import Facts, Section, Table
from bonequant.settings import Settings, describe


def settings_section(settings: Settings) -> Section:
    """Every setting with its value, unit and meaning, folded."""
    rows = [
        {"name": row["name"], "value": row["value"], "unit": row["unit"], "help": row["help"]}
        for row in describe(settings)
    ]
    columns = {"name": "Setting", "value": "Value", "unit": "Unit", "help": "Meaning"}
    return Section("Settings", [Table(columns, rows)], folded=True)


def provenance_section(provenance: Provenance) -> Section:
    """Hashes of the inputs and versions of the programs, folded."""
    hashes = {f"SHA-256 of {role}": value for role, value in provenance.inputs.items()}
    return Section("Provenance", [Facts(hashes), Facts(provenance.versions)], folded=True)


def title_of(name: str) -> str:
    """A region's or quantity's name for the eye: ``blood_pool`` is "Blood pool"."""
    text = name.replace("_", " ")
    return text[:1].upper() + text[1:]
