# ---
# jupyter:
#   accelerator: GPU
#   colab:
#     gpuType: T4
#     provenance: []
#   jupytext:
#     notebook_metadata_filter: accelerator,colab,-jupytext.text_representation.jupytext_version
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Age and gender from one face: two convolutional networks
#
# From a folder of labelled 128 × 128 face images to two Keras models, each of which looks at one image and answers two
# questions: the **age** in years and the **gender** of the label (0 male, 1 female).
#
# | | Model A | Model B |
# |---|---|---|
# | origin | own architecture, trained from scratch on the given images alone | an existing CNN, pre-trained on ImageNet, then fine-tuned |
# | file | `age_gender_A.keras` | `age_gender_B.keras` |
#
# The steps: set-up and samples; **1** pre-processing; **2A**, **3A**, **4A** the network, the training and the learning
# curves of Model A; **2B**, **3B**, **4B** the same for Model B; **5** evaluation.
#
# **How to read it.** Text between the cells explains what is done and why. Every sentence with a number of this run
# stands in the *output* of a cell, composed from the run's records, so that it changes when the run does. Cells that
# show the code of a network or of a recipe hold the text of the package's own modules; the last line of each checks
# that it is the code that is installed.
#
# An age guessed from looks and a binary gender are limits of a data set, not facts about a person. The models are for
# measurement and research, not for decisions about people.

# %% [markdown]
# ## Set-up
#
# ### Parameters
#
# Everything that you may want to change. With nothing changed the notebook draws its own faces and trains on those, in
# some minutes: a small data set with known truth, which shows that every step works. For your own data write the path of
# a folder (or `.zip`, `.tar.gz`, `.csv`, `.parquet`) between the quotes of `DATA`. With `RUN`, the folder of a finished
# `agegender run`, nothing is trained: that run's training is shown.

# %% tags=["parameters"]
import json
import os
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

given = json.loads(os.environ.get("AGEGENDER_NOTEBOOK") or "{}")  # what the command `agegender notebook` was given

DATA = given.get("data", "")  # labelled faces, named [age]_[gender]_[race]_[date].jpg; "" draws faces
TEST = given.get("test", "")  # other labelled faces to measure on, never trained on; "" measures on validation images
RUN = given.get("run", "")  # the folder of a finished run to show; "" trains
TRAIN_IN = given.get("train_in", "runs/notebook")  # where the run, its checkpoints and its models stand
SEED = given.get("seed", 1)  # of split, weights, order and augmentation
CHANGES = given.get("changes", {})  # of the recipes, such as {"A": [["phases.-1.epochs", "2"]], "B": []}
PHASES = given.get("phases")  # only the first so many phases of the recipes; None does them all
GENDER_CODES = given.get("gender_codes", {})  # for a table of codes, such as {"0": "male", "1": "female"}

# On Google Colab alone:
DRIVE_FOLDER = "MyDrive/agegender"  # in your Drive: images, the package's wheel, and the run with its checkpoints
DRIVE_DATA = "train_val"  # the images in it, a folder or a .zip; "" draws faces
DRIVE_TEST = ""  # other images in it to measure on
PACKAGE = ""  # "git+https://..."; "" takes the newest agegender-*.whl in the folder

ON_COLAB = "google.colab" in sys.modules
print("A finished run is shown." if RUN else "Both models are trained here.")

# %% [markdown]
# ### On Google Colab
#
# These three cells do nothing elsewhere. On Colab they
#
# 1. print the GPU, or stop and say how to switch one on;
# 2. mount your Drive and install the package. Only Keras may be renewed: TensorFlow, JAX, PyTorch and NumPy are held at
#    the versions that Colab has for its GPU;
# 3. copy the images from Drive to the machine's own disk, once, since thousands of small files are slow to read from
#    Drive, and put the run on Drive. A checkpoint is written after each epoch: after a disconnect choose *Run all* again,
#    and the training goes on after the last finished epoch.

# %%
if ON_COLAB and not RUN:
    gpu = ""
    if shutil.which("nvidia-smi"):
        query = ["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader"]
        gpu = subprocess.run(query, capture_output=True, text=True, check=False).stdout.strip()
    if not gpu:
        raise RuntimeError("There is no GPU. Choose Runtime > Change runtime type > T4 GPU > Save, then Run all again.")
    print("GPU:", gpu)
else:
    print("No GPU is asked for here.")

# %%
if ON_COLAB:
    from google.colab import drive

    drive.mount("/content/drive")
    HOME = Path("/content/drive", DRIVE_FOLDER)
    HOME.mkdir(parents=True, exist_ok=True)

    def held_versions():
        names = ("tensorflow", "jax", "jaxlib", "torch", "numpy")
        installed = {item.metadata["Name"]: item.version for item in metadata.distributions()}
        return {name: installed[name] for name in names if name in installed}

    held = held_versions()
    wheels = sorted(HOME.glob("agegender-*.whl"), key=lambda file: file.stat().st_mtime)
    if not PACKAGE and not wheels:
        raise RuntimeError(
            f"There is no agegender-*.whl in {DRIVE_FOLDER}. Put one there (`pip wheel --no-deps PATH` makes it from a "
            "copy of the repository), or write the repository's address, git+https://..., in PACKAGE."
        )
    Path("/content/held.txt").write_text("".join(f"{name}=={version}\n" for name, version in held.items()))
    wanted = f"agegender[train,report] @ {PACKAGE or wheels[-1].as_uri()}"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--constraint", "/content/held.txt", wanted]
    subprocess.run(pip, check=True)
    if held_versions() != held:
        raise RuntimeError(f"Installing changed {held} to {held_versions()}. Start a new runtime and tell the makers.")
    print("Installed agegender", metadata.version("agegender"), "with Keras", metadata.version("keras"), "and", held)
else:
    print("Not on Colab: nothing to install.")

# %%
if ON_COLAB:
    from agegender.notebook import copy_once

    LOCAL = Path("/content/faces")
    DATA = str(copy_once(HOME / DRIVE_DATA, LOCAL / DRIVE_DATA)) if DRIVE_DATA else DATA
    TEST = str(copy_once(HOME / DRIVE_TEST, LOCAL / DRIVE_TEST)) if DRIVE_TEST else TEST
    TRAIN_IN, RUN = str(HOME / "runs" / "notebook"), str(HOME / RUN) if RUN else ""
    print("The images stand on this machine, the run and its checkpoints in", DRIVE_FOLDER)
else:
    print("Not on Colab: nothing to copy.")

# %% [markdown]
# ### Data and run
#
# `open_work` reads the labelled images (every file that cannot be used is listed in `rejected.csv` with its reason) and
# makes or opens the run's folder. It is the same folder that `agegender run` makes: either can go on with it.

# %% tags=["told"]
import logging

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow's own log is no output of a step
logging.getLogger("tensorflow").addFilter(lambda entry: entry.levelno >= logging.ERROR)

import numpy as np
import pandas as pd
from IPython.display import display

from agegender.backend import require_backend
from agegender.notebook import confirm_shown, open_work, show, tell, words
from agegender.run_folder import MODELS
from agegender.types import silent

require_backend()
work = open_work(
    data=DATA, test=TEST, run=RUN, train_in=TRAIN_IN, seed=SEED, changes=CHANGES, phases=PHASES,
    gender_codes=GENDER_CODES,
)
faces = work.faces
tell(words.data_words(faces))

# %% [markdown]
# ### Samples with their labels
#
# Up to two dozen images, chosen from every age band in turn and from both labels by turns, so that the grid shows the
# breadth of the data and not its most frequent face.

