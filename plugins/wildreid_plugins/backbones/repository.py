"""A folder that holds a network, on a hub of weights or on this disk: its config, its weights, its licence."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wildreid.errors import UserError
from wildreid.option import did_you_mean
from wildreid_plugins.backbones.hub import cached_names, fetch

HUB, FOLDER = "hf-hub:", "local-dir:"
WEIGHTS = ("model.safetensors", "pytorch_model.safetensors", "pytorch_model.bin", "model.bin")
"""Names of a file of weights, the one to take first."""
KEPT = (
    "input_size", "fixed_input_size", "mean", "std", "interpolation", "pool_size", "first_conv", "classifier",
    "license",
)  # fmt: skip
"""What of a config's ``pretrained_cfg`` decides the network and its input."""


def is_repository(model: str) -> bool:
    """Whether a name is of a repository, not of a network that timm knows."""
    return model.startswith((HUB, FOLDER))


@dataclass(frozen=True)
class Repository:
    """One repository, by the name that timm gives it: ``hf-hub:OWNER/NAME`` or ``local-dir:FOLDER``.

    A name on the hub may end in ``@`` and a revision. Files come from the hub's cache, else from the hub.
    """

    name: str

    @property
    def place(self) -> str:
        """The name without its prefix."""
        return self.name.split(":", 1)[1]

    def find(self, *names: str) -> Path | None:
        """The first of these files that is there.

        Raises:
            UserError: the hub must be asked and cannot be.
        """
        if self.name.startswith(FOLDER):
            found = (Path(self.place) / name for name in names)
            return next((path for path in found if path.is_file()), None)
        return fetch(self.place, names)

    def config(self) -> dict[str, Any]:
        """``architecture``, ``model_args`` and ``pretrained_cfg``, in whichever of its two forms it is written.

        Raises:
            UserError: no such folder or repository; no config in it, or none that names an architecture.
        """
        if self.name.startswith(FOLDER) and not Path(self.place).is_dir():
            raise UserError("there is no such folder", where=self.place, cure="correct backbone.model")
        path = self.find("config.json")
        if path is None:
            near = did_you_mean(self.place, cached_names()) if self.name.startswith(HUB) else ""
            raise UserError(
                f"{self.name} has no config.json, which would say which network its weights are of{near}",
                where="backbone.model",
                cure="name the network as backbone.model and the file as backbone.weights",
            )
        try:
            config = json.loads(path.read_text(encoding="utf-8"))
            described = config.get("pretrained_cfg", config)
            return {
                "architecture": str(config["architecture"]),
                "model_args": dict(config.get("model_args") or {}),
                "pretrained_cfg": {key: described[key] for key in KEPT if described.get(key) is not None},
            }
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            reason = f"it has no key {error}" if isinstance(error, KeyError) else str(error)
            raise UserError(
                f"the config of {self.name} does not describe a network of timm: {reason}",
                where=str(path),
                cure="name the network as backbone.model and the file as backbone.weights",
            ) from None

    def weights(self) -> Path:
        """The file of weights.

        Raises:
            UserError: there is none.
        """
        path = self.find(*WEIGHTS)
        if path is None:
            raise UserError(f"{self.name} holds none of {', '.join(WEIGHTS)}", where="backbone.model")
        return path

    def licence(self) -> str:
        """What the card says the licence is, else the config; empty where neither says it."""
        try:
            card = self.find("README.md")
            said = _front_matter(card.read_text(encoding="utf-8")) if card else {}
            licence = said.get("license") or self.config()["pretrained_cfg"].get("license") or ""
        except (UserError, OSError, UnicodeDecodeError):
            return ""  # a card that cannot be had or read says nothing
        if licence == "other":
            licence = said.get("license_name") or licence
        return ", ".join(map(str, licence)) if isinstance(licence, list) else str(licence)


def _front_matter(text: str) -> Mapping[str, Any]:
    """The YAML at the head of a model card."""
    import yaml

    found = re.match(r"\s*---\s*\n(.*?)\n---", text, re.DOTALL)
    try:
        value = yaml.safe_load(found[1]) if found else None
    except yaml.YAMLError:
        value = None
    return value if isinstance(value, dict) else {}
