"""``bonequant response``: two dates or more compared, and the call that explains itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from bonequant.cli.bar import progress_bar
from bonequant.cli.facts import parse_facts, parse_settings
from bonequant.errors import InputError
from bonequant.progress import part_of


def response(
    before: Annotated[
        Path, typer.Option(help="The first date: a DCE series, a folder of parts (DCE, T1, MASKS, CT ...), a manifest.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for the results; it must not exist yet.")],
    after: Annotated[list[Path] | None, typer.Option(help="A later date, likewise; repeat in order of time.")] = None,
    mask: Annotated[
        list[Path] | None, typer.Option(help="Lesions drawn at the first date; carried to the others.")
    ] = None,
    after_mask: Annotated[
        list[str] | None,
        typer.Option(help="Lesions drawn at a later date (FILE, or after_2=FILE); they replace the carried."),
    ] = None,
    radiotherapy_end: Annotated[str | None, typer.Option(help="Last day of radiotherapy, as 2026-01-31.")] = None,
    dose_gy: Annotated[float | None, typer.Option(min=0, help="Its total dose.")] = None,
    fractions: Annotated[int | None, typer.Option(min=1, help="Its number of fractions.")] = None,
    reference_in_field: Annotated[
        bool | None,
        typer.Option("--reference-in-field/--reference-outside-field", help="Was the healthy vertebra irradiated?"),
    ] = None,
    fracture: Annotated[
        bool | None, typer.Option("--fracture/--no-fracture", help="Of the lesion's vertebra, or of the reference.")
    ] = None,
    evidence: Annotated[
        list[Path] | None, typer.Option(help="What other criteria judge: JSON or CSV, one call per row.")
    ] = None,
    links: Annotated[Path | None, typer.Option(help="Lesions that are one: CSV with interval,before,after.")] = None,
    fact: Annotated[
        list[str] | None,
        typer.Option(help="What the DCE files do not say, as name=value; for later dates after_1.name=value."),
    ] = None,
    settings: Annotated[Path | None, typer.Option(help="Settings, a JSON file.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="One setting, as name=value.")] = None,
    confirm_same_patient: Annotated[
        bool, typer.Option(help="The images show one patient although the files differ in ID or sex.")
    ] = False,
    dicom: Annotated[bool, typer.Option(help="Write DICOM SEG, SR, parametric maps and RTSTRUCT too.")] = False,
    identified: Annotated[bool, typer.Option(help="Print patient name and ID in the report.")] = False,
    overwrite: Annotated[bool, typer.Option(help="Replace a former result in --out.")] = False,
) -> None:
    """Compare two dates or more and call the response by DCE Vp and other criteria. Research use only."""
    from bonequant.report import free_folder
    from bonequant.response import Radiotherapy, read_evidence
    from bonequant.studies import treatment_response as job

    chosen = parse_settings(job.ResponseSettings, settings, set_ or [])
    later = after or []
    names = ["before", *(f"after_{number}" if len(later) > 1 else "after" for number in range(1, len(later) + 1))]
    facts = _facts_by_date(fact or [], names)
    masks = {names[0]: list(mask or []), **_masks_by_date(after_mask or [], names)}
    rows = [row for path in evidence or [] for row in read_evidence(path)]
    therapy = None
    if (radiotherapy_end, dose_gy, fractions) != (None, None, None):
        therapy = Radiotherapy(_day(radiotherapy_end), dose_gy, fractions)
    linked = {} if links is None else job.read_links(links)
    free_folder(out, overwrite=overwrite)
    with progress_bar("Reading") as progress:
        paths = [before, *later]
        dates = [
            job.read_date(
                path,
                name,
                masks[name],
                facts=facts[name],
                progress=part_of(progress, 0.3 * k / len(paths), 0.3 * (k + 1) / len(paths)),
            )
            for k, (path, name) in enumerate(zip(paths, names, strict=True))
        ]
        inputs = job.ResponseInputs(
            dates=dates,
            radiotherapy=therapy,
            reference_in_field=reference_in_field,
            fracture=fracture,
            evidence=rows,
            links=linked,
            same_patient_confirmed=confirm_same_patient,
        )
        result = job.run(inputs, chosen, part_of(progress, 0.3, 0.9))
        progress(0.92, "Writing the report")
        report = job.write(result, out, overwrite=overwrite, identified=identified, dicom=dicom)
    print(report)


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"--radiotherapy-end {text}: write the day as 2026-01-31.") from error


def _masks_by_date(given: Sequence[str], names: Sequence[str]) -> dict[str, list[Path]]:
    """Masks of the later dates; a path without a date in front belongs to the only later date."""
    found: dict[str, list[Path]] = {name: [] for name in names[1:]}
    for item in given:
        name, equals, path = item.partition("=")
        if equals and name in found:
            found[name].append(Path(path))
        elif len(names) == 2:
            found[names[1]].append(Path(item))
        else:
            raise InputError(f"--after-mask {item}: say of which date, as after_1=FILE.")
    return found


def _facts_by_date(given: Sequence[str], names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Facts of each date; a name without a date in front holds for all of them."""
    found: dict[str, list[str]] = {name: [] for name in names}
    for item in given:
        name, dot, rest = item.partition(".")
        if dot and "=" not in name:
            if name not in found:
                raise InputError(f"--fact {item}: there is no date {name}. Dates: {', '.join(names)}.")
            found[name].append(rest)
        else:
            for items in found.values():
                items.append(item)
    return {name: parse_facts(items) for name, items in found.items()}
