"""The README's reference of settings is complete and true."""

import json
import re
from collections.abc import Iterator

from pydantic import BaseModel

from infra.resources.image import ROOT
from infra.settings import SecretSettings, Settings

_ROW = re.compile(r"^\| `([a-z0-9_.]+)` \| (.+?) \|", re.MULTILINE)


def documented() -> dict[str, str]:
    text = (ROOT / "README.md").read_text().partition("\n## Settings")[2].partition("\n## ")[0]
    return {key: default.strip("`") for key, default in _ROW.findall(text)}


def existing(model: type[BaseModel] = Settings, prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, field in model.model_fields.items():
        kind = field.annotation
        if kind is SecretSettings or name == "stack":
            continue
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from existing(kind, f"{prefix}{name}.")
        elif field.is_required():
            yield prefix + name, "required"
        else:
            yield prefix + name, json.dumps(getattr(field.default, "value", field.default))


def test_every_setting_stands_in_the_readme_with_its_default() -> None:
    assert documented() == dict(existing())


def test_every_secret_is_named_in_the_readme() -> None:
    text = (ROOT / "README.md").read_text()
    assert [name for name in SecretSettings.model_fields if f"`{name}`" not in text] == []
