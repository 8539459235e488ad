"""AdamW with averaged weights and a learning rate a variable, on any backend.

Sources: Loshchilov, Hutter, "Decoupled Weight Decay Regularization", ICLR 2019; Polyak, Juditsky, "Acceleration of
Stochastic Approximation by Averaging", 1992; Howard, Ruder, "Universal Language Model Fine-tuning", ACL 2018
(discriminative learning rates).
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

UNDECAYED = ("bias", "gamma", "beta")
"""Names of variables that weight decay would only hurt: offsets and the scales of batch norm."""


class AveragingAdamW(keras.optimizers.Adam):
    """AdamW that keeps an exponential moving average of the weights beside them.

    The average starts fast, as `min(decay, step / (9 + step))` with steps counted from 0, so that it is of use from the
    first epoch on and nothing stays in it of the zeros that its slots begin with.
    Decay of weights is scaled with each variable's own learning rate.

    Args:
        learning_rate: A number or a schedule.
        decay: Weight decay per unit of learning rate.
        average_decay: Share of the average that stays at each step, 0..1.
        clip_norm: Largest norm of a step's whole gradient.
        multipliers: By the beginning of a variable's path, the factor on its learning rate; 1 for all others.
    """

    def __init__(
        self, learning_rate: Any, *, decay: float, average_decay: float, clip_norm: float,
        multipliers: dict[str, float] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(
            learning_rate=learning_rate,
            global_clipnorm=clip_norm,
            use_ema=True,
            ema_momentum=average_decay,
            name="averaging_adamw",
        )
        self._decay = decay
        self._multipliers = multipliers or {}
        self._factors: list[float] = []
        self._decays: list[float] = []

    def build(self, var_list: list[Any]) -> None:
        """Make the slots, and note each variable's factor and decay."""
        super().build(var_list)
        self._factors = [
            next((value for start, value in self._multipliers.items() if variable.path.startswith(start)), 1.0)
            for variable in var_list
        ]
        self._decays = [0.0 if variable.name in UNDECAYED else self._decay for variable in var_list]

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """One step of one variable."""
        index = self._get_variable_index(variable)
        rate = ops.cast(learning_rate, variable.dtype) * self._factors[index]
        if self._decays[index]:
            self.assign_sub(variable, ops.multiply(variable, rate * self._decays[index]))
        super().update_step(gradient, variable, rate)

    def _update_model_variables_moving_average(self, trainable_variables: list[Any]) -> None:
        step = ops.cast(self.iterations, "float32")
        decay: Any = ops.minimum(float(self.ema_momentum), step / (9.0 + step))
        for variable, average in zip(trainable_variables, self._model_variables_moving_average, strict=True):
            average.assign(decay * average + (1.0 - decay) * ops.cast(variable, average.dtype))

    def finalize_variable_values(self, var_list: Any) -> None:
        """Leave the raw weights in place at the end of `fit`; `averaging.py` swaps them when they are wanted."""

    def averages(self) -> list[Any]:
        """The averaged value of each trainable variable, in the order of the optimizer's variables."""
        return list(self._model_variables_moving_average)
