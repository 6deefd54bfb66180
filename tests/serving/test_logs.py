"""The log is one JSON object a line, and whatever happens to its stream, the service goes on."""

import io
import json
import logging
import os
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhiyin.registry.serve_settings import ServeSettings
from zhiyin.serving.current import Noted, begin
from zhiyin.serving.logs import MOST_WAITING, logging_to

log = logging.getLogger("zhiyin.shop")


def written(*, do: Any, **settings: Any) -> str:
    stream = io.StringIO()
    with logging_to(stream, ServeSettings(**settings)):
        do()
    return stream.getvalue()


def test_a_line_is_json_with_its_time_level_and_extras() -> None:
    def do() -> None:
        log.info("request", extra={"route": "/v1/health", "ms": 1.5, "status": 200, "color_message": "no"})

    (line,) = written(do=do).splitlines()
    found = json.loads(line)
    assert found.pop("timestamp").endswith("Z")
    assert found == {
        "event": "request", "level": "info", "logger": "zhiyin.shop", "route": "/v1/health", "ms": 1.5, "status": 200,
    }  # fmt: skip


def test_the_id_of_the_request_is_in_its_lines() -> None:
    import contextvars

    def do() -> None:
        begin(Noted("r-1"))
        log.warning("a fault")

    text = written(do=lambda: contextvars.copy_context().run(do))
    assert json.loads(text)["request_id"] == "r-1"


@given(st.text(max_size=40), st.sampled_from(["json", "text"]))
def test_one_event_is_one_line_whatever_it_holds(text: str, log_format: str) -> None:
    output = written(do=lambda: log.error("got %s", text, extra={"route": text}), log=log_format)
    assert output.endswith("\n")
    assert len(output.splitlines()) == 1
    assert "\x1b" not in output
    assert "\x00" not in output


def test_a_traceback_is_in_the_line() -> None:
    def do() -> None:
        try:
            raise ValueError("bad\x1b[31m")
        except ValueError:
            log.exception("failed")

    found = json.loads(written(do=do))
    assert "ValueError: bad\\x1b[31m" in found["exception"]
    assert "Traceback" in found["exception"]
    assert "Traceback" in written(do=do, log="text")


def test_levels_and_uvicorn() -> None:
    def do() -> None:
        log.debug("one")
        log.info("two")
        logging.getLogger("numba.core").debug("never")
        logging.getLogger("uvicorn.error").info("three")
        logging.getLogger("uvicorn.error").warning("four")

    def said(**settings: Any) -> list[str]:
        return [json.loads(line)["event"] for line in written(do=do, **settings).splitlines()]

    assert said() == ["two", "four"]
    assert said(log_level="warning") == ["four"]
    assert said(log_level="debug") == ["one", "two", "three", "four"]


def test_a_terminal_gets_lines_for_people() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for setting, is_json in (("auto", False), ("text", False), ("json", True)):
        stream = Terminal()
        with logging_to(stream, ServeSettings(log=setting)):  # type: ignore[arg-type]
            log.info("hello")
        assert stream.getvalue().startswith("{") == is_json


class Full(io.StringIO):
    """A disk without space, for some lines."""

    def __init__(self, failures: int) -> None:
        super().__init__()
        self.failures = failures

    def write(self, text: str) -> int:
        if self.failures:
            self.failures -= 1
            raise OSError(28, "No space left on device")
        return super().write(text)


def test_a_full_disk_costs_lines_and_says_how_many() -> None:
    stream = Full(2)
    with logging_to(stream, ServeSettings()):
        for number in range(4):
            log.info("line %d", number)
    events = [json.loads(line)["event"] for line in stream.getvalue().splitlines()]
    assert events == ["line 2", "2 lines of the log were lost", "line 3"]


def test_a_closed_stream_and_words_that_do_not_fit_fail_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])  # those of pytest raise
    stream = io.StringIO()
    stream.close()
    with logging_to(stream, ServeSettings()):
        log.error("nobody reads this")
        log.error("%d", "no number")
        log.error("and again")


def test_a_pipe_that_nobody_reads_stops_nobody() -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as stream:
        with logging_to(stream, ServeSettings()):
            for _ in range(MOST_WAITING + 2_000):
                log.info("x" * 100)
        os.close(reading)  # so that the thread ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def test_requests_go_on_when_the_log_cannot_be_written(opens: Any) -> None:
    stream = io.StringIO()
    stream.close()
    with logging_to(stream, ServeSettings(log_level="debug")):
        client = opens()
        for _ in range(3):
            assert client.get("/v1/users/a000/recommendations").status_code == 200
