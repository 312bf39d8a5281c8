"""Alerts fire when they should and at no other time: by promtool, and on a running stack."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import httpx
import pytest
import yaml

from benchmarks.harness.machine import tool_environment
from benchmarks.harness.portal_stack import PortalStack
from benchmarks.harness.production import portal_client, production_settings
from infra.resources.build_context import ROOT
from tests.support.cis import Subject, broken_rules
from tests.support.waiting import wait_for
from toolchain.images.recipes import load_recipes

FILES = ROOT / "docker" / "prometheus"
DAY = 86400
FOREIGN = {"Origin": "https://elsewhere.example"}
PORTAL, OTHER = (f'up{{job="portal", instance="{number}"}}' for number in (1, 2))
EXPORTER = 'up{job="exporter"}'
WANTED = "devportal_replicas_wanted"
ANSWERED = 'portal_requests_total{status="200", route="/entities"}'
REFUSED = 'portal_requests_total{status="503", route="/entities"}'
PROBED = 'portal_requests_total{status="503", route="/readyz"}'
SECONDS = 'portal_request_seconds_bucket{route="/entities", le='
FAST, SLOW, ALL = (f'{SECONDS}"{limit}"}}' for limit in ("1.0", "2.5", "+Inf"))
STORE = 'portal_store_errors_total{store="redis"}'
BACKUP = "devportal_backup_"
INTERVAL, NEWEST = BACKUP + "interval_seconds", BACKUP + "newest_timestamp_seconds"
TEST_INTERVAL, TESTED = BACKUP + "test_interval_seconds", BACKUP + "tested_timestamp_seconds"
EXPIRES = "devportal_certificate_expires_timestamp_seconds"
UP, DOWN = "1x200", "0x200"
NEVER = -1
# Alert, what is measured in each minute, the first minute in which it fires; time() begins at 0.
CASES: list[tuple[str, dict[str, str], int]] = [
    ("PortalDown", {PORTAL: DOWN, OTHER: DOWN}, 1),
    ("PortalDown", {}, 1),
    ("PortalDown", {PORTAL: "1x10 0x200", OTHER: "1x10 0x200"}, 12),
    ("PortalDown", {PORTAL: DOWN, OTHER: UP}, NEVER),
    ("PortalReplicaMissing", {PORTAL: UP, OTHER: DOWN, WANTED: "2x200"}, 10),
    ("PortalReplicaMissing", {PORTAL: UP, WANTED: "2x200"}, 10),
    ("PortalReplicaMissing", {PORTAL: UP, OTHER: "1x10 0x5 1x200", WANTED: "2x200"}, NEVER),
    ("PortalReplicaMissing", {PORTAL: UP, OTHER: UP, WANTED: "1x200"}, NEVER),
    ("PortalReplicaMissing", {PORTAL: UP}, NEVER),
    ("PortalErrors", {ANSWERED: "0+90x200", REFUSED: "0+10x200"}, 6),
    ("PortalErrors", {ANSWERED: "0+99x200", REFUSED: "0+1x200"}, NEVER),
    ("PortalErrors", {ANSWERED: "0+1x200", REFUSED: "0x20 1x200"}, NEVER),
    ("PortalErrors", {ANSWERED: "0+1x200", PROBED: "0+20x200"}, NEVER),
    ("PortalSlow", {FAST: "0+90x200", SLOW: "0+100x200", ALL: "0+100x200"}, 11),
    ("PortalSlow", {FAST: "0+99x200", SLOW: "0+100x200", ALL: "0+100x200"}, NEVER),
    ("PortalStoreErrors", {STORE: "0+1x200"}, 6),
    ("PortalStoreErrors", {STORE: "7x200"}, NEVER),
    ("PortalStoreErrors", {STORE: "0x10 1x200"}, NEVER),
    ("BackupFailed", {BACKUP + "failed": "0x10 1x200"}, 21),
    ("BackupFailed", {BACKUP + "failed": "0x10 1x5 0x200"}, NEVER),
    ("BackupOverdue", {INTERVAL: "3600x200", NEWEST: "0x200"}, 84),
    ("BackupOverdue", {INTERVAL: "3600x200", NEWEST: "0x64 3840x64 7740x64"}, NEVER),
    ("BackupNotRestorable", {BACKUP + "restorable": DOWN}, 1),
    ("BackupNotRestorable", {BACKUP + "restorable": UP}, NEVER),
    ("BackupUntested", {TEST_INTERVAL: "3600x200", TESTED: "0x200"}, 151),
    ("BackupUntested", {TEST_INTERVAL: "86400x200", TESTED: "0x200"}, NEVER),
    ("NginxDown", {"devportal_nginx_up": "1x5 0x200"}, 8),
    ("NginxDown", {"devportal_nginx_up": "1x5 0x1 1x200"}, NEVER),
    ("CertificateExpiresSoon", {EXPIRES: f"{13 * DAY}x200"}, 10),
    ("CertificateExpiresSoon", {EXPIRES: f"{15 * DAY}x200"}, NEVER),
    ("CertificateExpiresSoon", {EXPIRES: f"{2 * DAY}x200"}, NEVER),
    ("CertificateExpires", {EXPIRES: f"{2 * DAY}x200"}, 10),
    ("CertificateExpires", {EXPIRES: "0x200"}, 10),
    ("CertificateExpires", {EXPIRES: f"{4 * DAY}x200"}, NEVER),
    ("ExporterDown", {EXPORTER: DOWN}, 5),
    ("ExporterDown", {}, 5),
    ("ExporterDown", {EXPORTER: UP}, NEVER),
]


def promtool(*arguments: str, files: Path) -> str:
    """Run promtool of the base image on files that it sees below /files; what it says."""
    [recipe] = [recipe for recipe in load_recipes() if recipe.role == "prometheus"]
    source = tool_environment()["DEVPORTAL_IMAGE_SOURCE"]
    image = recipe.name if source == "packages" else recipe.official
    options = ("--rm", "--network", "none", "--volume", f"{files}:/files:ro", "--workdir", "/files")
    command = ["docker", "run", *options, "--entrypoint", "promtool", image, *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def files(engine: docker.DockerClient, tmp_path: Path) -> Path:
    """The configuration, where every user may read it."""
    for name in ("prometheus.yml", "alerts.yml"):
        shutil.copy(FILES / name, tmp_path)
    for path in (tmp_path, *tmp_path.iterdir()):
        path.chmod(0o755)
    return tmp_path


def test_configuration_and_rules_pass_promtool(files: Path) -> None:
    assert f"SUCCESS: {len(alerts())} rules found" in promtool(
        "check", "config", "prometheus.yml", files=files
    )
    promtool("check", "rules", "--lint=all", "--lint-fatal", "alerts.yml", files=files)


def alerts() -> dict[str, dict[str, Any]]:
    groups = yaml.safe_load((FILES / "alerts.yml").read_text())["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


def case(alert: str, series: dict[str, str], minute: int) -> dict[str, Any]:
    firing = f'count(ALERTS{{alertname="{alert}", alertstate="firing"}})'
    one, none = [{"labels": "{}", "value": 1}], []
    expected = {190: none} if minute == NEVER else {minute - 1: none, minute: one}
    if minute == NEVER:
        expected |= dict.fromkeys((10, 15, 20, 30, 65, 70, 100), none)
    return {
        "name": f"{alert} {series}",
        "interval": "1m",
        "input_series": [{"series": name, "values": series[name]} for name in series],
        "promql_expr_test": [
            {"expr": firing, "eval_time": f"{at}m", "exp_samples": expected[at]} for at in expected
        ],
    }


def test_each_alert_fires_when_it_should_and_is_silent_when_it_should(files: Path) -> None:
    for is_silent in (True, False):
        assert {name for name, _, at in CASES if (at == NEVER) == is_silent} == set(alerts())
    tests = {"rule_files": ["alerts.yml"], "tests": [case(*one) for one in CASES]}
    (files / "tests.yml").write_text(yaml.safe_dump({**tests, "evaluation_interval": "1m"}))
    # For promtool's user, whatever the umask.
    (files / "tests.yml").chmod(0o644)
    promtool("test", "rules", "tests.yml", files=files)


def test_each_alert_says_how_bad_it_is_and_what_to_do() -> None:
    for name, alert in alerts().items():
        assert alert["labels"]["severity"] in ("critical", "warning"), name
        assert set(alert["annotations"]) == {"summary", "description"}, name
        assert "`make " in alert["annotations"]["description"], name


@pytest.fixture(scope="module")
def stack(
    engine: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PortalStack]:
    """A production stack with monitoring that asks every second, and alerts without patience."""
    settings = production_settings()
    settings |= {"monitoring": {"enabled": True}}
    settings["ports"] |= {"prometheus": 0}
    stack = PortalStack(tmp_path_factory.mktemp("watched"), engine, settings=settings)
    folder = stack.project / "docker" / "prometheus"
    for name, slow, quick in (
        ("prometheus.yml", "15s", "1s"),
        ("alerts.yml", "for: 1m", "for: 2s"),
    ):
        (folder / name).write_text((folder / name).read_text().replace(slow, quick))
    stack.up()
    yield stack
    stack.remove()


def ask(stack: PortalStack, path: str) -> dict[str, Any]:
    return httpx.get(f"{stack.output('prometheus_url')}/api/v1/{path}").json()["data"]


def health_of_targets(stack: PortalStack) -> list[tuple[str, str]]:
    targets = ask(stack, "targets?state=active")["activeTargets"]
    return sorted((target["labels"]["job"], target["health"]) for target in targets)


def firing(stack: PortalStack) -> dict[str, dict[str, Any]]:
    return {
        alert["labels"]["alertname"]: alert
        for alert in ask(stack, "alerts")["alerts"]
        if alert["state"] == "firing"
    }


def test_every_replica_and_the_exporter_are_watched(stack: PortalStack) -> None:
    expected = [("exporter", "up"), ("portal", "up"), ("portal", "up"), ("prometheus", "up")]
    wait_for(lambda: health_of_targets(stack) == expected, got=lambda: health_of_targets(stack))
    assert stack.published("prometheus")[0] == "127.0.0.1"
    asked = httpx.get(f"{stack.output('prometheus_url')}/api/v1/alerts", headers=FOREIGN)
    assert "access-control-allow-origin" not in asked.headers
    with portal_client(stack) as client:
        assert client.get("/metrics").status_code == 404


def test_backups_certificate_and_replicas_are_measured_on_a_healthy_stack(
    stack: PortalStack,
) -> None:
    def values() -> dict[str, float]:
        result = ask(stack, 'query?query={__name__=~"devportal_.*"}')["result"]
        return {item["metric"]["__name__"]: float(item["value"][1]) for item in result}

    found = wait_for(lambda: values() if values().get(TESTED) else None, got=values)
    assert found[WANTED] == 2
    assert found["devportal_nginx_up"] == found["devportal_backup_restorable"] == 1
    assert found["devportal_backup_failed"] == 0
    assert 0 < found[TESTED] - found[NEWEST] < 600
    assert 364 * DAY < found[EXPIRES] - found[TESTED] < 366 * DAY
    assert firing(stack) == {}


def test_both_containers_keep_the_rules_of_all_others(stack: PortalStack) -> None:
    # Of the kernel and the restart policy, as in test_hardening.py.
    exempt = {"5.2", "5.3", "5.15"}
    for role, ports in {"prometheus": {"9090/tcp"}, "exporter": set[str]()}.items():
        container = stack.container(role)
        image = stack.client.images.get(container.attrs["Image"])
        subject = Subject(container.attrs, image.attrs, frozenset(ports))
        assert broken_rules(subject) <= exempt, role


def test_plan_of_a_stack_with_monitoring_is_empty(stack: PortalStack) -> None:
    assert set(stack.preview(refresh=True)) == {"same"}


def test_alert_fires_while_the_portal_is_stopped_and_says_what_to_do(stack: PortalStack) -> None:
    for replica in stack.containers("app"):
        replica.stop(timeout=1)
    try:
        alert = wait_for(lambda: firing(stack).get("PortalDown"), got=lambda: firing(stack))
    finally:
        for replica in stack.containers("app"):
            replica.start()
    assert alert["labels"]["severity"] == "critical"
    assert alert["annotations"]["summary"] == "No replica of the portal answers."
    assert f"`make doctor STACK={stack.name}`" in alert["annotations"]["description"]
    wait_for(lambda: "PortalDown" not in firing(stack), got=lambda: json.dumps(firing(stack)))
