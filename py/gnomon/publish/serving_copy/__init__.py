"""The serving copy: what dashboards need of a generation, in a Postgres that BI tools read."""

from gnomon.publish.serving_copy.copying import (
    CopyPublication,
    ShownCopy,
    copy_generation,
    list_copies,
    roll_back_copy,
)
from gnomon.publish.serving_copy.door import CopyDoor, open_copy

__all__ = [
    "CopyDoor",
    "CopyPublication",
    "ShownCopy",
    "copy_generation",
    "list_copies",
    "open_copy",
    "roll_back_copy",
]
