"""An option of a kind by its name and ``--set KEY=VALUE``, for commands outside a recipe."""

from __future__ import annotations

from collections.abc import Sequence

from wildreid.option import Option


def chosen(kind: str, name: str, settings: Sequence[str] | None, *, where: str) -> Option:
    """The option of this kind and name, with fields as they were set.

    Args:
        kind: such as ``clusterer``.
        name: of the option.
        settings: ``KEY=VALUE``, values as in YAML.
        where: the flag that gave the name.

    Raises:
        UserError: there is no such option or field, or a value does not fit.
    """
    import yaml
    from pydantic import ValidationError

    from wildreid.errors import UserError
    from wildreid.recipe import limits
    from wildreid.registry import Registry

    fields = dict(text.partition("=")[::2] for text in settings or ())
    try:
        option = Registry().choose(kind, name)
        return option.model_validate({key: limits.read(value) for key, value in fields.items()})
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise UserError(wrong, where="--set", cure=f"reid plugins {kind} {name}") from None
    except yaml.YAMLError as error:
        raise UserError(f"a value is not readable as YAML: {error}", where="--set") from None
    except ValueError as error:
        raise UserError(str(error), where=where) from None
