"""Every check by name, in the order of a report, with what is asked and what to do where it is not so."""

from __future__ import annotations

from typing import NamedTuple

from agegender.brief import NOTEBOOK_STEPS, REPORT_SECTIONS, WORD_LIMIT
from agegender.hand_in.result import Finding, Verdict
from agegender.run_folder import MODELS

NOTEBOOK_FILE = "age_gender_submit.ipynb"
REPORT_FILE = "report.pdf"

_RUN_ALL = "Run the whole notebook in a fresh kernel, look at it, and save it with its outputs."


class Criterion(NamedTuple):
    """What a check asks.

    Attributes:
        asked: What must be so.
        advice: What to do where it is not.
    """

    asked: str
    advice: str


CRITERIA: dict[str, Criterion] = {
    **{
        f"model_{model}_file": Criterion(
            f"age_gender_{model}.keras is there",
            f"Put the whole saved model there under the name age_gender_{model}.keras.",
        )
        for model in MODELS
    },
    **{
        f"model_{model}_contract": Criterion(
            f"Model {model} keeps the model contract",
            "Train and save it with agegender run, or mend what is named; agegender check says more.",
        )
        for model in MODELS
    },
    "models_differ": Criterion("A and B are two models", "Put each model's own file under its name."),
    "model_records": Criterion(
        "model files are the ones that their records describe", "Take file and record from one run."
    ),
    "model_A_start": Criterion("Model A was trained from scratch", "See where its weights started."),
    "model_B_start": Criterion("Model B started from ImageNet", "See where its weights started."),
    "notebook_file": Criterion(
        f"{NOTEBOOK_FILE} is there and can be read", f"Put the executed notebook there under the name {NOTEBOOK_FILE}."
    ),
    "notebook_outputs": Criterion("every cell has been run and keeps its output", _RUN_ALL),
    "notebook_order": Criterion("cells were run from top to bottom", _RUN_ALL),
    "notebook_errors": Criterion("no cell ends in an error", f"Mend what fails. {_RUN_ALL}"),
    **{
        f"step_{step.key}": Criterion(
            f"the notebook has {step.heading!r}",
            f"Add a heading such as {step.heading!r} and below it the step's code with its outputs.",
        )
        for step in NOTEBOOK_STEPS
    },
    "report_file": Criterion(
        "one PDF report is there, with text", f"Put the report there as {REPORT_FILE}; its text must be selectable."
    ),
    "report_form": Criterion(
        "the cover has the contribution form: IDs, percentages that sum to 100, at most 70:30, agreed yes or no",
        "Mend the form on the first page.",
    ),
    "report_links": Criterion(
        "the report links both models by share links", "Share each model file for everyone with the link, and link it."
    ),
    **{
        f"section_{section.number}": Criterion(
            f"the report has section {section.number}, {section.title!r}",
            f"Add a section under the heading {str(section.number) + ' ' + section.title!r}.",
        )
        for section in REPORT_SECTIONS
    },
    "report_words": Criterion(f"at most {WORD_LIMIT:,} words", "Shorten the text."),
    "anonymous_metadata": Criterion(
        "no file's metadata names an author", "Take the names out of the files' properties and save them again."
    ),
    "anonymous_text": Criterion("no file's text or name names an author", "Take the name out."),
}
"""The checks of a hand-in."""


def passed(name: str, found: str) -> Finding:
    """The finding of a check that is in order."""
    return Finding(name, CRITERIA[name].asked, Verdict.PASSED, found)


def failed(name: str, found: str, advice: str = "") -> Finding:
    """The finding of a check that is not; the advice is the criterion's own unless given."""
    return Finding(name, CRITERIA[name].asked, Verdict.FAILED, found, advice or CRITERIA[name].advice)


def judge(name: str, found: str, advice: str = "") -> Finding:
    """The finding of a check that a program cannot decide."""
    return Finding(name, CRITERIA[name].asked, Verdict.JUDGE, found, advice or CRITERIA[name].advice)
