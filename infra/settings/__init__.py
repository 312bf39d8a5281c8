"""Settings of a stack: groups, rules, messages; the only reader of its configuration."""

from app.settings import Environment
from infra.settings.groups import (
    AppSettings,
    ClusterSettings,
    HealthSettings,
    LogSettings,
    MonitoringSettings,
    NginxSettings,
    PortSettings,
)
from infra.settings.loading import Settings
from infra.settings.secrets import SecretSettings
from infra.settings.stores import BackupSettings, PostgresSettings, RedisSettings
from infra.settings.values import ClusterMode, ImageSource, TlsMode

__all__ = [
    "AppSettings",
    "BackupSettings",
    "ClusterMode",
    "ClusterSettings",
    "Environment",
    "HealthSettings",
    "ImageSource",
    "LogSettings",
    "MonitoringSettings",
    "NginxSettings",
    "PortSettings",
    "PostgresSettings",
    "RedisSettings",
    "SecretSettings",
    "Settings",
    "TlsMode",
]
