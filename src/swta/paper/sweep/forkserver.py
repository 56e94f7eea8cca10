"""A process that loads a chapter's imports once and forks every notebook's process from itself.

The server has no threads, so that a fork is safe; where importing starts some, it starts again
without the imports and every notebook gets a kernel of the usual kind. It ends, with all that it
forked, when the process that made it ends: killed or not.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import json
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
WARM, COLD = b"w", b"c"


class NotebookDied(RuntimeError):
    """The process of a notebook ended without an answer."""


class ForkServer:
    """The near end: asks the server for notebooks.

    Args:
        imports: what to load, as ``(module, names)`` like ``from module import names``; with none,
            kernels are started afresh.
        threads: threads that each notebook may use.
    """

    def __init__(self, imports: Sequence[tuple[str, Sequence[str]]], threads: int) -> None:
        self._control, theirs = socket.socketpair()
        environment = os.environ | {name: str(threads) for name in THREAD_VARIABLES}
        # matplotlib reads this when it is imported, a kernel would set it afterwards
        environment.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")
        # pyarrow would start a thread of its allocator when it is imported
        environment.setdefault("JE_ARROW_MALLOC_CONF", "background_thread:false")
        self._sockets = tempfile.TemporaryDirectory(prefix="swta-")
        command = [sys.executable, "-m", __name__, str(theirs.fileno()), self._sockets.name]
        with theirs:
            self._process = subprocess.Popen(
                [*command, "--imports", json.dumps([[m, list(n)] for m, n in imports])],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                env=environment,
                start_new_session=True,  # an interrupt at the terminal is not for notebooks
            )
        self.warm = self._control.recv(1) == WARM

    @property
    def alive(self) -> bool:
        """Whether the server can be asked."""
        return self._process.poll() is None

    def run(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Run a notebook in a process of its own; see `swta.paper.sweep.notebook.run_notebook`.

        Raises:
            NotebookDied: the process ended without an answer.
        """
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                socket.send_fds(self._control, [b"r"], [theirs.fileno()])
            with ours.makefile("rw", encoding="utf8") as stream:
                stream.write(json.dumps(request) + "\n")
                stream.flush()
                answer = stream.readline()
        if not answer:
            raise NotebookDied("the process that runs the notebook was killed (out of memory?)")
        return json.loads(answer)

    def close(self) -> None:
        """End the server and every notebook it still runs."""
        self._control.close()
        self._process.wait()
        self._sockets.cleanup()


def serve(
    control: socket.socket, sockets: str, imports: Sequence[tuple[str, Sequence[str]]]
) -> None:
    """Fork a notebook's process for each request until the other end is closed.

    The kernels' sockets are in the folder ``sockets``.
    """
    for module, names in [("swta.paper.sweep.notebook", []), ("ipykernel.zmqshell", []), *imports]:
        _load(module, names)
    if imports and count_threads() > 1:
        again = [sys.executable, "-m", __spec__.name, str(control.fileno()), sockets]
        os.execv(sys.executable, again)
    gc.freeze()  # keeps the shared pages shared
    control.sendall(WARM if imports else COLD)
    context = multiprocessing.get_context("fork")
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, 1, 1)
        if not message:
            os.killpg(os.getpgid(0), signal.SIGKILL)
        multiprocessing.active_children()  # takes leave of those that ended
        connection = socket.socket(fileno=descriptors[0])
        asked = (control, connection, sockets, bool(imports))
        context.Process(target=_serve_one, args=asked).start()
        connection.close()


def _serve_one(control: socket.socket, connection: socket.socket, sockets: str, warm: bool) -> None:
    from swta.paper.sweep.kernels import WaitingKernel, private_kernel_manager
    from swta.paper.sweep.notebook import redirect_console, run_notebook

    control.close()
    with connection, connection.makefile("rw", encoding="utf8") as stream:
        request = json.loads(stream.readline())
        redirect_console(Path(request["folder"]))
        waiting = WaitingKernel() if warm else None
        try:
            with tempfile.TemporaryDirectory(dir=sockets) as own:
                manager = private_kernel_manager(Path(own), waiting)
                answer = run_notebook(request, manager)
        finally:
            if waiting and waiting.poll() is None:
                waiting.kill()
        stream.write(json.dumps(answer) + "\n")


def _load(module: str, names: Sequence[str]) -> None:
    try:
        loaded = importlib.import_module(module)
        for name in names:
            if not hasattr(loaded, name):
                importlib.import_module(f"{module}.{name}")
    except Exception as error:  # the notebook itself fails on it, with the cell and the traceback
        print(f"cannot load {module} beforehand: {error}", file=sys.stderr)


def count_threads() -> int:
    """Threads of this process, of whatever library."""
    import psutil

    return psutil.Process().num_threads()


def main() -> None:
    """Entry point of ``python -m swta.paper.sweep.forkserver``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("descriptor", type=int, help="socket to the process that asks")
    parser.add_argument("sockets", help="folder for the kernels' sockets")
    parser.add_argument("--imports", type=json.loads, default=[], help="what to load, JSON")
    arguments = parser.parse_args()
    control = socket.socket(fileno=arguments.descriptor)
    serve(control, arguments.sockets, arguments.imports)


if __name__ == "__main__":
    main()
