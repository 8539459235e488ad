"""Each extra stays optional: with its modules blocked the rest works, and what needs it says how to get it."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from agegender.optional import explained_imports

ROOT = Path(__file__).parent.parent
BLOCK = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] in {names!r}:
            raise ModuleNotFoundError(f'{{name}} is blocked', name=name)
        return None
sys.meta_path.insert(0, Blocked())
"""
KERAS = ("keras", "tensorflow", "jax", "torch")
DATA = ("pandas", "pyarrow")
NOT_IN_BASE = (*KERAS, *DATA, "matplotlib", "sklearn", "scipy", "ray", "kagglehub", "jinja2", "onnx", "pypdf")
MAIN = "import sys; sys.argv = ['agegender', *sys.argv[1:]]; from agegender.cli.app import main; main()"

NEED_DATA: dict[str, tuple[str, ...]] = {
    "run": ("--data", "FACES", "--out", "OUT"),
    "evaluate": ("MODEL", "--data", "FACES", "--out", "OUT"),
    "sensitivity": ("MODEL", "--data", "FACES", "--out", "OUT"),
    "explain": ("MODEL", "--out", "OUT"),
    "calibrate": ("MODEL", "--data", "FACES"),
    "intervals": ("MODEL", "--data", "FACES", "--out", "OUT"),
    "fairness": ("MODEL", "--data", "FACES", "--out", "OUT"),
    "thresholds": ("MODEL", "--data", "FACES", "--out", "OUT"),
    "audit": ("FACES", "--out", "OUT"),
    "export": ("MODEL",),
    "prepare": ("FACES", "OUT"),
    "split": ("FACES", "--out", "OUT"),
    "predict": ("FACES", "--out", "OUT.parquet", "--model", "MODEL"),
}
"""Commands that need the extra `data`, as they are called."""


def run_blocked(names: tuple[str, ...], program: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", BLOCK.format(names=set(names)) + program, *words],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_labelled_data_are_read_and_measured_without_keras_and_matplotlib(drawn_folder: Path) -> None:
    done = run_blocked(
        (*KERAS, "matplotlib", "kagglehub"),
        "import sys, agegender.cli.app, agegender.metrics\n"
        "from agegender.data import load_dataset\n"
        "print(len(load_dataset(sys.argv[1])))",
        str(drawn_folder),
    )
    assert (done.returncode, done.stdout.strip()) == (0, "48"), done.stderr


def names_of(requirements: list[str]) -> set[str]:
    """What requirements name, such as `numpy>=2.0`."""
    return {line.partition(";")[0].partition(">")[0].strip() for line in requirements}


def test_the_base_install_answers_in_python(tiny_onnx: Path, photograph: Path, drawn_folder: Path) -> None:
    program = (
        "import sys, agegender\n"
        "_, model, photograph, face = sys.argv\n"
        "loaded = agegender.load(model)\n"
        "(found,), (crop,) = loaded.predict(photograph).faces, loaded.predict(face, crops=True).faces\n"
        "print(found.box is not None, crop.box is None, 0 <= crop.age <= 116)"
    )
    face = next(iter(sorted(drawn_folder.glob("*.jpg"))))
    done = run_blocked(NOT_IN_BASE, program, str(tiny_onnx), str(photograph), str(face))
    assert (done.returncode, done.stdout.strip()) == (0, "True True True"), done.stderr


STOPS_AFTER_FIVE = """
import itertools, sys
from pathlib import Path
import agegender
from agegender.inference.batch import predict_to_table
class Stopping:
    def __init__(self, model):
        self.whole = agegender.load(model)
        self.predictor = self.whole.predictor
    def stream(self, images, *, crops=False):
        yield from itertools.islice(self.whole.stream(images, crops=crops), 5)
        raise KeyboardInterrupt
_, model, out, *files = sys.argv
try:
    predict_to_table(Stopping(model), files, Path(out), crops=True)
except KeyboardInterrupt:
    print("stopped")
"""


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_the_base_install_writes_tables_draws_and_goes_on(
    suffix: str, tiny_onnx: Path, drawn_folder: Path, tmp_path: Path
) -> None:
    files = [str(path) for path in sorted(drawn_folder.glob("*.jpg"))[:9]]
    out, seen = tmp_path / f"faces{suffix}", tmp_path / "seen"
    stopped = run_blocked(NOT_IN_BASE, STOPS_AFTER_FIVE, str(tiny_onnx), str(out), *files)
    assert stopped.stdout == "stopped\n", stopped.stderr
    assert not out.exists()
    words = ["--crops", "--model", str(tiny_onnx), "--out", str(out), "--draw", str(seen)]
    done = run_blocked(NOT_IN_BASE, MAIN, "predict", *files, *words)
    assert done.returncode == 0, done.stderr
    assert "5 images were done already" in done.stderr
    with out.open(encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table)) if suffix == ".csv" else [json.loads(line) for line in table]
    assert [row["file"] for row in rows] == files
    assert {row["status"] for row in rows} == {"ok"}
    assert len(list(seen.iterdir())) == 4


