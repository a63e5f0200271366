"""The model's view of the lesions: probability, call, what each feature contributed, and why it may refuse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import slicer
from slicer.i18n import tr as _

from SPECTCTRadiomicsLib.section import Section, say

_SHOWN = 3  # warnings in the panel


class ModelSection(Section):
    def __init__(self, panel: Any) -> None:
        super().__init__(panel)
        self.predictions: dict[str, Any] = {}
        self._of: Any = None  # the record that the predictions are of
        self.ui.predictButton.connect("clicked(bool)", self.on_predict)
        self.ui.demoModelButton.connect("clicked(bool)", self.on_demo_model)
        self.ui.likeButton.connect("clicked(bool)", self.on_like)

    def enter(self) -> None:
        say(self.ui.predictionLabel, "")

    def exit(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Predictions of features that are no longer those shown."""
        self.predictions, self._of = {}, None
        say(self.ui.predictionLabel, "")

    def refresh(self) -> None:
        chosen = self.chosen
        if self._of is not None and self._of is not chosen.record:
            self.forget()
        no_model = "" if chosen.modelPath.is_file() else _("Choose a model file first")
        missing = "" if chosen.record else _("Measure the lesions first")
        self.enable("predictButton", missing or no_model, _("Apply the model to every measured lesion"))
        self.enable("likeButton", no_model, _("Measure with exactly the settings that the model was trained with"))

    def on_like(self) -> None:
        found = self.run(
            _("The model's settings cannot be taken."),
            lambda: self.logic.settingsLike(self.chosen.modelPath, self.panel.features.settings()),
        )
        if found is not None:
            self.chosen.settings = found.to_json()

    def on_demo_model(self) -> None:
        folder = Path(slicer.app.temporaryPath)
        path = self.run(
            _("The demo model could not be trained."),
            lambda: self.logic.makeDemoModel(folder / "bonequant_demo_model.json", self.panel.work.run),
        )
        if path is not None and self.chosen is not None:
            self.chosen.modelPath = path

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
        from bonequant.mrml.lesion_model import reasons, sentence
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
            more = len(one.warnings) - _SHOWN
            rest = [_("and {n} more: see the table of predictions").format(n=more)] if more > 0 else []
            lines = (f"<b>{sentence(one)}</b>", reasons(one), *one.warnings[:_SHOWN], *rest)
            say(self.ui.predictionLabel, "<br>".join(lines))
            show_chart(chart, LAYOUT if are_shown() else None)
