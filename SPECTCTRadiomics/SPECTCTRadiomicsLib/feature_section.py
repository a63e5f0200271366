"""Settings, the measurement, the table of the selected lesion's features, and the results folder."""

from __future__ import annotations

from typing import Any

from slicer.i18n import tr as _

from SPECTCTRadiomicsLib.section import Section, say

_BASIC = ("families", "plane", "quantity", "normalisation", "perturb")
_ELSEWHERE = ("alignment", "registration", "maps", "skeleton", "lesion_sd", "lesion_min_ml")


class FeatureSection(Section):
    def __init__(self, panel: Any) -> None:
        from bonequant.settings import describe
        from bonequant.studies.lesion_radiomics import LesionSettings
        from BoneQuantPanels.settings_form import SettingsForm

        super().__init__(panel)
        self.kind = LesionSettings
        names = [row["name"] for row in describe(LesionSettings)]
        hidden = [name for name in names if name.split(".")[0] in (*_ELSEWHERE, *_BASIC)]
        self.forms = [
            SettingsForm(LesionSettings, self.ui.basicWidget.layout(), self.on_settings, names=_BASIC),
            SettingsForm(LesionSettings, self.ui.advancedBox.layout(), self.on_settings, skip=hidden),
        ]
        self.ui.advancedBox.collapsed = True
        self.ui.measureButton.connect("clicked(bool)", self.on_measure)
        self.ui.containsEdit.connect("editingFinished()", self.show_selected)
        self.ui.reportButton.connect("clicked(bool)", self.on_report)

    def enter(self) -> None:
        for label in (self.ui.featuresNote, self.ui.exportLabel):
            say(label, "")

    def refresh(self) -> None:
        chosen = self.chosen
        for form in self.forms:
            form.set_json(chosen.settings)
        self._keep_record()
        missing = "" if chosen.ctVolume or chosen.functionalVolume else _("Select a CT, a SPECT or PET, or both first")
        missing = missing or ("" if chosen.lesions else _("Draw or select lesions first"))
        self.enable("measureButton", missing, _("Features of every lesion on every image"))
        now = "" if self.logic.result(chosen.record) else _("Measure the lesions first: results are of this session")
        self.enable("reportButton", now, _("Write report, tables, regions and maps to a new folder"))

    def _keep_record(self) -> None:
        """A measurement is shown beside the lesions it is of and nowhere else; of other images it is said to be old."""
        from bonequant.mrml.lesion_record import is_of, measured_images

        chosen = self.chosen
        if chosen.record is None:
            return
        if not is_of(chosen.record, chosen.lesions):
            self._put_away(chosen.record)
            chosen.record = None
            say(self.ui.featuresNote, "")
        elif measured_images(chosen.record) != (chosen.ctVolume, chosen.functionalVolume):
            say(self.ui.featuresNote, _note(_("Measured on other images: measure again.")))

    def _put_away(self, record: Any) -> None:
        """Its sections and its table leave the views; they stay in the scene."""
        from bonequant.mrml.kept import kept_node
        from bonequant.mrml.lesion_nodes import section_nodes
        from BoneQuantPanels.views import show_table

        from SPECTCTRadiomicsLib.paired_views import LAYOUT, are_shown

        for node in section_nodes(record).values():
            node.GetDisplayNode().SetVisibility(False)
        listed = kept_node(self.chosen.lesions, "List") if self.chosen.lesions is not None else None
        if listed is not None and are_shown():
            show_table(listed, LAYOUT)

    def settings(self) -> Any:
        text = self.chosen.settings
        return self.kind.from_json(text) if text else self.kind()

    def on_settings(self, text: str) -> None:
        if self.chosen is not None:
            self.chosen.settings = text

    def on_measure(self) -> None:
        chosen = self.chosen
        record = self.run(
            _("The lesions could not be measured."),
            lambda: self.logic.measure(
                chosen.ctVolume,
                chosen.functionalVolume,
                chosen.lesions,
                self.settings(),
                second=chosen.secondDrawing,
                patient=chosen.patient.strip(),
                record=chosen.record,
                work=self.panel.work.run,
            ),
        )
        if record is None:
            return
        chosen.record = record
        if self.chosen is not chosen:  # the panel was left meanwhile
            return
        self.panel.model.forget()
        say(self.ui.featuresNote, "<br>".join(map(_note, self.logic.result(record).warnings)))
        self.panel.onSelected()

    def drawn_since(self) -> None:
        """The lesions are no longer those that were measured."""
        if self.chosen is not None and self.chosen.record is not None:
            say(self.ui.featuresNote, _note(_("Drawn since the last measurement: measure again.")))

    def show_selected(self) -> None:
        from bonequant.mrml.lesion_record import record_from_node
        from BoneQuantPanels.views import show_table

        from SPECTCTRadiomicsLib.paired_views import LAYOUT, are_shown

        chosen, lesion = self.chosen, self.selected_lesion()
        if chosen is None or chosen.record is None or lesion not in record_from_node(chosen.record)["lesions"]:
            return
        table = self.run(
            _("The features cannot be shown."),
            lambda: self.logic.showLesion(chosen.record, lesion, self.ui.containsEdit.text.strip()),
        )
        if table is not None:
            show_table(table, LAYOUT if are_shown() else None)

    def on_report(self) -> None:
        from BoneQuantPanels.results import new_folder, open_report

        chosen = self.chosen
        folder = new_folder(chosen.outputFolder, "lesion_radiomics")

        def ready_and_written() -> Any:
            from BoneQuantCore import ensureRequirements

            ensureRequirements(_("SPECT/CT Radiomics"))  # asks the user, so not in the thread of the work
            return self.logic.write(chosen.record, folder, self.panel.work.run)

        path = self.run(_("The results could not be written."), ready_and_written)
        if path is not None:
            say(self.ui.exportLabel, _("Written: {path}").format(path=path))
            open_report(path)


def _note(text: str) -> str:
    return f'<span style="color:#a05a00">{text}</span>'
