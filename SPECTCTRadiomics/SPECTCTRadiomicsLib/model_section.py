"""The model's view of the lesions: probability, call, what each feature contributed, and why it may refuse."""

from __future__ import annotations

from typing import Any

from slicer.i18n import tr as _

from SPECTCTRadiomicsLib.section import Section, say


class ModelSection(Section):
    def __init__(self, panel: Any) -> None:
        super().__init__(panel)
        self.predictions: dict[str, Any] = {}
        self._of: Any = None  # the record that the predictions are of
        self.ui.predictButton.connect("clicked(bool)", self.on_predict)

    def enter(self) -> None:
        say(self.ui.predictionLabel, "")

    def exit(self) -> None:
        self.predictions, self._of = {}, None
        say(self.ui.predictionLabel, "")

    def refresh(self) -> None:
        chosen = self.chosen
        missing = "" if chosen.record else _("Measure the lesions first")
        missing = missing or ("" if chosen.modelPath.is_file() else _("Choose a model file first"))
        self.enable("predictButton", missing, _("Apply the model to every measured lesion"))

    def on_predict(self) -> None:
        chosen = self.chosen
        found = self.run(
            _("The model could not be applied."),
            lambda: self.logic.predict(chosen.record, chosen.modelPath, chosen.centre.strip()),
        )
        if found is not None:
            self.predictions, self._of = found, chosen.record
            self.show_selected()
            self.panel.refresh()

    def show_selected(self) -> None:
        from bonequant.mrml.lesion_model import sentence
        from BoneQuantPanels.views import show_chart

        from SPECTCTRadiomicsLib.paired_views import LAYOUT, are_shown

        chosen = self.chosen
        one = self.predictions.get(self.selected_lesion()) if self._of is chosen.record else None
        if one is None:
            say(self.ui.predictionLabel, "")
        elif isinstance(one, str):
            say(self.ui.predictionLabel, _("Refused: {reason}").format(reason=one))
        else:
            _table, chart = self.logic.explain(chosen.record, self.selected_lesion(), one)
            say(self.ui.predictionLabel, "<br>".join((f"<b>{sentence(one)}</b>", *one.warnings)))
            show_chart(chart, LAYOUT if are_shown() else None)
