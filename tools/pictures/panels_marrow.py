"""Pictures of the BoneMarrowPerfusion panel on the simulated patient: ``python tools/pictures/panels_marrow.py``, with
``HOME=/home/reader``, which its folder buttons show.

The panel is driven on the test host with real slice views, as a user would: load, register, find regions, measure.
Needs slicer-core and PySide6; the PNG get a palette, which makes them small (Pillow, comes with matplotlib).
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "Docs" / "pictures"
_SCREEN = (1500, 940)
_SHOWN = ("marrow", "L1", "L2", "L3", "L4", "L5")


def main() -> None:
    sys.path[:0] = [str(ROOT)]
    from Testing import host

    with host.application(size=_SCREEN) as app:
        panel = app.open("BoneMarrowPerfusion")
        ui, chosen = panel.ui, panel.chosen
        chosen.functionalVolume, chosen.ctVolume = panel.logic.makeSamplePatient()
        panel.tabs[0].forms[0].widget("tracer").currentIndex = 1
        ui.registerButton.click()
        for section in ("inputsSection", "regionsSection", "perfusionSection", "marrowReportSection"):
            getattr(ui, section).collapsed = True
        _picture(app, "panel_marrow_registration")

        ui.regionsButton.click()
        _fold(ui, opened=("regionsSection", "editorBox"))
        display = chosen.regions.GetDisplayNode()
        for name in _SHOWN:
            display.SetSegmentVisibility(name, True)
        _look_at(app, chosen.regions, "L3")
        _picture(app, "panel_marrow_regions")

        ui.measureButton.click()
        _fold(ui, opened=("perfusionSection", "marrowReportSection", "regionsSection"))
        _look_at(app, chosen.regions, "L3")
        _picture(app, "panel_marrow")
        ui.histogramChartButton.click()
        _look_at(app, chosen.regions, "L3")
        _picture(app, "panel_marrow_histogram")
    with host.application(size=_SCREEN) as app:
        _liver(app)


def _liver(app: Any) -> None:
    from bonequant import mrml
    from bonequant.phantom import liver_preset, simulate_liver

    from benchmarks.liver import drawn

    scan = simulate_liver(liver_preset("small", breathing_mm=0.0))
    panel = app.open("BoneMarrowPerfusion")
    panel.ui.tabs.currentIndex = 1
    panel.chosen.liverSeries = mrml.to_node(scan.series, "Perfusion CT")
    panel.chosen.liverRegions = mrml.to_node(drawn(scan), "Liver regions")
    panel.tabs[1].forms[0].widget("correct_motion").checked = False
    panel.ui.liverMeasureButton.click()
    box = panel.ui.liverMapComboBox
    box.currentIndex = box.findText("Perfusion CT hpi_dual_input")
    panel.ui.liverCurvesButton.click()
    _look_at(app, panel.chosen.liverRegions, "tumour_1")
    _picture(app, "panel_liver")


def _fold(ui: Any, opened: tuple[str, ...]) -> None:
    sections = ("inputsSection", "factsSection", "registrationSection", "regionsSection", "perfusionSection")
    for name in (*sections, "marrowReportSection", "editorBox"):
        getattr(ui, name).collapsed = name not in opened


def _look_at(app: Any, regions: Any, segment_id: str) -> None:
    import slicer

    app.screenshot(Path(tempfile.gettempdir()) / "bonequant_unused.png")  # views get their size when first drawn
    slicer.app.layoutManager().resetSliceViews()
    centre = regions.GetSegmentCenterRAS(segment_id)
    slicer.modules.markups.logic().JumpSlicesToLocation(*centre, True)


def _picture(app: Any, name: str) -> None:
    from PIL import Image

    path = app.screenshot(PICTURES / f"{name}.png")
    Image.open(path).convert("RGB").quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path.relative_to(ROOT)} {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
