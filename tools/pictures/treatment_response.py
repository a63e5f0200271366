"""Pictures of the response report for the docs: ``python tools/pictures/treatment_response.py``. Synthetic."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from bonequant.phantom import simulate_spine, spine_follow_up, spine_preset
from bonequant.report import Picture
from bonequant.response import Radiotherapy
from bonequant.studies.dce_perfusion import DceInputs
from bonequant.studies.treatment_response import DateInputs, ResponseInputs, page, run

OUT = Path(__file__).resolve().parents[2] / "Docs" / "pictures"


def main() -> None:
    """Write response_vp_before.png, response_vp_after.png and response_curves.png."""
    before = simulate_spine(spine_preset("small"))
    after = simulate_spine(spine_follow_up(before.settings))
    dates = [
        DateInputs(
            name,
            DceInputs(scan.series, t1_map=scan.t1, name=name),
            lesions={"lesion": scan.masks["lesion_1"]},
            references={"": scan.masks["vertebra_4"]},
        )
        for name, scan in (("before", before), ("after", after))
    ]
    result = run(ResponseInputs(dates, Radiotherapy(date(2024, 3, 20), 27.0, 3)))
    sections = {section.title: section for section in page(result).sections}
    maps = [one for one in sections["Before and after, in one window"].blocks if isinstance(one, Picture)]
    curves = [one for one in sections["Curves before and after"].blocks if isinstance(one, Picture)]
    for name, picture in (("vp_before", maps[0]), ("vp_after", maps[1]), ("curves", curves[0])):
        (OUT / f"response_{name}.png").write_bytes(picture.png)


if __name__ == "__main__":
    main()