# %%
from agegender.reporting import choose_samples, sample_grid, sample_grid_caption

ages, genders = faces.table["age"].to_numpy(), faces.table["gender"].astype(str).to_numpy()
chosen = choose_samples(ages, genders.tolist(), count=24, seed=work.settings.seed)
show(
    sample_grid(faces.images[chosen], ages[chosen], genders[chosen].tolist(), drawn=faces.drawn),
    sample_grid_caption(ages[chosen], genders[chosen].tolist(), drawn=faces.drawn),
)

# %% [markdown]
# ## Step 1. Pre-processing
#
# ### Labels from file names
#
# A UTKFace name carries its labels: `[age]_[gender]_[race]_[date].jpg`. Age and gender are the two targets. Race is kept
# to measure errors by group; it is never an input and never a target. A name with a missing or impossible field is
# refused, since a field that is missing shifts the others into its place.

# %%
from agegender.data import parse_name

print(parse_name("26_1_2_20170116174525125.jpg.chip.jpg"))
display(faces.table.head())

# %% [markdown]
# ### An 80/20 split with a fixed seed
#
# The images are put in order of age for each gender, cut into short runs, and each run gives its share to validation: both
# sides are alike. Near-duplicates, found by a perceptual hash, stay on one side: a copy of a training image among the
# validation images would flatter the model.

# %%
split = work.split()
tell(words.split_words(split, faces))
if not work.has_images:
    print("This is the split of the faces shown here. That of the run which is shown below stands in step 3.")

# %% [markdown]
# ### Pixels to [0, 1]
#
# A network gets pixels over 255. Images are kept as bytes and divided when they are used, which takes a quarter of the
# memory. Any further scaling that a network wants lies inside it.

# %%
pixels = faces.images[faces.select(split.train[:64])].astype(np.float32) / 255.0
print("shape", pixels.shape, "type", pixels.dtype, "values", pixels.min(), "to", pixels.max())

# %% [markdown]
# ### Augmentation
#
# A few thousand faces are soon learnt by heart. Augmentation shows each of them differently in every epoch: it can mirror,
# tilt, shift, relight, blur, compress and grey them, or cover a part. All of it keeps age and gender as they are. It is on
# for training alone; validation and test images are never changed. The values are spreads and shares, and 0 switches a
# change off; the picture below shows this run's own.

# %%
from __future__ import annotations

from dataclasses import dataclass, fields, replace
import cv2
import numpy as np
from agegender.training.augment import _colour_table, _erase, _low_resolution, _warp


@dataclass(frozen=True)
class Augmentation:
    """How much training images vary. Shares are probabilities an image; spreads are standard deviations.

    Attributes:
        mirror: Share mirrored left to right; faces are symmetric enough.
        rotation_degrees: Spread of the in-plane rotation; UTKFace crops are aligned to a few degrees.
        scale: Spread of the logarithm of the scale; crops differ by how tight the detector was.
        shift_pixels: Spread of the shift in each direction.
        shear: Spread of the horizontal shear, as a slope.
        aspect: Spread of the logarithm of the aspect ratio.
        brightness: Spread of an additive change, in units of the full range.
        contrast: Spread of the logarithm of the contrast.
        gamma: Spread of the logarithm of the gamma.
        colour_gain: Spread of the logarithm of each channel's gain (white balance).
        blur: Share blurred by a Gaussian of 0.4 to 1.4 pixels.
        low_resolution: Share reduced to 0.4 to 0.8 of the side and enlarged again.
        jpeg: Share compressed again at quality 25 to 75.
        noise: Share with Gaussian noise of up to 0.04 of the range.
        grey: Share turned grey; UTKFace has old photographs.
        reversed_channels: Share given blue first. 0, since the network orders channels itself.
        erase: Share with one box of 5 to 25 % of the area filled with noise.
        mixup: Share of batches in which each image is blended with another one.
        mixup_alpha: Both parameters of the Beta distribution that the blend is drawn from.
    """

    mirror: float = 0.5
    rotation_degrees: float = 8.0
    scale: float = 0.08
    shift_pixels: float = 4.0
    shear: float = 0.05
    aspect: float = 0.04
    brightness: float = 0.06
    contrast: float = 0.15
    gamma: float = 0.15
    colour_gain: float = 0.05
    blur: float = 0.15
    low_resolution: float = 0.1
    jpeg: float = 0.15
    noise: float = 0.1
    grey: float = 0.15
    reversed_channels: float = 0.0
    erase: float = 0.4
    mixup: float = 0.0
    mixup_alpha: float = 0.4

    def scaled(self, strength: float) -> Augmentation:
        """All shares and spreads times `strength`, 0..1, but for the mirror image, which is as likely a photograph."""
        kept = ("mirror", "mixup_alpha")
        values = {item.name: getattr(self, item.name) * strength for item in fields(self) if item.name not in kept}
        return replace(self, **values)


def augment_image(image: np.ndarray, settings: Augmentation, rng: np.random.Generator) -> np.ndarray:
    """Vary one (h, w, 3) uint8 image; the result is uint8 as well."""
    image = _warp(image, settings, rng)
    image = cv2.LUT(image, _colour_table(settings, rng))
    chance = rng.random(7)
    if chance[0] < settings.grey:
        image = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    if chance[1] < settings.low_resolution:
        image = _low_resolution(image, rng)
    if chance[2] < settings.blur:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 1.4))
    if chance[3] < settings.noise:
        noise = rng.normal(0.0, rng.uniform(0.0, 0.04) * 255.0, image.shape)
        image = np.clip(image + noise, 0.0, 255.0).astype(np.uint8)
    if chance[4] < settings.jpeg:
        quality = int(rng.integers(25, 76))
        # The order of channels does not matter to a round trip through one and the same encoder.
        content = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        image = np.asarray(cv2.imdecode(content, cv2.IMREAD_COLOR))
    if chance[5] < settings.erase:
        image = _erase(image, rng)
    if chance[6] < settings.reversed_channels:
        image = image[..., ::-1]
    return image


confirm_shown("agegender.training.augment", In[-1])

# %% tags=["keras"]
from agegender.reporting import augmented_grid, augmented_grid_caption

rng = np.random.default_rng(work.settings.seed)
originals = faces.images[faces.select(rng.permutation(split.train)[:4])]
augmentation = work.recipe("A").augmentation
variants = np.stack([[augment_image(image, augmentation, rng) for _ in range(5)] for image in originals])
show(
    augmented_grid(originals, variants, drawn=faces.drawn),
    augmented_grid_caption(originals, variants, drawn=faces.drawn),
)

# %% [markdown]
# ## Step 2A. The custom CNN
#
# ### What both networks share
#
# A network is a *trunk*, which turns an image into a small map of features, between input layers and two heads.
#
# **Input layers.** OpenCV reads images blue first, other software red first. `red_first` gives the trunk the same tensor
# for both: skin is redder than blue, so the channel that is brighter in the centre goes first. `mirrored` flips an
# image. A recipe can have the saved model blur images as far as they are noisy (`noise_softened`), since noise of a camera
# looks like the texture of skin. All are built of plain layers with fixed weights, so that a saved file needs nothing but
# Keras.

# %% tags=["keras"]
from __future__ import annotations

from typing import Any
import keras
import numpy as np
from agegender.models.input_layers import CENTRE_CROP_PIXELS, ORDER_STEEPNESS, fixed_conv


