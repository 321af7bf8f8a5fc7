"""The scenarios, by subject. Importing this package lists them all."""

from . import baseline, endings, fanout, gate, packings, starts, store, tampering, wall_time  # noqa: F401
