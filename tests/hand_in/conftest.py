"""A good hand-in, made here: two small models, a small executed notebook, and a report set by Typst."""

from __future__ import annotations

import base64
import dataclasses
import io
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from agegender.artifacts import sha256_file, write_json
from agegender.brief import NOTEBOOK_STEPS, words_keyword
from agegender.hand_in.models import ContractCheck
from agegender.models.contract import ContractReport, check_models

AUTHOR = "Ada Lovelace"
LINKS = tuple(f"https://drive.google.com/file/d/1{letter * 20}/view?usp=sharing" for letter in "AB")
SECTIONS = {
    1: "1 Introduction",
    2: "2 The custom CNN",
    3: "3 The pre-trained CNN",
    4: "4 Summary and discussion",
}
WORDS = 1000


@pytest.fixture(autouse=True)
def git_author(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Git knows one author, whatever the machine's own settings are."""
    config = tmp_path_factory.mktemp("git") / "config"
    config.write_text(f"[user]\n\tname = {AUTHOR}\n\temail = ada@example.org\n", encoding="utf-8")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


def small_model(seed: int, *, gender_units: int = 1, first_layer: Any = None) -> Any:
    """A small model that keeps the contract, unless an argument says otherwise."""
    import keras
    import numpy as np

    from agegender.models.input_layers import red_first

    def bold(spread: float, plus: int) -> Any:  # so that what differs in the image differs in the answer
        return keras.initializers.RandomNormal(stddev=spread, seed=seed + plus)

    layers: Any = keras.layers
    images = keras.Input((128, 128, 3))
    x = red_first(images if first_layer is None else first_layer(images))
    x = layers.Conv2D(4, 5, strides=4, padding="same", kernel_initializer=bold(0.5, 1))(x)
    x = layers.Conv2D(8, 3, strides=4, padding="same", kernel_initializer=bold(0.5, 2))(layers.BatchNormalization()(x))
    x = layers.Dropout(0.3)(layers.GlobalAveragePooling2D()(x))
    distribution = layers.Dense(117, activation="softmax", kernel_initializer=bold(2.0, 3), name="age_distribution")(x)
    mean = layers.Dense(1, use_bias=False, trainable=False, name="age")
    activation = "sigmoid" if gender_units == 1 else "softmax"
    gender = layers.Dense(gender_units, activation=activation, kernel_initializer=bold(2.0, 4), name="gender")(x)
    model = keras.Model(images, [mean(distribution), gender])
    mean.set_weights([np.arange(117, dtype=np.float32)[:, None]])
    model.compile(
        "sgd",
        loss={"age": "mean_absolute_error", "gender": "binary_crossentropy"},
        metrics={"age": ["mae"], "gender": ["accuracy"]},
    )
    return model


@pytest.fixture(scope="session")
def model_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """`A` and `B`, a gender head of two units, and a layer of somebody's own."""
    import keras

    from agegender.models.saving import make_portable

    @keras.saving.register_keras_serializable("somebody")
    class OwnLayer(keras.layers.Layer):
        def call(self, inputs: Any) -> Any:
            return inputs

    folder = tmp_path_factory.mktemp("models")
    files = {}
    for name, model in {
        "A": small_model(1),
        "B": small_model(20),
        "softmax of 2": small_model(40, gender_units=2),
        "own layer": small_model(60, first_layer=OwnLayer()),
    }.items():
        files[name] = folder / f"{name.replace(' ', '_')}.keras"
        model.save(files[name])
        make_portable(files[name])
    return files


@pytest.fixture(scope="session")
def contract(model_files: dict[str, Path]) -> ContractCheck:
    """The contract's own answers about `model_files`: all loaded once, in one clean process."""
    reports = check_models(list(model_files.values()))
    known = {sha256_file(path): report for path, report in zip(model_files.values(), reports, strict=True)}

    def look_up(files: Sequence[Path]) -> list[ContractReport]:
        return [dataclasses.replace(known[sha256_file(path)], file=path) for path in files]

    return look_up


def picture() -> dict[str, Any]:
    """An output that shows a small picture."""
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), "grey").save(buffer, "PNG")
    data = {"image/png": base64.b64encode(buffer.getvalue()).decode(), "text/plain": ["<Figure>"]}
    return {"output_type": "display_data", "data": data, "metadata": {}}


