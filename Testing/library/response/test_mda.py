"""MDA bone criteria: each modality's findings and limits, joining them, flare and bone-modifying agents."""

from __future__ import annotations

import pytest
from bonequant.errors import InputError
from bonequant.response import MdaFindings, MdaSettings, mda


@pytest.mark.parametrize(
    ("finding", "category"),
    [
        ("complete sclerotic fill-in of lytic lesions", "CR"),
        ("normalised bone density", "CR"),
        ("sclerotic rim", "PR"),
        ("partial sclerotic fill-in", "PR"),
        ("sclerosis of previously undetected lesions", "PR"),
        ("decrease of blastic lesions", "PR"),
        ("new isolated sclerotic lesion", "SD"),  # not PD
        ("new lesion", "PD"),
        ("increase of lytic lesions", "PD"),
        ("increase of blastic lesions", "PD"),
    ],
)
def test_ct_findings(finding: str, category: str) -> None:
    assert mda(MdaFindings(ct=(finding,))).category == category


@pytest.mark.parametrize(
    ("after", "category"),
    [(49.0, "PR"), (50.0, "PR"), (51.0, "SD"), (100.0, "SD"), (124.0, "SD"), (125.0, "PD"), (126.0, "PD")],
)
def test_sum_of_products(after: float, category: str) -> None:
    assert mda(MdaFindings(products_before_mm2=100.0, products_after_mm2=after)).category == category


@pytest.mark.parametrize(
    ("uptake", "category"), [(-51.0, "PR"), (-50.0, "PR"), (-49.0, "SD"), (24.0, "SD"), (25.0, "PD"), (26.0, "PD")]
)
def test_bone_scan_uptake_once_flare_is_excluded(uptake: float, category: str) -> None:
    assert mda(MdaFindings(scan_uptake_percent=uptake, flare_excluded=True)).category == category


@pytest.mark.parametrize(
    ("setting", "findings", "category"),
    [
        ({"pd_operator": ">"}, MdaFindings(products_before_mm2=100, products_after_mm2=125), "SD"),
        ({"pr_operator": "<"}, MdaFindings(products_before_mm2=100, products_after_mm2=50), "SD"),
        ({"pd_operator": ">"}, MdaFindings(scan_uptake_percent=25, flare_excluded=True), "SD"),
    ],
)
def test_operators(setting: dict[str, str], findings: MdaFindings, category: str) -> None:
    assert mda(findings, MdaSettings(**setting)).category == category  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("findings", "category"),
    [
        (MdaFindings(mri_signal_gone=True), "CR"),
        (MdaFindings(mri_signal_gone=False), "SD"),
        (MdaFindings(scan_uptake_normal=True), "CR"),
        (MdaFindings(scan_new_lesion=True, flare_excluded=True), "PD"),
        (MdaFindings(scan_new_lesion=False), "SD"),
        (MdaFindings(ct=("new lesion",), mri_signal_gone=True), "PD"),  # progression in any
        (MdaFindings(ct=("normalised bone density",), mri_signal_gone=True, scan_uptake_normal=True), "CR"),
        (MdaFindings(ct=("normalised bone density",), mri_signal_gone=False), "PR"),  # complete in one only
        (MdaFindings(ct=("normalised bone density", "sclerotic rim")), "PR"),
        (MdaFindings(ct=(), scan_uptake_percent=-60.0), "PR"),
        (MdaFindings(ct=()), "SD"),
        (MdaFindings(), "NE"),
        (MdaFindings(products_before_mm2=0.0, products_after_mm2=50.0), "NE"),
    ],
)
def test_modalities_joined(findings: MdaFindings, category: str) -> None:
    assert mda(findings).category == category


@pytest.mark.parametrize(
    ("findings", "category"),
    [
        (MdaFindings(scan_new_lesion=True), "NE"),  # nothing else to go by
        (MdaFindings(scan_uptake_percent=25.0, flare_excluded=False), "NE"),
        (MdaFindings(ct=("sclerotic rim",), scan_new_lesion=True), "PR"),
        (MdaFindings(ct=("new lesion",), scan_new_lesion=True), "PD"),
    ],
)
def test_flare_not_excluded(findings: MdaFindings, category: str) -> None:
    call = mda(findings)
    assert call.category == category and "flare" in call.flags and "6 weeks" in call.warnings[0]


def test_bone_modifying_agents_are_flagged() -> None:
    findings = MdaFindings(ct=("sclerotic rim",), bone_modifying_agent=True)
    call = mda(findings)
    assert call.category == "NE" and "bone-modifying agent" in call.flags and "PR" in call.rule
    assert mda(findings, MdaSettings(judge_under_bone_agents=True)).category == "PR"


def test_parts_say_what_each_modality_said() -> None:
    call = mda(MdaFindings(ct=("new lesion",), mri_signal_gone=True))
    assert {name: part.category for name, part in call.parts.items()} == {"CT or radiograph": "PD", "MRI": "CR"}
    with pytest.raises(InputError, match="sclerotic rim"):
        MdaFindings(ct=("rim",))


@pytest.mark.parametrize(
    ("agent", "category", "warned"), [(False, "PR", False), (None, "PR", True), (True, "NE", False)]
)
def test_an_agent_that_is_not_stated_is_warned_of(agent: bool | None, category: str, warned: bool) -> None:
    call = mda(MdaFindings(ct=("sclerotic rim",), bone_modifying_agent=agent))
    assert call.category == category
    assert any("Not stated" in text for text in call.warnings) == warned


def test_products_below_zero() -> None:
    with pytest.raises(InputError, match="products_after_mm2 is -5"):
        MdaFindings(products_before_mm2=10.0, products_after_mm2=-5.0)
