"""One schema for all, and one row of corrections for what is said about a file."""

from __future__ import annotations

from agegender.audit.findings import COLUMNS, Finding, corrections_of, findings_table


def test_the_table_has_the_schema_even_without_a_finding() -> None:
    assert COLUMNS == ("file", "problem", "score", "evidence", "suggestion", "other")
    assert findings_table([]).columns.tolist() == list(COLUMNS)
    table = findings_table([Finding("a.jpg", "dark", 12.0, "Too dark.")])
    assert table.iloc[0].tolist() == ["a.jpg", "dark", 12.0, "Too dark.", "look", ""]


def test_the_strongest_suggestion_about_a_file_counts() -> None:
    rows = corrections_of(
        [
            Finding("b.jpg", "doubtful_age", 5.0, "Far off.", "look"),
            Finding("b.jpg", "dark", 5.0, "Dark.", "look"),
            Finding("a.jpg", "label_conflict", 5.0, "Two labels.", "age=31", "c.jpg"),
            Finding("a.jpg", "label_conflict", 4.0, "Two labels.", "age=44", "d.jpg"),
            Finding("a.jpg", "label_conflict", 5.0, "Two labels.", "gender=female", "c.jpg"),
            Finding("a.jpg", "grey", 0.0, "Grey.", "look"),
            Finding("c.jpg", "grey", 0.0, "Grey.", "look"),
            Finding("c.jpg", "near_duplicate", 0.9, "The same.", "drop", "a.jpg"),
            Finding("", "gap", 0.0, "No image of anybody.", "look"),
        ]
    )
    assert [(row.file, row.action, row.value) for row in rows] == [
        ("a.jpg", "age", "31"), ("a.jpg", "gender", "female"), ("b.jpg", "look", ""), ("c.jpg", "drop", ""),
    ]  # fmt: skip
    assert rows[2].reason == "doubtful_age: Far off.; dark: Dark."
    assert "a.jpg" in rows[3].reason
