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
