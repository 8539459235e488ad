import pytest

from agegender.errors import InputError
from agegender.models.describe import ArchitectureBlock
from agegender.reporting import architecture, architecture_caption

BLOCKS = [
    ArchitectureBlock("image", "input", (128, 128, 3), 0),
    ArchitectureBlock("stem", "conv", (64, 64, 32), 992, detail="3x3"),
    ArchitectureBlock("stage1", "residual", (32, 32, 64), 150_672, 3, detail="3x3, 3x3", shortcut=True),
    ArchitectureBlock("stage2", "residual", (8, 8, 256), 2_135_616, 2, detail="3x3, 3x3", shortcut=True),
    ArchitectureBlock("pooled", "pool", (256,), 0, detail="average, dropout 0.4"),
    ArchitectureBlock("age_distribution", "dense", (117,), 30_069, branch="age", detail="softmax"),
    ArchitectureBlock("age", "dense", (1,), 117, branch="age", detail="expectation over the ages"),
    ArchitectureBlock("gender", "dense", (1,), 257, branch="gender", detail="sigmoid"),
]
TOTAL = sum(block.parameters for block in BLOCKS)


def test_every_block_stands_with_its_shape_and_parameters(texts):
    found = texts.of(architecture(BLOCKS, model="Model A"))
    assert {block.name for block in BLOCKS} <= set(found)
    assert {"128 × 128 × 3", "64 × 64 × 32", "8 × 8 × 256", "150,672", "2,135,616"} <= set(found)
    assert "residual × 3" in found
    assert "dense, softmax → 117 units; 30,069 parameters" in found
    assert "dense, sigmoid → 1 unit; 257 parameters" in found
    assert f"{TOTAL:,} parameters in all" in found
    assert "Model A: architecture" in found


def test_the_trunk_runs_down_and_the_heads_stand_side_by_side_below_it(texts):
    boxes = texts.boxes(architecture(BLOCKS, model="A"))
    heights = [boxes[name][1] for name in ("image", "stem", "stage1", "stage2", "pooled", "age_distribution", "age")]
    assert heights == sorted(heights, reverse=True)
    assert boxes["gender"][1] == pytest.approx(boxes["age_distribution"][1], abs=4)
    assert boxes["gender"][0] > boxes["age_distribution"][2]


def test_all_text_lies_inside_the_picture(texts):
    figure = architecture(BLOCKS, model="A")
    boxes = texts.boxes(figure)
    width, height = figure.canvas.get_width_height()
    for text, (left, bottom, right, top) in boxes.items():
        assert left >= 0 <= bottom, text
        assert right <= width, text
        assert top <= height, text


@pytest.mark.parametrize("blocks", [BLOCKS[:5], BLOCKS[:4] * 5, [BLOCKS[0]]])
def test_models_without_heads_long_ones_and_tiny_ones_can_be_drawn(blocks, texts):
    assert f"{sum(block.parameters for block in blocks):,} parameters in all" in texts.of(
        architecture(blocks, model="A")
    )


def test_unknown_sizes_are_question_marks(texts):
    free = [ArchitectureBlock("input", "input", (None, None, 3), 0), ArchitectureBlock("own", "weights", (), 7)]
    assert "? × ? × 3" in texts.of(architecture(free, model="A"))


def test_the_caption_holds_the_numbers():
    text = architecture_caption(BLOCKS, model="Model A")
    assert f"{TOTAL:,} parameters in all" in text
    assert "last feature maps before the first dense layer measure 8 × 8 × 256" in text
    assert "The heads `age` (30,186 parameters) and `gender` (257 parameters) share all that stands above" in text
    assert "heads" not in architecture_caption(BLOCKS[:5], model="A")


def test_nothing_to_draw_is_refused():
    with pytest.raises(InputError, match="no block"):
        architecture([], model="A")
