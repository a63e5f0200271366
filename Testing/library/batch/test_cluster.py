"""What Dask is asked for: workers and memory from the machine, threads kept to their share, a SLURM script."""

from __future__ import annotations

import pytest
from bonequant.batch import EngineSettings, SlurmSettings
from bonequant.batch.cluster import dask_options, local_share, slurm_cluster


@pytest.fixture
def machine(monkeypatch):
    def make(cores: int, memory_gb: float) -> None:
        monkeypatch.setattr("dask.system.CPU_COUNT", cores)
        monkeypatch.setattr("distributed.system.MEMORY_LIMIT", int(memory_gb * 1e9))

    return make


@pytest.mark.parametrize(
    ("cores", "memory_gb", "settings", "workers", "limit_gb"),
    [
        (16, 64, EngineSettings(), 16, 0.9 * 64 / 16),
        (64, 32, EngineSettings(), 9, 0.9 * 32 / 9),  # memory decides: 3 GB for each
        (2, 1, EngineSettings(), 1, 0.9),  # never none
        (16, 64, EngineSettings(threads=4), 4, 0.9 * 64 / 4),
        (16, 64, EngineSettings(workers=2), 2, 0.9 * 64 / 2),
        (16, 64, EngineSettings(memory_gb=10), 5, 10),
    ],
)
def test_workers_and_memory_follow_from_the_machine(machine, cores, memory_gb, settings, workers, limit_gb):
    machine(cores, memory_gb)
    found, limit = local_share(settings, 3.0)
    assert found == workers
    assert limit == pytest.approx(limit_gb * 1e9, abs=1)


def test_every_kind_of_thread_is_kept_to_its_share():
    environment = dask_options(3)["distributed.nanny.pre-spawn-environ"]
    assert {environment[name] for name in environment if name != "MALLOC_TRIM_THRESHOLD_"} == {3}


def test_slurm_script_asks_for_what_the_settings_say():
    settings = SlurmSettings(
        jobs=3, workers_per_job=4, memory_gb=6, walltime="08:00:00", queue="long", account="bones",
        directives=("--exclusive",), prologue=("module load python",),
    )  # fmt: skip
    cluster = slurm_cluster(settings, threads=2, start=False)
    try:
        script = cluster.job_script()
    finally:
        cluster.close()
    for line in (
        "#SBATCH -p long", "#SBATCH -A bones", "#SBATCH --cpus-per-task=8", "#SBATCH -t 08:00:00",
        "#SBATCH --exclusive", "module load python", "export OMP_NUM_THREADS=2", "export BONEQUANT_THREADS=2",
    ):  # fmt: skip
        assert line in script, line
    assert "#SBATCH --mem=23G" in script  # 24 GB, which dask-jobqueue states in whole GiB
    (worker,) = [line for line in script.splitlines() if "dask_worker" in line]
    assert "--nthreads 1" in worker
    assert "--nworkers 4" in worker
    assert worker.index("--memory-limit 5.59GiB")  # 6 GB
