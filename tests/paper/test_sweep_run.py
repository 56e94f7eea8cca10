"""Sweeps on real schedulers and worker processes: results, failures, kills, interrupts."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pandas as pd
import psutil
import pytest
from filelock import FileLock

from swta.paper.sweep import worker as worker_module
from swta.paper.sweep.engine import Crew, parse_slurm
from swta.paper.sweep.forkserver import ForkServer, NotebookDied
from swta.paper.sweep.plan import plan_sweep
from swta.paper.sweep.session import default_workers, run_sweep
from swta.paper.sweep.store import DONE, FAILED, Store
from swta.paper.sweep.worker import Job, Shared, SweepStopped, run_job
from swta.validation import ParameterError

pytestmark = pytest.mark.slow

SWTA = Path(sys.executable).with_name("swta")
DASK = Path(sys.executable).with_name("dask")
PATIENCE_S = 150  # on a busy machine; a quiet one takes a tenth
HOSTILE = [
    '"); import os #',
    "'); open('pwned', 'w') #",
    '"""\n__import__("os").mkdir("pwned")\n"""',
    "{alpha} ${HOME} %(x)s `id`",
    "C:\\temp\\new, \\u0041 ä ∑",
    "../../escape",
]
CELLS = (
    "alpha: float = 0.5  # a number, dimensionless\n"
    "seed: int = 0  # first random number, integer\n"
    'name: str = "a"  # a name, text\n'
    "pause: float = 0.0  # waiting time, s\n"
    'trouble: str = ""  # what goes wrong, name',
    "import os\nimport signal\nimport time\n\nimport numpy as np\n\n"
    "from swta.paper import Chapter\n\n"
    'chapter = Chapter("01_one", globals())\n'
    "time.sleep(pause)\n"
    'chapter.report("inverse", 1 / alpha, unit="mV")\n'
    'chapter.report("threads", os.environ["OMP_NUM_THREADS"])\n'
    'chapter.report("legacy_random", np.random.rand())\n'
    'chapter.report("told", name)',
    'if trouble == "die":\n    os.kill(os.getpid(), signal.SIGKILL)\n'
    'if trouble == "kill runner":\n    os.kill(os.getppid(), signal.SIGKILL)\n    time.sleep(30)',
    "chapter.footer()",
)


@pytest.fixture
def root(tmp_path, monkeypatch):
    folder = tmp_path / "check{out}"  # papermill would fill in what stands in braces
    (folder / "book").mkdir(parents=True)
    (folder / "src").mkdir()
    (folder / "_toc.yml").write_text("format: jb-book\nroot: book/intro\n")
    (folder / "requirements.lock").write_text("")
    cells = [nbformat.v4.new_code_cell(text, id=f"c{i}") for i, text in enumerate(CELLS)]
    cells[0].metadata["tags"] = ["parameters"]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata["kernelspec"] = {"name": "python3", "language": "python", "display_name": "P"}
    nbformat.write(notebook, folder / "book" / "01_one.ipynb")
    monkeypatch.chdir(folder)
    monkeypatch.delenv("SWTA_RESULTS")
    return folder


class Told:
    """A reporter that remembers."""

    def __init__(self):
        self.begun, self.said, self.runs = [], [], []

    def begin(self, due, kept, where):
        self.begun.append((due, kept))

    def say(self, text):
        self.said.append(text)

    def finished(self, values, run):
        self.runs.append(run)


@pytest.fixture
def start():
    """The command in a session of its own, as a terminal would start it."""
    begun = []

    def call(*arguments):
        process = subprocess.Popen(
            [str(SWTA), "sweep", *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        begun.append(process)
        return process

    yield call
    for process in begun:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture
def servers():
    """Ends the fork servers that this process starts in the place of a worker."""
    yield worker_module
    for server in worker_module._servers.values():
        server.close()
    worker_module._servers.clear()


def end(process):
    """Exit code and all that was printed, without line breaks."""
    text, _ = process.communicate(timeout=PATIENCE_S)
    return process.returncode, " ".join(text.split())


def wait_for(condition):
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError("waited in vain")


def alive(processes):
    found = []
    for process in processes:
        try:
            found += [process] if process.status() != psutil.STATUS_ZOMBIE else []
        except psutil.NoSuchProcess:
            continue
    return found


def stored(folder):
    found = {}
    for path in (folder / "runs").glob("*/run.json"):
        run = json.loads(path.read_text())
        found[run["key"]] = run | {"changed": path.stat().st_mtime_ns}
    return found


def in_progress(folder):
    return [path.name.split("@") for path in (folder / ".work").glob("*@*@*@*")]


def shared_of(root, folder, imports=()):
    folder.mkdir(parents=True, exist_ok=True)
    notebook = root / "book" / "01_one.ipynb"
    code = worker_module.code_digest(notebook, [])
    return Shared(notebook, folder, {}, 1, imports, (), code)


def test_the_life_of_a_sweep(root, tmp_path):
    folder = tmp_path / "out{alpha}"
    names = ",".join(text.replace(",", "\\,") for text in HOSTILE)
    told = Told()
    plan = plan_sweep(root, "1", [("alpha", "0,0.5"), ("name", names)])
    result = run_sweep(plan, folder, Crew(2), told)
    assert result.counts == {DONE: len(HOSTILE), FAILED: len(HOSTILE)} and not result.stopped
    assert told.begun == [(12, 0)] and len(told.runs) == 12

    table = pd.read_parquet(folder / "table.parquet")
    done = table[table["run_status"] == DONE]
    assert done["told"].tolist() == done["name"].tolist() == HOSTILE, "texts arrive as they are"
    assert not list(tmp_path.rglob("*pwned*")) and not list(tmp_path.rglob("escape*"))
    assert (done["inverse"] == 2).all() and (done["threads"] == "1").all()
    assert done["legacy_random"].nunique() == len(done), "forks do not share random numbers"
    assert done["run_worker"].nunique() == 2
    failed = table[table["run_status"] == FAILED]
    assert failed["run_error"].str.contains("ZeroDivisionError").all()
    for path in table["run_notebook"]:
        nbformat.validate(nbformat.read(folder / path, as_version=4))
    traceback = (folder / failed["run_notebook"].iloc[0]).read_text()
    assert "ZeroDivisionError" in traceback
    executed = nbformat.read(folder / done["run_notebook"].iloc[0], as_version=4)
    assert str(tmp_path) not in json.dumps(executed.metadata), "no path of this machine"
    tags = [cell.metadata.get("tags", []) for cell in executed.cells]
    assert tags[:2] == [["parameters"], ["injected-parameters"]]
    values = {}
    exec(executed.cells[1].source, values)
    assert values["name"] == HOSTILE[0] and values["alpha"] == 0.5

    before = stored(folder)
    again = Told()
    assert run_sweep(plan, folder, Crew(2), again).counts == result.counts
    assert not again.begun and stored(folder) == before, "nothing is due"
    wider = plan_sweep(root, "1", [("alpha", "0,0.5,1"), ("name", "a")])
    assert run_sweep(wider, folder, Crew(1), again, retry_failed=True).counts == {
        DONE: 2,
        FAILED: 1,
    }
    assert again.begun == [(3, 0)]
    one = plan_sweep(root, "1", [("alpha", "0,1"), ("name", "a")])
    assert run_sweep(one, folder, Crew(1), again, retry_failed=True).counts == {DONE: 1, FAILED: 1}
    assert again.begun[1:] == [(1, 1)], "only the failed run is done again"


@pytest.mark.faults
def test_the_runs_of_a_killed_worker_are_done_elsewhere(root, tmp_path, start):
    """Case S8."""
    folder = tmp_path / "out"
    process = start("1", "-p", "alpha", "1:6:6", "-p", "pause", "1.5", "--workers", "2",
                    "-o", str(folder))  # fmt: skip
    key, _, pid, _ = wait_for(lambda: in_progress(folder))[0]
    below = psutil.Process(int(pid)).children(recursive=True)
    os.kill(int(pid), signal.SIGKILL)
    wait_for(lambda: not alive(below))
    code, text = end(process)
    assert code == 0, text
    runs = stored(folder)
    assert [run["status"] for run in runs.values()] == [DONE] * 6
    (redone,) = [run for run in runs.values() if run["key"].startswith(key)]
    assert not redone["worker"].endswith(f":{pid}")
    assert pd.read_csv(folder / "table.csv")["inverse"].tolist() == [1 / n for n in range(1, 7)]
    assert not (folder / ".work").exists(), "nothing is left of the run that was cut off"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.faults
def test_an_interrupted_sweep_goes_on(root, tmp_path, start, number, code):
    """Cases S9, S10."""
    folder = tmp_path / "out"
    arguments = ["1", "-p", "alpha", "1:4:4", "-p", "pause", "2", "--workers", "1", "-o"]
    process = start(*arguments, str(folder))
    wait_for(lambda: stored(folder) and in_progress(folder))
    below = psutil.Process(process.pid).children(recursive=True)
    if number == signal.SIGINT:
        os.killpg(process.pid, number)  # as a terminal does: to workers as well
    else:
        process.send_signal(number)
    found, text = end(process)
    assert found == code, text
    before = stored(folder)
    left = 4 - len(before)
    assert 0 < left < 4
    assert f"the same command goes on with the other {left} runs: swta sweep 1 -p" in text
    wait_for(lambda: not alive(below))
    rows = pd.read_csv(folder / "table.csv")
    assert (rows["run_status"] == DONE).sum() == len(before) and len(rows) == 4

    plan = plan_sweep(root, "1", [("alpha", "1:4:4"), ("pause", "2")])
    told = Told()
    assert run_sweep(plan, folder, Crew(1), told).counts == {DONE: 4}
    assert told.begun == [(left, len(before))]
    after = stored(folder)
    assert all(after[key] == run for key, run in before.items()), "nothing finished is redone"


def test_an_existing_scheduler_with_two_notebooks_in_one_worker(root, tmp_path, start):
    folder, scratch = tmp_path / "out", tmp_path / "dask"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    address = scratch / "scheduler.json"
    scratch.mkdir()
    scheduler = subprocess.Popen(
        [str(DASK), "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard",
         "--dashboard-address", "127.0.0.1:0", "--scheduler-file", str(address)],
        **quiet,
    )  # fmt: skip
    worker = None
    try:
        where = json.loads(wait_for(lambda: address.is_file() and address.read_text()))["address"]
        worker = subprocess.Popen(
            [str(DASK), "worker", where, "--nthreads", "2", "--no-dashboard", "--no-nanny",
             "--local-directory", str(scratch)],
            **quiet,
        )  # fmt: skip
        code, text = end(
            start("1", "-p", "alpha", "1:4:4", "--scheduler", where, "-o", str(folder))
        )
        assert code == 0, text
        assert f"4 runs on the workers of {where}" in text
        runs = stored(folder).values()
        assert [run["status"] for run in runs] == [DONE] * 4
        assert len({run["worker"] for run in runs}) == 1
        assert worker.poll() is None and scheduler.poll() is None, "the cluster stays"
    finally:
        for process in filter(None, (worker, scheduler)):
            process.terminate()
            process.wait(PATIENCE_S)


def test_slurm_jobs_are_submitted_with_the_options_given(root, tmp_path, start, monkeypatch):
    """A stand-in for sbatch that runs a copy of the job script: the script goes once it is told."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "sbatch").write_text(
        f"#!/bin/sh\ncp $1 {tmp_path}/job.sh\nsh {tmp_path}/job.sh >/dev/null 2>&1 &\n"
        f"echo $! > {tmp_path}/pid\necho Submitted batch job 7\n"
    )
    (programs / "scancel").write_text(f"#!/bin/sh\npkill -P $(cat {tmp_path}/pid)\n")
    for path in programs.iterdir():
        path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    folder = tmp_path / "out"
    options = "queue=long,memory=2GB,walltime=00:10:00,interface=lo"
    slurm = ["--slurm", "--workers", 1, "--threads", 3, "--slurm-options", options]
    code, text = end(start("1", "-p", "alpha", "1,2", *slurm, "-o", folder))
    assert code == 0, text
    assert [run["status"] for run in stored(folder).values()] == [DONE] * 2
    script = (tmp_path / "job.sh").read_text()
    for line in ("#SBATCH -p long", "#SBATCH --mem=2G", "#SBATCH -t 00:10:00", "--cpus-per-task=3"):
        assert line in script
    table = pd.read_csv(folder / "table.csv")
    assert table["threads"].tolist() == [3, 3]


