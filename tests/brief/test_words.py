import pytest

from agegender.brief import WORD_LIMIT, check_length, count_words, words_keyword, words_of_keywords
from agegender.errors import OutputError


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", 0),
        ("one", 1),
        ("The error is 5.42 years.", 5),
        ("two-stage training – in short \n\t(3.0 M)", 6),
        ("• — * …", 0),
    ],
)
def test_counts_tokens_that_hold_a_letter_or_digit(text: str, words: int):
    assert count_words(text) == words


def test_the_limit_is_allowed_and_one_more_is_not():
    check_length(WORD_LIMIT)
    with pytest.raises(OutputError, match=r"1,501 words.*1,500.*by 1\."):
        check_length(WORD_LIMIT + 1)


def test_keywords_carry_the_count_and_others_carry_none():
    assert words_of_keywords(f"age, {words_keyword(1234)}, gender") == 1234
    assert words_of_keywords("age, gender, 1234") is None
