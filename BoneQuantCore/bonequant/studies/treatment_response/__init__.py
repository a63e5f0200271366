"""Treatment response from two dates or more (papers 4 and 5: DCE Vp after radiotherapy, and the criteria in use).

before, after = read_date("before", "before"), read_date("after", "after")
result = run(ResponseInputs([before, after], Radiotherapy(date(2026, 1, 31), 27, 3)))
result.call.category, result.call.rule, result.rows
write(result, "results")
"""

from bonequant.studies.treatment_response.export import summary, write
from bonequant.studies.treatment_response.inputs import DateInputs, ResponseInputs
from bonequant.studies.treatment_response.job import run
from bonequant.studies.treatment_response.reading import read_date, read_links
from bonequant.studies.treatment_response.report import page
from bonequant.studies.treatment_response.result import ResponseResult
from bonequant.studies.treatment_response.settings import ResponseSettings

__all__ = [
    "DateInputs",
    "ResponseInputs",
    "ResponseResult",
    "ResponseSettings",
    "page",
    "read_date",
    "read_links",
    "run",
    "summary",
    "write",
]
