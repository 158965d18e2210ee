"""The plain ERP is as safe or unsafe as its behaviour says."""

from typing import Any

import pytest

from tests.doubles.plain_erp import Behaviour, Create, PlainErp


def item(revision: int, id: str | None = None) -> dict[str, Any]:
    return {"ref": "shop/1", "id": id, "mark": f"r{revision}", "revision": revision, "content": {"total": revision}}


@pytest.mark.parametrize(
    ("create", "answer", "documents"),
    [(Create.REFUSED, "exists", 1), (Create.FOLDED, "updated", 1), (Create.SEARCHABLE, "created", 2)],
)
def test_what_a_second_create_meets(create: Create, answer: str, documents: int) -> None:
    erp = PlainErp(Behaviour(create))
    assert erp.write("orders", item(1))["status"] == "created"
    assert erp.write("orders", item(2))["status"] == answer
    assert len(erp.of("orders")) == documents


@pytest.mark.parametrize(("conditional", "answer", "revision"), [(True, "newer", 2), (False, "updated", 1)])
def test_what_a_late_update_meets(conditional: bool, answer: str, revision: int) -> None:
    erp = PlainErp(Behaviour(conditional=conditional))
    made = erp.write("orders", item(2))
    assert erp.write("orders", item(1, made["id"]))["status"] == answer
    assert [document.revision for document in erp.documents] == [revision]


def test_a_new_document_is_found_by_its_id_before_the_search_shows_it() -> None:
    erp = PlainErp(Behaviour(Create.SEARCHABLE, search_lag_s=60))
    made = erp.write("orders", item(1))
    assert erp.find("orders", {"ref": "shop/1"})["status"] == "absent"
    assert erp.find("orders", {"ref": "shop/1", "id": made["id"]})["status"] == "found"


def test_the_journal_tells_what_took_effect_and_nothing_else() -> None:
    erp = PlainErp()
    made = erp.write("orders", item(1))
    erp.write("orders", item(2))
    erp.confirm("orders", {"ref": "shop/1", "id": made["id"]})
    assert [entry.what for entry in erp.journal.entries] == ["created", "confirmed"]
