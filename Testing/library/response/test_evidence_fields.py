"""Fields of evidence: every criterion's are those that its own reading takes, and are enough for a call."""

from __future__ import annotations

import pytest
from bonequant.errors import InputError
from bonequant.response import call_from, criteria, evidence_fields, unflatten

_WRITTEN = {"number": "1.5", "yes or no": "no", "whole number": "1", "date, as 2026-01-31": "2026-01-31"}


@pytest.mark.parametrize("name", criteria())
def test_every_field_is_one_that_the_criterion_knows(name):
    """A value in each field: the criterion may refuse it, but never as a field that it does not have or cannot read."""
    for field in evidence_fields(name):
        if field.kind not in _WRITTEN:
            continue
        try:
            call_from(name, unflatten({field.name: _WRITTEN[field.kind]}))
        except InputError as error:
            assert "there is no field" not in str(error), (field, error)
            assert "is not" not in str(error) or "given" not in str(error), (field, error)


def test_fields_of_a_form_give_the_call():
    named = {field.name: field for field in evidence_fields("dce_vp")}
    assert named["before.vp"].kind == "number"
    assert named["before.scan_date"].kind == "date, as 2026-01-31"
    assert named["radiotherapy.fractions"].kind == "whole number"
    cells = dict.fromkeys(named, "")
    cells |= {"before.vp": "9.26", "before.vp_reference": "1", "after.vp": "1.13", "after.vp_reference": "1"}
    assert call_from("dce_vp", unflatten(cells)).category == "success"


def test_lists_are_asked_for_as_often_as_wanted():
    names = [field.name for field in evidence_fields("recist11", entries=3)]
    assert {"targets.2.diameter_mm", "visits.2.scan_date"} <= set(names)
    assert not any(name.startswith(("settings", "targets.3")) for name in names)


def test_what_is_required_is_said():
    required = {field.name for field in evidence_fields("pcwg3") if field.required}
    assert {"treatment_start", "scans.0.scan_date"} <= required


def test_no_such_criterion():
    with pytest.raises(InputError, match="no response criterion"):
        evidence_fields("recist")
