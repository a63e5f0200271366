"""The slider that blends a functional image with the anatomy below it, in all slice views."""

from __future__ import annotations

from typing import Any

import slicer

# A grey image over a grey CT tells nothing; colours that somebody chose stay.
_GREYS = ("vtkMRMLColorTableNodeGrey", "vtkMRMLColorTableNodeInvertedGrey")
_HEAT = "vtkMRMLPETProceduralColorNodePET-Heat"


class FusionSlider:
    """Binds a ``ctkSliderWidget`` (0..100 %) of a panel to the opacity of the slice views' foreground."""

    def __init__(self, slider: Any) -> None:
        self.slider = slider
        slider.minimum, slider.maximum, slider.singleStep, slider.decimals = 0, 100, 5, 0
        slider.suffix = " %"
        slider.connect("valueChanged(double)", self._on_moved)

    def show(self, anatomy: Any, functional: Any) -> None:
        """Lay ``functional`` over ``anatomy`` at the slider's opacity."""
        from BoneQuantPanels.views import show_images

        display = functional.GetDisplayNode()
        if display is not None and display.GetColorNodeID() in _GREYS:
            display.SetAndObserveColorNodeID(_HEAT)
        show_images(anatomy, functional, self.slider.value / 100.0)

    def _on_moved(self, percent: float) -> None:
        slicer.util.setSliceViewerLayers(foregroundOpacity=percent / 100.0)