def red_first(images: Any) -> Any:
    """Give the same tensor for an image in RGB and in BGR.

    Skin is redder than blue: of UTKFace's 5,000 training crops 96.6 % have a mean red above the mean blue in the
    centre. So the channel with the larger mean there is put first. Whatever the image, both orders of it end in the
    same order, and training never meets the other one.

    Args:
        images: Keras tensor (batch, 128, 128, 3), values 0..1, channels red-green-blue or blue-green-red.

    Returns:
        Keras tensor of the same shape.
    """
    margin = CENTRE_CROP_PIXELS
    centre = keras.layers.Cropping2D(margin, dtype="float32", name="order_centre")(images)
    colour = keras.layers.GlobalAveragePooling2D(keepdims=True, dtype="float32", name="order_colour")(centre)
    last_over_first = np.array([[-1.0], [0.0], [1.0]]) * ORDER_STEEPNESS
    is_blue_first = fixed_conv(last_over_first, colour, "order_is_bgr", "sigmoid")
    is_red_first = fixed_conv(-last_over_first, colour, "order_is_rgb", "sigmoid")
    reversed_channels = fixed_conv(np.eye(3)[::-1], images, "order_reversed")
    keep = keras.layers.Multiply(dtype="float32", name="order_keep")([images, is_red_first])
    swap = keras.layers.Multiply(dtype="float32", name="order_swap")([reversed_channels, is_blue_first])
    return keras.layers.Add(dtype="float32", name="order_red_first")([keep, swap])


def mirrored(images: Any) -> Any:
    """Flip images left to right: width becomes the channel axis, a fixed 1x1 convolution reverses it.

    Args:
        images: Keras tensor (batch, height, width, channels).

    Returns:
        Keras tensor of the same shape.
    """
    width = images.shape[2]
    columns_last = keras.layers.Permute((1, 3, 2), dtype="float32", name="mirror_columns_last")(images)
    reversed_columns = fixed_conv(np.eye(width)[::-1], columns_last, "mirror_columns")
    return keras.layers.Permute((1, 3, 2), dtype="float32", name="mirror_columns_back")(reversed_columns)


confirm_shown("agegender.models.input_layers", In[-1])

# %% tags=["keras"]
from __future__ import annotations

from typing import Any
import keras
import numpy as np
from agegender.errors import SettingError
from agegender.models.input_layers import along_both_axes, fixed_conv
from agegender.models.noise_layers import (
    LEVEL_WIDTH,
    MIDDLE_LEVEL,
    MOST_SOFTENED,
    NOISE,
    NOISE_OF_MAGNITUDE,
    _SECOND_DIFFERENCES,
    gaussian_matrix,
)


def noise_magnitudes(images: Any) -> Any:
    """Mean size of the second differences of each channel, up and down apart.

    Args:
        images: Keras tensor (batch, h, w, channels), values 0..1.

    Returns:
        Keras tensor (batch, 1, 1, 2 channels); `NOISE_OF_MAGNITUDE` times the sum over all, over the number of
        channels, is the standard deviation of the noise. Source: Immerkaer, "Fast Noise Variance Estimation", Computer
        Vision and Image Understanding, 1996.
    """
    channels = images.shape[-1]
    # Two kernels of opposite sign and a ReLU: together the absolute value, of which Keras has no layer.
    layer = keras.layers.DepthwiseConv2D(
        3, depth_multiplier=2, activation="relu", use_bias=False, trainable=False, dtype="float32", name=f"{NOISE}_fine"
    )
    fine = layer(images)
    both = np.stack([_SECOND_DIFFERENCES, -_SECOND_DIFFERENCES], axis=-1)
    layer.set_weights([np.repeat(both[:, :, None], channels, axis=2).astype("float32")])
    return keras.layers.GlobalAveragePooling2D(keepdims=True, dtype="float32", name=f"{NOISE}_magnitude")(fine)


def noise_softened(images: Any, blur_pixels: float) -> Any:
    """Blur images as far as they are noisy.

    Args:
        images: Keras tensor (batch, n, n, channels), values 0..1.
        blur_pixels: Standard deviation of the Gaussian blur of a noisy image; 0 leaves all as they are.

    Returns:
        Keras tensor of the same shape; the same tensor when nothing is blurred.

    Raises:
        SettingError: The blur is below 0 or leaves nothing to be seen.
    """
    if not 0.0 <= blur_pixels <= MOST_SOFTENED:
        raise SettingError(f"soften_noise must be from 0 to {MOST_SOFTENED:g} pixels. Received: {blur_pixels:g}")
    if not blur_pixels:
        return images
    magnitudes = noise_magnitudes(images)
    per_level = 255.0 * NOISE_OF_MAGNITUDE / images.shape[-1] / LEVEL_WIDTH
    kernel, bias = np.full((magnitudes.shape[-1], 1), per_level), np.array([-MIDDLE_LEVEL / LEVEL_WIDTH])
    is_noisy = fixed_conv(kernel, magnitudes, f"{NOISE}_is_there", "sigmoid", bias)
    is_clear = fixed_conv(-kernel, magnitudes, f"{NOISE}_is_not", "sigmoid", -bias)
    blurred = along_both_axes(images, gaussian_matrix(images.shape[2], blur_pixels), f"{NOISE}_blur")
    keep = keras.layers.Multiply(dtype="float32", name=f"{NOISE}_keep")([images, is_clear])
    soften = keras.layers.Multiply(dtype="float32", name=f"{NOISE}_soften")([blurred, is_noisy])
    return keras.layers.Add(dtype="float32", name=f"{NOISE}_softened")([keep, soften])


confirm_shown("agegender.models.noise_layers", In[-1])

# %% [markdown]
# **Heads.** Age is answered as a distribution over whole years, a softmax, rather than as one number: a label of 30 also
# teaches something about 29 and 31, and the spread of the answer tells how sure it is. One age is read off it by layers
# with fixed weights: its mean while training; in the saved file its mean or its median, as the recipe says. Gender is one
# sigmoid unit, at or above 0.5 female. The saved model can average its answer over the image and its mirror image.
#
# One set of weights stands behind two graphs: `training` has the distribution as an output of its own, `contract` has the
# outputs `age` and `gender` alone and is what is saved.

# %% tags=["keras"]
from __future__ import annotations

from typing import Any
import keras
import numpy as np
from agegender.errors import SettingError
from agegender.models.age_targets import AGE_BINS, BIN_AGES
from agegender.models.input_layers import mirrored, red_first
from agegender.models.noise_layers import noise_softened
from agegender.models.network import (
    AGE,
    AGE_DISTRIBUTION,
    AgeGenderNetwork,
    GENDER,
    MEAN,
    MEDIAN,
    MEDIAN_STEEPNESS,
    image_input,
)


def median_age(distribution: Any) -> Any:
    """The median of a distribution over the age bins, in two dense layers with fixed weights.

    The median minimises the expected absolute error, which is what age MAE measures; the mean minimises the squared
    error and is drawn along by a long tail. The first layer says of each bin, from 0 to 1, whether the median lies
    above it: sigmoid(40 (1/2 - cumulative probability)). The second one counts those bins.

    Args:
        distribution: Keras tensor (batch, 117), rows sum to 1.

    Returns:
        Keras tensor (batch, 1), years.
    """
    below = keras.layers.Dense(AGE_BINS, "sigmoid", trainable=False, dtype="float32", name="age_below_median")
    count = keras.layers.Dense(1, use_bias=False, trainable=False, dtype="float32", name=AGE)
    age = count(below(distribution))
    cumulative = np.triu(np.ones((AGE_BINS, AGE_BINS), dtype=np.float32))
    below.set_weights([-MEDIAN_STEEPNESS * cumulative, np.full(AGE_BINS, MEDIAN_STEEPNESS / 2, dtype=np.float32)])
    count.set_weights([np.ones((AGE_BINS, 1), dtype=np.float32)])
    return age


