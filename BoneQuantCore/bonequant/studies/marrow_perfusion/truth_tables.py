"""The section of a phantom's report: what was measured, beside what is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bonequant.report import Section, Table
from bonequant.report.closing import title_of
from bonequant.report.page import Block

# Captions of the tables of truth; of each quantity its heading and what is shown of it.
_ALL = ("truth", "measured", "error_percent")
_TRUTH_HEADINGS = {"truth": "True {} {}", "measured": "{} measured", "error": "{} {}", "error_percent": "error %"}
_TRUTH_TABLES: dict[str, dict[str, tuple[str, tuple[str, ...]]]] = {
    "Error of the alignment of SPECT and CT, over points of the bone": {
        "alignment error, median": ("median error", ("error",)),
        "alignment error, largest": ("largest error", ("error",)),
    },
    "Lesions, by the candidate found at their place; corrected is after partial volume correction": {
        "lesion volume": ("volume", _ALL),
        "lesion to normal bone": ("ratio to normal bone", _ALL),
        "lesion uptake, corrected": ("uptake", _ALL),
    },
    "Regions; corrected is after partial volume correction": {
        "volume": ("volume", _ALL),
        "mean uptake": ("mean", _ALL),
        "mean uptake, corrected": ("corrected mean", ("measured", "error_percent")),
    },
}


def truth_section(rows: Sequence[dict[str, Any]]) -> Section:
    """One table per kind of thing; a row per thing, with its quantities side by side."""
    blocks: list[Block] = []
    for caption, quantities in _TRUTH_TABLES.items():
        table: dict[str, dict[str, Any]] = {}
        columns = {"region": "Region"}
        for row in rows:
            if row["quantity"] not in quantities:
                continue
            key, heading, parts = row["quantity"], *quantities[row["quantity"]]
            line = table.setdefault(row["region"], {"region": title_of(row["region"])})
            for part in parts:
                columns[f"{key} {part}"] = _TRUTH_HEADINGS[part].format(heading, row["unit"]).strip()
                line[f"{key} {part}"] = row[part]
        if table:
            blocks.append(Table(columns, list(table.values()), caption=caption))
    return Section("Measured beside the truth of the phantom", blocks)