@pytest.mark.faults
def test_a_second_sweep_into_the_same_folder_is_refused(root, tmp_path, start):
    """Case S11."""
    folder = tmp_path / "out"
    folder.mkdir()
    with FileLock(folder / ".lock"):
        code, text = end(start("1", "-p", "alpha", "1,2", "-o", str(folder)))
    assert code == 1 and "another sweep is writing into" in text
    assert {path.name for path in folder.iterdir()} == {".lock"}


@pytest.mark.parametrize(
    ("trouble", "error"),
    [
        ("die", "DeadKernelError: its process died"),
        ("kill runner", "the process that runs the notebook was killed"),
    ],
)
@pytest.mark.faults
def test_a_notebook_that_dies_is_a_failed_run(root, tmp_path, servers, trouble, error):
    """Cases S12, S13."""
    shared = shared_of(root, tmp_path / "out", (("swta.paper", ("Chapter",)),))
    values = {"trouble": trouble}
    run = run_job(Job(shared, "k" * 64, values, values))
    assert run.status == FAILED and error in run.error
    kept = Store(shared.folder).run_folder(run.key) / "01_one.ipynb"
    assert "injected-parameters" in kept.read_text()


def test_a_fresh_kernel_gives_what_a_forked_one_gives(root, tmp_path, servers):
    kept = []
    for name, imports in (("cold", ()), ("warm", (("swta.paper", ("Chapter",)),))):
        shared = shared_of(root, tmp_path / name, imports)
        server = worker_module._server(shared)
        assert server.warm == bool(imports)
        values = {"alpha": 0.25, "name": "ä"}
        run = run_job(Job(shared, "k" * 64, values, values))
        assert run.status == DONE, run.error
        folder = Store(shared.folder).run_folder(run.key)
        reports = json.loads((folder / "01_one.json").read_text())["reports"]
        assert reports.pop("legacy_random")
        notebook = nbformat.read(folder / "01_one.ipynb", as_version=4)
        outputs = [[o.output_type for o in c.get("outputs", [])] for c in notebook.cells]
        kept.append((reports, [c.source for c in notebook.cells], outputs))
    assert kept[0] == kept[1]


