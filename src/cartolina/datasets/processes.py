"""Work shared out among processes: each keeps what it has counted until there is nothing left to do.

A worker is anything with `do(task, tell)`, called for some of the tasks, and `finish()`, whose result it
hands back. Who is free takes the next task, so that a busy core delays nobody. Results must not depend on
who did what: there are as many of them as workers, in no meaningful order.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import Protocol, TypeVar

from cartolina.errors import CartolinaError

__all__ = ["Tell", "Worker", "in_processes"]

Tell = Callable[[int], None]
"""Told how many more units (bytes, parts) are done."""

Task = TypeVar("Task", contravariant=True)
Result = TypeVar("Result", covariant=True)


class Worker(Protocol[Task, Result]):
    """One process's share of the work."""

    def do(self, task: Task, tell: Tell) -> None:
        """Do one task, telling of progress."""

    def finish(self) -> Result:
        """What has come out of all tasks."""


def in_processes(
    make: Callable[[int], Worker[Task, Result]],
    tasks: Iterable[Task],
    *,
    workers: int,
    tell: Tell,
) -> list[Result]:
    """Do `tasks` on `workers` processes; `make(number)` makes each its worker, and must be picklable.

    One worker, or one task, is done in this process. An exception in a worker is raised here, and ends all;
    `CartolinaError` where a process was killed.
    """
    tasks = list(tasks)
    workers = min(workers, len(tasks))
    if workers <= 1:
        worker = make(0)
        for task in tasks:
            worker.do(task, tell)
        return [worker.finish()]
    # Not forked: the bars of the command line have a thread, and a fork would copy its locks.
    context = get_context("spawn")
    running: dict[Connection, object] = {}
    processes = []
    results: list[Result] = []
    left = iter(tasks)
    try:
        for number in range(workers):
            here, there = context.Pipe()
            process = context.Process(target=_work, args=(make, number, there), daemon=True)
            process.start()
            there.close()
            processes.append(process)
            running[here] = process
        while running:
            for connection in wait(list(running)):
                assert isinstance(connection, Connection)
                try:
                    kind, value = connection.recv()
                except EOFError:
                    raise CartolinaError(
                        "a process that counted was killed, perhaps for want of memory: try with fewer"
                    ) from None
                if kind == "free":
                    connection.send(next(left, None))
                elif kind == "progress":
                    tell(value)
                elif kind == "failed":
                    raise value
                else:
                    results.append(value)
                    del running[connection]
    finally:
        for process in processes:
            if len(results) < workers:
                process.terminate()
            process.join()
    return results


def _work(make: Callable[[int], Worker[Task, Result]], number: int, connection: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for who shared out the work: it ends us
    try:
        worker = make(number)
        while True:
            connection.send(("free", None))
            task = connection.recv()
            if task is None:
                break
            worker.do(task, lambda done: connection.send(("progress", done)))
        connection.send(("result", worker.finish()))
    except (BrokenPipeError, EOFError):  # whom we worked for was killed
        return
    except Exception as error:  # noqa: BLE001  # it is raised again where somebody can tell of it
        connection.send(("failed", error))
