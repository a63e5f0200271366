"""Pictures of the DCE Response panel in Docs: ``python tools/pictures/panels_dce_response.py``, on its demo data.

Made by the test host, with Slicer's own rendering; the panel's widgets are drawn by Qt as Slicer would.
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from Testing import host  # noqa: E402 - found from the checkout

PICTURES = ROOT / "Docs" / "pictures"
SECTIONS = ("inputs", "regions", "treatment", "settings", "result", "criteria", "report")


def shrink(path: Path) -> None:
    """Five bits per colour: the eye sees no difference, and the file is half as large."""
    Image.open(path).convert("RGB").point(lambda value: value & 0xF8 | value >> 5).save(path, optimize=True)


def main() -> None:
    with host.application(size=(1400, 880)) as app:
        panel = app.open("DCEResponse")

        def picture(name: str, *opened: str) -> None:
            for section in SECTIONS:
                getattr(panel.ui, f"{section}Section").collapsed = section not in opened
            app.process(200)
            shrink(app.screenshot(PICTURES / f"panel_dce_response{name}.png"))

        panel.ui.folderButton.directory, panel.ui.outButton.directory = "/data/DICOM", "/data/Results"
        panel.ui.demoButton.click()
        panel.pages["before"].ui.findButton.click()
        panel.pages["before"].ui.shiftSlider.value = 2.0
        picture("_input", "inputs", "regions")
        panel.pages["before"].ui.shiftSlider.value = 0.0
        panel.ui.endLineEdit.text = "2024-03-20"
        panel.ui.doseSpinBox.value, panel.ui.fractionsSpinBox.value = 27, 3
        panel.ui.inFieldComboBox.currentIndex = panel.ui.fractureComboBox.currentIndex = 2
        panel.settingsForm.widget("dce.descriptive").checked = False
        panel.ui.compareButton.click()
        picture("", "result", "treatment", "report")
        panel.criteria.choose("recip")
        panel.criteria.type_cells({"volume_before_ml": "180", "volume_after_ml": "95", "new_lesion": "no"})
        panel.ui.judgeButton.click()
        picture("_criteria", "result", "criteria")


if __name__ == "__main__":
    main()
