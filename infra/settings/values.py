"""Types of single values, each with the rule of whatever would refuse the value later."""

import ipaddress
import posixpath
import re
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, WrapValidator

from app.setting_rules import Rule

_LABEL = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"({_LABEL}[.])+(?=[a-z]){_LABEL}")
# As X.509 and DNS bound it.
_MAX_DOMAIN_CHARACTERS = 253
# github.com/distribution/reference: a registry, a path, a tag, a digest; or the id alone.
_PATH = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_REGISTRY = r"[A-Za-z0-9][A-Za-z0-9.-]*(?::[0-9]+)?|\[[0-9a-fA-F:]+\](?::[0-9]+)?"
_DIGEST = "sha256:[0-9a-f]{64}"
_IMAGE = (
    rf"^(?:(?:(?:{_REGISTRY})/)?{_PATH}(?:/{_PATH})*(?::[A-Za-z0-9_][A-Za-z0-9_.-]{{0,127}})?"
    rf"(?:@{_DIGEST})?|{_DIGEST})$"
)
# To Docker a name without a dot or a port is an account of Docker Hub: `hub/postgres` would be a
# stranger's image.
_NAMED_REGISTRY = (
    r"[A-Za-z0-9][A-Za-z0-9-]*(?:[.][A-Za-z0-9.-]*(?::[0-9]+)?|:[0-9]+)|localhost"
    r"|\[[0-9a-fA-F:]+\](?::[0-9]+)?"
)
_IMAGE_PREFIX = rf"^(?:{_NAMED_REGISTRY})(?:/{_PATH})*$"


class ImageSource(StrEnum):
    """Where base images come from."""

    AUTO = "auto"
    OFFICIAL = "official"
    PACKAGES = "packages"


class ClusterMode(StrEnum):
    """What a stack runs on."""

    NONE = "none"
    SWARM = "swarm"


class TlsMode(StrEnum):
    """Where the certificate comes from."""

    GENERATED = "generated"
    PROVIDED = "provided"


class Encrypted(SecretStr):
    """Stands for a secret of the stack file, which cannot be read without its passphrase."""

    def __init__(self) -> None:
        super().__init__("")


def accept_encrypted(value: object, check: Callable[[Any], Any]) -> Any:
    """What is encrypted is checked by the program, which can read it."""
    return value if isinstance(value, Encrypted) else check(value)


def _normalise_domain(value: str) -> str:
    lowered = value.lower()
    if not _DOMAIN.fullmatch(lowered) or len(lowered) > _MAX_DOMAIN_CHARACTERS:
        raise ValueError
    return lowered


def _normalise_address(value: str) -> str:
    address = ipaddress.ip_address(value)
    # A zone (`fe80::1%eth0`) is an address to Python, but not to the engine; and nobody listens on
    # an address of many machines.
    if "%" in value or address.is_multicast or value == "255.255.255.255":
        raise ValueError
    # The engine reads `::ffff:127.0.0.1` as 127.0.0.1, and each plan would differ.
    return str(getattr(address, "ipv4_mapped", None) or address)


def fulfils(is_right: Callable[[Any], bool]) -> AfterValidator:
    """A validator that leaves a value as it is, or refuses it."""

    def check(value: Any) -> Any:
        if not is_right(value):
            raise ValueError
        return value

    return AfterValidator(check)


def _is_folder(value: str) -> bool:
    is_whole = value.startswith("/") and posixpath.normpath(value) == value and value.isprintable()
    return is_whole and not value.startswith("//") and value != "/" and ":" not in value


Domain = Annotated[
    str,
    AfterValidator(_normalise_domain),
    Rule("a host name with a dot in it, such as portal.example.com, of at most 253 characters"),
]
BindAddress = Annotated[
    str,
    AfterValidator(_normalise_address),
    Rule("an IP address, such as 127.0.0.1, 0.0.0.0 or ::1"),
]
Folder = Annotated[
    str,
    fulfils(_is_folder),
    Rule("an absolute path, such as /srv/backups, without a colon, '//', '.' or '..'"),
]
ImageReference = Annotated[
    str,
    Field(pattern=_IMAGE, max_length=512),
    Rule("an image such as registry.example.com/portal:1.4"),
]
ImagePrefix = Annotated[
    str,
    Field(pattern=_IMAGE_PREFIX, max_length=255),
    Rule(
        "a registry with a dot or a port in its name, and a path if it has one, such as "
        "registry.example.com/hub"
    ),
]
# As HTTP's Basic authentication bounds it.
RegistryUser = Annotated[
    str,
    Field(pattern="^[!-9;-~]{1,255}$"),
    Rule("1 to 255 visible ASCII characters without a colon"),
]


def _spell_plain(value: object) -> object:
    """YAML makes a boolean of `true` and a number of `8080`, which a variable holds as text."""
    if isinstance(value, bool | int):
        return str(value).lower()
    return value


VariableName = Annotated[
    str,
    Field(pattern="^[A-Z][A-Z0-9_]{0,126}$"),
    Rule("the name of a variable: capital letters, digits and '_', a letter first"),
]
VariableValue = Annotated[
    str,
    BeforeValidator(_spell_plain),
    Field(max_length=4096),
    fulfils(str.isprintable),
    Rule("at most 4096 printable characters; a fraction stands between quotes"),
]
SecretName = Annotated[
    str,
    Field(pattern="^[a-z][a-z0-9_]{0,62}$"),
    Rule("the name of a file: small letters, digits and '_', a letter first"),
]
SecretText = Annotated[
    SecretStr,
    Field(min_length=1, max_length=65536),
    fulfils(lambda value: "\0" not in value.get_secret_value()),
    Rule("1 to 65536 characters without NUL"),
    WrapValidator(accept_encrypted),
]
