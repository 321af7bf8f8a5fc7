"""The scenarios, by subject. Importing this package lists them all."""

from . import (  # noqa: F401
    admission,
    baseline,
    brought,
    endings,
    fanout,
    fields,
    forged,
    gate,
    inject,
    packings,
    protection,
    restricted,
    rotation,
    starts,
    status,
    store,
    tampering,
    templates,
    values,
    wall_time,
)
