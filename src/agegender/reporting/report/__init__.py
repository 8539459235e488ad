"""Reports of a run: facts gathered once, sentences by stated rules, set as a PDF or as one page for the browser."""

from agegender.reporting.report.body import report_document
from agegender.reporting.report.document import Document
from agegender.reporting.report.facts import ModelFacts, RunFacts, gather_facts
from agegender.reporting.report.page import write_page
from agegender.reporting.report.pdf import Written, write_report
from agegender.reporting.report.pictures import report_pictures

__all__ = [
    "Document",
    "ModelFacts",
    "RunFacts",
    "Written",
    "gather_facts",
    "report_document",
    "report_pictures",
    "write_page",
    "write_report",
]
