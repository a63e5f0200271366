"""What the readers call the selected lesion, and how far they agree, with each other or with the model."""

from __future__ import annotations

from typing import Any

from slicer.i18n import tr as _

from SPECTCTRadiomicsLib.section import Section, fill, say


class ReaderSection(Section):
    def __init__(self, panel: Any) -> None:
        from bonequant.mrml.lesion_inputs import READER, SECOND_READER

        super().__init__(panel)
        self._boxes = {READER: self.ui.readerBox, SECOND_READER: self.ui.secondReaderBox}
        for tag, box in self._boxes.items():
            box.connect("currentIndexChanged(int)", lambda index, tag=tag: self.on_grade(tag))
        self.ui.kappaButton.connect("clicked(bool)", self.on_agreement)

    def enter(self) -> None:
        say(self.ui.kappaLabel, "")

    def refresh(self) -> None:
        from bonequant.mrml.lesion_inputs import tag
        from bonequant.studies.lesion_radiomics import GRADE_NAMES, GRADES

        chosen, lesion = self.chosen, self.selected_lesion()
        self.ui.selectedLabel.text = lesion or _("none: select one in the list of lesions")
        names = [(_("not graded"), "")] + [
            (f"{grade} {name}", str(grade)) for grade, name in zip(GRADES, GRADE_NAMES, strict=True)
        ]
        for name, box in self._boxes.items():
            box.enabled = bool(lesion)
            fill(box, names, tag(chosen.lesions, chosen.lesion, name) if lesion else "")
        missing = "" if chosen.lesions else _("Draw or select lesions, and grade them, first")
        if chosen.compareWith.name == "MODEL" and not self._predictions():
            missing = missing or _("Apply a model to the lesions first")
        self.enable("kappaButton", missing, _("Agreement over all lesions that both have graded"))

    def show_selected(self) -> None:
        self.refresh()

    def on_grade(self, name: str) -> None:
        from bonequant.mrml.lesion_inputs import set_tag

        if self.chosen is not None and self.selected_lesion():
            set_tag(self.chosen.lesions, self.chosen.lesion, name, self._boxes[name].currentData or "")
            say(self.ui.kappaLabel, "")

    def on_agreement(self) -> None:
        chosen = self.chosen
        with_model = chosen.compareWith.name == "MODEL"
        weights = chosen.weights.name.lower()
        found = self.run(
            _("The agreement could not be computed."),
            lambda: self.logic.agreement(chosen.lesions, self._predictions() if with_model else None, weights),
        )
        if found is not None:
            text = _("Kappa {value:.2f} (95 % CI {low:.2f} to {high:.2f}), {weights} weights, {n} lesions")
            low, high = found.ci
            say(self.ui.kappaLabel, text.format(value=found.value, low=low, high=high, weights=weights, n=found.n))

    def _predictions(self) -> Any:
        return self.panel.model.predictions
