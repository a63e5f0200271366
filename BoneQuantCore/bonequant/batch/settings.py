"""How a cohort is run: on this machine, on a Dask cluster that is there, or on SLURM."""

from __future__ import annotations

from dataclasses import dataclass

from bonequant.settings import Settings, setting


@dataclass(frozen=True)
class SlurmSettings(Settings):
    """One SLURM job holds ``workers_per_job`` workers; memory and cores are those of one worker."""

    jobs: int = setting(1, low=1, high=10_000, help="SLURM jobs to be asked for.")
    workers_per_job: int = setting(1, low=1, high=256, help="Workers in each of them.")
    memory_gb: float = setting(4.0, unit="GB", low=0.5, high=2000, help="Memory of one worker.")
    walltime: str = setting("12:00:00", help="Time limit of a job, as sbatch takes it.")
    queue: str | None = setting(None, help="Partition.")
    account: str | None = setting(None, help="Account.")
    directives: tuple[str, ...] = setting((), help="Further #SBATCH options, as --exclusive.")
    prologue: tuple[str, ...] = setting((), help="Shell lines before the workers start, as module load python.")
    interface: str | None = setting(None, help="Network interface that the nodes share, as ib0.")


@dataclass(frozen=True)
class EngineSettings(Settings):
    """Settings of :func:`bonequant.batch.open_cluster`."""

    workers: int | None = setting(None, low=1, high=1024, help="Worker processes; by default from cores and memory.")
    threads: int = setting(1, low=1, high=256, help="Threads of ITK and BLAS in each worker.")
    memory_gb: float | None = setting(
        None, unit="GB", low=0.5, high=4000, help="Memory limit of a worker; by default its share of the machine."
    )
    scheduler: str | None = setting(None, help="Address of a Dask scheduler that is running, tcp://HOST:8786.")
    wait_s: float | None = setting(
        None, unit="s", low=1, help="How long to wait for the first worker; by default 120, on SLURM without limit."
    )
    patient_minutes: float = setting(
        240.0, unit="min", low=0.01, high=100_000, help="Time limit of a patient, who then counts as failed."
    )
    slurm: SlurmSettings | None = setting(None, help="Start the workers as SLURM jobs (needs dask-jobqueue).")
