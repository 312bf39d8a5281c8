"""An entity's form."""

from app.models.entities import EntityChange
from app.web.entity_fields import read_fields, write_fields
from app.web.forms import Form
from tests.unit.app.conftest import entity


def test_form_that_is_sent_as_it_came_changes_nothing() -> None:
    before = entity("orders").model_copy(
        update={
            "links": [
                {"url": "https://a.example", "title": "A", "icon": "dashboard", "type": "admin"},
                {"url": "https://b.example", "title": ""},
            ],
            "annotations": {"a.example/b": "yes: 'no'", "c": "1.20"},
            "labels": {"tier": "1", "empty": ""},
            "spec": {"type": "openapi"},
        }
    )
    change = EntityChange.model_validate(read_fields(Form(write_fields(before, '"1"')), before))
    old = before.model_dump()
    assert {
        name: (old[name], value)
        for name, value in change.model_dump().items()
        if old[name] != value
    } == {}
