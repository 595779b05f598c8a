"""Any network of timm, with ImageNet weights, local weights or none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import Field, model_validator

from wildreid.errors import UserError
from wildreid.kinds import Backbone
from wildreid.option import Location, did_you_mean

if TYPE_CHECKING:
    from wildreid.kinds import Features


class Timm(Backbone):
    """Any network of timm by name, such as resnet18, convnext_large or vit_small_patch16_224.

    Networks with a fixed input (most ViT and Swin) need ``images.size`` to be theirs, or ``size`` to say
    which input to build them for. `timm.list_models()` lists the names.

    Source: Wightman, "PyTorch Image Models", https://github.com/huggingface/pytorch-image-models.
    """

    name = "timm"
    model: str = Field("resnet18", min_length=1, description="the network's name in timm")
    pretrained: bool = Field(False, description="fetch timm's own weights for it from its hub, or its cache")
    weights: Location | None = Field(
        None, description="a local file of weights: safetensors or a torch state dict"
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

    @model_validator(mode="after")
    def _one_source_of_weights(self) -> Self:
        if self.pretrained and self.weights:
            raise ValueError("give either 'pretrained' or 'weights', not both")
        return self

    def untrained(self) -> Self:
        """The same network with nothing fetched or read."""
        return self.model_copy(update={"pretrained": False, "weights": None})

    def build(self) -> Features:
        """(N, 3, size, size) to (N, width), pooled."""
        import timm

        from wildreid_plugins.backbones.gem import use_gem
        from wildreid_plugins.backbones.stages import as_features
        from wildreid_plugins.backbones.weights import fit_weights, read_weights

        if not timm.is_model(self.model):
            raise UserError(
                f"timm has no network named '{self.model}'{did_you_mean(self.model, timm.list_models())}",
                where="backbone.model",
                cure="python -c 'import timm; print(timm.list_models(\"*convnext*\"))' lists names",
            )
        settings: dict[str, Any] = {"num_classes": 0}
        if self.drop_path:
            settings["drop_path_rate"] = self.drop_path
        if self.size:
            settings["img_size"] = self.size
        try:
            if self.pretrained:
                from wildreid_plugins.backbones.hub import fetched

                model = fetched(self.model, settings)
            else:
                model = timm.create_model(self.model, **settings)
            if self.checkpointing:
                model.set_grad_checkpointing(True)
        except (TypeError, AssertionError, NotImplementedError) as error:
            raise UserError(f"{self.model} cannot be built so: {error}", where="backbone") from None
        config = model.pretrained_cfg
        if self.weights:
            spare = config.get("classifier") or ()
            spare = (spare,) if isinstance(spare, str) else tuple(spare)
            fit_weights(model, read_weights(self.weights), where=str(self.weights), spare=spare)
        if self.pool == "gem":
            use_gem(model, self.model)
        return as_features(
            model,
            size=self.size or int(config["input_size"][-1]),
            mean=tuple(config["mean"]),
            std=tuple(config["std"]),
        )