def build_network(
    trunk: keras.Model,
    *,
    name: str,
    dropout: float,
    mirror_average: bool,
    age_readout: str = MEAN,
    soften_noise: float = 0.0,
) -> AgeGenderNetwork:
    """Put the input layers before a trunk and the two heads behind it.

    The heads are linear in the pooled features, so averaging the features of an image and of its mirror image
    averages both answers' logits at the cost of one head.

    Args:
        trunk: Model from (batch, 128, 128, 3) in 0..1 to a feature map.
        name: Name of the models.
        dropout: Share of the pooled features that is dropped while training, 0..1.
        mirror_average: Average over the mirror image in the saved model.
        age_readout: `mean` or `median` of the distribution, in the saved model; training always takes the mean.
        soften_noise: Blur of noisy images, in pixels, in the saved model (`noise_softened`); training meets the noise.

    Raises:
        SettingError: Another readout, or a blur out of range.
    """
    if age_readout not in (MEAN, MEDIAN):
        raise SettingError(f"age_readout is {MEAN} or {MEDIAN}. Received: {age_readout!r}")
    images = image_input()
    ordered = red_first(images)
    pool = keras.layers.GlobalAveragePooling2D(dtype="float32", name="pooled_features")
    drop = keras.layers.Dropout(dropout, dtype="float32", name="feature_dropout")
    distribution_head = keras.layers.Dense(AGE_BINS, activation="softmax", dtype="float32", name=AGE_DISTRIBUTION)
    expectation = keras.layers.Dense(1, use_bias=False, trainable=False, dtype="float32", name=AGE)
    gender_head = keras.layers.Dense(1, activation="sigmoid", dtype="float32", name=GENDER)

    def heads(features: Any) -> dict[str, Any]:
        features = drop(features)
        distribution = distribution_head(features)
        return {AGE_DISTRIBUTION: distribution, AGE: expectation(distribution), GENDER: gender_head(features)}

    features = pool(trunk(ordered))
    learnt = heads(features)
    expectation.set_weights([BIN_AGES[:, None]])
    seen = noise_softened(ordered, soften_noise)
    if soften_noise:
        features = pool(trunk(seen))
    if mirror_average:
        mirror_features = pool(trunk(mirrored(seen)))
        features = keras.layers.Average(dtype="float32", name="mirror_average")([features, mirror_features])
    answers = heads(features) if soften_noise or mirror_average else learnt
    age = answers[AGE] if age_readout == MEAN else median_age(answers[AGE_DISTRIBUTION])
    return AgeGenderNetwork(
        training=keras.Model(images, learnt, name=f"{name}_training"),
        contract=keras.Model(images, [age, answers[GENDER]], name=name),
        trunk=trunk,
    )


confirm_shown("agegender.models.network", In[-1])

# %% [markdown]
# ### The trunk of Model A
#
# Residual blocks of two 3 × 3 convolutions. The shortcut around each block lets gradients reach the first layers; a last
# scale that starts at zero makes each block begin as the identity; squeeze-and-excitation weighs channels by what the
# whole image shows; stochastic depth can skip blocks at random while training. Strided convolutions make the map small
# before the first block, since most of the time would be spent at full size otherwise.

# %% tags=["keras"]
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


confirm_shown("agegender.models.custom_cnn", In[-1])

# %% [markdown]
# ### Summary and drawing
#
# The network of this run, built by the code above: first the model that is saved, then its trunk, layer by layer.

# %% tags=["keras"]
recipe_a = work.recipe("A")
network_a = build_custom_cnn(recipe_a.network)
network_a.contract.summary(line_length=110, print_fn=print)
network_a.trunk.summary(line_length=110, print_fn=print)

# %% tags=["keras"]
from agegender.models.describe import describe
from agegender.reporting import architecture, architecture_caption

blocks_a = describe(network_a.contract)
show(architecture(blocks_a, model="Model A"), architecture_caption(blocks_a, model="Model A"))

# %% [markdown]
# ## Step 3A. Compile, train and save
#
# ### Targets and losses
#
# The label of an image is widened to a normal distribution around its age, since ages of faces are themselves guesses.
# The loss of age is the cross-entropy against that distribution plus a part of the absolute error of its mean, which is
# the quantity that is measured in the end. The loss of gender is the binary cross-entropy, with labels that can be
# smoothed. The recipe holds the weights. Metrics: mean absolute error of age in years (MAE) and accuracy of gender.

# %% tags=["keras"]
"""Ages as label distributions: a softmax over whole years learns a bump, and the answer is its expectation.

Source: Gao et al., "Age Estimation Using Expectation of Label Distribution Learning" (DLDL-v2), IJCAI 2018.
"""

from __future__ import annotations

import numpy as np

from agegender.labels import AGE_MAX_YEARS, AGE_MIN_YEARS

AGE_BINS = AGE_MAX_YEARS - AGE_MIN_YEARS + 1
"""One bin a year: 117 of them for 0..116."""

BIN_AGES = np.arange(AGE_MIN_YEARS, AGE_MAX_YEARS + 1, dtype=np.float32)
"""The age in years that each bin stands for, shape (117,)."""

INFANT_SD_YEARS = 0.5
SD_PER_YEAR_OF_AGE = 0.25


def target_sd(ages: np.ndarray, adult_sd_years: float) -> np.ndarray:
    """How wide a label is, in years: a baby's age is known to months, an adult's is not.

    Grows from 0.5 years at birth by 0.25 a year of age up to `adult_sd_years`. Without this the bump of a newborn,
    cut off at 0, would have its expectation at 1.6 years.
    """
    return np.minimum(INFANT_SD_YEARS + SD_PER_YEAR_OF_AGE * ages, adult_sd_years)


def age_distribution_targets(ages: np.ndarray, adult_sd_years: float = 2.0) -> np.ndarray:
    """Normal distributions around the ages, over the bins.

    Args:
        ages: (n,) in years, 0..116; need not be whole.
        adult_sd_years: Standard deviation of an adult's label, above 0.

    Returns:
        (n, 117) float32, rows sum to 1.
    """
    ages = np.asarray(ages, dtype=np.float32)[:, None]
    distance = (BIN_AGES[None, :] - ages) / target_sd(ages, adult_sd_years)
    density = np.exp(-0.5 * distance**2)
    return (density / density.sum(axis=1, keepdims=True)).astype(np.float32)


confirm_shown("agegender.models.age_targets", In[-1])

# %% tags=["keras"]
"""What each output is trained on. To change the loss of age: here, and one line of a recipe.

Built-in Keras losses only, so that any of it could stand in a saved file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras

SAVED_LOSSES = {"age": "mean_absolute_error", "gender": "binary_crossentropy"}
SAVED_METRICS = {"age": ["mean_absolute_error"], "gender": ["binary_accuracy"]}
"""What the contract file is compiled with, so that a plain `model.evaluate` gives the brief's two metrics."""


@dataclass(frozen=True)
class LossWeights:
    """The training loss: `distribution` x cross-entropy + `years` x L1 of the expectation + `gender` x cross-entropy.

    Attributes:
        distribution: Weight of the cross-entropy against the label distribution, in nats.
        years: Weight of the absolute error of the expected age, per year.
        gender: Weight of the binary cross-entropy, in nats.
        gender_smoothing: Share of the gender label that is moved to 0.5; 0.06 turns 1 into 0.97.
    """

    distribution: float = 1.0
    years: float = 0.1
    gender: float = 1.0
    gender_smoothing: float = 0.06


