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