def printed(text: str) -> dict[str, Any]:
    """An output that shows text."""
    return {"output_type": "stream", "name": "stdout", "text": [text]}


def good_notebook() -> dict[str, Any]:
    """Every step's heading with a cell that only defines something and one that prints and shows a picture."""
    cells: list[dict[str, Any]] = [{"cell_type": "markdown", "metadata": {}, "source": ["# Age and gender\n"]}]
    for number, step in enumerate(NOTEBOOK_STEPS):
        cells += [
            {"cell_type": "markdown", "metadata": {}, "source": [f"## {step.heading}\n", "\n", "What it does.\n"]},
            _code(2 * number + 1, f"# what follows uses this\nvalue_{number} = {number}\n", []),
            _code(2 * number + 2, f"print(value_{number})\nfigure.show()\n", [printed(f"{number}\n"), picture()]),
        ]
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3"}, "colab": {"provenance": []}}
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": cells}


def _code(count: int, source: str, outputs: list[dict[str, Any]]) -> dict[str, Any]:
    lines = source.splitlines(keepends=True)
    return {"cell_type": "code", "metadata": {}, "execution_count": count, "source": lines, "outputs": outputs}


def typst_report(
    *,
    members: Sequence[tuple[str, int]] = (("s1234567", 60), ("s7654321", 40)),
    links: Sequence[str] = LINKS,
    sections: Sequence[int] = (1, 2, 3, 4),
    words: int = WORDS,
    keyword: bool = True,
    form: bool = True,
    author: str = "",
    more: str = "",
) -> bytes:
    """A report, as PDF, whose four sections hold `words` words in all, headings counted."""
    import typst

    head = [f'keywords: ("{words_keyword(words)}",)'] if keyword else []
    head += [f'author: "{author}"'] if author else []
    rows = "".join(f"[{one}], [{share} %], [], " for one, share in members)
    body = words - sum(len(SECTIONS[number].split()) for number in sections)
    each = [body // len(sections) + (1 if place < body % len(sections) else 0) for place in range(len(sections))]
    lines = [
        f'#set document(title: "Age and gender", {", ".join(head)})',
        "= Two models of age and gender",
        f"== Contribution form\n#table(columns: 3, [ID], [Percentage], [Reason], {rows})\nAll agree: yes"
        if form
        else "",
        *(f'\nModel {letter}: #link("{link}")[{link}]' for letter, link in zip("AB", links, strict=False)),
        "#pagebreak()",
        *(f"= {SECTIONS[number]}\n#lorem({count})\n" for number, count in zip(sections, each, strict=True)),
        more,
        '= References\n[1] A paper, #link("https://arxiv.org/abs/1810.03993")',
    ]
    return typst.compile("\n".join(lines).encode())


@pytest.fixture(scope="session")
def good_files(tmp_path_factory: pytest.TempPathFactory, model_files: dict[str, Path]) -> Path:
    """A hand-in that fails no check; to be copied."""
    folder = tmp_path_factory.mktemp("good")
    for model, start in {"A": "random", "B": "imagenet"}.items():
        path = folder / f"age_gender_{model}.keras"
        shutil.copy(model_files[model], path)
        record = {"sha256": sha256_file(path), "started_from": {"start": start, "source": start}, "teachers": []}
        write_json(path.with_suffix(".json"), record)
    write_json(folder / "age_gender_submit.ipynb", good_notebook())
    (folder / "report.pdf").write_bytes(typst_report())
    return folder


@pytest.fixture
def hand_in(good_files: Path, tmp_path: Path) -> Path:
    """A good hand-in, to be spoilt."""
    return Path(shutil.copytree(good_files, tmp_path / "hand_in"))


@pytest.fixture(scope="session")
def report_of() -> Callable[..., bytes]:
    """`typst_report`."""
    return typst_report
