from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import comity
from tests.server.legs import LONGEST, going

SAYS = "import os; print('here is', os.getpid(), flush=True)"
WAITS = "import signal; signal.pause()"
STUBBORN = "import signal; [signal.signal(n, signal.SIG_IGN) for n in (signal.SIGTERM, signal.SIGINT)]"
BEARS = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()'], stdin=0)"

TRUE, FALSE = "/bin/true", "/bin/false"


def python(*lines: str) -> list[str]:
    return [sys.executable, "-c", "\n".join(lines)]


class Group:
    """A process that runs a ProcessGroup of programs, given by name and command."""

    def __init__(self, programs: dict[str, list[str]], grace: float) -> None:
        made = ", ".join(f"Program(name={name!r}, command={command!r})" for name, command in programs.items())
        code = (
            "import sys; from comity.server.processes import ProcessGroup, Program; "
            f"sys.exit(ProcessGroup([{made}], grace={grace}).run())"
        )
        self.process = subprocess.Popen(
            [sys.executable, "-c", code],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONPATH": str(Path(comity.__file__).parents[1])},
            start_new_session=True,
        )
        assert self.process.stdout
        self.lines = self.process.stdout
        self.said: list[str] = []

    def hear(self, count: int) -> dict[str, int]:
        """Read until so many programs have said their number; return the numbers by the programs' names."""
        pids: dict[str, int] = {}
        while len(pids) < count:
            line = self.lines.readline()
            assert line, self.said
            self.said.append(line)
            if found := re.fullmatch(r"(\w+) *\| here is (\d+)\n", line):
                pids[found[1]] = int(found[2])
        return pids

    def end(self) -> tuple[int, str]:
        rest = self.lines.read()
        return self.process.wait(LONGEST), "".join(self.said) + rest


@contextmanager
def group(grace: float = 30, **programs: list[str]) -> Iterator[Group]:
    running = Group(programs, grace)
    try:
        yield running
    finally:
        running.process.kill()
        running.process.wait()
        running.lines.close()


def test_each_line_says_whose_it_is() -> None:
    with group(web=python("print('one\\ntwo')", SAYS, WAITS), sequencer=python(SAYS, WAITS)) as running:
        running.hear(2)
        running.process.terminate()
        code, said = running.end()
    assert code == 0
    assert {"web       | one", "web       | two"} <= set(said.splitlines())


@pytest.mark.parametrize(("ends", "told"), [(TRUE, "with exit code 0"), (FALSE, "with exit code 1")])
def test_when_one_ends_all_are_stopped_and_the_exit_code_says_which(ends: str, told: str) -> None:
    worker = python(
        "import subprocess", SAYS, "input_ = open('/dev/stdin').read()", f"raise SystemExit(subprocess.call({ends!r}))"
    )
    with group(web=python(SAYS, WAITS), worker=worker, sequencer=python(SAYS, WAITS)) as running:
        code, said = running.end()
    assert code == 11
    assert f"worker ended {told}; all others are stopped." in said


def test_a_program_stands_back_for_the_others_as_far_as_it_is_told() -> None:
    patient = "import os, time\nfor _ in range(3000):\n if os.nice(0) == 7: break\n time.sleep(0.01)"
    code = (
        "from comity.server.processes import ProcessGroup, Program; import os, sys; os.nice(2); "
        f"ProcessGroup([Program(name='jobs', niceness=5, command={python(patient, 'print(os.nice(0))')!r})]).run()"
    )
    said = subprocess.run(python(code), check=True, capture_output=True, text=True, timeout=LONGEST).stdout
    assert "jobs   | 7\n" in said


def test_one_that_cannot_be_started_is_named() -> None:
    with group(web=python(SAYS, WAITS), worker=["/no/such/program"]) as running:
        code, said = running.end()
    assert code == 11
    assert "/no/such/program cannot be started: No such file or directory" in said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_asked_to_stop_it_stops_all_the_last_one_first(number: signal.Signals) -> None:
    says_goodbye = (
        "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: "
        "(print('goodbye at', time.monotonic_ns(), flush=True), sys.exit()))"
    )
    with group(one=python(says_goodbye, SAYS, WAITS), two=python(says_goodbye, SAYS, WAITS)) as running:
        pids = running.hear(2)
        with going(*pids.values()):
            running.process.send_signal(number)
        code, said = running.end()
    assert code == 0
    when = {name: int(at) for name, at in re.findall(r"(\w+) +\| goodbye at (\d+)", said)}
    assert when["two"] < when["one"]


def test_one_that_does_not_stop_is_killed_when_its_time_is_over() -> None:
    with group(grace=0.2, web=python(STUBBORN, SAYS, "while True: signal.pause()")) as running:
        pids = running.hear(1)
        with going(*pids.values()):
            running.process.terminate()
        code, said = running.end()
    assert code == 0
    assert "web did not stop within 0.2 s and is killed." in said


def test_ctrl_c_twice_kills() -> None:
    with group(web=python(STUBBORN, SAYS, "while True: signal.pause()")) as running:
        pids = running.hear(1)
        with going(*pids.values()):
            running.process.send_signal(signal.SIGINT)
            while "Stopping" not in running.said[-1]:
                running.said.append(running.lines.readline())
            running.process.send_signal(signal.SIGINT)
        code, _ = running.end()
    assert code == 130


def test_what_a_program_started_and_left_behind_goes_too() -> None:
    left = "import subprocess, sys; child = subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()'])"
    with group(web=python(left, "print('here is', child.pid, flush=True)", WAITS)) as running:
        pids = running.hear(1)
        with going(*pids.values()):
            running.process.terminate()
            running.end()


@pytest.mark.parametrize("stubborn", ["", STUBBORN], ids=["polite", "stubborn"])
def test_when_the_owner_is_killed_nothing_is_left(stubborn: str) -> None:
    child = "import subprocess, sys; child = subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()'])"
    web = python(
        child, stubborn, "print('here is', child.pid, flush=True)", "import signal\nwhile True: signal.pause()"
    )
    with group(
        grace=0.5, web=web, worker=python(stubborn, SAYS, "import signal\nwhile True: signal.pause()")
    ) as running:
        pids = running.hear(2)
        guard = os.getpgid(pids["web"])
        with going(*pids.values(), guard):
            running.process.kill()


def test_when_the_guard_is_killed_all_are_stopped_since_nothing_would_stop_them_later() -> None:
    with group(web=python(SAYS, WAITS)) as running:
        pids = running.hear(1)
        with going(*pids.values()):
            os.kill(os.getpgid(pids["web"]), signal.SIGKILL)
        code, said = running.end()
    assert code == 9
    assert "the guard of these programs ended by SIGKILL" in said
