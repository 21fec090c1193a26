"""Generated documents are as the code would write them now."""

from pathlib import Path

import pytest

from lakehouse.contracts import contracts
from lakehouse.serve.dictionary import documents
from lakehouse.serve.dictionary.describe import inputs


def test_documents_stand_beside_those_that_people_write() -> None:
    assert (documents.ROOT / "docs/decisions.md").is_file()


@pytest.mark.parametrize("name", documents.DOCUMENTS)
def test_the_document_is_not_stale(name: str) -> None:
    assert name not in documents.stale(), "run `make docs`"


def test_the_dictionary_has_every_table_and_column() -> None:
    text = documents.dictionary()
    for name, c in contracts().items():
        assert f"### {name}\n" in text
        section = text.split(f"### {name}\n")[1].split("\n### ")[0]
        assert [
            n for n in c.columns if f"| {n} |" not in section and f"**{n}**" not in section
        ] == []


def test_the_command_line_has_every_command_and_option() -> None:
    text = documents.command_line()
    assert "\n### lakehouse sql\n" in text
    assert "\n#### lakehouse catalog build\n" in text
    assert "| `--limit` VALUE | Rows of a table to show; 0: all. | `200` |" in text
    assert "`lakehouse describe [OPTIONS] [TABLE]`" in text


def test_a_changed_document_is_stale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = {"docs/a.md": lambda: "a", "docs/b.md": lambda: "b"}
    monkeypatch.setattr(documents, "DOCUMENTS", made)
    assert documents.stale(tmp_path) == ["docs/a.md", "docs/b.md"]
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/a.md").write_text("a", encoding="utf-8")
    (tmp_path / "docs/b.md").write_text("old", encoding="utf-8")
    assert documents.stale(tmp_path) == ["docs/b.md"]


MARTS = sorted(n for n, c in contracts("gold").items() if c.domain != "operations")


@pytest.mark.parametrize("name", MARTS)
def test_every_mart_says_what_it_is_made_from(name: str) -> None:
    assert inputs("gold", name)
