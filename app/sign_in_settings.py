"""Settings of the sign-in by OpenID Connect, and whether passwords are a way in as well."""

from collections.abc import Callable, Iterator
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.setting_rules import Rule

Issuer = Annotated[
    str,
    Field(pattern=r"^https?://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._~%+/-]*)?$", max_length=500),
    Rule("an address such as https://id.example.com/realms/staff, without a query"),
]
GroupName = Annotated[
    str,
    Field(pattern=r"^[^\x00-\x1f\x7f]{1,200}$"),
    Rule("a group's name as the provider spells it, of at most 200 characters"),
]
_Word = Annotated[
    str,
    Field(pattern="^[A-Za-z0-9._:/@+=~-]{1,200}$"),
    Rule("1 to 200 letters, digits or any of ._:/@+=~-"),
]
_TeamName = Annotated[
    str,
    Field(pattern="^[a-z0-9]([a-z0-9_.:-]{0,126}[a-z0-9])?$"),
    Rule("a team's name"),
]


class SignInOptions(BaseModel):
    """How people sign in."""

    model_config = ConfigDict(frozen=True)

    password_login_enabled: bool = Field(
        default=True, description="let people sign in with a password; false needs `oidc_issuer`"
    )
    oidc_issuer: Issuer | None = Field(
        default=None,
        description="let people sign in at this OpenID Connect provider; in production https alone",
    )
    oidc_client_id: _Word = Field(
        default="devportal", description="the portal's client id at the provider"
    )
    oidc_name: Annotated[
        str,
        Field(pattern=r"^[^\x00-\x1f\x7f]{1,60}$"),
        Rule("1 to 60 printable characters"),
    ] = Field(default="single sign-on", description="the provider's name on the page to sign in")
    oidc_scopes: list[_Word] = Field(
        default=["profile", "email"],
        description="scopes to ask for besides `openid`; many providers need one for groups",
    )
    oidc_email_trusted: bool = Field(
        default=False,
        description="take an address for verified if the provider does not say `email_verified`",
    )
    oidc_groups_claim: _Word = Field(
        default="groups", description="the claim that lists somebody's groups"
    )
    oidc_teams: dict[GroupName, _TeamName] = Field(
        default={},
        description="teams by the provider's groups; empty: a group is the team of its name",
    )
    oidc_roles: dict[GroupName, Literal["admin", "member", "viewer"]] = Field(
        default={},
        description="roles by the provider's groups, for others viewer; empty: administrators "
        "give roles",
    )


def sign_in_mistakes(
    options: SignInOptions, *, is_production: bool, spell: Callable[[str], str]
) -> Iterator[str]:
    """Rules between these settings; `spell` writes a setting's name as its reader knows it."""
    issuer = options.oidc_issuer
    if issuer is None and not options.password_login_enabled:
        yield (
            f"{spell('password_login_enabled')}: should be true without "
            f"{spell('oidc_issuer')} (got false). Set {spell('oidc_issuer')}, or nobody can sign "
            "in."
        )
    if is_production and issuer is not None and not issuer.startswith("https://"):
        yield (
            f"{spell('oidc_issuer')}: should begin with https:// in production (got '{issuer}'). "
            "Set the provider's own, which is encrypted."
        )
