"""All secrets of a stack: configured or generated, never in a container's environment."""

from urllib.parse import quote

import pulumi

from infra.engine.generated_secret import GeneratedSecret
from infra.settings import SecretSettings

Secret = pulumi.Output[str]


class Secrets(pulumi.ComponentResource):
    """One attribute for each secret; their values are encrypted in the state."""

    def __init__(self, name: str, settings: SecretSettings, opts: pulumi.ResourceOptions) -> None:
        super().__init__("devportal:infra:Secrets", name, None, opts)

        def secret(role: str) -> Secret:
            configured = getattr(settings, role)
            if configured is not None:
                return pulumi.Output.secret(configured.get_secret_value())
            # Made by the first `up`.
            opts = pulumi.ResourceOptions(parent=self)
            return pulumi.Output.secret(GeneratedSecret(role.replace("_", "-"), opts).value)

        self.postgres_password = secret("postgres_password")
        self.migrator_password = secret("migrator_password")
        self.app_password = secret("app_password")
        self.backup_password = secret("backup_password")
        self.redis_password = secret("redis_password")
        self.devtools_password = secret("devtools_password")
        self.secret_key = secret("secret_key")
        self.jwt_secret_key = secret("jwt_secret_key")
        self.admin_password = secret("admin_password")
        self.register_outputs({})

    @property
    def role_passwords(self) -> dict[str, Secret]:
        """Those of the database's roles but its superuser, by the files that images read."""
        return {
            "migrator_password": self.migrator_password,
            "app_password": self.app_password,
            "backup_password": self.backup_password,
        }


def secret_url(scheme: str, user: str, password: Secret, address: str) -> Secret:
    """`scheme://user:password@address`, the password escaped as RFC 3986 wants it."""
    return password.apply(lambda text: f"{scheme}://{user}:{quote(text, safe='')}@{address}")
