"""The Dask cluster on which a cohort runs. Scheduling, retries and lost workers are Dask's business."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bonequant.batch.settings import EngineSettings, SlurmSettings
from bonequant.errors import InputError, MissingDependencyError
from bonequant.threads import VARIABLE

if TYPE_CHECKING:
    from distributed import Client

_USED_FRACTION = 0.9  # of the machine's memory; the rest is the system's
_WAIT_S = 120.0


@contextmanager
def open_cluster(engine: EngineSettings, memory_gb: float, scratch: Path) -> Iterator[Client]:
    """A client of the local machine's own cluster, of one that is running, or of SLURM's.

    Args:
        memory_gb: what a case needs, from which the number of local workers follows.
        scratch: a private folder for Dask's own files.

    Raises InputError where no worker comes, MissingDependencyError without Dask.
    """
    try:
        import dask
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise MissingDependencyError("A cohort needs Dask: pip install 'bonequant[cohort]'.") from error

    if engine.scheduler is not None and engine.slurm is not None:
        raise InputError("Give a scheduler's address or SLURM settings, not both.")
    wait_s = engine.wait_s or (None if engine.slurm else _WAIT_S)  # SLURM's queue may take hours
    with dask.config.set(dask_options(engine.threads)):
        if engine.scheduler is not None:
            try:
                client = Client(engine.scheduler, timeout=min(wait_s or 30.0, 30.0), set_as_default=False)
            except (OSError, ValueError, TimeoutError) as error:
                raise InputError(f"No Dask scheduler answers at {engine.scheduler}: {error}.") from error
            cluster = None
        elif engine.slurm is not None:
            cluster = slurm_cluster(engine.slurm, engine.threads)
            client = Client(cluster, set_as_default=False)
        else:
            workers, limit = local_share(engine, memory_gb)
            cluster = LocalCluster(
                n_workers=workers,
                threads_per_worker=1,  # one case at a time; ITK's threads are another matter
                processes=True,
                memory_limit=limit,
                host="127.0.0.1",
                dashboard_address="127.0.0.1:0",
                local_directory=tempfile.mkdtemp(prefix="dask.", dir=scratch),
                silence_logs=logging.CRITICAL,
            )
            client = Client(cluster, set_as_default=False)
        try:
            try:
                client.wait_for_workers(1, timeout=wait_s)
            except TimeoutError as error:
                raise InputError(f"No Dask worker came within {wait_s:g} s; start workers and run again.") from error
            yield client
        finally:
            client.close()
            if cluster is not None:
                cluster.close()


def dask_options(threads: int) -> dict[str, Any]:
    """Options of Dask for long tasks: hand out one at a time, keep BLAS and ITK to their share, no pause for memory."""
    variables = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    environment: dict[str, Any] = dict.fromkeys(variables, threads)
    environment |= {"ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS": threads, VARIABLE: threads}
    return {
        "distributed.scheduler.worker-saturation": 1.0,
        "distributed.nanny.pre-spawn-environ": {"MALLOC_TRIM_THRESHOLD_": 65536, **environment},
        "distributed.worker.profile.enabled": False,
        "distributed.admin.tick.limit": "1h",  # native code holds the interpreter for minutes: no warning,
        "distributed.scheduler.worker-ttl": "4h",  # and no heartbeat, which is no death
        "distributed.worker.memory.spill": False,
        "distributed.worker.memory.target": False,
        "distributed.worker.memory.pause": False,
    }


def local_share(engine: EngineSettings, memory_gb: float) -> tuple[int, int]:
    """Number of workers on this machine, and the memory limit of each in bytes. Limits of containers count."""
    from dask.system import CPU_COUNT
    from distributed.system import MEMORY_LIMIT

    usable = _USED_FRACTION * MEMORY_LIMIT
    need = (engine.memory_gb or memory_gb) * 1e9
    workers = engine.workers or max(1, min(CPU_COUNT // engine.threads, int(usable // need)))
    return workers, int(engine.memory_gb * 1e9 if engine.memory_gb else usable / workers)


def slurm_cluster(settings: SlurmSettings, threads: int = 1, *, start: bool = True) -> Any:
    """A cluster whose workers are SLURM jobs; without ``start`` none is asked for, and its script can be read.

    Raises MissingDependencyError without dask-jobqueue.
    """
    try:
        from dask_jobqueue import SLURMCluster
    except ImportError as error:
        raise MissingDependencyError("SLURM needs dask-jobqueue: pip install 'bonequant[cohort]'.") from error

    workers = settings.workers_per_job
    options = dask_options(threads)
    environment = options["distributed.nanny.pre-spawn-environ"] | {
        f"DASK_{name.upper().replace('.', '__')}": value for name, value in options.items() if ".worker." in name
    }
    cluster = SLURMCluster(
        cores=workers,  # Dask's threads: one case at a time in each worker
        processes=workers,
        job_cpu=workers * threads,
        memory=f"{settings.memory_gb * workers:g}GB",
        walltime=settings.walltime,
        queue=settings.queue,
        account=settings.account,
        interface=settings.interface,
        job_extra_directives=list(settings.directives),
        job_script_prologue=[*(f"export {name}={value}" for name, value in environment.items()), *settings.prologue],
    )
    if start:  # a job that came to the end of its time is asked for again, until the cohort is done
        cluster.adapt(minimum_jobs=settings.jobs, maximum_jobs=settings.jobs)
    return cluster


def has_bokeh() -> bool:
    """Dask's dashboard needs bokeh."""
    import importlib.util

    return importlib.util.find_spec("bokeh") is not None