def test_a_run_that_is_there_is_not_repeated_by_a_worker(root, tmp_path, servers, monkeypatch):
    shared = shared_of(root, tmp_path / "out")
    job = Job(shared, "k" * 64, {}, {})
    first = run_job(job)
    assert first.status == DONE
    monkeypatch.setattr(worker_module, "_server", lambda shared: pytest.fail("executed again"))
    assert run_job(job) == first


def test_a_worker_with_other_code_or_without_the_folder_stops_the_sweep(root, tmp_path):
    shared = shared_of(root, tmp_path / "out")
    job = Job(shared, "k" * 64, {}, {})
    other = (root / "book" / "01_one.ipynb").read_text().replace("1 / alpha", "2 / alpha")
    (root / "book" / "01_one.ipynb").write_text(other)
    with pytest.raises(SweepStopped, match="what the sweep began with"):
        run_job(job)
    shared.folder.rmdir()
    with pytest.raises(SweepStopped, match="does not see"):
        run_job(job)


def test_a_full_disk_stops_the_sweep_and_says_so(root, tmp_path, monkeypatch):
    class Full:
        def run(self, request):
            return {"status": "broken", "error": "OSError: no space", "no_room": True, "seconds": 1}

    monkeypatch.setattr(worker_module, "_server", lambda shared: Full())
    shared = shared_of(root, tmp_path / "out")
    with pytest.raises(SweepStopped, match=r"no space. Make room there"):
        run_job(Job(shared, "k" * 64, {}, {}))
    assert not list((shared.folder / ".work").iterdir()) and not (shared.folder / "runs").exists()


