import keras
import pytest
from keras import layers

from agegender.errors import ModelError
from agegender.models.custom_cnn import CustomCnn, build_custom_cnn
from agegender.models.describe import PURPOSES, describe


def total(blocks):
    return sum(block.parameters for block in blocks)


def residual_model(named: bool = True) -> keras.Model:
    """Stem, two stages of two residual blocks, and the two heads."""

    def name(text):
        return text if named else None

    x = image = keras.Input((32, 32, 3), name="image")
    x = layers.Conv2D(8, 3, padding="same", name=name("stem_conv"))(x)
    x = layers.BatchNormalization(name=name("stem_norm"))(x)
    x = layers.ReLU(name=name("stem_act"))(x)
    for stage in (1, 2):
        for block in (1, 2):
            stride = 2 if block == 1 else 1
            prefix = f"stage{stage}_block{block}"
            shortcut = layers.Conv2D(8 * stage, 1, stride, name=name(f"{prefix}_shortcut"))(x) if stride == 2 else x
            x = layers.Conv2D(8 * stage, 3, stride, "same", name=name(f"{prefix}_conv1"))(x)
            x = layers.ReLU(name=name(f"{prefix}_act1"))(x)
            x = layers.Conv2D(8 * stage, 3, 1, "same", name=name(f"{prefix}_conv2"))(x)
            x = layers.Add(name=name(f"{prefix}_add"))([shortcut, x])
    x = layers.GlobalAveragePooling2D(name=name("pooled"))(x)
    x = layers.Dropout(0.25, name=name("drop"))(x)
    age = layers.Dense(117, activation="softmax", name="age_distribution")(x)
    age = layers.Dense(1, use_bias=False, trainable=False, name="age")(age)
    gender = layers.Dense(5, activation="relu", name=name("gender_hidden"))(x)
    gender = layers.Dense(1, activation="sigmoid", name="gender")(gender)
    return keras.Model(image, [age, gender])


def test_a_residual_network_becomes_its_stages_and_two_branches():
    model = residual_model()
    blocks = describe(model)
    assert [(block.name, block.kind, block.output_shape, block.repeat, block.branch) for block in blocks] == [
        ("image", "input", (32, 32, 3), 1, ""),
        ("stem", "conv", (32, 32, 8), 1, ""),
        ("stage1", "residual", (16, 16, 8), 2, ""),
        ("stage2", "residual", (8, 8, 16), 2, ""),
        ("pooled", "pool", (16,), 1, ""),
        ("age_distribution", "dense", (117,), 1, "age"),
        ("age", "dense", (1,), 1, "age"),
        ("gender_hidden", "dense", (5,), 1, "gender"),
        ("gender", "dense", (1,), 1, "gender"),
    ]
    assert total(blocks) == model.count_params()
    by_name = {block.name: block for block in blocks}
    assert by_name["stage1"].detail == "3\N{MULTIPLICATION SIGN}3, 3\N{MULTIPLICATION SIGN}3"
    assert by_name["stage1"].shortcut
    assert not by_name["stem"].shortcut
    assert by_name["pooled"].detail == "average, dropout 0.25"
    assert by_name["age_distribution"].detail == "softmax"
    assert by_name["age"].detail == PURPOSES["age"]
    assert by_name["stem"].parameters == 3 * 3 * 3 * 8 + 8 + 4 * 8


def test_unnamed_layers_are_grouped_by_the_size_of_their_maps():
    model = residual_model(named=False)
    blocks = describe(model)
    assert total(blocks) == model.count_params()
    assert [block.output_shape for block in blocks[:4]] == [(32, 32, 3), (32, 32, 8), (16, 16, 8), (8, 8, 16)]
    assert [block.branch for block in blocks[-4:]] == ["age", "age", "gender", "gender"]


def test_an_output_that_another_is_computed_from_belongs_to_its_branch():
    model = residual_model()
    wider = keras.Model(model.input, [model.get_layer("age_distribution").output, *model.outputs])
    branches = {block.name: block.branch for block in describe(wider)}
    assert branches["age_distribution"] == branches["age"] == "age"
    assert branches["gender"] == "gender"
    assert branches["pooled"] == ""


def test_a_nested_model_of_free_size_is_opened_at_the_size_it_is_used_on():
    inner_input = keras.Input((None, None, 3))
    x = layers.Conv2D(4, 3, 2, "same", name="stem_conv")(inner_input)
    x = layers.Conv2D(6, 3, 2, "same", name="body_conv")(x)
    inner = keras.Model(inner_input, x, name="backbone")
    image = keras.Input((64, 64, 3), name="image")
    outer = keras.Model(image, layers.GlobalAveragePooling2D(name="pooled")(inner(image)))
    blocks = describe(outer)
    assert [(block.name, block.output_shape) for block in blocks] == [
        ("image", (64, 64, 3)),
        ("stem_conv", (32, 32, 4)),
        ("body_conv", (16, 16, 6)),
        ("pooled", (6,)),
    ]
    assert total(blocks) == outer.count_params()
    assert describe(inner)[1].output_shape == (None, None, 4)
    assert describe(inner, input_shape=(128, 128, 3))[1].output_shape == (64, 64, 4)


