"""The registry: which options there are, who offers them, and which plugins could not be loaded and why."""

from __future__ import annotations

import importlib.metadata
import inspect
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar, cast

import pluggy

from wildreid import hookspecs
from wildreid.errors import PluginError, UserError
from wildreid.kinds import KINDS
from wildreid.option import Option, did_you_mean
from wildreid.packs import fingerprint, home_of, import_folder, spec_of

Made = TypeVar("Made", bound=Option)
GROUP = "wildreid"
HOOKS = {f"wildreid_{kind.plural()}": kind for kind in KINDS}


@dataclass(frozen=True)
class Source:
    """Where an option came from.

    Attributes:
        plugin: the plugin's name: its entry point, or its pack's folder.
        place: the file or folder it was loaded from.
        version: of the distribution that brought it; empty for a pack found by path.
    """

    plugin: str
    place: str
    version: str = ""


@dataclass(frozen=True)
class Broken:
    """A plugin that could not be loaded, and why."""

    source: Source
    reason: str

    def __str__(self) -> str:
        return f"{self.source.plugin} ({self.source.place}): {self.reason}"


class Registry:
    """The options of a set of plugins, by kind and name.

    Args:
        packs: folders of species packs to load by path; they win over an installed copy of the same pack.
        installed: whether to load the entry points of the group ``wildreid``. The environment variable
            ``WILDREID_PLUGINS`` narrows them: ``builtin,bears`` loads only those two, ``-bears`` all but it.
    """

    def __init__(self, *, packs: Iterable[Path] = (), installed: bool = True) -> None:
        self._manager = pluggy.PluginManager(hookspecs.PROJECT)
        self._manager.add_hookspecs(hookspecs)
        self._options: dict[str, dict[str, tuple[type[Option], Source]]] = {kind.kind: {} for kind in KINDS}
        self.broken: list[Broken] = []
        self.notes: list[str] = []
        self.sources: list[Source] = []
        self._files: dict[str, Source] = {}
        # ours first: where a name is taken twice, the plugin that took it a second time is the one refused
        points = importlib.metadata.entry_points(group=GROUP) if installed else ()
        own, others = (
            [point for point in points if (point.name == "builtin") is state] for state in (True, False)
        )
        self._add_installed(own)
        rule = os.environ.get("WILDREID_PLUGINS", "")
        homes = {home_of(point) for point in others if wanted(point.name, rule)}
        for folder in packs:
            if folder.resolve() not in homes:  # the recipe of an installed pack names the pack's own folder
                self._add_pack(folder)
        self._add_installed(others)

    def add(self, plugin: Any, source: Source) -> None:
        """Register one plugin: a module, or any object with hook implementations.

        Raises:
            PluginError: a misspelt hook, a ``wildreid_*`` function without ``@hookimpl``, a hook that returns
                something else than a list of classes of its kind, an abstract class, a name that is taken.
        """
        self._check_names(plugin, source)
        self._manager.register(plugin, name=f"{source.plugin}@{source.place}")
        try:
            new = list(self._collect(plugin, source))
        except PluginError:
            self._manager.unregister(plugin)
            raise
        for option in new:
            self._options[option.kind][option.name] = (option, source)
        self.sources.append(source)

    def option(self, kind: type[Made], value: Made | str) -> Made:
        """An option, or by its name the one with every field at its default.

        Raises:
            UserError: no plugin offers one of that name.
        """
        if not isinstance(value, str):
            return value
        try:
            chosen = self.choose(kind.kind, value)
        except ValueError as error:
            raise UserError(str(error)) from None
        return cast("Made", chosen.model_validate({}))

    def choose(self, kind: str, name: str) -> type[Option]:
        """The option of this kind and name.

        Raises:
            ValueError: there is none; says which is near, which there are, and which plugins failed.
        """
        known = self._options[kind]
        if name in known:
            return known[name][0]
        there = ", ".join(sorted(known)) or "none"
        text = f"no {kind} is named '{name}'{did_you_mean(name, known)}; there are: {there}"
        if self.broken:
            text += f"; not loaded: {'; '.join(map(str, self.broken))}"
        raise ValueError(text)

    def options(self, kind: str) -> dict[str, type[Option]]:
        """All options of one kind by name, sorted."""
        return {name: option for name, (option, _) in sorted(self._options[kind].items())}

    def source(self, option: type[Option]) -> Source:
        """Who offers this option."""
        return self._options[option.kind][option.name][1]

    def _add_installed(self, points: Iterable[importlib.metadata.EntryPoint]) -> None:
        for point in sorted(points, key=lambda point: point.name):
            if not wanted(point.name, os.environ.get("WILDREID_PLUGINS", "")):
                continue
            version = point.dist.version if point.dist else ""
            spec = spec_of(point.module)
            place = spec.origin if spec and spec.origin else point.value
            source = Source(point.name, place, version)
            by_path = self._files.get(fingerprint(Path(place))) or self._pack_named(point.name)
            if by_path is not None:
                self.notes.append(
                    f"pack '{point.name}' is taken from {by_path.place}, not from the installed copy"
                )
                continue
            try:
                self.add(point.load(), source)
            except PluginError as error:
                self.broken.append(Broken(source, error.what))
            except Exception as error:
                self.broken.append(Broken(source, _describe(error)))

    def _pack_named(self, name: str) -> Source | None:
        return next((source for source in self._files.values() if source.plugin == name), None)

    def _add_pack(self, folder: Path) -> None:
        folder = folder.resolve()
        init = folder / "__init__.py"
        source = Source(folder.name, str(folder))
        if not init.is_file():
            if not folder.is_dir():
                raise PluginError(f"the pack {folder} does not exist", cure="correct 'packs' in the recipe")
            return  # a pack without code: a recipe and its README
        if fingerprint(init) in self._files:
            return
        self._files[fingerprint(init)] = source
        try:
            self.add(import_folder(folder), source)
        except PluginError as error:
            self.broken.append(Broken(source, error.what))
        except Exception as error:
            self.broken.append(Broken(source, _describe(error)))

    def _check_names(self, plugin: Any, source: Source) -> None:
        for name in dir(plugin):
            if not name.startswith("wildreid_"):
                continue
            member = getattr(plugin, name)
            if not callable(member) or isinstance(member, ModuleType):
                continue
            where = _where(member) or source.place
            if name not in HOOKS:
                raise PluginError(f"{where}: there is no hook '{name}'{did_you_mean(name, HOOKS)}")
            if not hasattr(member, f"{hookspecs.PROJECT}_impl"):
                raise PluginError(f"{where}: '{name}' lacks its decorator; write @hookimpl above it")

    def _collect(self, plugin: Any, source: Source) -> Iterable[type[Option]]:
        names: set[tuple[str, str]] = set()
        for hook, kind in HOOKS.items():
            member = getattr(plugin, hook, None)
            if member is None:
                continue
            where = _where(member) or source.place
            offered = member()
            if not isinstance(offered, Sequence) or isinstance(offered, str):
                raise PluginError(
                    f"{where}: '{hook}' returned {type(offered).__name__}, not a list of classes; "
                    "write: return [YourClass]"
                )
            for option in offered:
                if not (inspect.isclass(option) and issubclass(option, kind)):
                    raise PluginError(
                        f"{where}: '{hook}' returned {option!r}, which is no {kind.__name__} class; "
                        f"return classes, not objects, each derived from wildreid.kinds.{kind.__name__}"
                    )
                if option.is_kind():
                    raise PluginError(f'{where}: {option.__name__} has no name; write: name = "…"')
                if missing := sorted(getattr(option, "__abstractmethods__", ())):
                    raise PluginError(
                        f"{where}: {option.__name__} does not define {', '.join(missing)}(), "
                        f"which each {kind.kind} has; see wildreid.kinds.{kind.__name__}"
                    )
                taken = self._options[kind.kind].get(option.name)
                if taken or (kind.kind, option.name) in names:
                    other = taken[1] if taken else source
                    raise PluginError(
                        f"two plugins offer a {kind.kind} named '{option.name}': "
                        f"{other.plugin} ({other.place}) and {source.plugin} ({source.place}); rename one, "
                        "or leave one of the two plugins out"
                    )
                names.add((kind.kind, option.name))
                yield option


def wanted(name: str, rule: str) -> bool:
    """Whether the plugin `name` is to be loaded under a `rule` as in ``WILDREID_PLUGINS``: ``a,b`` or ``-a``."""
    words = [word.strip() for word in rule.split(",") if word.strip()]
    blocked = {word[1:] for word in words if word.startswith("-")}
    chosen = {word for word in words if not word.startswith("-")}
    return name not in blocked and (not chosen or name in chosen)


def _where(member: Any) -> str:
    try:
        return f"{inspect.getsourcefile(member)}:{inspect.getsourcelines(member)[1]}"
    except (OSError, TypeError):
        return ""


def _describe(error: Exception) -> str:
    frame = error.__traceback__
    last = ""
    while frame is not None:
        file = frame.tb_frame.f_code.co_filename
        if not file.startswith("<frozen") and Path(file).parent != Path(__file__).parent:
            last = f"{file}:{frame.tb_lineno}: "
        frame = frame.tb_next
    cure = "; install it, or correct the import" if isinstance(error, ImportError) else ""
    return f"{last}{type(error).__name__}: {error}{cure}"