def test_a_server_ends_with_the_one_who_made_it(root, tmp_path):
    server = ForkServer((), 1)
    process = psutil.Process(server._process.pid)
    assert server.alive
    server.close()
    assert not process.is_running() and not server.alive
    assert not Path(server._sockets.name).exists()
    with pytest.raises((NotebookDied, OSError)):
        server.run({})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-p", "alpha", "0:1"], "needs a count"),
        (["-p", "alpah", "0:1:3"], "did you mean alpha"),
        ([], "nothing to sweep"),
        (["-p", "alpha", "1", "--scheduler", "tcp://x", "--workers", "2"], "leave out --workers"),
        (["-p", "alpha", "1", "--slurm-options", "queue=x"], "belongs to --slurm"),
        (["-p", "alpha", "1", "--slurm", "--slurm-options", "que=x"], "names: queue"),
        (["-p", "alpha", "1", "--design-seed", "3"], "belongs to --design latin-hypercube"),
        (["-p", "alpha", "1", "--scheduler", "nowhere:at:all"], "--scheduler 'nowhere:at:all'"),
    ],
)
def test_bad_input_is_told_at_once(root, arguments, message):
    from typer.testing import CliRunner

    from swta.paper.cli import app, join_pairs

    done = CliRunner().invoke(app, join_pairs(["sweep", "1", *arguments]))
    assert done.exit_code == 2 and message in " ".join(done.output.split())


def test_workers_are_no_more_than_runs_and_slurm_options_are_checked():
    assert default_workers(1) == 1 and default_workers(10**6) >= 1
    assert parse_slurm("queue=a,memory=1GB") == {"queue": "a", "memory": "1GB"}
    with pytest.raises(ParameterError, match="give NAME=VALUE"):
        parse_slurm("queue")