def test_weights_used_twice_count_once():
    image = keras.Input((16, 16, 3), name="image")
    shared = keras.Sequential([keras.Input((16, 16, 3)), layers.Conv2D(4, 3, name="shared_conv")], name="trunk")
    both = layers.Average(name="both")([shared(image), shared(layers.ReLU(name="other")(image))])
    model = keras.Model(image, both)
    blocks = describe(model)
    assert [block.name for block in blocks].count("shared_conv") == 1
    assert total(blocks) == model.count_params() == 3 * 3 * 3 * 4 + 4


def test_sequential_and_subclassed_models_are_straight_chains():
    sequential = keras.Sequential(
        [keras.Input((8, 8, 3)), layers.Conv2D(2, 3, name="c"), layers.Flatten(name="flatten")]
    )
    assert [block.name for block in describe(sequential)] == ["input", "c", "flatten"]
    assert total(describe(sequential)) == sequential.count_params()

    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(4, name="hidden")
            self.scale = self.add_weight(shape=(7,), name="scale")

        def call(self, inputs):
            return self.dense(inputs) * self.scale[0]

    own = Own()
    own(keras.ops.zeros((1, 3)))
    blocks = describe(own)
    assert total(blocks) == own.count_params() == 4 * 3 + 4 + 7
    assert blocks[-1].name == "own weights"


def test_a_model_without_weights_yet_is_refused():
    with pytest.raises(ModelError, match="not built"):
        describe(keras.Sequential([layers.Dense(3)]))


@pytest.mark.parametrize(
    ("name", "most", "expected"),
    [
        ("MobileNetV2", 14, ("block3\N{EN DASH}5", "inverted residual", (16, 16, 16), 3)),
        ("EfficientNetV2B0", 14, ("block6", "inverted residual", (4, 4, 192), 8)),
    ],
)
def test_known_backbones_become_the_stages_of_their_papers(name, most, expected):
    options = {"alpha": 0.35} if name == "MobileNetV2" else {}
    model = getattr(keras.applications, name)(
        weights=None, include_top=False, input_shape=(128, 128, 3), pooling="avg", **options
    )
    blocks = describe(model)
    assert len(blocks) <= most
    assert expected in [(block.name, block.kind, block.output_shape, block.repeat) for block in blocks]
    assert total(blocks) == model.count_params()


def test_a_layer_keras_named_stands_in_the_block_around_it():
    image = keras.Input((16, 16, 4), name="image")
    before = layers.BatchNormalization(name="conv2_block1_preact_bn")(image)
    x = layers.Conv2D(4, 3, 2, "same", name="conv2_block1_1_conv")(before)
    shortcut = layers.MaxPooling2D(1, strides=2)(before)
    x = layers.Add(name="conv2_block1_out")([shortcut, x])
    x = layers.ReLU(name="post_relu")(x)
    blocks = describe(keras.Model(image, x))
    assert [(block.name, block.kind, block.output_shape) for block in blocks] == [
        ("image", "input", (16, 16, 4)),
        ("conv2", "residual", (8, 8, 4)),
    ]


def test_a_network_whose_names_say_nothing_is_grouped_by_size():
    x = image = keras.Input((32, 32, 3), name="image")
    for index in range(24):
        x = layers.Conv2D(3, 3, 2 if index in (8, 16) else 1, "same", name=f"{'ab'[index % 2]}_conv_{index}")(x)
    model = keras.Model(image, x)
    blocks = describe(model)
    assert [block.output_shape for block in blocks] == [(32, 32, 3), (32, 32, 3), (16, 16, 3), (8, 8, 3)]
    assert blocks[1].detail == "8 of 3\N{MULTIPLICATION SIGN}3"
    assert total(blocks) == model.count_params()


def test_model_a_reads_as_it_was_planned():
    network = build_custom_cnn()
    for model in (network.training, network.contract):
        blocks = {block.name: block for block in describe(model)}
        assert sum(block.parameters for block in blocks.values()) == model.count_params()
        assert [blocks[f"stage{stage}"].kind for stage in (1, 2, 3)] == ["residual"] * 3
        assert blocks["order"].kind == "fixed"
        assert blocks["order"].detail == PURPOSES["order"]
        assert blocks["age_distribution"].branch == "age"
        assert blocks["gender"].branch == "gender"


def test_a_median_readout_is_described_as_one():
    details = {
        block.name: block.detail for block in describe(build_custom_cnn(CustomCnn(age_readout="median")).contract)
    }
    assert details["age"] == "counts them: the median"
    assert details["age_below_median"] == PURPOSES["age_below_median"]
