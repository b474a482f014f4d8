"""Kernels forked from one warm process: each notebook has a kernel of its own, and none pays for the imports again.

On Linux the standard library's fork server imports :mod:`analysis.report.warm` once; a kernel is a fork of it. Elsewhere
(where forking after such imports is not safe) a kernel is a fresh interpreter. The results are the same; only the time differs.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.errors import PlaceError

if TYPE_CHECKING:
    from jupyter_client.manager import AsyncKernelManager

# One BLAS thread and one hash seed: sums in one order, the same bytes. No user's start-up files, no user's time zone.
STEADY = {
    "PYTHONHASHSEED": "0",
    "PYTHONUTF8": "1",
    "TZ": "UTC",
    **dict.fromkeys(
        (
            "OMP_NUM_THREADS",
            "OPENBLAS_NUM_THREADS",
            "MKL_NUM_THREADS",
            "NUMEXPR_NUM_THREADS",
            "VECLIB_MAXIMUM_THREADS",
        ),
        "1",
    ),
}
PRELOADED = "analysis.report.warm"
_MEBIBYTE = 1 << 20
LONGEST_PLACE = 60
SMALLEST_KERNEL = 1024 * _MEBIBYTE


def free_memory() -> int | None:
    """Bytes that new processes may use; None where the system does not say."""
    with suppress(OSError, ValueError, StopIteration):
        line = next(
            line
            for line in Path("/proc/meminfo").read_text().splitlines()
            if line.startswith("MemAvailable:")
        )
        return int(line.split()[1]) * 1024
    return None


def fitting_workers(wanted: int, *, memory: int | None, processors: int | None = None) -> int:
    """How many kernels may run side by side: what was asked for, within processors and at least 1 GiB each."""
    room = wanted if memory is None else max(1, memory // SMALLEST_KERNEL)
    return max(1, min(wanted, processors or os.cpu_count() or 1, room))


@dataclass(frozen=True, kw_only=True)
class Kernels:
    """The warm process and how its kernels start."""

    context: BaseContext
    environment: Mapping[str, str]
    sockets: Path
    memory: int | None
    started: list[KernelProcess] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)

    def stop(self) -> None:
        """Kill every kernel that still runs and start no other (the report was interrupted)."""
        self.stopped.set()
        with _STARTING:
            for process in self.started:
                process.kill()

    def end(self) -> None:
        """Kill what notebooks have started and left behind; a kernel leads a group of its own (``serve_kernel``)."""
        for process in self.started:
            with suppress(AttributeError, ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)

    def manager(self, *, folder: Path) -> type[AsyncKernelManager]:
        """A kernel manager for papermill (``kernel_manager_class``) whose kernels start in ``folder``."""
        from jupyter_client.manager import AsyncKernelManager
        from jupyter_client.provisioning.local_provisioner import LocalProvisioner

        warm = self

        class Provisioner(LocalProvisioner):
            async def launch_kernel(self, cmd: list[str], **_: Any) -> Any:  # noqa: ARG002 - given by the base class
                manager: Any = self.parent
                process: Any = warm._start(str(manager.connection_file), folder)
                # The group is left unset on purpose: until the child has a group of its own it shares ours.
                self.process, self.pid = process, process.pid
                return self.connection_info

        class Manager(AsyncKernelManager):
            def __init__(self, **options: Any) -> None:
                super().__init__(**options)
                handle = tempfile.mkdtemp(prefix="k", dir=warm.sockets)
                self.transport = "ipc"
                self.ip = f"{handle}/s"
                self.connection_file = f"{handle}/connection.json"
                self.provisioner = Provisioner(
                    kernel_id=Path(handle).name, kernel_spec=self.kernel_spec, parent=self
                )

        return Manager

    def _start(self, connection_file: str, folder: Path) -> KernelProcess:
        environment = {**self.environment, "IPYTHONDIR": str(self.sockets / "ipython")}
        process = self.context.Process(  # type: ignore[attr-defined]
            target=serve_kernel, args=(connection_file, environment, str(folder), self.memory), daemon=True
        )
        with _STARTING:
            if self.stopped.is_set():
                raise InterruptedError("the report was interrupted")
            process.start()
            kernel = KernelProcess(process)
            self.started.append(kernel)
        return kernel

    def pool(self, workers: int) -> ProcessPoolExecutor:
        """Worker processes of the same warm origin, for exporting the languages side by side."""
        return ProcessPoolExecutor(
            workers, mp_context=self.context, initializer=_settle, initargs=(dict(self.environment),)
        )


# Starting a process through the fork server sends file descriptors: one thread at a time.
_STARTING = threading.Lock()


class KernelProcess:
    """A forked kernel with the face of ``subprocess.Popen`` that jupyter_client expects."""

    stdin = stdout = stderr = None

    def __init__(self, process: Any) -> None:
        self._process = process
        self.pid: int = process.pid

    def poll(self) -> int | None:
        return None if self._process.is_alive() else self.returncode

    @property
    def returncode(self) -> int:
        return self._process.exitcode if self._process.exitcode is not None else 0

    def wait(self) -> int:
        self._process.join()
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self._process.is_alive():
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)


@contextmanager
def warm_kernels(environment: Mapping[str, str], *, memory: int | None = None) -> Iterator[Kernels]:
    """Start the warm process (it imports while the caller prepares data) and stop it at the end.

    ``memory`` bounds the data of each kernel in bytes, so that a runaway notebook fails by itself instead of taking the
    machine with it. The warm process never outlives the report: a later one must see later code.
    """
    method = "forkserver" if sys.platform == "linux" else "spawn"
    context = multiprocessing.get_context(method)
    settings = {**STEADY, **environment}
    sockets = _short_folder()
    own = multiprocessing.current_process()._config  # type: ignore[attr-defined]
    before = own.get("tempdir")
    own["tempdir"] = str(sockets)  # where the fork server puts its socket, too
    try:
        if method == "forkserver":
            _stop_warm_process()
            with _environment(settings):
                context.set_forkserver_preload([PRELOADED])
                from multiprocessing import forkserver

                forkserver.ensure_running()
        kernels = Kernels(context=context, environment=settings, sockets=sockets, memory=memory)
        try:
            yield kernels
        finally:
            kernels.end()
    finally:
        if method == "forkserver":
            _stop_warm_process()
        own.pop("tempdir")
        if before is not None:
            own["tempdir"] = before
        shutil.rmtree(sockets, ignore_errors=True)


def _short_folder() -> Path:
    """A folder for sockets: the path of one has about 100 characters, and TMPDIR may have them all."""
    for place in (tempfile.gettempdir(), "/tmp", "/var/tmp", "/dev/shm"):
        if len(os.fsencode(place)) <= LONGEST_PLACE:
            with suppress(OSError):
                return Path(tempfile.mkdtemp(prefix="as-", dir=place))
    raise PlaceError(
        f"No short folder for the kernels' connections: TMPDIR has {len(tempfile.gettempdir()):,} letters, and /tmp may not be written. "
        f"Set TMPDIR to a folder of at most {LONGEST_PLACE} letters."
    )


def _stop_warm_process() -> None:
    from multiprocessing import forkserver

    stop = getattr(forkserver._forkserver, "_stop", None)
    if stop:
        stop()


@contextmanager
def _environment(settings: Mapping[str, str]) -> Iterator[None]:
    """Hash seed and BLAS threads are read when an interpreter starts, so they must be in the environment it inherits."""
    before = dict(os.environ)
    os.environ.update(settings)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _settle(environment: Mapping[str, str]) -> None:
    """The first thing a forked process does: take its environment, and not outlive the report."""
    os.environ.update(environment)
    report = multiprocessing.parent_process()
    if report is not None:
        threading.Thread(target=_end_with, args=(report.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    """The warm process lives as long as any of its forks, so a fork must not wait for the warm process to end."""
    from multiprocessing.connection import wait

    wait([sentinel])
    if (
        hasattr(os, "getpgrp") and os.getpgrp() == os.getpid()
    ):  # a kernel, with all that its notebook has started
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def serve_kernel(
    connection_file: str, environment: Mapping[str, str], folder: str, memory: int | None
) -> None:
    """Be a kernel until told to stop (runs in the forked process)."""
    os.setsid()  # Ctrl-C in the terminal is for the report, which stops its kernels itself
    _let_go_of_the_terminal()
    _settle(environment)
    os.chdir(folder)
    sys.path.insert(0, "")  # as a kernel started by Jupyter has it: modules beside the notebook
    if memory:
        _bound_memory(memory)
    from ipykernel.kernelapp import IPKernelApp

    app = IPKernelApp.instance(parent_handle=os.getppid(), log_level="CRITICAL")
    app.initialize(["-f", connection_file, "--HistoryManager.enabled=False"])
    app.start()


def _let_go_of_the_terminal() -> None:
    """What a notebook starts and leaves behind must not hold the report's output open: who reads it through a pipe would wait for it."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (1, 2):
        os.dup2(nowhere, descriptor)
    os.close(nowhere)


def _bound_memory(size: int) -> None:
    with suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (size, resource.getrlimit(resource.RLIMIT_DATA)[1]))
