"""Pictures of the SPECT/CT radiomics panel on its demo data: ``python tools/pictures/panels_radiomics.py``, with
``HOME=/home/reader``, which its folder button shows.

The panel is driven on the test host with real slice views, as a user would: load, register, adjust, measure, map,
predict. Needs slicer-core and PySide6; the PNG get a palette, which makes them small (Pillow, comes with matplotlib).
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "Docs" / "pictures"
_SCREEN = (1500, 940)
_SECTIONS = ("images", "lesions", "draw", "features", "map", "model", "readers", "export")
_LESION = 0  # row of the list


def main() -> None:
    sys.path[:0] = [str(ROOT)]
    from Testing import host

    with host.application(size=_SCREEN) as app, tempfile.TemporaryDirectory() as folder:
        panel = app.open("SPECTCTRadiomics")
        ui = panel.ui
        panel.features.on_settings(panel.features.kind(families=("mazda",), perturb=False).to_json())
        ui.demoButton.click()
        ui.alignButton.click()
        _fold(ui, "images", "lesions", "draw")
        app.screenshot(Path(folder) / "unused.png")  # views get their size when first drawn
        ui.viewsButton.click()
        _look(app, ui)
        _picture(app, "panel_radiomics_drawing")

        ui.measureButton.click()
        panel.chosen.modelPath = panel.logic.makeDemoModel(Path(folder) / "model.json")
        ui.predictButton.click()
        ui.mapBox.setEditText("original_firstorder_Mean")
        ui.mapButton.click()
        _look(app, ui)
        _fold(ui, "lesions", "map", "model")
        _picture(app, "panel_radiomics")

        for row in range(ui.lesionTable.rowCount):
            ui.lesionTable.selectRow(row)
            ui.readerBox.currentIndex, ui.secondReaderBox.currentIndex = 5 - row % 2, 5 - row % 3
        ui.lesionTable.selectRow(_LESION)
        ui.kappaButton.click()
        ui.overlayBox.currentIndex = 1
        _look(app, ui)
        _fold(ui, "lesions", "readers", "export")
        _picture(app, "panel_radiomics_readers")


def _fold(ui: Any, *opened: str) -> None:
    for name in _SECTIONS:
        getattr(ui, f"{name}Section").collapsed = name not in opened


def _look(app: Any, ui: Any) -> None:
    """On the lesion, near."""
    import slicer

    ui.lesionTable.selectRow((_LESION + 1) % ui.lesionTable.rowCount)
    ui.lesionTable.selectRow(_LESION)
    for name in ("BoneQuantFunctional", "BoneQuantAnatomy"):
        node = slicer.app.layoutManager().sliceWidget(name).mrmlSliceNode()
        x, y, z = node.GetFieldOfView()
        scale = 170.0 / x
        node.SetFieldOfView(170.0, y * scale, z)
    app.process(50)


def _picture(app: Any, name: str) -> None:
    from PIL import Image

    path = app.screenshot(PICTURES / f"{name}.png")
    Image.open(path).convert("RGB").quantize(200, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path.relative_to(ROOT)} {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