def training_losses(weights: LossWeights) -> dict[str, Any]:
    """Losses and their weights by output name, as `compile` takes them."""
    return {
        "loss": {
            "age_distribution": keras.losses.CategoricalCrossentropy(),
            "age": keras.losses.MeanAbsoluteError(),
            "gender": keras.losses.BinaryCrossentropy(label_smoothing=weights.gender_smoothing),
        },
        "loss_weights": {
            "age_distribution": weights.distribution,
            "age": weights.years,
            "gender": weights.gender,
        },
    }


confirm_shown("agegender.models.losses", In[-1])

# %% [markdown]
# ### The recipe
#
# Everything that decides the training, but for data and seed, as values with a reason beside each. `MODEL_A` is for
# photographs; `MODEL_A_DRAWN` is the shorter one for drawn faces.

# %% tags=["keras"]
"""Model A: values and reasons. What was tried and measured stands in docs/experiments.md."""

from __future__ import annotations

import dataclasses

from agegender.models.custom_cnn import CustomCnn
from agegender.models.losses import LossWeights
from agegender.training.augment import Augmentation
from agegender.training.recipe import Phase, Recipe

MODEL_A = Recipe(
    model="A",
    network=CustomCnn(
        stem_channels=(32, 48),  # two strided convolutions: the first residual stage stands at 32 x 32, 3 times faster
        stage_channels=(48, 96, 192, 288),  # sides 32, 16, 8, 4: the last map is 4 x 4, below the brief's 10 x 10
        stage_blocks=(2, 2, 2, 1),  # 3.0 M parameters, half of what is allowed; 4,000 images do not fill more
        squeeze_ratio=8,  # costs under 2 % of the time here
        drop_path=0.1,
        dropout=0.4,
        mirror_average=True,  # measured at 0.07 years and 0.6 points of gender in a first try
        age_readout="median",  # the middle of the distribution is what least absolute error asks for; 0.05 to 0.1 years
    ),
    phases=(
        # One cosine in three pieces. An epoch at 64 pixels costs a quarter of one at 128, and coarse shapes come first.
        Phase("64 pixels", epochs=16, learning_rate=2e-3, warmup_epochs=2.0, end_rate=1.6e-3, side=64),
        Phase("96 pixels", epochs=16, learning_rate=1.6e-3, end_rate=1e-3, side=96),
        Phase("128 pixels", epochs=9, learning_rate=1e-3),
        # A network that has only seen blurred and covered faces reads clear ones too old: 0.06 years (experiment 8).
        Phase("clear images", epochs=3, learning_rate=5e-4, augmentation_strength=0.2),
        # The same once more: training images were not learnt by heart yet. A model for use learns these on all images.
        Phase("128 pixels again", epochs=6, learning_rate=1e-3, warmup_epochs=0.5, end_rate=1e-4),
        Phase("clear images again", epochs=3, learning_rate=4e-4, augmentation_strength=0.2),
    ),
    batch_size=64,  # the largest steps that lose nothing: 62 an epoch of 4,000 images
    weight_decay=0.5,  # a run has 3,000 steps; at 0.05 the decay would need 10,000 to show (experiment 8)
    losses=LossWeights(distribution=1.0, years=0.1, gender=1.0, gender_smoothing=0.06),
    age_sd_years=2.0,  # labels are guesses by people and an algorithm, off by some years
    average_epochs=4.0,
    # Strong: from scratch, 4,000 images are learnt by heart within 20 epochs. No mixup: 54 epochs were too few for it.
    augmentation=Augmentation(),
    precision="mixed_bfloat16",  # 1.3 times float32 on a CPU with bfloat16 instructions
)

MODEL_A_DRAWN = dataclasses.replace(
    MODEL_A,
    phases=(Phase("from scratch", epochs=20, learning_rate=2e-3, warmup_epochs=1.0),),
    batch_size=16,  # a thousand images give few steps: smaller ones, and a shorter average
    weight_decay=0.05,
    average_epochs=0.5,
    # Mild: twenty epochs are too few to learn through strong changes, and drawings differ less than photographs.
    augmentation=Augmentation(
        rotation_degrees=4.0,
        scale=0.04,
        shift_pixels=3.0,
        shear=0.0,
        contrast=0.08,
        gamma=0.08,
        blur=0.0,
        low_resolution=0.0,
        jpeg=0.0,
        noise=0.0,
        grey=0.0,
        erase=0.0,
    ),
    curve_images=240,
)


confirm_shown("agegender.training.recipes.model_a", In[-1])

# %% tags=["keras"]
name_a = "MODEL_A_DRAWN" if work.drawn_recipe else "MODEL_A"
tell(words.change_words(recipe_a, MODEL_A_DRAWN if work.drawn_recipe else MODEL_A, name_a))
tell(words.phase_table(recipe_a))
tell(words.technique_words(recipe_a))

# %% [markdown]
# ### Compile
#
# Each phase compiles the model anew: which weights learn, at which rate, along which curve (a linear warm-up, then a
# cosine). The optimizer is AdamW with decoupled weight decay, clipped gradients and a running average of the weights;
# the averaged weights are what is measured and saved.

# %% tags=["keras"]
from __future__ import annotations

import math
import keras
from agegender.models.losses import training_losses
from agegender.training.learner import Learner
from agegender.training.optimizer import AveragingAdamW
from agegender.training.recipe import Phase, Recipe
from agegender.training.fit import _trunk_multipliers


def start_phase(student: Learner, recipe: Recipe, phase: Phase, images: int) -> None:
    """Compile for a phase: which weights learn, how fast, by which curve.

    Args:
        student: Whom to compile.
        recipe: Its recipe.
        phase: One of the recipe's.
        images: How many it trains on.
    """
    steps = max(1, images // recipe.batch_size)
    total = max(1, phase.epochs * steps)
    warmup = min(round(phase.warmup_epochs * steps), total - 1)
    rate = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0 if warmup else phase.learning_rate,
        alpha=phase.end_rate / phase.learning_rate,
        decay_steps=total - warmup,
        warmup_target=phase.learning_rate if warmup else None,
        warmup_steps=warmup,
    )
    model, trunk = student.model, student.trunk
    trunk.trainable = phase.trunk_rate > 0
    for (
        layer
    ) in student.fixed:  # thawing a model thaws what is in it, fixed kernels of the input's size and colours too
        layer.trainable = False
    optimizer = AveragingAdamW(
        rate,
        decay=recipe.weight_decay,
        average_decay=math.exp(-1.0 / max(1.0, recipe.average_epochs * steps)),
        multipliers={} if phase.trunk_rate in (0, 1) else _trunk_multipliers(trunk, phase.trunk_rate),
        clip_norm=recipe.clip_norm,
    )
    model.compile(optimizer=optimizer, jit_compile="auto", **training_losses(recipe.losses))
    optimizer.build(model.trainable_variables)


confirm_shown("agegender.training.fit", In[-1])

# %% tags=["keras"]
from agegender.training.learner import learner

student_a = learner(recipe_a)
for phase in recipe_a.phases:
    start_phase(student_a, recipe_a, phase, len(split.train))
    learning = sum(int(np.prod(weight.shape)) for weight in student_a.model.trainable_weights)
    print(f"{phase.name}: {learning:,} of {student_a.model.count_params():,} parameters learn")