def test_the_base_install_makes_the_page(tiny_onnx: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    done = run_blocked((*NOT_IN_BASE, "onnxruntime"), MAIN, "page", "--model", str(tiny_onnx), "--out", str(site))
    assert done.returncode == 0, done.stderr
    assert (site / "index.html").is_file()
    assert (site / "models" / "tiny.onnx").read_bytes() == tiny_onnx.read_bytes()


HELPS = """
import contextlib, io, sys
from agegender.cli.app import COMMANDS, HAND_IN_COMMANDS, main
for words in ([], *([name] for name in COMMANDS), *(["hand-in", name] for name in HAND_IN_COMMANDS)):
    sys.argv = ["agegender", *words, "--help"]
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said):
            main()
    except SystemExit as end:
        print(*words, end.code, "Usage: agegender " + " ".join(words) in said.getvalue())
"""


def test_every_command_says_what_it_does_in_the_base_install() -> None:
    done = run_blocked((*NOT_IN_BASE, "numpy"), HELPS)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) > 20
    assert all(line.endswith("0 True") for line in lines), lines


SAID = """
import contextlib, io, json, sys
from agegender.cli.app import main
said = {}
for words in json.loads(sys.argv[1]):
    sys.argv = ["agegender", *words]
    messages = io.StringIO()
    try:
        with contextlib.redirect_stderr(messages):
            main()
    except SystemExit as end:
        said[words[0]] = [end.code, "pip install 'agegender[data]'" in messages.getvalue(), messages.getvalue()]
print(json.dumps(said))
"""


def test_what_reads_labelled_data_says_what_to_install(tiny_onnx: Path, drawn_folder: Path, tmp_path: Path) -> None:
    model, out = tmp_path / "model.keras", tmp_path / "out"
    model.write_bytes(b"never opened")
    places = {"MODEL": str(model), "FACES": str(drawn_folder), "OUT": str(out), "OUT.parquet": f"{out}.parquet"}
    calls = [[name, *(places.get(word, word) for word in words)] for name, words in NEED_DATA.items()]
    done = run_blocked(DATA, SAID, json.dumps(calls))
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert {name: answer for name, answer in said.items() if answer[:2] != [6, True]} == {}
    assert said.keys() == NEED_DATA.keys()
    assert [path.name for path in tmp_path.iterdir()] == ["model.keras"]


@pytest.mark.parametrize("listed", [False, True])
def test_pictures_at_an_address_say_what_to_install(listed: bool, tiny_onnx: Path, tmp_path: Path) -> None:
    place = address = "s3://bucket/photos/one.jpg"
    if listed:
        (tmp_path / "list.txt").write_text(address)
        place = str(tmp_path / "list.txt")
    done = run_blocked(NOT_IN_BASE, MAIN, "predict", place, "--model", str(tiny_onnx))
    assert done.returncode == 6, done.stderr
    assert "agegender[data]" in done.stderr


@pytest.mark.parametrize(
    "asked", ["agegender.data import load_dataset", "agegender.evaluation import evaluate_models",
              "agegender.pipeline import run", "agegender.audit import audit"],
)  # fmt: skip
def test_in_python_too_it_is_said_what_to_install(asked: str) -> None:
    done = run_blocked(DATA, f"from {asked}")
    assert "MissingExtraError" in done.stderr.splitlines()[-1]
    assert "agegender[data]" in done.stderr.splitlines()[-1]


def test_only_the_absence_of_an_extras_modules_is_explained_away() -> None:
    with pytest.raises(ModuleNotFoundError), explained_imports():
        raise ModuleNotFoundError("No module named 'agegender.nonsense'", name="agegender.nonsense")


