"""`python -m zhiyin.serving.worker JOB`: one of several processes that answer on the socket of their parent."""

import logging
import os
import socket
import sys
import threading
from contextlib import closing

import msgspec

from zhiyin.errors import ZhiyinError
from zhiyin.serving.logs import logging_to
from zhiyin.serving.run import Job, server
from zhiyin.serving.server import Server
from zhiyin.serving.supervisor import Report

FAILED = 2

log = logging.getLogger(__name__)


def main() -> int:
    """Answer until told to end, or until the parent has gone."""
    job = msgspec.json.decode(sys.argv[1], type=Job)
    with closing(socket.socket(fileno=job.descriptor)) as listener, logging_to(sys.stderr, job.settings.serve):
        try:
            answering = server(job, listener, os.environ, _report, _report)
        except ZhiyinError as error:
            log.error("%s", error)
            _report(str(error))
            return FAILED
        threading.Thread(target=_end_with_parent, args=(answering,), daemon=True).start()
        answering.answer()
    return 0


def _report(problem: str = "") -> None:
    sys.stdout.buffer.write(msgspec.json.encode(Report(problem)) + b"\n")
    sys.stdout.buffer.flush()


def _end_with_parent(answering: Server) -> None:
    os.read(0, 1)  # nobody writes: it ends when the other side is closed; sys.stdin would be locked at the exit
    answering.end()


if __name__ == "__main__":
    sys.exit(main())
