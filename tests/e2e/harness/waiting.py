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
