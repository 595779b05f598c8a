"""The built-in datasets."""

from wildreid.hookspecs import hookimpl
from wildreid.kinds import Dataset


@hookimpl
def wildreid_datasets() -> list[type[Dataset]]:
    """What `wildreid.hookspecs.wildreid_datasets` asks for."""
    return []
