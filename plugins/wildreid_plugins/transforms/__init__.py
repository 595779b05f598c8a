"""The built-in transforms."""

from wildreid.hookspecs import hookimpl
from wildreid.kinds import Transform
from wildreid_plugins.transforms.background import Background
from wildreid_plugins.transforms.blur import Blur
from wildreid_plugins.transforms.color import Color
from wildreid_plugins.transforms.crop import Crop
from wildreid_plugins.transforms.erasing import Erasing
from wildreid_plugins.transforms.flip import Flip
from wildreid_plugins.transforms.grey import Grey
from wildreid_plugins.transforms.rotation import Rotation


@hookimpl
def wildreid_transforms() -> list[type[Transform]]:
    """What `wildreid.hookspecs.wildreid_transforms` asks for."""
    return [Background, Blur, Color, Crop, Erasing, Flip, Grey, Rotation]
