"""The built-in transforms."""

from wildreid.hookspecs import hookimpl
from wildreid.kinds import Transform


@hookimpl
def wildreid_transforms() -> list[type[Transform]]:
    """What `wildreid.hookspecs.wildreid_transforms` asks for."""
    return []
