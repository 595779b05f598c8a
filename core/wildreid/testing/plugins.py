"""The check of a whole plugin: does it load, is it light, and does each of its options keep its contract?"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wildreid.errors import PluginError
from wildreid.kinds import KINDS
from wildreid.option import Option
from wildreid.registry import Registry, Source
from wildreid.testing.heavy import heavy_import
from wildreid.testing.options import check_option, required_fields


def check_plugin(
    plugin: str | Path, *, fields: Mapping[str, Mapping[str, Any]] | None = None
) -> list[type[Option]]:
    """Check a plugin as the registry loads it, and every option that it offers.

    Args:
        plugin: the name of its module, as an entry point gives it; or the folder of a species pack.
        fields: values for options that have required fields, or whose defaults need something that is not
            there, by the option's name: ``{"herd": {"root": "photos"}}``.

    Returns:
        The classes that it offers.

    Raises:
        AssertionError: it cannot be loaded, offers nothing, imports something heavy at module level, or one
            of its options does not keep its contract; the message names the place and the cure.
    """
    options = _load(plugin)
    if not options:
        raise AssertionError(
            f"{plugin} offers no option; write a hook such as wildreid_losses, with @hookimpl"
        )
    if heavy := heavy_import(plugin):
        raise AssertionError(f"{heavy} at module level; import it inside the method that uses it")
    given = fields or {}
    for option in options:
        if option.name not in given and (required := required_fields(option)):
            raise AssertionError(
                f"{option.kind} {option.name} has required fields ({', '.join(required)}); give them: "
                f"check_plugin(…, fields={{{option.name!r}: {{{required[0]!r}: …}}}})"
            )
        check_option(option(**given[option.name]) if option.name in given else option)
    return options


def _load(plugin: str | Path) -> list[type[Option]]:
    if Path(plugin).is_dir():
        registry = Registry(packs=[Path(plugin)], installed=False)
        if registry.broken:
            raise AssertionError(str(registry.broken[0]))
    else:
        registry = Registry(installed=False)
        try:
            module = importlib.import_module(str(plugin))
            registry.add(module, Source(str(plugin), str(module.__file__)))
        except (PluginError, ImportError) as error:
            raise AssertionError(f"{plugin}: {error}") from error
    return [option for kind in KINDS for option in registry.options(kind.kind).values()]
