"""The built-in samplers."""

from wildreid.hookspecs import hookimpl
from wildreid.kinds import Sampler
from wildreid_plugins.samplers.by_species import BySpecies
from wildreid_plugins.samplers.encounter_aware import EncounterAware
from wildreid_plugins.samplers.identity_balanced import IdentityBalanced
from wildreid_plugins.samplers.per_identity import PerIdentity
from wildreid_plugins.samplers.uniform import Uniform


@hookimpl
def wildreid_samplers() -> list[type[Sampler]]:
    """What `wildreid.hookspecs.wildreid_samplers` asks for."""
    return [BySpecies, EncounterAware, IdentityBalanced, PerIdentity, Uniform]
