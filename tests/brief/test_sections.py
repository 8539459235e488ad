import pytest

from agegender.brief import NOTEBOOK_STEPS, REPORT_SECTIONS, missing_sections, missing_steps

ANYONES_REPORT = """
Cover page
1. Introduction
We trained two networks.
II Custom CNN model
3) Pretrained CNN
4 Conclusion
"""


def test_our_own_headings_are_found():
    assert missing_sections("\n".join(f"{section.number} {section.title}" for section in REPORT_SECTIONS)) == ()
    assert missing_steps([f"## {step.heading}" for step in NOTEBOOK_STEPS]) == ()


def test_headings_of_others_are_found():
    assert missing_sections(ANYONES_REPORT) == ()


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_a_missing_section_is_told(number: int):
    text = "\n".join(f"{one.number} {one.title}" for one in REPORT_SECTIONS if one.number != number)
    assert [section.number for section in missing_sections(text)] == [number]


def test_a_sentence_is_no_heading():
    text = ANYONES_REPORT.replace("1. Introduction", "This introduction is short.")
    assert [section.number for section in missing_sections(text)] == [1]


def test_a_missing_step_is_told():
    headings = [step.heading for step in NOTEBOOK_STEPS if step.key != "3B"]
    assert [step.key for step in missing_steps(headings)] == ["3B"]
