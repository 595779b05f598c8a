"""What `reid new` writes: a species pack from what the data look like, a plugin package for any kind."""

from wildreid.authoring.plugin import new_plugin
from wildreid.authoring.species import new_species

__all__ = ["new_plugin", "new_species"]
