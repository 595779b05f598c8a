"""The built-in samplers."""

from wildreid.hookspecs import hookimpl
from wildreid.kinds import Sampler


@hookimpl
def wildreid_samplers() -> list[type[Sampler]]:
    """What `wildreid.hookspecs.wildreid_samplers` asks for."""
    return []