for output, loss in training_losses(recipe_a.losses)["loss"].items():
    print(f"{output}: {loss.name}, weight {training_losses(recipe_a.losses)['loss_weights'][output]:g}")

# %% [markdown]
# ### Train and save
#
# An epoch is one pass over the augmented training images. After it, training and validation images are measured alike,
# without augmentation and with the averaged weights. The checkpoint is written after every epoch; an interrupted
# notebook goes on from it. At the end `model.save()` writes the whole model, compiled with built-in losses and metrics.

# %% tags=["keras", "told"]
from agegender.main_job.fitting import train_and_save

if work.shown:
    print("Nothing is trained here: this is the record of a finished run.")
else:
    train_and_save("A", recipe_a, work.settings, work.folder, faces, split, work.announce)
history_a = pd.read_csv(work.folder.training("A") / "history.csv")
tell(words.run_words(work.sidecar("A")), words.history_table(history_a))

# %% [markdown]
# The saved file holds the network of step 2A: the same blocks, shapes and numbers of parameters.

# %% tags=["keras"]
import keras

saved_a = keras.models.load_model(work.folder.model("A"))
print("age_gender_A.keras is the network of step 2A:", describe(saved_a) == blocks_a)

# %% [markdown]
# ## Step 4A. Learning curves
#
# Training and validation in each. A validation curve that stays above the training curve by more and more shows
# overfitting; two curves that are still falling together at the end show underfitting. The caption below each figure
# gives the gap at the last epoch.

# %% tags=["keras"]
from agegender.reporting import CURVES, learning_curve, learning_curve_caption

drawn_a = work.sidecar("A")["data"]["drawn"]
for curve in CURVES:
    show(
        learning_curve(history_a, curve.key, model="Model A", drawn=drawn_a),
        learning_curve_caption(history_a, curve.key, model="Model A", drawn=drawn_a),
    )

# %% [markdown]
# ## Step 2B. The pre-trained CNN
#
# Unless a recipe names another backbone, Model B starts from EfficientNet-Lite0, which has learnt to name the objects of
# ImageNet: its first layers know edges, textures and parts, which faces share. Its classifier is left away, and the same
# input layers and heads as in Model A are put around it. The *Lite* form has neither squeeze-and-excitation nor swish,
# which makes it quick on a CPU; its weights (Apache-2.0) come with the package. It is built of plain layers:

# %% tags=["keras"]
from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any
import keras
from agegender.models.input_layers import IMAGE_SIZE, resized
from agegender.models.network import image_input
from agegender.models.efficientnet_lite import NORM_MOMENTUM, WIDTH_DEPTH, _scaled_channels


@dataclass(frozen=True)
class _Stage:
    kernel: int
    repeats: int
    channels: int
    expansion: int
    stride: int


_STAGES = (
    _Stage(kernel=3, repeats=1, channels=16, expansion=1, stride=1),
    _Stage(kernel=3, repeats=2, channels=24, expansion=6, stride=2),
    _Stage(kernel=5, repeats=2, channels=40, expansion=6, stride=2),
    _Stage(kernel=3, repeats=3, channels=80, expansion=6, stride=2),
    _Stage(kernel=5, repeats=3, channels=112, expansion=6, stride=1),
    _Stage(kernel=5, repeats=4, channels=192, expansion=6, stride=2),
    _Stage(kernel=3, repeats=1, channels=320, expansion=6, stride=1),
)


STEM_CHANNELS, HEAD_CHANNELS, CHANNEL_MULTIPLE = 32, 1280, 8


def _norm(x: Any, name: str) -> Any:
    return keras.layers.BatchNormalization(epsilon=1e-3, momentum=NORM_MOMENTUM, name=f"{name}_bn")(x)


def _norm_act(x: Any, name: str) -> Any:
    return keras.layers.ReLU(max_value=6.0, name=f"{name}_act")(_norm(x, name))


def _block(x: Any, stage: _Stage, channels: int, stride: int, drop_path: float, name: str) -> Any:
    """Inverted residual: expand by 1x1, filter each channel, project by 1x1."""
    block_input, inner = x, x.shape[-1] * stage.expansion
    if stage.expansion > 1:
        x = keras.layers.Conv2D(inner, 1, use_bias=False, name=f"{name}_expand_conv")(x)
        x = _norm_act(x, f"{name}_expand")
    x = keras.layers.DepthwiseConv2D(stage.kernel, stride, "same", use_bias=False, name=f"{name}_dw_conv")(x)
    x = _norm_act(x, f"{name}_dw")
    x = keras.layers.Conv2D(channels, 1, use_bias=False, name=f"{name}_project_conv")(x)
    x = _norm(x, f"{name}_project")
    if stride == 1 and block_input.shape[-1] == channels:
        if drop_path:
            x = keras.layers.Dropout(drop_path, noise_shape=(None, 1, 1, 1), name=f"{name}_drop_path")(x)
        x = keras.layers.Add(name=f"{name}_add")([block_input, x])
    return x


def build_efficientnet_lite(
    variant: str = "EfficientNetLite0", *, drop_path: float = 0.0, side: int = IMAGE_SIZE
) -> keras.Model:
    """The network at a random start.

    Args:
        variant: `EfficientNetLite0` or `EfficientNetLite2`.
        drop_path: Probability that the last residual branch is dropped while training; earlier ones less, linearly.
        side: Height and width to which images are enlarged first; a multiple of 32.

    Returns:
        Model from (batch, 128, 128, 3) in 0..1 to (batch, side / 32, side / 32, 1280).
    """
    width, depth = WIDTH_DEPTH[variant]
    images = image_input()
    # The weights were learnt on (pixel - 127) / 128.
    x = keras.layers.Rescaling(255.0 / 128.0, -127.0 / 128.0, name="imagenet_scale")(resized(images, side))
    x = keras.layers.Conv2D(STEM_CHANNELS, 3, 2, "same", use_bias=False, name="stem_conv")(x)
    x = _norm_act(x, "stem")
    repeats = [
        stage.repeats if first_or_last else math.ceil(stage.repeats * depth)
        for stage, first_or_last in zip(_STAGES, (True, *[False] * (len(_STAGES) - 2), True), strict=True)
    ]
    total, index = sum(repeats), 0
    for stage, count in zip(_STAGES, repeats, strict=True):
        channels = _scaled_channels(stage.channels, width)
        for repeat in range(count):
            stride = stage.stride if repeat == 0 else 1
            x = _block(x, stage, channels, stride, drop_path * index / total, f"block{index}")
            index += 1
    x = keras.layers.Conv2D(HEAD_CHANNELS, 1, use_bias=False, name="head_conv")(x)
    return keras.Model(images, _norm_act(x, "head"), name=variant.lower())


confirm_shown("agegender.models.efficientnet_lite", In[-1])

# %% [markdown]
# ImageNet networks have seen objects of 200 pixels and more. The network may therefore enlarge the image before its
# first convolution, by cubic interpolation written as two fixed convolutions; the recipe says to which side.

# %% tags=["keras"]
from __future__ import annotations

import math
from typing import Any
import numpy as np
from agegender.models.input_layers import RESIZE, along_both_axes


def resized(images: Any, side: int) -> Any:
    """Scale square images by cubic interpolation: a fixed 1x1 convolution over the columns, then one over the rows.

    Unlike `keras.layers.Resizing`, whose kernels differ between backends, this gives the same everywhere.

    Args:
        images: Keras tensor (batch, n, n, channels).
        side: Height and width wanted.

    Returns:
        Keras tensor (batch, side, side, channels); the same tensor when `side` is n.
    """
    if side == images.shape[2]:
        return images
    return along_both_axes(images, cubic_matrix(images.shape[2], side), RESIZE)


