"""Feature maps, and what is laid over the images: nothing, the SPECT on the CT, or a map on each image."""

from __future__ import annotations

from typing import Any

from slicer.i18n import tr as _

from SPECTCTRadiomicsLib.section import Section, fill

_NOTHING, _FUNCTIONAL = "", "functional"
_FUSED_COLOURS = "vtkMRMLPETProceduralColorNodePET-Heat"
_OFTEN = (
    "original_glcm_JointEntropy",
    "original_glcm_Contrast",
    "original_firstorder_Mean",
    "original_firstorder_Entropy",
    "original_glrlm_RunEntropy",
    "original_ngtdm_Coarseness",
)


class MapSection(Section):
    def __init__(self, panel: Any) -> None:
        super().__init__(panel)
        self._legends: list[Any] = []
        self._coloured: tuple[Any, str] | None = None
        for name in _OFTEN:
            self.ui.mapBox.addItem(name)
        slider = self.ui.overlaySlider
        slider.minimum, slider.maximum, slider.singleStep, slider.decimals = 0, 100, 5, 0
        slider.suffix, slider.value = " %", 60
        self.ui.mapButton.connect("clicked(bool)", self.on_map)
        self.ui.overlayBox.connect("currentIndexChanged(int)", self.show)
        self.ui.legendCheckBox.connect("toggled(bool)", self.show)
        slider.connect("valueChanged(double)", self.show)

    def refresh(self) -> None:
        from bonequant.mrml.lesion_nodes import map_features

        chosen = self.chosen
        missing = "" if self.logic.result(chosen.record) else _("Measure the lesions first")
        self.enable("mapButton", missing, _("Map the feature around each voxel of the lesions, on every image"))
        items = [(_("nothing"), _NOTHING)]
        if chosen.functionalVolume and chosen.ctVolume:
            items.append((_("SPECT or PET on the CT"), _FUNCTIONAL))
        items += [(name, name) for name in map_features(chosen.record)]
        before = self.ui.overlayBox.currentData
        fill(self.ui.overlayBox, items, before if before in [data for _text, data in items] else _NOTHING)

    def on_map(self) -> None:
        chosen, feature = self.chosen, self.ui.mapBox.currentText.strip()
        made = self.run(
            _("The feature could not be mapped."),
            lambda: self.logic.mapFeature(chosen.record, feature, self.panel.work.run),
        )
        if made:
            self.ui.overlayBox.currentIndex = self.ui.overlayBox.findData(feature)
            self.show()

    def show(self, *_: Any) -> None:
        """Lay what is chosen over the images."""
        from bonequant.mrml.lesion_nodes import map_nodes
        from BoneQuantPanels.views import hide_legend, show_legend

        from SPECTCTRadiomicsLib.paired_views import show_overlay

        chosen, what = self.chosen, self.ui.overlayBox.currentData or _NOTHING
        if chosen is None:
            return
        over: dict[str, Any] = {}
        if what == _FUNCTIONAL:
            over["ct"] = chosen.functionalVolume
        elif what:
            nodes = map_nodes(chosen.record, what)
            over = {"ct" if image == "CT" else "functional": node for image, node in nodes.items()}
        self._colour_functional(what == _FUNCTIONAL)
        show_overlay(over, self.ui.overlaySlider.value / 100.0)
        legends = list(over.values()) if self.ui.legendCheckBox.checked else []
        for node in [node for node in self._legends if node not in legends and node.GetScene() is not None]:
            hide_legend(node)
        for node in legends:
            show_legend(node, what.partition("_")[2].replace("_", " ") or node.GetName())
        self._legends = legends

    def _colour_functional(self, fused: bool) -> None:
        """Heat while it lies over the CT; its own colours again afterwards."""
        if self._coloured is not None and not fused:
            display, before = self._coloured
            display.SetAndObserveColorNodeID(before)
            self._coloured = None
        elif self._coloured is None and fused:
            display = self.chosen.functionalVolume.GetDisplayNode()
            self._coloured = (display, display.GetColorNodeID())
            display.SetAndObserveColorNodeID(_FUSED_COLOURS)

    def exit(self) -> None:
        self._coloured = None
        self._legends = []
