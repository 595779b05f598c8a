"""Any network of timm, with ImageNet weights, those of a repository, local weights or none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import Field, TypeAdapter, ValidationInfo, model_validator

from wildreid.errors import UserError
from wildreid.kinds import Backbone, Origin
from wildreid.option import Location, did_you_mean

if TYPE_CHECKING:
    from wildreid.kinds import Features


class Timm(Backbone):
    """Any network of timm by name, such as resnet18, or of a repository: hf-hub:OWNER/NAME, local-dir:FOLDER.

    Networks with a fixed input (most ViT and Swin) need ``images.size`` to be theirs, or ``size`` to say
    which input to build them for. `timm.list_models()` lists the names. Of a repository the config's network,
    arguments, input size, mean and standard deviation are taken over, and its weights unless ``pretrained`` is
    false; its card's licence goes with every model that is made of it.

    Source: Wightman, "PyTorch Image Models", https://github.com/huggingface/pytorch-image-models.
    """

    name = "timm"
    model: str = Field(
        "resnet18",
        min_length=1,
        description="the network's name in timm, hf-hub:OWNER/NAME or local-dir:FOLDER",
    )
    pretrained: bool = Field(
        False,
        description="fetch timm's own weights for it from its hub, or its cache; true for a repository by default",
    )
    weights: Location | None = Field(
        None, description="a local file of weights: safetensors or a torch state dict"
    )
    prefix: str = Field(
        "",
        description="what the names of the network's own weights begin with in that file, such as backbone or "
        "model.encoder; the others are left out",
    )
    size: int | None = Field(
        None,
        ge=16,
        le=1024,
        description="pixels a side to build a fixed-input network for; null: as it comes",
    )
    pool: Literal["own", "gem"] = Field("own", description="pooling: the network's own, or generalised mean")
    drop_path: float = Field(
        0.0, ge=0, lt=1, description="share of residual branches left out of a step, at most"
    )
    checkpointing: bool = Field(
        False, description="compute activations twice to hold fewer: less memory, slower"
    )
    config: dict[str, Any] | None = Field(
        None, description="the repository's config, as a saved model keeps it; null: read it there"
    )

    @model_validator(mode="before")
    @classmethod
    def _of_a_repository(cls, value: Any, info: ValidationInfo) -> Any:
        """Weights are wanted of a repository; a relative folder starts where the recipe is."""
        from wildreid_plugins.backbones.repository import FOLDER, is_repository

        if not isinstance(value, Mapping) or not isinstance(value.get("model"), str):
            return value
        if not is_repository(value["model"]) or value.get("config") is not None:
            return value
        value = {"pretrained": not value.get("weights"), **value}
        if value["model"].startswith(FOLDER):
            folder = value["model"].removeprefix(FOLDER)
            place = TypeAdapter(Location).validate_python(folder, context=info.context)
            value["model"] = f"{FOLDER}{place}"
        return value

    @model_validator(mode="after")
    def _one_source_of_weights(self) -> Self:
        if self.prefix and not self.weights:
            raise ValueError("'prefix' is of the names in 'weights', and none are given")
        if self.pretrained and self.weights:
            raise ValueError("give either 'pretrained' or 'weights', not both")
        return self

    def untrained(self) -> Self:
        """The same network with nothing fetched or read; of a repository it holds the config."""
        from wildreid_plugins.backbones.repository import FOLDER, Repository, is_repository

        update: dict[str, Any] = {"pretrained": False, "weights": None, "prefix": ""}
        if is_repository(self.model) and self.config is None:
            update["config"] = Repository(self.model).config()
            if self.model.startswith(FOLDER):  # its last name: where it lies is nobody's business
                update["model"] = f"{FOLDER}{self.model.rstrip('/').rpartition('/')[2]}"
        return self.model_copy(update=update)

    def origins(self) -> tuple[Origin, ...]:
        """The repository, timm's own weights or the local file."""
        from wildreid_plugins.backbones.repository import Repository, is_repository

        if self.weights:
            return (Origin(self.weights.name),)
        if not self.pretrained:
            return ()
        if is_repository(self.model):
            prefix, _, place = self.model.partition(":")
            shown = place if prefix == "hf-hub" else place.rstrip("/").rpartition("/")[2]
            return (Origin(f"{prefix}:{shown}", Repository(self.model).licence()),)
        from timm.models import get_pretrained_cfg

        config = get_pretrained_cfg(self.model, allow_unregistered=False)
        return (Origin(f"timm's {self.model}", str(config.license or "") if config else ""),)

    def build(self) -> Features:
        """(N, 3, size, size) to (N, width), pooled."""
        from wildreid_plugins.backbones.gem import use_gem
        from wildreid_plugins.backbones.stages import as_features
        from wildreid_plugins.backbones.weights import fit_weights, read_weights

        try:
            model = self._network()
            if self.checkpointing:
                model.set_grad_checkpointing(True)
        except (TypeError, AssertionError, NotImplementedError) as error:
            raise UserError(f"{self.model} cannot be built in this way: {error}", where="backbone") from None
        config = model.pretrained_cfg
        if self.weights:
            spare = config.get("classifier") or ()
            spare = (spare,) if isinstance(spare, str) else tuple(spare)
            fit_weights(
                model, read_weights(self.weights, prefix=self.prefix), where=str(self.weights), spare=spare
            )
        if self.pool == "gem":
            use_gem(model, self.model)
        return as_features(
            model,
            size=self.size or int(config["input_size"][-1]),
            mean=tuple(config["mean"]),
            std=tuple(config["std"]),
            fixed=bool(config.get("fixed_input_size")),
        )

    def _network(self) -> Any:
        import timm

        from wildreid_plugins.backbones.hub import fetched
        from wildreid_plugins.backbones.networks import build_network
        from wildreid_plugins.backbones.repository import Repository, is_repository
        from wildreid_plugins.backbones.weights import read_weights

        settings: dict[str, Any] = {"num_classes": 0}
        if self.drop_path:
            settings["drop_path_rate"] = self.drop_path
        if self.size:
            settings["img_size"] = self.size
        if is_repository(self.model):
            config = self.config or Repository(self.model).config()
            architecture = config["architecture"]
            _known(architecture, where=f"the config of {self.model}")
            arguments = {key: value for key, value in config["model_args"].items() if key != "num_classes"}
            settings = arguments | settings
            if not self.pretrained:
                return timm.create_model(architecture, pretrained_cfg=config["pretrained_cfg"], **settings)
            file = Repository(self.model).weights()
            return build_network(
                architecture,
                read_weights(file),
                where=str(file),
                config=config["pretrained_cfg"],
                settings=settings,
                resize=self.size is not None,
            )
        _known(self.model, where="backbone.model")
        if self.pretrained:
            return fetched(self.model, settings)
        return timm.create_model(self.model, **settings)


def _known(model: str, *, where: str) -> None:
    import timm

    if not timm.is_model(model):
        raise UserError(
            f"timm has no network named '{model}'{did_you_mean(model, timm.list_models())}",
            where=where,
            cure="python -c 'import timm; print(timm.list_models(\"*convnext*\"))' lists names",
        )
