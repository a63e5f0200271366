"""The segment editor of the panel: what it draws on, new segments, and drawing that the comparison follows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import slicer
from slicer.i18n import tr as _

from DCEResponseLib.images import images_of
from DCEResponseLib.live_drawing import LiveDrawing
from DCEResponseLib.side_by_side import set_layers, show_only_at, show_side_by_side

_TAG = "DCEResponse.SegmentEditor"
TARGETS = (("before", "Regions"), ("after", "Regions"), ("before", "Artery"), ("after", "Artery"))


class Drawing:
    """Binds the segment editor to the outlines or artery of a date; ``measured()`` is called after live values came."""

    def __init__(self, ui: Any, logic: Any, measured: Callable[[], None]) -> None:
        self.ui, self.logic = ui, logic
        self.live = LiveDrawing(measured)
        self._chosen: Any = None
        self._entered = False
        for text in (_("Outlines before"), _("Outlines after"), _("Artery before"), _("Artery after")):
            ui.editComboBox.addItem(text)
        ui.segmentEditor.segmentationNodeSelectorVisible = False
        ui.segmentEditor.sourceVolumeNodeSelectorVisible = False
        ui.segmentEditor.autoShowSourceVolumeNode = False  # it would put one date's image into both dates' views
        ui.editComboBox.connect("currentIndexChanged(int)", lambda *_: self.edit())
        ui.lesionButton.connect("clicked(bool)", lambda *_: self.add_segment("lesion"))
        ui.referenceButton.connect("clicked(bool)", lambda *_: self.add_segment("reference"))
        ui.liveCheckBox.connect("toggled(bool)", lambda *_: self.follow())
        for selector in (ui.beforeRegionsSelector, ui.afterRegionsSelector):
            selector.connect("currentNodeChanged(vtkMRMLNode*)", lambda *_: self.edit())

    @property
    def target(self) -> tuple[str, str]:
        """Date, and "Regions" or "Artery"."""
        return TARGETS[max(self.ui.editComboBox.currentIndex, 0)]

    def setParameterNode(self, chosen: Any) -> None:
        self._chosen = chosen
        if chosen is None:
            self.live.stop()

    def enter(self) -> None:
        """Give the editor its node, and views to draw in."""
        from BoneQuantPanels.segment_editor import open_editor

        self._entered = True
        open_editor(self.ui.segmentEditor, _TAG)
        self.edit()
        self.follow()

    def leave(self) -> None:
        from BoneQuantPanels.segment_editor import close_editor

        self._entered = False
        self.live.stop()
        close_editor(self.ui.segmentEditor)

    def edit(self, *, make: bool = False) -> Any:
        """Bind the editor to what is chosen to be drawn; ``make`` makes a segmentation where there is none."""
        chosen, (date, what) = self._chosen, self.target
        if chosen is None or not self._entered:
            return None
        node = self._node(date, what)
        sequence = getattr(chosen, f"{date}Sequence")
        anatomy = rise = None
        if sequence is not None and (make or node is not None):
            anatomy, rise = images_of(self.logic, date, sequence)
            node = self._node(date, what)  # what was carried onto another series is gone now
        if node is None and make:
            node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", _NAMES[what].format(date=date))
            node.CreateDefaultDisplayNodes()
            if anatomy is not None:
                node.SetReferenceImageGeometryParameterFromVolumeNode(anatomy)
                node.SetAndObserveTransformNodeID(anatomy.GetTransformNodeID())
            setattr(chosen, f"{date}{what}", node)
            show_in_its_view(date, rise if what == "Artery" else anatomy, node)
        editor = self.ui.segmentEditor
        if editor.segmentationNode() is not node:
            editor.setSegmentationNode(node)
        if node is not None and anatomy is not None:
            editor.setSourceVolumeNode(rise if what == "Artery" else anatomy)
        return node

    def add_segment(self, name: str) -> str:
        """An empty segment in the outlines of the date that is drawn on; its ID."""
        from BoneQuantPanels.work import errors_shown

        with errors_shown(_("No segment could be added.")):
            if self.target[1] == "Artery":
                self.ui.editComboBox.currentIndex = TARGETS.index((self.target[0], "Regions"))
            node = self.edit(make=True)
            segmentation = node.GetSegmentation()
            names = [segmentation.GetNthSegment(i).GetName() for i in range(segmentation.GetNumberOfSegments())]
            number = 1
            while name == "lesion" and f"lesion_{number}" in names:
                number += 1
            wanted = f"lesion_{number}" if name == "lesion" else name
            colour = (0.20, 0.75, 0.45) if name == "reference" else (0.90, 0.35, 0.20)
            segment_id = segmentation.GetSegmentIdBySegmentName(wanted)
            if not segment_id:
                segment_id = segmentation.AddEmptySegment(wanted, wanted, colour)
            self.ui.segmentEditor.setCurrentSegmentID(segment_id)
            self._chosen.parameterNode.Modified()
            return segment_id
        return ""

    def draw_artery(self, date: str) -> None:
        """Go to the artery of a date in the editor, with an empty segment where nothing was found yet."""
        from BoneQuantPanels.work import errors_shown

        with errors_shown(_("The artery cannot be drawn.")):
            self.ui.editComboBox.currentIndex = TARGETS.index((date, "Artery"))
            node = self.edit(make=True)
            show_in_its_view(date, self.ui.segmentEditor.sourceVolumeNode(), node)
            if node.GetSegmentation().GetNumberOfSegments() == 0:
                node.GetSegmentation().AddEmptySegment("aif", "aif", (0.84, 0.15, 0.15))
            self.ui.segmentEditor.setCurrentSegmentID(node.GetSegmentation().GetNthSegmentID(0))
            self.ui.regionsSection.collapsed = False

    def follow(self) -> None:
        """Let curves and values follow the drawing, where the user wants that and there is a comparison."""
        self.live.stop()
        chosen, result, wanted = self._chosen, self.logic.result, self.ui.liveCheckBox.checked
        if chosen is None or result is None or not wanted or not self._entered:
            return
        regions = {date: getattr(chosen, f"{date}Regions") for date in ("before", "after")}
        nodes = self.logic.nodes()
        self.live.start(result, nodes, regions)
        for date, node in self.live.carried.items():
            nodes.put(f"carried.{date}", node)
        self.edit()

    def _node(self, date: str, what: str) -> Any:
        # Widgets tell of a change before the parameter node has it, so what a user chooses is read from them.
        outlines = {"before": self.ui.beforeRegionsSelector, "after": self.ui.afterRegionsSelector}
        node = outlines[date].currentNode() if what == "Regions" else getattr(self._chosen, f"{date}{what}")
        return node or (self.logic.nodes().get(f"carried.{date}") if what == "Regions" else None)


def show_in_its_view(date: str, image: Any, drawing: Any) -> None:
    """The view of a date shows what is drawn there, on what; the other view keeps what it shows."""
    if image is not None and show_side_by_side():
        set_layers(date, image)
        show_only_at(date, [drawing])


_NAMES = {"Regions": "Outlines {date}", "Artery": "Artery {date}"}
