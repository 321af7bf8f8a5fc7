"""Waiting on a condition, with a deadline; never a sleep and a hope."""

import time

POLL_SECONDS = 0.1


class Late(AssertionError):
    """The condition did not come true in time."""


def wait_for(what, seconds, condition, poll=POLL_SECONDS):
    """The first true value of `condition`."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Late(f"{what}: not within {seconds:.0f} s")
        time.sleep(poll)


def stays(what, seconds, condition, poll=0.25):
    """`condition` holds all the while: for what must *not* happen."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not condition():
            raise AssertionError(f"{what}: no longer so")
        time.sleep(poll)
