"""The built-in datasets."""

from wildreid.hookspecs import hookimpl
from wildreid.kinds import Dataset
from wildreid_plugins.datasets.camera_trap import CameraTrap
from wildreid_plugins.datasets.folder import Folder
from wildreid_plugins.datasets.table import Table


@hookimpl
def wildreid_datasets() -> list[type[Dataset]]:
    """What `wildreid.hookspecs.wildreid_datasets` asks for."""
    return [Table, Folder, CameraTrap]
