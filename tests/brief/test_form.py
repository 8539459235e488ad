from pathlib import Path

import pytest

from agegender.brief import ContributionForm, Member, check_form, form_problems, read_hand_in
from agegender.errors import InputError

GOOD = """
agreed = true
[[members]]
id = "s1234567"
percentage = 60
reason = "trained both"
[[members]]
id = 7654321
percentage = 40
[links]
A = "https://drive.google.com/file/d/1AbCdEfGhIjKlMn/view?usp=sharing"
B = " "
"""


def form(*shares: float, agreed: bool | None = True) -> ContributionForm:
    return ContributionForm(tuple(Member(f"s{number}", share) for number, share in enumerate(shares)), agreed)


def read(tmp_path: Path, text: str):
    path = tmp_path / "hand-in.toml"
    path.write_text(text)
    return read_hand_in(path)


def test_reads_ids_percentages_reasons_and_links(tmp_path: Path):
    hand_in = read(tmp_path, GOOD)
    assert hand_in.form.members == (Member("s1234567", 60.0, "trained both"), Member("7654321", 40.0))
    assert hand_in.form.agreed is True
    assert hand_in.missing_links == ("B",)
    assert form_problems(hand_in.form) == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("agreed = yes", "is not TOML"),
        ('agreed = "yes"', "true or false"),
        ('author = "Somebody"', "author"),
        ("members = 3", "tables"),
        ('[[members]]\nid = "s1"', "percentage"),
        ("[[members]]\npercentage = 100", "`id`"),
        ('[[members]]\nid = "s1"\npercentage = nan', "percentage"),
        ("[links]\nA = 1", "links"),
        ('[links]\nC = "https://x"', "C"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, text: str, said: str):
    with pytest.raises(InputError, match=said):
        read(tmp_path, text)


def test_a_missing_file_says_what_to_write(tmp_path: Path):
    with pytest.raises(InputError, match="members"):
        read_hand_in(tmp_path / "none.toml")


@pytest.mark.parametrize("shares", [(100,), (70, 30), (50, 50), (33.3, 33.3, 33.4)])
def test_allowed_splits(shares: tuple[float, ...]):
    check_form(form(*shares))


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (form(60, 30), "sum to 100"),
        (form(80, 20), "70:30"),
        (form(71, 29), "70:30"),
        (form(90), "sum to 100"),
        (form(100, 0), "above 0"),
        (form(50, 50, agreed=None), "agree"),
        (form(), "no ID"),
        (ContributionForm((Member("s1", 50), Member("s1", 50)), True), "twice"),
        (ContributionForm((Member("Ada Lovelace", 100),), True), "no name"),
        (ContributionForm((Member("Ada", 100),), True), "no name"),
    ],
)
def test_each_broken_rule_is_named(broken: ContributionForm, said: str):
    assert any(said in problem for problem in form_problems(broken))
    with pytest.raises(InputError, match=said):
        check_form(broken)


def test_disagreement_is_an_answer_too():
    assert form_problems(form(50, 50, agreed=False)) == ()
