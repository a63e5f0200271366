"""Images, lesions and drawing: the list of lesions, the segment editor, the copy on the other image, kept in step."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from SPECTCTRadiomicsLib.section import Section, say

_EDITOR = "SPECTCTRadiomics"
_COLUMNS = ("lesion", "volume_ml", "functional_mean", "functional_max", "ct_mean", "copy")
_DELAY_S = 0.05


class LesionSection(Section):
    def __init__(self, panel: Any) -> None:
        from BoneQuantPanels.facts_form import FactsForm

        super().__init__(panel)
        self.facts = FactsForm(self.ui.factsBox.layout(), _fact_rows(), panel.refresh)
        self.ui.factsBox.collapsed = True
        say(self.ui.qualityLabel, "")
        self.live, self.list, self._following = None, None, ()
        self._observed: list[tuple[Any, int]] = []
        self._copy_waits = self._placing = False
        table = self.ui.lesionTable
        table.setColumnCount(len(_COLUMNS))
        headers = [_("Lesion"), _("mL"), _("SPECT mean"), _("max"), _("CT mean"), _("Copy")]
        table.setHorizontalHeaderLabels(headers)
        table.verticalHeader().setVisible(False)
        table.horizontalHeader().setSectionResizeMode(qt.QHeaderView.ResizeToContents)
        table.horizontalHeader().setSectionResizeMode(0, qt.QHeaderView.Stretch)
        table.setSelectionBehavior(qt.QAbstractItemView.SelectRows)
        table.setSelectionMode(qt.QAbstractItemView.SingleSelection)
        table.setEditTriggers(qt.QAbstractItemView.NoEditTriggers)
        table.minimumHeight, table.maximumHeight = 120, 170
        self.ui.segmentEditor.autoShowSourceVolumeNode = False  # the pair of views shows what belongs in each
        for name, slot in (
            ("demoButton", self.on_demo),
            ("alignButton", self.on_align),
            ("undoButton", self.on_undo),
            ("viewsButton", self.on_views),
            ("addButton", self.on_add),
            ("followButton", self.on_follow_again),
        ):
            getattr(self.ui, name).connect("clicked(bool)", slot)
        table.connect("itemSelectionChanged()", self.on_selected)
        self.ui.levelEdit.connect("editingFinished()", self.on_level)
        self.ui.editBox.connect("currentIndexChanged(int)", self.on_edit)
        self.ui.segmentEditor.connect("currentSegmentIDChanged(QString)", self.on_segment)

    def enter(self) -> None:
        from BoneQuantPanels.segment_editor import open_editor

        from SPECTCTRadiomicsLib.paired_views import register_layout

        register_layout()
        with self._placed():
            open_editor(self.ui.segmentEditor, _EDITOR)

    def exit(self) -> None:
        from BoneQuantPanels.segment_editor import close_editor

        self.stop()
        self.facts.set_node(None)
        close_editor(self.ui.segmentEditor)

    def refresh(self) -> None:
        chosen = self.chosen
        self.facts.set_node(chosen.functionalVolume)
        no_image = "" if chosen.functionalVolume or chosen.ctVolume else _("Select a CT, a SPECT or PET, or both first")
        no_pair = "" if chosen.functionalVolume and chosen.ctVolume else _("Select both images first")
        aligned = chosen.functionalVolume is not None and bool(
            chosen.functionalVolume.GetNodeReferenceID("BoneQuant.Alignment")
        )
        self.enable("alignButton", no_pair, _("Register the SPECT or PET to the CT; lesions drawn on it go along"))
        self.enable("undoButton", "" if aligned else _("Nothing was registered"), _("Back to the scanner's alignment"))
        self.enable("viewsButton", no_image, _("Show both images side by side, linked"))
        self.enable("addButton", no_image, _("Add an empty lesion and draw it below"))
        self._show_where_drawn()
        self.ui.drawOnBox.enabled = chosen.lesions is None
        self.ui.drawOnBox.toolTip = (
            _("The image on which new lesions are drawn")
            if chosen.lesions is None
            else _("Lesions of one segmentation are drawn on one image; choose no lesions to begin another")
        )
        self.follow()
        self._refresh_editing()

    def _show_where_drawn(self) -> None:
        from bonequant.errors import InputError

        chosen = self.chosen
        if chosen.lesions is not None and (chosen.ctVolume is not None or chosen.functionalVolume is not None):
            with contextlib.suppress(InputError):  # lesions of other images: following them says so
                on = self.drawn_on()
                chosen.drawOn = type(chosen.drawOn)["CT" if on == "ct" else "FUNCTIONAL"]

    def follow(self) -> None:
        """Observe the lesions that are chosen, and carry them to the other image if that is wanted."""
        from bonequant.errors import InputError
        from bonequant.mrml.lesion_list import LesionList
        from bonequant.mrml.live import LivePropagation
        from BoneQuantPanels.later import call_later

        chosen = self.chosen
        wanted = (chosen.lesions, chosen.ctVolume, chosen.functionalVolume, chosen.live)
        if wanted == self._following and (self.live is None or self.live.running):
            return
        self.stop()
        self._following = wanted
        if chosen.lesions is None or (chosen.ctVolume is None and chosen.functionalVolume is None):
            return
        try:
            on = self.drawn_on()
            other = chosen.functionalVolume if on == "ct" else chosen.ctVolume
            volumes = [other] if other is not None and chosen.live else []
            self.live = LivePropagation(chosen.lesions, volumes, on_update=self.on_drawn, schedule=call_later)
            carried = self.carried()
            self.list = LesionList(chosen.lesions, chosen.ctVolume, chosen.functionalVolume, carried)
        except InputError as error:
            self.stop()
            self._following = wanted
            say(self.ui.lesionsNote, f'<span style="color:#c0392b">{error}</span>')
            return
        say(self.ui.lesionsNote, "")
        if carried is not None:
            kinds = slicer.vtkSegmentation
            for event in (kinds.SourceRepresentationModified, kinds.RepresentationModified, kinds.SegmentModified):
                self._observed.append((carried, carried.AddObserver(event, self._on_copy)))
        self._show_drawing()
        self.show_list(self.list.refresh())

    def stop(self) -> None:
        """Observe nothing any more."""
        while self._observed:
            node, tag = self._observed.pop()
            node.RemoveObserver(tag)
        if self.live is not None:
            self.live.stop()
        self.live, self.list, self._following = None, None, ()
        self.ui.lesionTable.setRowCount(0)

    def on_drawn(self, changed: list[str]) -> None:
        """Strokes were carried: only what they changed is measured again."""
        if self.list is not None:
            self.show_list(self.list.refresh(changed))
            self.panel.features.drawn_since()

    def show_list(self, rows: list[dict[str, Any]]) -> None:
        table, chosen = self.ui.lesionTable, self.chosen
        blocked = table.blockSignals(True)
        table.setRowCount(len(rows))
        for index, row in enumerate(rows):
            for column, name in enumerate(_COLUMNS):
                table.setItem(index, column, qt.QTableWidgetItem(_cell(row.get(name, ""))))
        ids = _ids(chosen.lesions)
        if chosen.lesion in ids:
            table.selectRow(ids.index(chosen.lesion))
        table.blockSignals(blocked)
        self.list.to_node(rows)
        if ids and chosen.lesion not in ids:
            self.select(ids[-1])

    def select(self, segment_id: str) -> None:
        """Make a lesion the selected one, everywhere."""
        if self.chosen is None or segment_id == self.chosen.lesion:
            return
        self.chosen.lesion = segment_id
        self.panel.onSelected()

    def show_selected(self) -> None:
        from bonequant.mrml.lesion_inputs import LEVEL, tag

        from SPECTCTRadiomicsLib.paired_views import jump_to

        chosen, ids = self.chosen, _ids(self.chosen.lesions)
        if chosen.lesion not in ids:
            return
        blocked = self.ui.lesionTable.blockSignals(True)
        self.ui.lesionTable.selectRow(ids.index(chosen.lesion))
        self.ui.lesionTable.blockSignals(blocked)
        self.ui.levelEdit.text = tag(chosen.lesions, chosen.lesion, LEVEL)
        self._show_drawing()
        self.ui.segmentEditor.setCurrentSegmentID(chosen.lesion)
        centre = chosen.lesions.GetSegmentCenterRAS(chosen.lesion)
        if centre is not None:  # None while nothing is drawn
            jump_to(centre)

    def on_selected(self) -> None:
        ids, row = _ids(self.chosen.lesions), self.ui.lesionTable.currentRow()
        if 0 <= row < len(ids):
            self.select(ids[row])

    def on_segment(self, segment_id: str) -> None:
        if self.chosen is not None and not self._placing and segment_id in _ids(self.chosen.lesions):
            self.select(segment_id)

    @contextlib.contextmanager
    def _placed(self) -> Iterator[None]:
        """While a segmentation is put into the editor: it selects the first segment then, which no user chose."""
        self._placing = True
        try:
            yield
        finally:
            self._placing = False

    def on_level(self) -> None:
        from bonequant.mrml.lesion_inputs import LEVEL, set_tag

        if self.selected_lesion():
            set_tag(self.chosen.lesions, self.chosen.lesion, LEVEL, self.ui.levelEdit.text.strip())

    def on_demo(self) -> None:
        made = self.run(_("The demo data could not be made."), lambda: self.logic.makeDemo(self.panel.work.run))
        if made is not None and self.chosen is not None:
            self.chosen.ctVolume, self.chosen.functionalVolume, self.chosen.lesions = made
            self.on_views()
            self.panel.onSelected()

    def on_views(self) -> None:
        from bonequant.mrml.kept import kept_node
        from BoneQuantPanels.views import show_table

        from SPECTCTRadiomicsLib.paired_views import LAYOUT, show_pair

        chosen = self.chosen
        show_pair(chosen.functionalVolume, chosen.ctVolume)
        self._show_drawing()
        listed = kept_node(chosen.lesions, "List") if chosen.lesions is not None else None
        if listed is not None and chosen.record is None:
            show_table(listed, LAYOUT)

    def on_align(self) -> None:
        from BoneQuantPanels.quality_light import show_quality

        chosen = self.chosen
        quality = self.run(
            _("The images could not be registered."),
            lambda: self.logic.align(chosen.ctVolume, chosen.functionalVolume, chosen.lesions, self.panel.work.run),
        )
        if quality is not None:
            show_quality(self.ui.qualityLabel, quality.level, quality.text)
            self.ui.qualityLabel.visible = True

    def on_undo(self) -> None:
        self.logic.undoAlign(self.chosen.functionalVolume, self.chosen.lesions)
        say(self.ui.qualityLabel, "")
        self.panel.refresh()

    def on_add(self) -> None:
        added = self.run(_("No lesion could be added."), self._add)
        if added:
            self.select(added)
            self.ui.segmentEditor.setCurrentSegmentID(added)

    def _add(self) -> str:
        chosen = self.chosen
        if chosen.lesions is None:
            on_ct = chosen.functionalVolume is None or (chosen.ctVolume is not None and chosen.drawOn.name == "CT")
            chosen.lesions = self.logic.newLesions(chosen.ctVolume if on_ct else chosen.functionalVolume)
            self.on_views()
        self.ui.editBox.currentIndex = 0
        return self.logic.addLesion(chosen.lesions)

    def on_edit(self, *_: Any) -> None:
        if self.chosen is not None:
            self._refresh_editing()

    def on_follow_again(self) -> None:
        other = self._other_volume()
        if self.live is not None and other is not None:
            self.live.reset(other, self.chosen.lesion)
            self.show_list(self.list.refresh([self.chosen.lesion]))
            self.panel.refresh()

    def _refresh_editing(self) -> None:
        """The segment editor works on the drawing, or on its copies."""
        from bonequant.mrml.lesion_inputs import is_adjusted
        from BoneQuantPanels.segment_editor import edit

        chosen = self.chosen
        other, carried = self._other_volume(), None
        if other is not None:
            carried = self.carried()
        self.ui.editBox.enabled = carried is not None
        copies = carried is not None and self.ui.editBox.currentIndex == 1
        with self._placed():
            if copies:
                edit(self.ui.segmentEditor, carried, other)
            else:
                own = chosen.functionalVolume if other is chosen.ctVolume else chosen.ctVolume
                edit(self.ui.segmentEditor, chosen.lesions, own or chosen.functionalVolume or chosen.ctVolume)
            if chosen.lesion:
                self.ui.segmentEditor.setCurrentSegmentID(chosen.lesion)
        followed = carried is not None and is_adjusted(carried, chosen.lesion)
        tip = _("Drop the adjustment of the selected copy: it follows the drawing again")
        self.enable("followButton", "" if followed else _("The copy of the selected lesion was not adjusted"), tip)

    def _other_volume(self) -> Any:
        """The image on which the lesions were not drawn; None with one image, or without lesions that fit."""
        chosen = self.chosen
        if self.live is None or chosen.ctVolume is None or chosen.functionalVolume is None:
            return None
        on = self.drawn_on()
        return chosen.functionalVolume if on == "ct" else chosen.ctVolume

    def _show_drawing(self) -> None:
        from bonequant.mrml.lesion_nodes import section_nodes

        from SPECTCTRadiomicsLib.paired_views import are_shown, show_drawing, show_in

        chosen = self.chosen
        for image, sections in section_nodes(chosen.record).items() if chosen.record is not None else ():
            show_in(sections, "ct" if image == "CT" else "functional")
        if self.live is not None and are_shown():
            show_drawing(chosen.lesions, self.carried(), self.drawn_on())

    def _on_copy(self, caller: Any, event: str) -> None:
        """A copy was written or adjusted: the list says which, once for all strokes of a moment."""
        from BoneQuantPanels.later import call_later

        if not self._copy_waits:
            self._copy_waits = True
            call_later(_DELAY_S, self._on_copy_time)

    def _on_copy_time(self) -> None:
        self._copy_waits = False
        if self.list is not None and self.chosen is not None:
            self.show_list(self.list.refresh([self.chosen.lesion]))
            self.panel.refresh()


def _fact_rows() -> list[Any]:
    """What decides the unit in which a SPECT or PET is measured."""
    from BoneQuantPanels.facts_form import Fact

    return [
        Fact("unit", _("Voxels are in"), needed=True, hint="counts, Bq/mL, SUVbw"),
        Fact("patient_weight_kg", _("Weight"), "kg"),
        Fact("radionuclide", _("Radionuclide"), hint="Tc-99m"),
        Fact("injected_activity_bq", _("Injected activity"), "MBq", 1e6),
        Fact("injection_time", _("Injection"), hint="2026-01-31 08:30"),
        Fact("acquisition_start", _("Start of scan"), hint="2026-01-31 11:30"),
        Fact("decay_correction", _("Decay corrected to"), hint="START, ADMIN, NONE"),
        Fact("calibration_factor_cps_per_mbq", _("Calibration"), "cps/MBq"),
    ]


def _ids(node: Any) -> list[str]:
    segmentation = node.GetSegmentation() if node is not None else None
    count = segmentation.GetNumberOfSegments() if segmentation is not None else 0
    return [segmentation.GetNthSegmentID(index) for index in range(count)]


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return "" if value != value else f"{value:.4g}"
    return str(value)
