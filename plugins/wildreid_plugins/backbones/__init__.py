"""The built-in backbones."""

from wildreid.hookspecs import hookimpl
from wildreid.kinds import Backbone
from wildreid_plugins.backbones.concat import Concat
from wildreid_plugins.backbones.efficientnet_lite import EfficientNetLite
from wildreid_plugins.backbones.megadescriptor import MegaDescriptor
from wildreid_plugins.backbones.miewid import MiewId
from wildreid_plugins.backbones.pixels import Pixels
from wildreid_plugins.backbones.timm import Timm


@hookimpl
def wildreid_backbones() -> list[type[Backbone]]:
    """What `wildreid.hookspecs.wildreid_backbones` asks for."""
    return [Concat, EfficientNetLite, MegaDescriptor, MiewId, Pixels, Timm]
