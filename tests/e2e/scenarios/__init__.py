"""The scenarios, by subject. Importing this package lists them all."""

from . import admission, baseline, endings, fanout, packings, protection, starts, store, tampering, templates, wall_time  # noqa: F401
