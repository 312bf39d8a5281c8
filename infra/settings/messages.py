"""Turns what pydantic found wrong into `where: rule (got value). What to do.`"""

import difflib
from datetime import date

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from app.setting_rules import rule_text, show, show_secret
from infra.settings.model import NAMESPACE, SECRET_GROUPS, SECRET_SETTINGS, StackSettings
from infra.settings.values import Encrypted

# Settings that are text, though they may look like something else.
_WORDS = {"version", "fresh_start"}
# Where pydantic has found the name itself wrong, not what it stands for.
_KEY = "[key]"
# Groups in whose place a secret may stand: `devportal:redis: rediss://user:password@host`.
_WITH_SECRETS = {*SECRET_GROUPS} | {
    where.partition(".")[0] for where in (*SECRET_GROUPS, *SECRET_SETTINGS)
}
Location = tuple[int | str, ...]


def describe_mistakes(error: ValidationError, file_name: str) -> list[str]:
    """One line for each mistake, named by the key as the user writes it.

    Parameters
    ----------
    file_name
        Where the user has to correct what is not a secret.
    """
    # What is encrypted is checked by the program, which can read it; its name is checked here.
    found = [item for item in error.errors() if _is_known(item)]
    return [f"{NAMESPACE}:{_describe(details, file_name)}" for details in found]


def _is_known(details: ErrorDetails) -> bool:
    return details["type"] == "extra_forbidden" or not isinstance(details["input"], Encrypted)


def _describe(details: ErrorDetails, file_name: str) -> str:
    location = details["loc"]
    where = _spell(location)
    if details["type"] == "extra_forbidden":
        return f"{where}: should be a known key (got '{location[-1]}'). {_suggest(location)}"
    if details["type"] == "missing":
        return f"{where}: should be set (got nothing). Add it to {file_name}."
    rule = f"{where}: should be {rule_text(details)}"
    if _is_secret(location):
        return f"{rule} (got {show_secret(details['input'])}). {set_secret(where)}"
    may_be_secret = where in _WITH_SECRETS and details["input"] is not None
    got = (show_secret if may_be_secret else show)(details["input"])
    return f"{rule} (got {got}). {_advise(details, file_name)}"


def set_secret(where: str, value: str = "") -> str:
    """What to do about a secret."""
    command = f"pulumi config set --secret --path {NAMESPACE}:{where}{value}"
    return f"Set it with `{command}`."


def _is_secret(location: Location) -> bool:
    where = _spell(location)
    is_in_group = where.rpartition(".")[0] in SECRET_GROUPS and location[-1] != _KEY
    return is_in_group or where in SECRET_SETTINGS


def _advise(details: ErrorDetails, file_name: str) -> str:
    # YAML made a number of 1.10, or a date of 2026-11-25, before anybody could see the text.
    if isinstance(details["input"], float | date) and details["loc"][-1] in _WORDS:
        return f"Put it between quotes in {file_name}."
    return f"Correct it in {file_name}."


def _suggest(location: Location) -> str:
    known = list(_group_at(location[:-1]).model_fields)
    close = difflib.get_close_matches(str(location[-1]), known, n=1)
    return f"Did you mean '{close[0]}'?" if close else f"Known keys: {', '.join(known)}."


def _group_at(location: Location) -> type[BaseModel]:
    group: type[BaseModel] = StackSettings
    for part in location:
        nested = group.model_fields[str(part)].annotation
        assert isinstance(nested, type)
        group = nested
    return group


def _spell(location: Location) -> str:
    """As Pulumi spells paths: `app.allowed_origins[0]`."""
    location = location[:-1] if location[-1] == _KEY else location
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in location]
    return "".join(parts).removeprefix(".")
