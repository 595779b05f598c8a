"""The built-in transforms."""

from wildreid.hookspecs import hookimpl
from wildreid.kinds import Transform
from wildreid_plugins.transforms.color import Color
from wildreid_plugins.transforms.rotation import Rotation


@hookimpl
def wildreid_transforms() -> list[type[Transform]]:
    """What `wildreid.hookspecs.wildreid_transforms` asks for."""
    return [Color, Rotation]
