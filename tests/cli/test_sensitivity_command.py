"""`agegender sensitivity` on a tiny real run."""

from pathlib import Path

import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

from agegender.cli.sensitivity import sensitivity_command
from agegender.data.distortions import DISTORTIONS
from agegender.errors import InputError, ModelError, SettingError

app = typer.Typer(pretty_exceptions_enable=False)
app.command()(sensitivity_command)


def test_table_file_and_figure(trained_run: Path, drawn_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    models = [str(trained_run / "age_gender_A.keras"), str(trained_run / "age_gender_B.keras")]
    result = CliRunner().invoke(
        app, [*models, "--data", str(drawn_folder), "--split", str(trained_run / "split.json"), "--out", str(out)]
    )
    assert result.exit_code == 0, result.output
    rows = pd.read_csv(out / "sensitivity.csv", keep_default_na=False)
    assert len(rows) == 2 * (1 + sum(len(way.levels) for way in DISTORTIONS))
    assert set(rows["model"]) == {"A", "B"}
    channels = rows.query("distortion == 'channel order'")["mae_change"].tolist()
    assert max(map(abs, channels)) < 1e-3, "the models order channels themselves"
    assert {"sensitivity.png", "sensitivity.svg", "captions.json"} <= {path.name for path in out.iterdir()}
    assert "jpeg" in result.output


def test_a_split_of_other_data_and_a_missing_model_are_refused(trained_run: Path, tmp_path: Path) -> None:
    from agegender.data.drawn import draw_faces

    other = draw_faces(tmp_path / "other", count=8, seed=9)
    model = str(trained_run / "age_gender_A.keras")
    with pytest.raises(InputError, match="does not fit the data"):
        CliRunner().invoke(
            app, [model, "--data", str(other), "--split", str(trained_run / "split.json")], catch_exceptions=False
        )
    with pytest.raises(ModelError, match="No model file"):
        CliRunner().invoke(app, [str(tmp_path / "none.keras"), "--data", str(other)], catch_exceptions=False)
    with pytest.raises(SettingError, match="at most 2 models"):
        CliRunner().invoke(
            app, [model, model, model, "--data", str(other), "--out", str(tmp_path / "out")], catch_exceptions=False
        )
