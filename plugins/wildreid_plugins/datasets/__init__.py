"""The built-in datasets."""

from wildreid.hookspecs import hookimpl
from wildreid.kinds import Dataset
from wildreid_plugins.datasets.camera_trap import CameraTrap
from wildreid_plugins.datasets.camtrap_dp import CamtrapDP
from wildreid_plugins.datasets.coco_camera_traps import CocoCameraTraps
from wildreid_plugins.datasets.folder import Folder
from wildreid_plugins.datasets.megadetector import MegaDetector
from wildreid_plugins.datasets.photo_tags import PhotoTags
from wildreid_plugins.datasets.table import Table
from wildreid_plugins.datasets.union import Union
from wildreid_plugins.datasets.wbia_coco import WbiaCoco
from wildreid_plugins.datasets.wildlife_insights import WildlifeInsights


@hookimpl
def wildreid_datasets() -> list[type[Dataset]]:
    """What `wildreid.hookspecs.wildreid_datasets` asks for."""
    return [
        Table, Folder, CameraTrap, PhotoTags, CamtrapDP, MegaDetector, CocoCameraTraps, WbiaCoco,
        WildlifeInsights, Union,
    ]  # fmt: skip
