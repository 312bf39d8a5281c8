"""Python code for the resources of `pulumi import`."""

from textwrap import dedent

import pytest

from plugins.language.errors import LanguageError
from plugins.language.generate.names import snake_case
from plugins.language.generate.packages import PythonPackage, read_package
from plugins.language.generate.pcl import parse
from plugins.language.generate.python import write_program

PACKAGES = {"docker": read_package("docker", {})}


def written(source: str) -> str:
    """Return the Python code for a PCL file."""
    return write_program(parse(source), PACKAGES)


EVERY_KIND = """
    resource my-web "docker:index/container:Container" {
      __logicalName = "my.web"
      envs = ["A=1", "quote \\" and $${name}\\n"]
      memory = 512
      ratio = 0.5
      rm = false
      image = null
      ports = [{
        ipAddress = "127.0.0.1"
        external = 80
      }]
      logOpts = {
        "maxSize" = "10m"
      }
      empty = []
      password = secret("x")
      options {
        protect = true
        ignoreChanges = [image, "envs"]
        dependsOn = [net]
      }
    }
"""


def test_every_kind_of_value_is_python() -> None:
    assert written(EVERY_KIND) == dedent(
        """\
        import pulumi
        import pulumi_docker as docker

        my_web = docker.Container(
            "my.web",
            envs=[
                "A=1",
                "quote \\" and ${name}\\n",
            ],
            memory=512,
            ratio=0.5,
            rm=False,
            image=None,
            ports=[
                {
                    "ip_address": "127.0.0.1",
                    "external": 80,
                },
            ],
            log_opts={
                "maxSize": "10m",
            },
            empty=[],
            password=pulumi.Output.secret("x"),
            opts=pulumi.ResourceOptions(
                protect=True,
                ignore_changes=["image", "envs"],
                depends_on=[
                    net,
                ],
            ),
        )
        """
    )


def test_resources_come_after_those_they_refer_to() -> None:
    source = """
    resource web "docker:index/container:Container" { network = net.id }
    resource net "docker:index/network:Network" { }
    resource local "pulumi:providers:docker" { host = "unix:///run/docker.sock" }
    """
    assert written(source) == dedent(
        """\
        import pulumi
        import pulumi_docker as docker

        net = docker.Network(
            "net",
        )

        web = docker.Container(
            "web",
            network=net.id,
        )

        local = docker.Provider(
            "local",
            host="unix:///run/docker.sock",
        )
        """
    )


@pytest.mark.parametrize(
    ("name", "python"),
    [
        ("networkMode", "network_mode"),
        ("ipv6Address", "ipv6_address"),
        ("enableDNS", "enable_dns"),
        ("import", "import_"),
        ("my-web", "my_web"),
        ("1st", "_1st"),
    ],
)
def test_names_are_those_of_the_python_packages(name: str, python: str) -> None:
    assert snake_case(name) == python


def test_a_schema_decides_where_a_class_is() -> None:
    schema = {
        "meta": {"moduleFormat": "(.*)"},
        "language": {
            "python": {"packageName": "k8s", "moduleNameOverrides": {"apps/v1": "apps/v1"}}
        },
    }
    package = read_package("kubernetes", schema)
    assert package.module == "k8s"
    assert package.class_path("kubernetes:apps/v1:Deployment") == "kubernetes.apps.v1.Deployment"


def test_the_module_index_is_the_package_itself() -> None:
    package = PythonPackage(name="docker", module="pulumi_docker")
    assert package.class_path("docker:index/container:Container") == "docker.Container"
    assert package.class_path("docker:index:Container") == "docker.Container"


def test_what_imports_do_not_contain_is_refused() -> None:
    with pytest.raises(LanguageError) as refused:
        parse('resource a "b:c:D" { x = "${e}" }')
    assert str(refused.value) == (
        "the imported resources: should consist of literals and references (got '\"${e}\"'). "
        "Run `pulumi import --generate-code=false` and write their code by hand."
    )
