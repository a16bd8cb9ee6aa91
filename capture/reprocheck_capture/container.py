"""The container that this process runs in, as far as it can be seen from inside."""

import os
import re
from typing import Dict

from reprocheck_capture.failures import guarded
from reprocheck_capture.system_files import read

# What clusters and builders tell of the image; nothing here is a secret.
_IMAGE = (
    *("CONTAINER_IMAGE_ID", "IMAGE_ID", "IMAGE_DIGEST", "CONTAINER_IMAGE", "DOCKER_IMAGE"),
    *("CI_JOB_IMAGE", "APPTAINER_CONTAINER", "SINGULARITY_CONTAINER"),
)
_ID = re.compile(r"(?:docker|containers|libpod|kubepods|cri-containerd|crio)\S*?([0-9a-f]{64})")


@guarded("container", dict)
def container() -> Dict[str, str]:
    """Its id, and its image where a variable tells it; empty outside of a container."""
    if not is_contained():
        return {}
    found = _ID.search(read("/proc/self/cgroup")) or _ID.search(read("/proc/self/mountinfo"))
    image = next((os.environ[name] for name in _IMAGE if os.environ.get(name)), "")
    told = {"id": found.group(1) if found else "", "image": os.path.basename(image)[:300]}
    if "/" in image and not os.path.isabs(image):  # a path of the host tells too much
        told["image"] = image[:300]
    return {name: text for name, text in told.items() if text}


def is_contained() -> bool:
    """Whether this is a container."""
    marks = ("/.dockerenv", "/run/.containerenv", "/.singularity.d")
    if any(map(os.path.exists, marks)) or "KUBERNETES_SERVICE_HOST" in os.environ:
        return True
    return _ID.search(read("/proc/self/cgroup")) is not None
