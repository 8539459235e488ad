"""The kept description of a model: made once from the file, used for that file only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agegender.artifacts import read_json, sha256_file, write_json
from agegender.errors import InputError
from agegender.models.describe import describe
from agegender.reporting.blocks import FILE, model_blocks
from agegender.run_folder import RunFolder


def test_a_model_is_described_once_and_only_while_its_file_is_the_same(tmp_path: Path) -> None:
    from agegender.models.custom_cnn import CustomCnn, build_custom_cnn
    from agegender.models.losses import SAVED_LOSSES, SAVED_METRICS
    from agegender.models.saving import save_model

    folder = RunFolder(tmp_path)
    plan = CustomCnn(stem_channels=(4, 8), stage_channels=(8, 8, 8), stage_blocks=(1, 1, 1))
    model: Any = build_custom_cnn(plan).contract
    model.compile(loss=SAVED_LOSSES, metrics=SAVED_METRICS)
    save_model(model, folder.model("A"))
    write_json(folder.sidecar("A"), {"sha256": sha256_file(folder.model("A"))})
    blocks = model_blocks(folder, "A")
    assert blocks == tuple(describe(model))
    kept = folder.training("A") / FILE
    assert read_json(kept)["sha256"] == sha256_file(folder.model("A"))
    content = folder.model("A").read_bytes()
    folder.model("A").unlink()
    assert model_blocks(folder, "A") == blocks
    write_json(folder.sidecar("A"), {"sha256": "0" * 64})
    with pytest.raises(InputError, match="is missing"):
        model_blocks(folder, "A")
    folder.model("A").write_bytes(content)
    with pytest.raises(InputError, match="not the file that its sidecar describes"):
        model_blocks(folder, "A")
