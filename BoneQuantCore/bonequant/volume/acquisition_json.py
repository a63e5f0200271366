"""Acquisition facts as one line of JSON, for files and scene nodes that carry them along.

What identifies the patient or leads back to the archive is left out unless it is asked for. The frame of reference
stays: without it nothing tells which image a contour was drawn on.
"""

from __future__ import annotations

import dataclasses
import json
from datetime import datetime

from bonequant.errors import InputError, SettingsError
from bonequant.volume.acquisition import Acquisition, as_declared

IDENTIFIERS = ("patient_id", "patient_name", "study_uid", "series_uid")


def acquisition_to_json(acquisition: Acquisition, *, identifiers: bool = False) -> str:
    """The facts that are known; date-times in ISO 8601. ``identifiers`` keeps those of patient, study and series."""
    facts = {}
    for entry in dataclasses.fields(acquisition):
        fact = getattr(acquisition, entry.name)
        if fact is None or fact == () or fact == {} or (entry.name in IDENTIFIERS and not identifiers):
            continue
        facts[entry.name] = fact.isoformat() if isinstance(fact, datetime) else fact
    return json.dumps(facts)


def acquisition_from_json(written: str, where: str) -> Acquisition:
    """What :func:`acquisition_to_json` wrote; facts that this version does not know are passed over.

    Raises InputError that names ``where`` (the file or node) for damage.
    """
    try:
        facts = json.loads(written)
        known = {entry.name for entry in dataclasses.fields(Acquisition)}
        return Acquisition(**{name: as_declared(name, fact) for name, fact in facts.items() if name in known})
    except (AttributeError, ValueError, RecursionError, SettingsError) as error:
        raise InputError(f"{where}: the acquisition facts of BoneQuant are damaged: {error}.") from error