def cubic_matrix(size: int, side: int) -> np.ndarray:
    """Cubic interpolation along one axis as a matrix (size, side), columns sum to 1; pixel centres stay centres.

    Beyond the border the outermost pixel is repeated. To reduce, the kernel is widened by the factor, so that fine
    detail is averaged away and not aliased. Source: Keys, "Cubic Convolution Interpolation for Digital Image
    Processing", IEEE Transactions on Acoustics, Speech and Signal Processing, 1981 (a = -0.5).
    """
    centres = (np.arange(side) + 0.5) * size / side - 0.5
    factor = max(1.0, size / side)
    reach = math.ceil(2 * factor)
    matrix = np.zeros((size, side))
    for tap in range(1 - reach, reach + 1):
        source = np.floor(centres) + tap
        distance = np.abs(centres - source) / factor
        near = 1.5 * distance**3 - 2.5 * distance**2 + 1.0
        far = -0.5 * distance**3 + 2.5 * distance**2 - 4.0 * distance + 2.0
        weight = np.where(distance <= 1.0, near, np.where(distance < 2.0, far, 0.0))
        np.add.at(matrix, (np.clip(source, 0, size - 1).astype(int), np.arange(side)), weight)
    return matrix / matrix.sum(axis=0)


confirm_shown("agegender.models.input_layers", In[-1])

# %% tags=["keras"]
from __future__ import annotations

from dataclasses import dataclass
from agegender.errors import SettingError
from agegender.models.efficientnet_lite import WIDTH_DEPTH
from agegender.models.input_layers import IMAGE_SIZE
from agegender.models.network import MEAN, AgeGenderNetwork, build_network, dtype_policy
from agegender.models.pretrained_cnn import IMAGENET, WeightsOrigin, _application_trunk, _lite_trunk


@dataclass(frozen=True)
class PretrainedCnn:
    """The plan of Model B's network.

    Attributes:
        backbone: `EfficientNetLite0`, `EfficientNetLite2` or any name of `keras.applications`.
        weights: `imagenet` (packaged or downloaded by Keras), `random`, or the path of an offline file.
        side: Height and width to which the network enlarges the image for its backbone, a multiple of 32; 128 leaves
            it as it is. ImageNet networks learnt objects of 200 pixels and more.
        drop_path: Probability that the last residual branch is dropped while training (EfficientNet-Lite only).
        dropout: Share of the pooled features that is dropped while training.
        mirror_average: Average the saved model's answer over the mirror image.
        age_readout: Which age the saved model reads off its distribution, `mean` or `median`.
        soften_noise: Standard deviation, in pixels, of the blur by which the saved model softens noisy images
            (`noise_layers`); 0 is none.
    """

    backbone: str = "EfficientNetLite0"
    weights: str = IMAGENET
    side: int = IMAGE_SIZE
    drop_path: float = 0.2
    dropout: float = 0.3
    mirror_average: bool = True
    age_readout: str = MEAN
    soften_noise: float = 0.0


def build_pretrained_cnn(
    plan: PretrainedCnn | None = None, *, precision: str = "float32"
) -> tuple[AgeGenderNetwork, WeightsOrigin]:
    """Model B at its start, and where that start came from.

    Args:
        plan: Backbone, weights and rates; the default is the shipped network.
        precision: Keras dtype policy of the backbone, `float32` or `mixed_bfloat16`.

    Raises:
        SettingError: The backbone is unknown, or its weights are neither packaged nor given.
        ModelError: Weights could not be downloaded, or a file does not fit.
    """
    plan = plan or PretrainedCnn()
    if plan.side < IMAGE_SIZE or plan.side % 32 or plan.side >= 320:
        raise SettingError(f"side must be a multiple of 32 from {IMAGE_SIZE} to 288. Received: {plan.side}")
    with dtype_policy(precision):
        trunk, origin = _lite_trunk(plan) if plan.backbone in WIDTH_DEPTH else _application_trunk(plan)
    network = build_network(
        trunk,
        name="age_gender_B",
        dropout=plan.dropout,
        mirror_average=plan.mirror_average,
        age_readout=plan.age_readout,
        soften_noise=plan.soften_noise,
    )
    return network, origin


confirm_shown("agegender.models.pretrained_cnn", In[-1])

# %% [markdown]
# ### Summary and drawing

# %% tags=["keras"]
recipe_b = work.recipe("B")
network_b, origin_b = build_pretrained_cnn(recipe_b.network)
print("The trunk starts from:", origin_b.source)
network_b.contract.summary(line_length=110, print_fn=print)
network_b.trunk.summary(line_length=110, print_fn=print)

# %% tags=["keras"]
blocks_b = describe(network_b.contract)
show(architecture(blocks_b, model="Model B"), architecture_caption(blocks_b, model="Model B"))

# %% [markdown]
# ## Step 3B. Compile, train and save
#
# ### The recipe
#
# Transfer learning in phases. A phase with a trunk's rate of 0 freezes the trunk and trains the heads alone: while they
# are random, their gradients would pull good features apart. Later phases fine-tune the whole network. Kinds of losses,
# metrics and optimizer are those of Model A; the table says what this run did.

# %% tags=["keras"]
"""Model B: values and reasons. What was tried and measured stands in docs/experiments.md."""

from __future__ import annotations

import dataclasses

from agegender.models.losses import LossWeights
from agegender.models.pretrained_cnn import PretrainedCnn
from agegender.training.augment import Augmentation
from agegender.training.recipe import Phase, Recipe

NETWORK = PretrainedCnn(
    backbone="EfficientNetLite0",  # the strongest ImageNet start for its cost on a CPU; its weights are packaged
    weights="imagenet",
    drop_path=0.2,
    dropout=0.4,
    mirror_average=True,  # measured at 0.07 years and 0.6 points of gender in a first try
    age_readout="median",  # the middle of the distribution is what least absolute error asks for; 0.08 years
    side=160,  # ImageNet networks know larger objects: 0.15 years (experiment 10)
    soften_noise=0.85,  # noise of 10 levels costs 0.3 years in place of 1.4; clear images lose nothing (experiment 28)
)

MODEL_B = Recipe(
    model="B",
    network=NETWORK,
    phases=(
        # Random heads would first pull good features apart; one epoch settles them, at a third of an epoch's cost.
        Phase("heads", epochs=1, learning_rate=2e-3, trunk_rate=0.0, side=128),
        # One cosine in two pieces: most of it at 128 pixels, where an epoch costs two thirds of one at 160.
        Phase("128 pixels", epochs=8, learning_rate=1e-3, warmup_epochs=1.5, end_rate=5e-4, side=128),
        Phase("160 pixels", epochs=2, learning_rate=5e-4, end_rate=1e-4),
        # A network that has only seen blurred and covered faces reads clear ones too old: 0.19 years (experiment 10).
        Phase("clear images", epochs=3, learning_rate=2e-4, warmup_epochs=0.3, augmentation_strength=0.2),
        # The same once more, shorter. A model for use learns these two on all images.
        Phase("160 pixels again", epochs=2, learning_rate=5e-4, warmup_epochs=0.3, end_rate=1e-4),
        Phase("clear images again", epochs=2, learning_rate=2e-4, warmup_epochs=0.3, augmentation_strength=0.2),
    ),
    batch_size=32,
    weight_decay=0.1,  # with mixup and dropout 0.4: the gap of age MAE fell from 1.9 to 1.6 years (experiment 3)
    losses=LossWeights(distribution=1.0, years=0.1, gender=1.0, gender_smoothing=0.06),
    age_sd_years=2.0,
    average_epochs=2.0,
    augmentation=Augmentation(mixup=0.5),  # half of the batches: without it the training images are learnt by heart
    precision="float32",  # depthwise convolutions are slower in bfloat16 on a CPU
)

