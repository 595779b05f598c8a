"""The check of a whole plugin: does it load, is it light, and does each of its options keep its contract?"""

from __future__ import annotations

import importlib
import importlib.metadata
from collections.abc import Iterator, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from wildreid.data.table import Table
from wildreid.errors import PluginError, UserError
from wildreid.kinds import KINDS
from wildreid.option import Option
from wildreid.registry import GROUP, Registry, Source
from wildreid.testing.heavy import heavy_import
from wildreid.testing.options import ON_TABLES, check_option, required_fields


def check_plugin(
    plugin: str | Path,
    *,
    fields: Mapping[str, Mapping[str, Any]] | None = None,
    table: Table | None = None,
) -> list[type[Option]]:
    """Check a plugin as the registry loads it, and every option that it offers.

    Args:
        plugin: the name of its module, as an entry point gives it; or the folder of a species pack.
        fields: values for options that have required fields, or whose defaults need something that is not
            there, by the option's name: ``{"herd": {"root": "photos"}}``.
        table: to try splitters and samplers on that need another than `tiny_table`; see `check_option`.

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
        on = table if option.kind in ON_TABLES else None
        check_option(option(**given[option.name]) if option.name in given else option, table=on)
    return options


@dataclass(frozen=True)
class Verdict:
    """What the check of one plugin or option gave.

    Attributes:
        of: the plugin, or ``kind name`` of the option.
        kept: whether it keeps its contract; None where that could not be seen.
        words: what is wrong, or why it could not be seen; empty where all is well.
    """

    of: str
    kept: bool | None
    words: str = ""


def check_registered(
    registry: Registry, *, kind: str | None = None, name: str | None = None
) -> Iterator[Verdict]:
    """Check every plugin that a registry has loaded, and every option of it, one after another.

    With a kind the options of that kind alone, with a name too that option alone, and the plugins that offer them.

    An option with required fields, or whose defaults need something that is not here (a network, a folder of
    photos), cannot be judged as it is; its own test does that, with `check_option`.
    """
    chosen = [
        option
        for known in KINDS
        if kind in (None, known.kind, known.plural())
        for one, option in registry.options(known.kind).items()
        if name in (None, one)
    ]
    sources = registry.sources if kind is None else {registry.source(option): None for option in chosen}
    for broken in registry.broken if kind is None else ():
        yield Verdict(broken.source.plugin, False, broken.reason)
    modules = {point.name: point.module for point in importlib.metadata.entry_points(group=GROUP)}
    for source in sources:
        heavy = heavy_import(source.place if Path(source.place).is_dir() else modules[source.plugin])
        cure = f"{heavy} at module level; import it inside the method that uses it" if heavy else ""
        yield Verdict(source.plugin, not heavy, cure)
    for option in chosen:
        yield _verdict(f"{option.kind} {option.name}", option)


def _verdict(of: str, option: type[Option]) -> Verdict:
    if required := required_fields(option):
        return Verdict(of, None, f"needs {', '.join(required)}")
    try:
        with redirect_stdout(StringIO()):  # some reporters and trackers speak
            check_option(option)
    except AssertionError as error:
        return Verdict(of, False, str(error))
    except UserError as error:
        return Verdict(of, None, error.what)
    except Exception as error:
        return Verdict(of, False, f"failed with {type(error).__name__}: {error}")
    return Verdict(of, True)


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
