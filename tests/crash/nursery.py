"""Children that can be killed, and cost little: forked from a process that has imported everything already.

The nursery is a process of its own with one thread, so that forking it is safe. It opens no file and no database;
a child has nothing in common with the one before but the code. A dead child stays a zombie until the parent has
asked for its end, so its number can't be given to another process meanwhile.
"""

from __future__ import annotations

import os
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

#: After how long a silence the test gives up: far longer than anything here takes.
PATIENCE_S: Final = 60

_ROOT: Final = Path(__file__).parents[2]
_START: Final = "import sys; from tests.crash import child, nursery; nursery.serve(int(sys.argv[1]), child.live)"


class Child:
    """One process that the nursery bore.

    Attributes:
        pid: Its number.
        connection: What it says, and is told.
    """

    def __init__(self, pid: int, connection: Connection, control: socket.socket) -> None:
        self.pid = pid
        self.connection = connection
        self._control = control

    def kill(self) -> int:
        """Kill it, whatever it does, and wait for its end; return the signal that ended it, 0 where none did."""
        os.kill(self.pid, signal.SIGKILL)
        self._control.send(b"reap")
        [status] = struct.unpack("i", self._control.recv(4))
        return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


class Nursery:
    """Bears one child after the other; a child must be killed before the next is born."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control

    @contextmanager
    def bear(self) -> Generator[Child]:
        """Lend a child; whoever borrows it kills it."""
        ours, theirs = socket.socketpair()
        with ours, theirs:
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", PATIENCE_S, 0))
            socket.send_fds(self._control, [b"bear"], [theirs.fileno()])
            [pid] = struct.unpack("i", self._control.recv(4))
            theirs.close()
            with Connection(ours.detach()) as connection:
                yield Child(pid, connection, self._control)


@contextmanager
def nursery() -> Generator[Nursery]:
    """Start a nursery; when it is left, neither it nor a child of its is there any more."""
    ours, theirs = socket.socketpair()
    ours.settimeout(PATIENCE_S)
    command = [sys.executable, "-c", _START, str(theirs.fileno())]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(_ROOT), *filter(None, sys.path)])}
    with ours, subprocess.Popen(command, pass_fds=[theirs.fileno()], env=environment) as process:  # noqa: S603 - ours
        theirs.close()
        try:
            yield Nursery(ours)
        finally:
            ours.close()  # it ends by itself, and kills what it bore
            with suppress(subprocess.TimeoutExpired):
                process.wait(PATIENCE_S)
            process.kill()


def serve(control: int, live: Callable[[Connection], None]) -> None:
    """Be the nursery: bear a child when asked to, tell how it ended when asked to, end when nobody is there to ask.

    Args:
        control: The socket on which the test asks.
        live: What a child does.
    """
    with socket.socket(fileno=control) as asked:
        while True:
            message, [*given], *_ = socket.recv_fds(asked, 16, 1)
            if not message:
                return
            pid = os.fork()
            if not pid:
                asked.close()
                with Connection(given[0]) as connection:
                    live(connection)
                os._exit(0)
            os.close(given[0])
            asked.send(struct.pack("i", pid))
            if not asked.recv(16):
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                return
            asked.send(struct.pack("i", os.waitpid(pid, 0)[1]))