MODEL_B_DRAWN = dataclasses.replace(
    MODEL_B,
    network=dataclasses.replace(NETWORK, side=128, soften_noise=0.0),  # drawings: no fine detail, noise in all of them
    phases=(
        Phase("heads", epochs=1, learning_rate=2e-3, trunk_rate=0.0),
        Phase("whole network", epochs=5, learning_rate=1e-3, warmup_epochs=0.5, trunk_rate=1.0),
    ),
    average_epochs=0.5,
    curve_images=240,
)


confirm_shown("agegender.training.recipes.model_b", In[-1])

# %% tags=["keras"]
name_b = "MODEL_B_DRAWN" if work.drawn_recipe else "MODEL_B"
tell(words.change_words(recipe_b, MODEL_B_DRAWN if work.drawn_recipe else MODEL_B, name_b))
tell(words.phase_table(recipe_b))
tell(words.technique_words(recipe_b))

# %% [markdown]
# ### Compile: what is frozen, and what learns

# %% tags=["keras"]
student_b = learner(recipe_b)
for phase in recipe_b.phases:
    start_phase(student_b, recipe_b, phase, len(split.train))
    learning = sum(int(np.prod(weight.shape)) for weight in student_b.model.trainable_weights)
    print(f"{phase.name}: {learning:,} of {student_b.model.count_params():,} parameters learn")

# %% [markdown]
# ### Train and save

# %% tags=["keras", "told"]
if work.shown:
    print("Nothing is trained here: this is the record of a finished run.")
else:
    train_and_save("B", recipe_b, work.settings, work.folder, faces, split, work.announce)
history_b = pd.read_csv(work.folder.training("B") / "history.csv")
tell(words.run_words(work.sidecar("B")), words.history_table(history_b))

# %% tags=["keras"]
saved_b = keras.models.load_model(work.folder.model("B"))
print("age_gender_B.keras is the network of step 2B:", describe(saved_b) == blocks_b)

# %% [markdown]
# ## Step 4B. Learning curves

# %% tags=["keras"]
drawn_b = work.sidecar("B")["data"]["drawn"]
for curve in CURVES:
    show(
        learning_curve(history_b, curve.key, model="Model B", drawn=drawn_b),
        learning_curve_caption(history_b, curve.key, model="Model B", drawn=drawn_b),
    )

# %% [markdown]
# ### Training against validation
#
# The gaps of both models at their last epoch, in one table.

# %% tags=["keras"]
tell(words.gap_words({"A": history_a, "B": history_b}))

# %% [markdown]
# ## Step 5. Evaluation on the test set
#
# ### The saved files, as anyone loads them
#
# Each file is loaded in a clean process with plain Keras, without this package, and held against what was asked for.

# %% tags=["keras"]
from agegender.models.contract import check_models

files = [work.folder.model(model) for model in MODELS]
tell(words.contract_table(check_models(files)))

# %% [markdown]
# ### Age error and gender accuracy
#
# A row a model and order of the colour channels. An interval is a bootstrap over images: it is made so that it covers the
# model's true figure in 95 of 100 test sets of this kind. Two models whose intervals overlap may still differ; the paired
# test at the end compares them image by image.

# %% tags=["keras"]
from agegender.evaluation import evaluate_models, load_evaluation
from agegender.main_job.measuring import evaluate

if not work.shown:  # measure the files that were saved, and keep the figures in the run's folder
    evaluation, predictions = evaluate(work.settings, work.folder, faces, work.test, split, silent)
    work.finish(split, predictions)
elif work.test is not None:  # a finished run on other images
    evaluation, predictions = evaluate_models(files, work.test, names=MODELS)
else:  # what was measured when the run was made
    evaluation, predictions = load_evaluation(work.folder.metrics), pd.read_parquet(work.folder.predictions)
tell(
    words.result_words(evaluation, work.measured_on(), work.constant()),
    words.figures_table(evaluation),
)

# %% [markdown]
# ### Errors by age band
#
# One figure hides much: a model can be good on the ages that are frequent in its data and poor on the others.

# %% tags=["keras"]
from agegender.reporting import error_by_group, error_by_group_caption

tell(words.groups_table(evaluation, "age"))
for model in MODELS:
    result = evaluation.result(model)
    show(
        error_by_group(result, "age", model=f"Model {model}", drawn=evaluation.drawn),
        error_by_group_caption(result, "age", model=f"Model {model}", drawn=evaluation.drawn),
    )

# %% [markdown]
# ### Predicted against labelled age, and gender answers counted

# %% tags=["keras"]
from agegender.reporting import (
    confusion_matrix,
    confusion_matrix_caption,
    predicted_against_true,
    predicted_against_true_caption,
)

red_first_answers = predictions[predictions["order"].astype(str) == "rgb"]
for model in MODELS:
    rows = red_first_answers[red_first_answers["model"].astype(str) == model].reset_index(drop=True)
    show(
        predicted_against_true(rows, model=f"Model {model}", drawn=evaluation.drawn),
        predicted_against_true_caption(rows, model=f"Model {model}", drawn=evaluation.drawn),
    )
    confusion = evaluation.result(model).confusion
    show(
        confusion_matrix(confusion, model=f"Model {model}", drawn=evaluation.drawn),
        confusion_matrix_caption(confusion, model=f"Model {model}", drawn=evaluation.drawn),
    )

# %% [markdown]
# ### The largest errors
#
# Shown where the measured images are at hand. A large error is at times a wrong label.

# %% tags=["keras"]
from agegender.reporting import worst_errors, worst_errors_caption, worst_rows

measured = work.test if work.test is not None else faces
if set(predictions["file"]) <= set(measured.table["file"]):
    for model in MODELS:
        rows = red_first_answers[red_first_answers["model"].astype(str) == model].reset_index(drop=True)
        worst = rows.iloc[worst_rows(rows, "age", 12)].reset_index(drop=True)
        images = measured.images[measured.select(worst["file"])]
        show(
            worst_errors(images, worst, by="age", model=f"Model {model}", drawn=evaluation.drawn),
            worst_errors_caption(
                worst, by="age", model=f"Model {model}", of_images=len(rows), drawn=evaluation.drawn
            ),
        )
else:
    print("The images that were measured are not at hand here, so that none of them is shown.")

# %% [markdown]
# ### Model A against Model B
#
# Both models answered the same images, so that their answers can be compared in pairs: a sign-flip permutation test for
# the error of age, an exact McNemar test for gender.

# %% tags=["keras"]
tell(words.comparison_words(evaluation))

# %% [markdown]
# ## Limits
#
# - "Gender" here is a binary label that others guessed; "age" is in part an estimate as well. The models repeat both,
#   with the errors and the prejudices of whoever labelled the images.
# - A data set of faces from the web is uneven: some ages and groups are many, others few, and a model can be worse for the
#   few. The table by age band above measures it; `agegender evaluate --by race` does so by group.
# - Nobody should be let in, kept out, served or judged by these answers.
# - Figures hold for images like those that were measured: another camera, crop or compression gives others
#   (`agegender sensitivity` measures how fast).
