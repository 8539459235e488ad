"""Model A: an own residual CNN of 3x3 convolutions, trained from scratch.

Sources: He et al., "Identity Mappings in Deep Residual Networks", ECCV 2016 (residual blocks); Hu et al.,
"Squeeze-and-Excitation Networks", CVPR 2018; Huang et al., "Deep Networks with Stochastic Depth", ECCV 2016;
He et al., "Bag of Tricks for Image Classification", CVPR 2019 (average-pooled shortcuts, zero-started last scale).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras

from agegender.models.input_layers import IMAGE_SIZE, resized
from agegender.models.network import MEAN, AgeGenderNetwork, build_network, dtype_policy, image_input


@dataclass(frozen=True)
class CustomCnn:
    """The plan of Model A's network.

    Attributes:
        stem_channels: Channels of the two strided convolutions that lead from 128 x 128 to 32 x 32. On a CPU in
            bfloat16 a network whose first residual stage stands at 32 x 32 trains three times as fast as at 64 x 64.
        stage_channels: Channels of each stage; the first stands at 32 x 32, each further one halves the side.
        stage_blocks: Residual blocks of each stage.
        side: Height and width to which the network scales the image for its trunk; 128 leaves it as it is.
        squeeze_ratio: Channels of a block over the channels of its squeeze-excite bottleneck.
        drop_path: Probability that the last block is skipped while training; earlier ones less, linearly from 0.
        dropout: Share of the pooled features that is dropped while training.
        mirror_average: Average the saved model's answer over the mirror image.
        age_readout: Which age the saved model reads off its distribution, `mean` or `median`.
        soften_noise: Standard deviation, in pixels, of the blur by which the saved model softens noisy images
            (`noise_layers`); 0 is none.
    """

    stem_channels: tuple[int, int] = (32, 64)
    stage_channels: tuple[int, ...] = (64, 128, 256)
    stage_blocks: tuple[int, ...] = (2, 2, 2)
    side: int = IMAGE_SIZE
    squeeze_ratio: int = 8
    drop_path: float = 0.1
    dropout: float = 0.4
    mirror_average: bool = True
    age_readout: str = MEAN
    soften_noise: float = 0.0


def _conv_norm(x: Any, channels: int, name: str, *, kernel: int = 3, stride: int = 1, last: bool = False) -> Any:
    x = keras.layers.Conv2D(
        channels, kernel, stride, "same", use_bias=False, kernel_initializer="he_normal", name=f"{name}_conv"
    )(x)
    # A last scale of zero starts each block as the identity, so that depth costs no warm-up.
    return keras.layers.BatchNormalization(
        momentum=0.95, gamma_initializer="zeros" if last else "ones", name=f"{name}_norm"
    )(x)


def _squeeze_excite(x: Any, channels: int, ratio: int, name: str) -> Any:
    # 1x1 convolutions on a 1 x 1 map: the same mathematics as Dense, and no fully connected layer before the heads.
    gate = keras.layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}_squeeze")(x)
    gate = keras.layers.Conv2D(max(8, channels // ratio), 1, activation="relu", name=f"{name}_reduce")(gate)
    gate = keras.layers.Conv2D(channels, 1, activation="sigmoid", name=f"{name}_gate")(gate)
    return keras.layers.Multiply(name=f"{name}_excite")([x, gate])


def _block(x: Any, channels: int, stride: int, drop_path: float, plan: CustomCnn, name: str) -> Any:
    shortcut = x
    if stride > 1:
        shortcut = keras.layers.AveragePooling2D(stride, name=f"{name}_shortcut_pool")(shortcut)
    if shortcut.shape[-1] != channels:
        shortcut = _conv_norm(shortcut, channels, f"{name}_shortcut", kernel=1)
    x = _conv_norm(x, channels, f"{name}_first", stride=stride)
    x = keras.layers.ReLU(name=f"{name}_first_act")(x)
    x = _conv_norm(x, channels, f"{name}_second", last=True)
    x = _squeeze_excite(x, channels, plan.squeeze_ratio, name)
    if drop_path:
        x = keras.layers.Dropout(drop_path, noise_shape=(None, 1, 1, 1), name=f"{name}_drop_path")(x)
    x = keras.layers.Add(name=f"{name}_add")([shortcut, x])
    return keras.layers.ReLU(name=f"{name}_act")(x)


def build_trunk(plan: CustomCnn) -> keras.Model:
    """The feature extractor of Model A, from (batch, 128, 128, 3) in 0..1 to (batch, 8, 8, channels) by default."""
    images = image_input()
    scaled = resized(images, plan.side)
    # Mean 0 and a spread near 1 for natural images.
    x = keras.layers.Rescaling(4.0, -2.0, name="standardise")(scaled)
    for index, channels in enumerate(plan.stem_channels, start=1):
        x = _conv_norm(x, channels, f"stem{index}", stride=2)
        x = keras.layers.ReLU(name=f"stem{index}_act")(x)
    total = sum(plan.stage_blocks)
    done = 0
    for stage, (channels, blocks) in enumerate(zip(plan.stage_channels, plan.stage_blocks, strict=True), start=1):
        for block in range(1, blocks + 1):
            stride = 2 if stage > 1 and block == 1 else 1
            drop_path = plan.drop_path * done / max(total - 1, 1)
            x = _block(x, channels, stride, drop_path, plan, f"stage{stage}_block{block}")
            done += 1
    return keras.Model(images, x, name="custom_trunk")


def build_custom_cnn(plan: CustomCnn | None = None, *, precision: str = "float32") -> AgeGenderNetwork:
    """Model A, freshly started.

    Args:
        plan: Sizes and rates; the default is the shipped network.
        precision: Keras dtype policy of the trunk, `float32` or `mixed_bfloat16`. The heads are always float32, and
            a saved file is built in float32.
    """
    plan = plan or CustomCnn()
    with dtype_policy(precision):
        trunk = build_trunk(plan)
    return build_network(
        trunk,
        name="age_gender_A",
        dropout=plan.dropout,
        mirror_average=plan.mirror_average,
        age_readout=plan.age_readout,
        soften_noise=plan.soften_noise,
    )