def test_a_cold_prediction_imports_nothing_that_it_does_not_use(tiny_onnx: Path, photograph: Path) -> None:
    program = (
        "import sys; sys.argv = ['agegender', 'predict', *sys.argv[1:]]\n"
        "from agegender.cli.app import main\n"
        "try:\n"
        "    main()\n"
        "finally:\n"
        "    print(*sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)"
    )
    done = run_blocked((), program, str(photograph), "--model", str(tiny_onnx))
    assert done.returncode == 0, done.stderr
    loaded = set(done.stderr.splitlines()[-1].split())
    assert {"agegender", "numpy", "cv2", "onnxruntime"} <= loaded
    assert not loaded & {*NOT_IN_BASE, "fastapi", "uvicorn", "faiss", "cleanlab", "IPython"}


def test_training_and_measuring_need_no_matplotlib() -> None:
    done = run_blocked(("matplotlib",), "import agegender.training.fit, agegender.evaluation, agegender.models.saving")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("blocked", "extra"), [(("matplotlib",), "agegender[report]"), (KERAS, "agegender[train,tensorflow]")]
)
def test_run_says_what_to_install(blocked: tuple[str, ...], extra: str, tmp_path: Path) -> None:
    program = (
        "import sys; sys.argv = ['agegender', 'run', '--out', sys.argv[1]]; from agegender.cli.app import main; main()"
    )
    done = run_blocked(blocked, program, str(tmp_path / "run"))
    assert done.returncode == 6, done.stderr
    assert extra in "".join(done.stderr.split("\n"))
    assert not (tmp_path / "run").exists()


def test_checking_a_hand_in_without_pypdf_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "report.pdf").write_bytes(b"%PDF-1.7")
    program = (
        "import sys; sys.argv = ['agegender', 'hand-in', 'check', sys.argv[1], '--skip-models'];"
        "from agegender.cli.app import main; main()"
    )
    done = run_blocked((*KERAS, "pypdf"), program, str(tmp_path))
    assert done.returncode == 6, done.stderr
    assert "agegender[report]" in "".join(done.stderr.split("\n"))


def test_audit_says_what_to_install_and_needs_no_keras(drawn_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "audit"
    done = run_blocked(("faiss",), MAIN, "audit", str(drawn_folder), "--out", str(out))
    assert done.returncode == 6, done.stderr
    assert "agegender[audit]" in "".join(done.stderr.split("\n"))
    assert not out.exists()
    done = run_blocked((*KERAS, "matplotlib"), MAIN, "audit", str(drawn_folder), "--out", str(out))
    assert done.returncode == 0, done.stderr
    assert (out / "audit.html").is_file()


def test_predicting_on_a_cluster_says_what_to_install(tiny_onnx: Path, drawn_folder: Path, tmp_path: Path) -> None:
    words = ["predict", str(drawn_folder), "--crops", "--model", str(tiny_onnx), "--out", str(tmp_path / "faces.csv")]
    done = run_blocked(("ray",), MAIN, *words, "--engine", "ray")
    assert done.returncode == 6, done.stderr
    assert "agegender[ray]" in "".join(done.stderr.split("\n"))
    done = run_blocked(("ray",), MAIN, *words)
    assert done.returncode == 0, done.stderr


def test_train_brings_keras_alone_and_no_backend_is_forced() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert names_of(project["optional-dependencies"]["train"]) == {"agegender[data]", "keras"}
    assert not {*KERAS, "matplotlib", *DATA} & names_of(project["dependencies"])


def test_pandas_and_pyarrow_come_with_every_extra_but_the_service() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    assert names_of(extras["data"]) == set(DATA)
    without = {extra for extra, lines in extras.items() if "agegender[data]" not in lines}
    assert without == {"data", "serve"}


def test_lock_files_carry_hashes_and_no_address() -> None:
    locks = list((ROOT / "requirements").glob("*.txt"))
    assert len(locks) >= 4
    for lock in locks:
        text = lock.read_text(encoding="utf-8")
        assert "://" not in text
        assert "--index" not in text
        assert "--find-links" not in text
        assert text.count("==") <= text.count("--hash=sha256:")
    main = (ROOT / "requirements" / "lock-linux-x86_64.txt").read_text(encoding="utf-8")
    assert "nvidia" not in main
    assert "\ntorch==" not in main
