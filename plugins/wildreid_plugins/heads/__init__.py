"""The built-in heads."""

from wildreid.hookspecs import hookimpl
from wildreid.kinds import Head
from wildreid_plugins.heads.bnneck import BnNeck
from wildreid_plugins.heads.identity import Identity
from wildreid_plugins.heads.linear import Linear
from wildreid_plugins.heads.mlp import Mlp
from wildreid_plugins.heads.pca import Pca
from wildreid_plugins.heads.whiten import Whiten


@hookimpl
def wildreid_heads() -> list[type[Head]]:
    """What `wildreid.hookspecs.wildreid_heads` asks for."""
    return [BnNeck, Identity, Linear, Mlp, Pca, Whiten]
