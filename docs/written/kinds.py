"""A page for each kind: its contract, a complete plugin, the built-in options."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

from wildreid import kinds
from wildreid.authoring.example import example_name, example_of, hook_words
from wildreid.option import Option
from wildreid.recipe.model import key_of
from wildreid.registry import Registry
from written.words import fields, prose, signature, table

INDEX = """# Kinds and their options

Whatever can be chosen in a recipe is an *option* of one of these kinds. Each page says what the kind asks of
an option, shows a complete plugin, and lists the built-in options with all their fields. `reid plugins` shows
the same for what is installed on your machine.

{table}

```{{toctree}}
:hidden:

{tree}
```
"""

PAGE = """# {title}

{doc}

## What a plugin offers

A hook `wildreid_{plural}() -> list[type[{cls}]]`. {words}

An option is a subclass of `wildreid.kinds.{cls}` with a `name`, typed fields, and one method:

```text
{signature}
```

{method}

{forms}## A complete plugin

```python
{example}```

`reid new plugin {kind} my-{name}` writes it as a package of its own, with a test{recipe}.
`wildreid.testing.check_plugin` says whether it keeps the contract above.

## Built-in options

{options}
"""


def index_page(registry: Registry) -> str:
    """All kinds, with the names of their options."""
    rows = []
    for kind in kinds.KINDS:
        names = ", ".join(f"`{name}`" for name in registry.options(kind.kind))
        rows.append(f"[{kind.plural()}]({kind.plural()}.md) | {kind.summary()} | {names}")
    tree = "\n".join(kind.plural() for kind in kinds.KINDS)
    return INDEX.format(table=table("kind | what it is | built in", rows), tree=tree)


def kind_page(kind: type[Option], registry: Registry) -> str:
    """One kind."""
    (method,) = kind.__abstractmethods__
    doc, words = prose(kind.__doc__), prose(hook_words(kind))
    options = [
        f"### {name}\n\n{prose(option.__doc__)}\n\n{fields(option)}"
        for name, option in registry.options(kind.kind).items()
    ]
    return PAGE.format(
        title=kind.plural().capitalize(),
        doc=doc.partition("\n")[2].strip() if words.startswith(doc.partition("\n")[0]) else doc,
        plural=kind.plural(),
        cls=kind.__name__,
        words=words,
        signature=signature(kind, method),
        method=prose(getattr(kind, method).__doc__),
        forms="".join(f"{part}\n\n" for form in _forms(getattr(kind, method)) for part in _form(form)),
        example=example_of(kind),
        kind=kind.kind,
        name=example_name(kind).removeprefix("my-"),
        recipe=" and a recipe that runs" if key_of(kind) else "",
        options="\n\n".join(options),
    )


def _forms(method: Any) -> list[type[Any]]:
    """The protocols that a kind's method takes or gives, and those that add to one of them."""
    words = re.findall(r"\w+", " ".join(method.__annotations__.values()))
    forms = [form for form in vars(kinds).values() if getattr(form, "_is_protocol", False)]
    named = {form for form in forms if form.__name__ in words and form.__module__ == kinds.__name__}
    return [form for form in forms if named & set(form.__mro__)]


def _form(form: type[Any]) -> Iterator[str]:
    yield f"### {form.__name__}\n\n{prose(form.__doc__)}"
    for name, member in vars(form).items():
        own = not name.startswith("_") or name in ("__call__", "__iter__", "__len__")
        if inspect.isfunction(member) and own:
            yield f"```text\n{signature(form, name)}\n```\n\n{prose(member.__doc__)}"
