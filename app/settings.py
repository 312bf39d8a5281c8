"""The portal's settings: the one set of types that the portal reads and its stack is checked by.

Depends on pydantic alone. A setting that is added to `PortalOptions` is at once a setting of the
stack (`devportal:app.<name>`) and a variable of the portal's environment (`<NAME>`).
"""

import json
import re
from enum import StrEnum
from ipaddress import ip_network
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, StringConstraints

from app.constants import MAX_PASSWORD_CHARACTERS, MIN_SECRET_CHARACTERS
from app.setting_rules import Between, Rule
from app.sign_in_settings import SignInOptions

_ORIGIN = re.compile(
    r"(?P<start>(?P<scheme>https?)://([a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\]))"
    r"(:(?P<port>[1-9][0-9]{0,4}))?"
)
_OWN_PORTS = {"http": "80", "https": "443"}
EMAIL_PATTERN = r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$"
"""An address as browsers accept it."""
_MIN_PASSWORD_CHARACTERS = 8
_MAX_KEY_CHARACTERS = 1024


class Environment(StrEnum):
    """What the stack is for."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


def _spell_number(value: object) -> object:
    """YAML and the command line make a number of `2`; a fraction has lost digits already."""
    return str(value) if type(value) is int else value


def _normalise_origin(value: str) -> str:
    """The spelling that browsers send: lower case, and no port that is the scheme's own."""
    found = _ORIGIN.fullmatch(value.lower())
    if found is None or int(found["port"] or 1) > 65535:
        raise ValueError
    own = found["port"] in (None, _OWN_PORTS[found["scheme"]])
    return found["start"] if own else found[0]


def _normalise_network(value: str) -> str:
    return str(ip_network(value))


def _check_printable(value: SecretStr) -> SecretStr:
    """Line breaks and control characters get lost on the way through files, URLs and commands."""
    text = value.get_secret_value()
    if not text.isprintable() or text != text.strip():
        raise ValueError
    return value


def _secret_rule(least: int, most: int) -> Rule:
    return Rule(f"{least} to {most} printable characters, with no space at either end")


LogLevel = Literal["debug", "info", "warning", "error"]
Version = Annotated[
    str,
    BeforeValidator(_spell_number),
    Field(pattern="^[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}$"),
    Rule("1 to 63 letters, digits, '.', '_' or '-' that start with a letter, digit or '_'"),
]
Origin = Annotated[
    str,
    AfterValidator(_normalise_origin),
    Rule("an origin such as https://portal.example.com, without a path"),
]
Network = Annotated[
    str,
    AfterValidator(_normalise_network),
    Rule("a network such as 10.1.0.0/16 or fd00::/8"),
]
EmailAddress = Annotated[
    str,
    StringConstraints(to_lower=True, max_length=254, pattern=EMAIL_PATTERN),
    Rule("an e-mail address"),
]
"""In lower case, as the portal compares them when somebody signs in."""
Key = Annotated[
    SecretStr,
    Field(min_length=MIN_SECRET_CHARACTERS, max_length=_MAX_KEY_CHARACTERS),
    AfterValidator(_check_printable),
    _secret_rule(MIN_SECRET_CHARACTERS, _MAX_KEY_CHARACTERS),
]
Password = Annotated[
    SecretStr,
    Field(min_length=_MIN_PASSWORD_CHARACTERS, max_length=MAX_PASSWORD_CHARACTERS),
    AfterValidator(_check_printable),
    _secret_rule(_MIN_PASSWORD_CHARACTERS, MAX_PASSWORD_CHARACTERS),
]

ClientSecret = Annotated[
    SecretStr,
    Field(min_length=1, max_length=_MAX_KEY_CHARACTERS),
    AfterValidator(_check_printable),
    _secret_rule(1, _MAX_KEY_CHARACTERS),
]

_PerMinute = Annotated[int, Between(1, 10_000)]
_RequestsPerMinute = Annotated[int, Between(1, 1_000_000)]


class PortalOptions(SignInOptions):
    """What a stack may choose about the portal's behaviour."""

    debug: bool = Field(default=False, description="debug responses; refused in production")
    seed: bool = Field(
        default=False, description="fill the catalogue with examples; refused in production"
    )
    log_level: LogLevel = Field(default="info", description="the least important messages to log")
    jwt_expire_minutes: Annotated[int, Between(1, 1440, "minutes")] = Field(
        default=30, description="lifetime of an access token"
    )
    allowed_origins: list[Origin] = Field(
        default=[], description="origins besides the portal's own that CORS allows"
    )
    admin_email: EmailAddress = Field(
        default="admin@example.com", description="the first administrator"
    )
    anonymous_reads: bool = Field(
        default=False, description="let everyone read the catalogue, without an account"
    )
    registration_open: bool = Field(
        default=False, description="let everyone create an account, with the role of a viewer"
    )
    password_link_hours: Annotated[int, Between(1, 720, "hours")] = Field(
        default=72, description="how long a link to choose a password is good"
    )
    login_attempts_per_minute: _PerMinute = Field(
        default=10,
        description="sign-in attempts for one account from one address; an address gets 3 times "
        "as many, an account from all addresses together 6 times",
    )
    refreshes_per_minute: _PerMinute = Field(
        default=120, description="refresh tokens that one address may use, browsers included"
    )
    user_requests_per_minute: _RequestsPerMinute = Field(
        default=1200, description="requests of one account, those with its API keys included"
    )
    key_requests_per_minute: _RequestsPerMinute = Field(
        default=600, description="requests with one API key"
    )
    webhooks_enabled: bool = Field(
        default=False,
        description="tell the addresses that administrators register of breaking changes; in "
        "production it gives the replicas a way out of the machine",
    )
    webhooks_allowed_networks: list[Network] = Field(
        default=[],
        description="networks such as 10.1.0.0/16 that webhooks may reach besides public addresses",
    )
    database_pool_size: Annotated[int, Between(1, 100, "connections")] = Field(
        default=5, description="connections that each replica keeps to PostgreSQL"
    )


class PortalSettings(PortalOptions):
    """Everything the portal reads from its environment, apart from secrets."""

    app_env: Environment = Field(
        description="what it is for; some settings are refused in production",
        examples=[Environment.PRODUCTION],
    )
    app_version: Version = Field(
        default="latest", description="what /version, the pages and the OpenAPI document show"
    )
    migrate: bool = Field(
        default=False,
        description="bring the schema up to date at start; in production this is a step of its "
        "own: `python -m app migrate create-admin`",
    )
    leave_seconds: Annotated[int, Between(0, 60, "seconds")] = Field(
        default=0,
        description="keep serving for this long after SIGTERM, until clients have learned to send "
        "their requests elsewhere",
    )
    jwt_algorithm: Literal["HS256"] = Field(
        default="HS256", description="signature of access tokens"
    )

    def environment(self) -> dict[str, str]:
        """The variables from which the portal reads these settings back."""
        return {
            name.upper(): spell_variable(getattr(self, name))
            for name in PortalSettings.model_fields
        }


def unfit_for_production(options: PortalOptions) -> dict[str, str]:
    """Switches that are on and that production refuses, each with the reason."""
    reasons = {
        "debug": "Debug responses show the application's internals.",
        "seed": "The example accounts share one password.",
    }
    return {name: reason for name, reason in reasons.items() if getattr(options, name)}


def spell_variable(value: Any) -> str:
    """A value as the environment holds it."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case list():
            return ",".join(value)
        case dict():
            return json.dumps(value)
        case _:
            return str(value)
