import json
import subprocess
import sys

import matplotlib as mpl
import pytest
from matplotlib.figure import Figure
from PIL import Image

from agegender.errors import InputError, OutputError
from agegender.reporting import learning_curve, read_captions, save_figure


@pytest.fixture
def figure(history):
    return learning_curve(history, "age_mae", model="Model A")


def test_png_and_svg_are_written_with_their_caption(figure, tmp_path):
    png, svg = save_figure(figure, tmp_path / "figures", "A_age_mae", "Ages \N{MULTIPLICATION SIGN} epochs.")
    with Image.open(png) as image:
        width, height = figure.get_size_inches()
        assert image.size == (round(200 * width), round(200 * height))
        assert len(image.convert("RGB").getcolors(1 << 20) or []) > 20  # a picture, no blank page
        assert image.info["Description"] == "Ages \N{MULTIPLICATION SIGN} epochs."
    assert "</svg>" in svg.read_text()
    assert "Ages \N{MULTIPLICATION SIGN} epochs." in svg.read_text()
    assert read_captions(tmp_path / "figures") == {"A_age_mae": "Ages \N{MULTIPLICATION SIGN} epochs."}
    assert sorted(path.name for path in (tmp_path / "figures").iterdir()) == [
        "A_age_mae.png",
        "A_age_mae.svg",
        "captions.json",
    ]


def test_captions_of_other_figures_stay(tmp_path):
    figure = Figure(figsize=(1, 1))
    for name, caption in (("one", "First."), ("two", "Second."), ("one", "Again.")):
        save_figure(figure, tmp_path, name, caption)
    assert json.loads((tmp_path / "captions.json").read_text()) == {"one": "Again.", "two": "Second."}


def test_the_same_figure_gives_the_same_bytes(history, tmp_path):
    for folder in ("first", "second"):
        save_figure(learning_curve(history, "age_mae", model="A"), tmp_path / folder, "a", "Caption.")
    for suffix in ("png", "svg"):
        assert (tmp_path / "first" / f"a.{suffix}").read_bytes() == (tmp_path / "second" / f"a.{suffix}").read_bytes()


def test_a_folder_that_cannot_be_written_is_said_and_nothing_is_left(tmp_path):
    (tmp_path / "figures").write_text("a file where the folder should be")
    with pytest.raises(OutputError, match="Cannot write"):
        save_figure(Figure(), tmp_path / "figures", "a", "Caption.")
    assert [path.name for path in tmp_path.iterdir()] == ["figures"]


@pytest.mark.parametrize("content", ["{not json", "[]"])
def test_broken_captions_are_never_overwritten(tmp_path, content):
    (tmp_path / "captions.json").write_text(content)
    with pytest.raises(InputError, match="Delete it"):
        save_figure(Figure(), tmp_path, "a", "Caption.")
    assert (tmp_path / "captions.json").read_text() == content


def test_matplotlibs_own_settings_stay_as_the_user_has_them(history, tmp_path):
    with mpl.rc_context({"axes.facecolor": "red", "font.size": 30.0}):
        before = dict(mpl.rcParams)
        figure = learning_curve(history, "age_mae", model="A")
        save_figure(figure, tmp_path, "a", "Caption.")
        assert dict(mpl.rcParams) == before
    assert figure.axes[0].get_facecolor() == (1.0, 1.0, 1.0, 1.0)


def test_reporting_brings_neither_pyplot_nor_keras():
    code = (
        "import sys, agegender.reporting;"
        "found = {'matplotlib.pyplot', 'keras', 'tensorflow', 'jax', 'torch'} & set(sys.modules);"
        "sys.exit(f'imported: {found}' if found else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_without_matplotlib_the_extra_is_named():
    code = "import sys; sys.modules['matplotlib'] = None; import agegender.reporting"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0
    assert "pip install 'agegender[report]'" in done.stderr
