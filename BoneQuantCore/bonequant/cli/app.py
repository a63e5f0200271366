"""The commands, one file each."""

from __future__ import annotations

import typer

from bonequant.cli.cohort import cohort
from bonequant.cli.dce import dce
from bonequant.cli.demo import demo
from bonequant.cli.dynamic_spect import dynamic_spect
from bonequant.cli.info import info
from bonequant.cli.liver import liver
from bonequant.cli.marrow import marrow
from bonequant.cli.predict import predict
from bonequant.cli.radiomics import radiomics
from bonequant.cli.response import response
from bonequant.cli.response_cohort import response_cohort
from bonequant.cli.train import train

app = typer.Typer(
    name="bonequant",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Bone, marrow and liver perfusion, SPECT/CT radiomics and treatment response. Research use only.",
)
app.add_typer(cohort, name="cohort")
app.command()(dce)
app.command()(demo)
app.command()(dynamic_spect)
app.command()(info)
app.command()(liver)
app.command()(marrow)
app.command()(predict)
app.command()(radiomics)
app.command()(response)
app.command()(response_cohort)
app.command()(train)


@app.callback()
def _root() -> None:
    """Keeps single commands named."""
