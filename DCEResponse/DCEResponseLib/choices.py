"""From what a parameter node names to the calls of the logic: what the panel does when its buttons are pressed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import slicer
from slicer.i18n import tr as _

DATES = ("before", "after")


class Choices:
    """``chosen`` is a DCEResponseParameterNode; ``run`` calls the work given to it with a progress callback."""

    def __init__(self, logic: Any) -> None:
        self.logic = logic

    def missing(self, chosen: Any) -> str:
        """What a comparison still needs, in one sentence; "" where it can start."""
        if chosen.beforeSequence is None:
            return _("Select the DCE series before therapy first")
        if chosen.afterSequence is None:
            return _("Select the DCE series after therapy first")
        drawn = [node for date in DATES if (node := getattr(chosen, f"{date}Regions")) is not None]
        if not any(node.GetSegmentation().GetNumberOfSegments() for node in drawn):
            return _("Draw the lesion at one date first")
        return ""

    def select(self, chosen: Any, date: str, nodes: dict[str, Any]) -> None:
        """Choose the nodes of a study that was read; see mrml.dce_nodes.date_to_nodes."""
        names = {"sequence": "Sequence", "t1": "T1", "flip_angles": "FlipAngles", "regions": "Regions"}
        for role, name in names.items():
            setattr(chosen, f"{date}{name}", nodes.get(role))

    def settings(self, chosen: Any) -> Any:
        from bonequant.studies.treatment_response import ResponseSettings

        return ResponseSettings.from_json(chosen.settings) if chosen.settings else ResponseSettings()

    def study(self, chosen: Any, date: str) -> Any:
        """The inputs of one date, read at once."""
        return self.reader(chosen, date)()

    def reader(self, chosen: Any, date: str) -> Callable[[], Any]:
        """What reads the inputs of one date beside the interface; see mrml.dce_nodes.date_reader.

        Outlines carried there count where the user adjusted them.
        """
        from bonequant.mrml.dce_nodes import date_reader

        delay = getattr(chosen, f"{date}Shift") if getattr(chosen, f"{date}Shifted") else None
        regions = getattr(chosen, f"{date}Regions") or self.logic.nodes().get(f"carried.{date}")
        return date_reader(
            date,
            getattr(chosen, f"{date}Sequence"),
            t1=getattr(chosen, f"{date}T1"),
            flip_angles=getattr(chosen, f"{date}FlipAngles"),
            regions=[] if regions is None else [regions],
            artery=getattr(chosen, f"{date}Artery"),
            delay_s=delay,
        )

    def find_artery(self, chosen: Any, date: str, run: Callable[..., Any]) -> None:
        """Find the input of one date, or take the voxels that were drawn; its voxels and curve go into the scene."""
        from bonequant.mrml.dce_nodes import artery_to_node, lay_like
        from bonequant.mrml.result_nodes import remove_node

        read = self.reader(chosen, date)
        one = run(lambda progress: read())
        found = self.logic.findArtery(one, self.settings(chosen), shift=getattr(chosen, f"{date}Shift"), run=run)
        if found.mask is None or one.dce.aif_region is not None:
            return
        former = getattr(chosen, f"{date}Artery")
        node = artery_to_node(found, _("Artery {date}").format(date=date), slicer.mrmlScene)
        lay_like(self.logic.nodes().get(f"anatomy.{date}"), [node])
        setattr(chosen, f"{date}Artery", node)
        if former is not None:
            remove_node(former)

    def fit_maps(self, chosen: Any, date: str, run: Callable[..., Any]) -> Any:
        """Maps of one date alone."""
        read = self.reader(chosen, date)
        return self.logic.fitMaps(run(lambda progress: read()), self.settings(chosen), run=run)

    def compare(self, chosen: Any, run: Callable[..., Any]) -> Any:
        """Compare the two dates."""
        from bonequant.mrml.dce_nodes import lay_like
        from bonequant.response import Radiotherapy

        from DCEResponseLib.evidence import as_day, evidence_rows

        therapy = None
        if chosen.radiotherapyEnd or chosen.doseGy or chosen.fractions:
            end = as_day(chosen.radiotherapyEnd, _("End of radiotherapy"))
            therapy = Radiotherapy(end, chosen.doseGy or None, chosen.fractions or None)
        readers = [self.reader(chosen, date) for date in DATES]
        before, after = run(lambda progress: [read() for read in readers])
        result = self.logic.compare(
            before,
            after,
            self.settings(chosen),
            run=run,
            radiotherapy=therapy,
            reference_in_field=chosen.referenceInField.answer,
            fracture=chosen.fracture.answer,
            evidence=evidence_rows(chosen.evidence),
            same_patient_confirmed=chosen.samePatientConfirmed,
        )
        for date in DATES:
            own = [getattr(chosen, f"{date}{what}") for what in ("Regions", "Artery", "T1")]
            lay_like(self.logic.nodes().get(f"anatomy.{date}"), own)
        return result


def fit_one(nodes: Any, study: Any, settings: Any, run: Callable[..., Any]) -> Any:
    """Run the DCE job on one date, with its lesions and references as regions, and put its result into the scene."""
    from bonequant.mrml.input_nodes import images_of_date, images_to_nodes
    from bonequant.mrml.response_nodes import study_to_nodes
    from bonequant.studies import dce_perfusion

    references = {f"{name}_reference" if name else "reference": mask for name, mask in study.references.items()}
    inputs = dataclasses.replace(study.dce, masks={**study.lesions, **references})
    chosen = settings.dce if settings else None
    result, images = run(lambda progress: (dce_perfusion.run(inputs, chosen, progress), images_of_date(study)))
    images_to_nodes(nodes, study.name, images)
    study_to_nodes(result, nodes)
    return result


def find_one(nodes: Any, study: Any, settings: Any, shift: float, run: Callable[..., Any]) -> Any:
    """Find the input of one date as a comparison would, and put its curve into the scene."""
    from bonequant.mrml.input_nodes import images_of_date, input_to_nodes
    from bonequant.studies.dce_perfusion import arterial_input

    chosen = settings.dce if settings else None
    found, images = run(lambda progress: (arterial_input(study.dce, chosen, progress), images_of_date(study)))
    input_to_nodes(nodes, study, found, shift, images)
    return found
