"""What the brief asks of a hand-in: its contribution form, links, sections and word limit."""

from agegender.brief.form import (
    ContributionForm,
    HandIn,
    Member,
    check_form,
    form_problems,
    hand_in_from_dict,
    read_hand_in,
)
from agegender.brief.links import link_problem, share_host
from agegender.brief.marking import MARKING_TABLE, MarkingRow, MemberMark, member_marks
from agegender.brief.sections import (
    NOTEBOOK_STEPS,
    REPORT_SECTIONS,
    NotebookStep,
    ReportSection,
    missing_sections,
    missing_steps,
)
from agegender.brief.words import WORD_LIMIT, check_length, count_words, words_keyword, words_of_keywords

__all__ = [
    "MARKING_TABLE",
    "NOTEBOOK_STEPS",
    "REPORT_SECTIONS",
    "WORD_LIMIT",
    "ContributionForm",
    "HandIn",
    "MarkingRow",
    "Member",
    "MemberMark",
    "NotebookStep",
    "ReportSection",
    "check_form",
    "check_length",
    "count_words",
    "form_problems",
    "hand_in_from_dict",
    "link_problem",
    "member_marks",
    "missing_sections",
    "missing_steps",
    "read_hand_in",
    "share_host",
    "words_keyword",
    "words_of_keywords",
]
