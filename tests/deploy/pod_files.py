"""What a pod of the chart has from Secrets: files and variables."""

from __future__ import annotations

from tests.deploy.value_sets import Resource


def files_in(pod: Resource, directory: str) -> dict[str, tuple[str, str]]:
    """Each file in a directory of a pod, with the Secret and the key it comes from."""
    (container,) = pod["containers"]
    mounts = {each["mountPath"]: each for each in container["volumeMounts"]}
    if directory not in mounts:
        return {}
    assert mounts[directory]["readOnly"] is True
    (volume,) = (each for each in pod["volumes"] if each["name"] == mounts[directory]["name"])
    assert volume["projected"]["defaultMode"] == 0o440
    return {
        f"{directory}/{item['path']}": (source["secret"]["name"], item["key"])
        for source in volume["projected"]["sources"]
        for item in source["secret"]["items"]
    }


def secret_of(variable: Resource) -> tuple[str, str]:
    reference = variable["valueFrom"]["secretKeyRef"]
    return reference["name"], reference["key"]
