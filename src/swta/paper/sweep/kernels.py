"""A notebook's kernel as a fork of a process that has the chapter's imports loaded."""

from __future__ import annotations

import multiprocessing
import os
import sys
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner


class WaitingKernel:
    """A forked process that becomes a kernel once it is told its connection file.

    Forked before the notebook's process has threads or sockets. It has the methods of
    `subprocess.Popen` that jupyter_client's provisioner calls.
    """

    stdin = stdout = stderr = None  # the provisioner closes those of a Popen

    def __init__(self) -> None:
        context = multiprocessing.get_context("fork")
        theirs, self._ours = context.Pipe(duplex=False)
        self._process = context.Process(target=_become_kernel, args=(theirs, self._ours))
        self._process.start()
        theirs.close()

    @property
    def pid(self) -> int:
        """The process id."""
        assert self._process.pid is not None
        return self._process.pid

    def launch(self, connection_file: str, environment: dict[str, str], folder: str) -> None:
        """Make the process a kernel on the ports and key of ``connection_file``."""
        self._ours.send((connection_file, environment, folder))
        self._ours.close()

    def poll(self) -> int | None:
        """The exit code, or None while the process lives."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int | None:
        """The exit code, after at most ``timeout`` seconds."""
        self._process.join(timeout)
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        """Send a signal, unless the process has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask the process to end."""
        self._process.terminate()

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()


def _become_kernel(pipe: Connection, other_end: Connection) -> None:
    other_end.close()
    try:
        connection_file, environment, folder = pipe.recv()
    except EOFError:  # the notebook ended without a kernel
        return
    os.environ.update(environment)
    os.chdir(folder)
    numpy = sys.modules.get("numpy")
    if numpy is not None:  # its global generator was seeded once, before the fork
        numpy.random.seed()
    from ipykernel.kernelapp import IPKernelApp

    IPKernelApp.launch_instance(
        argv=[
            f"--f={connection_file}",
            f"--IPKernelApp.parent_handle={os.getppid()}",
            "--HistoryManager.enabled=False",
            "--log-level=CRITICAL",
        ]
    )


class ForkedProvisioner(LocalProvisioner):
    """Starts the kernel in a process that waits for it."""

    waiting: WaitingKernel

    async def launch_kernel(self, cmd: list[str], **options: Any) -> Any:
        """Hand the connection file of ``cmd``'s kernel to the waiting process."""
        folder = options.get("cwd") or os.getcwd()
        manager: Any = self.parent
        self.waiting.launch(manager.connection_file, dict(options.get("env") or {}), folder)
        self.process: Any = self.waiting
        self.pid, self.pgid, self.cwd = self.waiting.pid, None, folder
        return self.connection_info


def private_kernel_manager(folder: Path, waiting: WaitingKernel | None) -> type[AsyncKernelManager]:
    """A manager of one kernel that listens on sockets in ``folder``.

    Ports of the network are chosen before the kernel takes them, so that two kernels that start at
    a time may choose the same; files are not, and other users cannot reach them.

    Args:
        folder: an empty folder with a short name, of this user alone.
        waiting: the process that becomes the kernel; a new one without.
    """

    class PrivateKernelManager(AsyncKernelManager):
        def __init__(self, **options: Any) -> None:
            place = {"transport": "ipc", "ip": str(folder / "k")}
            super().__init__(**options, **place, connection_file=str(folder / "k.json"))

        async def _async_pre_start_kernel(self, **options: Any) -> Any:
            if waiting is not None:
                self.kernel_id = "forked"
                provisioner = ForkedProvisioner(
                    kernel_id=self.kernel_id, kernel_spec=self.kernel_spec, parent=self
                )
                provisioner.waiting = waiting
                self.provisioner = provisioner
            return await super()._async_pre_start_kernel(**options)

        pre_start_kernel = _async_pre_start_kernel

    return PrivateKernelManager
