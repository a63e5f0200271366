"""One simulated patient of ``python -m benchmarks treatment_response`` who does not respond; the rest run there."""

from __future__ import annotations

import pytest
from bonequant.studies.dce_perfusion import DceSettings
from bonequant.studies.treatment_response import ResponseSettings

from benchmarks.treatment_response import CUTOFF_PERCENT, case, measured


def test_a_patient_who_does_not_respond_is_a_failure():
    one = case(3)
    assert one.vp_change > CUTOFF_PERCENT
    assert one.drawn_twice
    found = measured(one, ResponseSettings(dce=DceSettings(descriptive=False)))
    assert found.category == "failure"
    # Noise of the small healthy vertebra at both dates, 3 % of each (measured over 40 patients), on 146 % of baseline.
    assert found.vp_change == pytest.approx(one.vp_change, abs=12.0)


def test_half_of_the_patients_respond_and_none_is_near_the_cut_off():
    cases = [case(number) for number in range(40)]
    assert sum(one.vp_change <= CUTOFF_PERCENT for one in cases) == 20
    assert min(abs(one.vp_change - CUTOFF_PERCENT) for one in cases) > 9.0
