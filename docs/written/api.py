"""The page of the library's stable names."""

from __future__ import annotations

import inspect

import wildreid

PAGE = """# The library

`import wildreid` loads nothing heavy; each name is loaded when it is first used. What stands on this page is
stable: it changes only as [decision 11](../decisions/0011-stable-names.md) says.

{groups}
"""


def api_page() -> str:
    """Each stable name, from its docstring."""
    groups = []
    for group, names in wildreid.STABLE.items():
        entries = "\n\n".join(_entry(name) for name in names)
        groups.append(f"## {group.capitalize()}\n\n{entries}")
    return PAGE.format(groups="\n\n".join(groups))


def _entry(name: str) -> str:
    member = getattr(wildreid, name)
    directive = ".. autofunction:: "
    options = ""
    if inspect.isclass(member):
        directive, options = ".. autoclass:: ", "\n   :members:\n   :exclude-members: model_config"
    return f"### {name}\n\n```{{eval-rst}}\n{directive}wildreid.{name}{options}\n```"
