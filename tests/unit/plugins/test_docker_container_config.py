"""The body that asks the engine for a container, property by property."""

from typing import Any

import pytest

from plugins.docker.engine import Json
from plugins.docker.resources.container.config import container_config

MEGABYTE = 1024 * 1024
HEALTHCHECK = {"tests": ["CMD", "check"], "interval": "1s"}


def body_of(**inputs: Any) -> Json:
    return container_config({"image": "shop:1", "networkMode": "bridge", **inputs}, (1, 41))


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ({"command": ["a", "b"]}, {"Cmd": ["a", "b"]}),
        ({"entrypoints": ["a"]}, {"Entrypoint": ["a"]}),
        ({"envs": ["A=1"]}, {"Env": ["A=1"]}),
        ({"user": "1:2"}, {"User": "1:2"}),
        ({"workingDir": "/w"}, {"WorkingDir": "/w"}),
        ({"hostname": "h", "domainname": "d"}, {"Hostname": "h", "Domainname": "d"}),
        ({"tty": True, "stdinOpen": True}, {"Tty": True, "OpenStdin": True}),
        ({"stopSignal": "SIGINT", "stopTimeout": 9}, {"StopSignal": "SIGINT", "StopTimeout": 9}),
        ({"labels": [{"label": "a", "value": "b"}]}, {"Labels": {"a": "b"}}),
        (
            {
                "healthcheck": {
                    **HEALTHCHECK,
                    "timeout": "1m30s",
                    "startPeriod": "500ms",
                    "retries": 2,
                }
            },
            {
                "Healthcheck": {
                    "Test": ["CMD", "check"],
                    "Interval": 10**9,
                    "Timeout": 90 * 10**9,
                    "StartPeriod": 5 * 10**8,
                    "Retries": 2,
                }
            },
        ),
        ({"volumes": [{"containerPath": "/a"}]}, {"Volumes": {"/a": {}}}),
    ],
)
def test_settings_of_the_process(inputs: Any, expected: Json) -> None:
    body = body_of(**inputs)
    assert {key: body[key] for key in expected} == expected


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ({"memory": 64}, {"Memory": 64 * MEGABYTE}),
        ({"memoryReservation": 32}, {"MemoryReservation": 32 * MEGABYTE}),
        ({"memory": 64, "memorySwap": 128}, {"MemorySwap": 128 * MEGABYTE}),
        ({"memorySwap": -1}, {"MemorySwap": -1}),
        ({"shmSize": 8}, {"ShmSize": 8 * MEGABYTE}),
        ({"cpus": "0.50", "cpuQuota": 7}, {"NanoCpus": 500_000_000}),
        ({"cpuPeriod": 5, "cpuQuota": 7}, {"CpuPeriod": 5, "CpuQuota": 7}),
        ({"cpuShares": 5, "cpuSet": "0-1"}, {"CpuShares": 5, "CpusetCpus": "0-1"}),
        (
            {"restart": "on-failure", "maxRetryCount": 3},
            {"RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 3}},
        ),
        ({}, {"RestartPolicy": {"Name": "no", "MaximumRetryCount": 0}, "Init": False}),
        ({"init": True}, {"Init": True}),
        ({"rm": True}, {"AutoRemove": True}),
        (
            {"readOnly": True, "tmpfs": {"/t": "size=1m"}},
            {"ReadonlyRootfs": True, "Tmpfs": {"/t": "size=1m"}},
        ),
        (
            {"capabilities": {"adds": ["NET_ADMIN"], "drops": ["ALL"]}},
            {"CapAdd": ["NET_ADMIN"], "CapDrop": ["ALL"]},
        ),
        ({"securityOpts": ["no-new-privileges:true"]}, {"SecurityOpt": ["no-new-privileges:true"]}),
        (
            {"securityOpts": ["systempaths=unconfined", "label=x"]},
            {"SecurityOpt": ["label=x"], "MaskedPaths": [], "ReadonlyPaths": []},
        ),
        (
            {"privileged": True, "publishAllPorts": True},
            {"Privileged": True, "PublishAllPorts": True},
        ),
        (
            {"logDriver": "local", "logOpts": {"a": "b"}},
            {"LogConfig": {"Type": "local", "Config": {"a": "b"}}},
        ),
        (
            {"ports": [{"internal": 80, "external": 8000, "ip": "127.0.0.1"}, {"internal": 80}]},
            {
                "PortBindings": {
                    "80/tcp": [
                        {"HostIp": "127.0.0.1", "HostPort": "8000"},
                        {"HostIp": "0.0.0.0", "HostPort": ""},
                    ]
                }
            },
        ),
        ({"hosts": [{"host": "db", "ip": "10.0.0.1"}]}, {"ExtraHosts": ["db:10.0.0.1"]}),
        (
            {"dns": ["1.1.1.1"], "dnsOpts": ["a"], "dnsSearches": ["b"]},
            {"Dns": ["1.1.1.1"], "DnsOptions": ["a"], "DnsSearch": ["b"]},
        ),
        (
            {"ulimits": [{"name": "nofile", "soft": 1, "hard": 2}]},
            {"Ulimits": [{"Name": "nofile", "Soft": 1, "Hard": 2}]},
        ),
        (
            {"devices": [{"hostPath": "/dev/x"}]},
            {
                "Devices": [
                    {
                        "PathOnHost": "/dev/x",
                        "PathInContainer": "/dev/x",
                        "CgroupPermissions": "rwm",
                    }
                ]
            },
        ),
        ({"deviceCgroupRules": ["c 1:1 r"]}, {"DeviceCgroupRules": ["c 1:1 r"]}),
        ({"gpus": "all"}, {"DeviceRequests": [{"Capabilities": [["gpu"]], "Count": -1}]}),
        (
            {"gpus": "device=0,2"},
            {"DeviceRequests": [{"Capabilities": [["gpu"]], "DeviceIDs": ["0", "2"]}]},
        ),
        (
            {"deviceRequests": [{"deviceIds": ["a"], "capabilities": ["gpu"], "driver": "nvidia"}]},
            {
                "DeviceRequests": [
                    {"Driver": "nvidia", "Count": 0, "DeviceIDs": ["a"], "Capabilities": [["gpu"]]}
                ]
            },
        ),
        (
            {"deviceReadBps": [{"path": "/dev/x", "rate": 5}]},
            {"BlkioDeviceReadBps": [{"Path": "/dev/x", "Rate": 5}]},
        ),
        (
            {"deviceWriteIops": [{"path": "/dev/x", "rate": 5}]},
            {"BlkioDeviceWriteIOps": [{"Path": "/dev/x", "Rate": 5}]},
        ),
        (
            {
                "volumes": [
                    {"containerPath": "/a", "volumeName": "v", "readOnly": True},
                    {"containerPath": "/b", "hostPath": "/h", "selinuxRelabel": "z"},
                    {"fromContainer": "c"},
                ]
            },
            {"Binds": ["v:/a:ro", "/h:/b:rw,z"], "VolumesFrom": ["c"]},
        ),
        (
            {
                "mounts": [
                    {
                        "type": "bind",
                        "source": "/h",
                        "target": "/t",
                        "readOnly": True,
                        "bindOptions": {"propagation": "rslave"},
                    }
                ]
            },
            {
                "Mounts": [
                    {
                        "Type": "bind",
                        "Source": "/h",
                        "Target": "/t",
                        "ReadOnly": True,
                        "BindOptions": {"Propagation": "rslave"},
                    }
                ]
            },
        ),
        (
            {
                "mounts": [
                    {
                        "type": "volume",
                        "source": "v",
                        "target": "/t",
                        "volumeOptions": {
                            "noCopy": True,
                            "labels": [{"label": "a", "value": "b"}],
                            "driverName": "d",
                            "driverOptions": {"k": "v"},
                        },
                    }
                ]
            },
            {
                "Mounts": [
                    {
                        "Type": "volume",
                        "Source": "v",
                        "Target": "/t",
                        "ReadOnly": False,
                        "VolumeOptions": {
                            "NoCopy": True,
                            "Labels": {"a": "b"},
                            "DriverConfig": {"Name": "d", "Options": {"k": "v"}},
                        },
                    }
                ]
            },
        ),
        (
            {
                "mounts": [
                    {"type": "tmpfs", "target": "/t", "tmpfsOptions": {"sizeBytes": 5, "mode": 448}}
                ]
            },
            {
                "Mounts": [
                    {
                        "Type": "tmpfs",
                        "Source": "",
                        "Target": "/t",
                        "ReadOnly": False,
                        "TmpfsOptions": {"SizeBytes": 5, "Mode": 448},
                    }
                ]
            },
        ),
        ({"sysctls": {"a": "1"}}, {"Sysctls": {"a": "1"}}),
        ({"storageOpts": {"size": "1G"}}, {"StorageOpt": {"size": "1G"}}),
        ({"groupAdds": ["5"], "pidMode": "host"}, {"GroupAdd": ["5"], "PidMode": "host"}),
        ({"ipcMode": "private", "runtime": "runc"}, {"IpcMode": "private", "Runtime": "runc"}),
        ({"usernsMode": "host"}, {"UsernsMode": "host"}),
        (
            {"cgroupnsMode": "private", "cgroupParent": "p"},
            {"CgroupnsMode": "private", "CgroupParent": "p"},
        ),
    ],
)
def test_settings_of_the_host(inputs: Any, expected: Json) -> None:
    host = body_of(**inputs)["HostConfig"]
    assert {key: host[key] for key in expected} == expected
