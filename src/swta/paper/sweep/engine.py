"""Sweeps on Dask distributed: local processes, an existing cluster, or jobs of SLURM."""

from __future__ import annotations

import logging
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from swta.paper.sweep.store import FAILED, Store, StoredRun
from swta.paper.sweep.worker import Job, SweepStopped, run_job
from swta.validation import ParameterError

CONNECT_TIMEOUT_S = 20
AHEAD = 64  # runs with the scheduler before any worker has come, so that a cluster may grow
SLURM_OPTIONS = ("queue", "account", "memory", "walltime", "interface")

Finished = Callable[[Job, StoredRun], None]
Say = Callable[[str], None]


@dataclass(frozen=True)
class Crew:
    """Who does the runs: ``workers`` local processes, a ``scheduler``'s workers, or SLURM jobs.

    Attributes:
        workers: processes of this machine, or jobs of SLURM, count.
        scheduler: address of a running Dask scheduler, such as ``tcp://10.0.0.5:8786``.
        slurm: options of `dask_jobqueue.SLURMCluster`; None without SLURM.
        threads: threads of each run, count.
    """

    workers: int = 1
    scheduler: str = ""
    slurm: Mapping[str, str] | None = None
    threads: int = 1

    @property
    def where(self) -> str:
        """The crew in words."""
        if self.scheduler:
            return f"the workers of {self.scheduler}"
        kind = "processes" if self.slurm is None else "SLURM jobs"
        return f"{self.workers} {kind} of {self.threads} threads"

    @contextmanager
    def connect(self, folder: Path) -> Iterator[Any]:
        """A Dask client of the crew; what it started ends with it.

        Raises:
            OSError: no scheduler answers.
            ParameterError: Dask or an option of SLURM is missing.
        """
        _import_distributed()
        if self.scheduler:
            with connect_scheduler(self.scheduler) as client:
                yield client
        elif self.slurm is not None:
            with start_slurm(self, folder / "slurm") as client:
                yield client
        else:
            with start_local(self.workers) as client:
                yield client


def _import_distributed() -> Any:
    try:
        import distributed
    except ImportError:
        raise ParameterError(
            "sweeps need Dask: install the extra, `pip install 'swta[cluster]'`"
        ) from None
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # its news are told by the sweep
    return distributed


@contextmanager
def start_local(workers: int) -> Iterator[Any]:
    """Worker processes of this machine, which only this machine can reach."""
    distributed = _import_distributed()
    with (
        tempfile.TemporaryDirectory(prefix="swta-dask-") as scratch,
        distributed.LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            worker_dashboard_address="127.0.0.1:0",
            memory_limit=0,  # a worker holds nothing; notebooks are processes of their own
            silence_logs=logging.CRITICAL,
            local_directory=scratch,
            preload=["swta.paper.sweep.worker"],
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@contextmanager
def connect_scheduler(address: str) -> Iterator[Any]:
    """The workers of a scheduler that runs already; it stays when the sweep ends.

    Raises:
        OSError: nothing answers at the address.
        ParameterError: no address of a scheduler.
    """
    distributed = _import_distributed()
    try:
        client = distributed.Client(address, timeout=CONNECT_TIMEOUT_S)
    except (ValueError, TypeError) as error:
        raise ParameterError(
            f"--scheduler {address!r}: {error}; give an address such as tcp://127.0.0.1:8786"
        ) from None
    except OSError as error:
        raise OSError(
            f"no Dask scheduler answers at {address} within {CONNECT_TIMEOUT_S} s ({error}); "
            "start one with `dask scheduler` and workers with `dask worker ADDRESS`"
        ) from None
    with client:
        yield client


@contextmanager
def start_slurm(crew: Crew, logs: Path) -> Iterator[Any]:
    """One SLURM job a worker; their output goes to ``logs``.

    Raises:
        ParameterError: dask-jobqueue is missing, or it refuses the options.
    """
    distributed = _import_distributed()
    try:
        from dask_jobqueue import SLURMCluster
    except ImportError:
        raise ParameterError(
            "--slurm needs dask-jobqueue: install the extra, `pip install 'swta[cluster]'`"
        ) from None
    logs.mkdir(parents=True, exist_ok=True)
    options: dict[str, Any] = {"memory": "4GB", "walltime": "04:00:00", **(crew.slurm or {})}
    try:
        cluster = SLURMCluster(
            cores=1,
            processes=1,
            job_cpu=crew.threads,
            log_directory=str(logs),
            **options,
        )
    except (ValueError, TypeError) as error:
        raise ParameterError(f"--slurm: {error}") from None
    with cluster, distributed.Client(cluster) as client:
        cluster.scale(jobs=crew.workers)
        yield client


def parse_slurm(text: str) -> dict[str, str]:
    """Options such as ``queue=long,memory=8GB`` by name.

    Raises:
        ParameterError: an unknown option, or one without a value.
    """
    options: dict[str, str] = {}
    for item in filter(None, text.split(",")):
        name, equals, value = item.partition("=")
        if name not in SLURM_OPTIONS or not equals or not value:
            raise ParameterError(
                f"--slurm-options {item!r}: give NAME=VALUE; names: {', '.join(SLURM_OPTIONS)}"
            )
        options[name] = value
    return options


def dispatch(
    client: Any, jobs: Sequence[Job], finished: Finished, say: Say, *, store: Store
) -> None:
    """Run all jobs; only some more than the workers can take are with the scheduler at a time.

    A job whose worker dies is given to another one by the scheduler, a few times; then it counts
    as failed.

    Raises:
        SweepStopped: every further run would fail as well, or the scheduler is gone.
    """
    from distributed import as_completed

    session = uuid.uuid4().hex[:12]
    waiting = iter(enumerate(jobs))
    running: dict[Any, Job] = {}
    pool = as_completed()

    def refill() -> None:
        threads = sum(client.nthreads().values())
        while len(running) < max(AHEAD, 2 * threads):
            number, job = next(waiting, (0, None))
            if job is None:
                return
            future = client.submit(run_job, job, key=(f"swta-{session}", number), pure=False)
            running[future.key] = job
            pool.add(future)

    try:
        refill()
        if not client.nthreads():
            say("waiting for the first worker of the cluster")
        for future in pool:
            job = running.pop(future.key)
            finished(job, _outcome(future, job, store))
            future.release()
            refill()
    except KeyboardInterrupt:
        say("interrupted: ending what runs and writing the table of what is done")
        raise
    except OSError as error:  # Dask's words for a connection that is gone
        raise SweepStopped(f"the connection to the scheduler is gone ({error})") from None
    finally:
        client.cancel(list(pool.futures), force=True)


def _outcome(future: Any, job: Job, store: Store) -> StoredRun:
    from distributed import KilledWorker

    if future.status == "finished":
        return future.result()
    if future.status != "error":
        raise SweepStopped("the scheduler is gone or was told to cancel the sweep")
    error = future.exception()
    if isinstance(error, SweepStopped):
        raise error
    if isinstance(error, KilledWorker):
        text = "each worker that took this run died (out of memory?)"
    else:
        text = f"{type(error).__name__}: {error}"
    run = StoredRun(job.key, FAILED, job.parameters, job.shared.notebook.name, text)
    return store.publish(store.make_work_folder(job.key), run, replace=job.replace)
