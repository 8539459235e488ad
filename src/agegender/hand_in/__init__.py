"""Checking a hand-in against the brief before it is handed in."""

from agegender.hand_in.check import check_hand_in
from agegender.hand_in.criteria import CRITERIA
from agegender.hand_in.result import Finding, HandInReport, Verdict

__all__ = ["CRITERIA", "Finding", "HandInReport", "Verdict", "check_hand_in"]
