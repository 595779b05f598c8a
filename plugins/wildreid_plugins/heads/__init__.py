"""The built-in heads."""

from wildreid.hookspecs import hookimpl
from wildreid.kinds import Head


@hookimpl
def wildreid_heads() -> list[type[Head]]:
    """What `wildreid.hookspecs.wildreid_heads` asks for."""
    return []
