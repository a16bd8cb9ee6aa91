#!/usr/bin/env bash
# Installs reprocheck for a step of the action: from the files of the action's own commit, into an
# environment of its own under RUNNER_TEMP, with every package's hash required. Prints nothing
# secret, changes nothing of the job's, and does nothing where an earlier step did it already.
# Variables: RUNNER_TEMP, GITHUB_OUTPUT, INPUT_PYTHON_VERSION, INPUT_EXTRAS. Output: python.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)"

fail() { # fail MESSAGE: the job's page shows it
    echo "::error title=reprocheck was not installed::$1"
    exit 1
}

pinned() { # pinned PACKAGE: its version in the lock
    sed -n "s/^$1==\([^ ;]*\).*/\1/p" "$here/requirements-extras.lock" | head -1
}

extra() { # extra NAME: what pyproject.toml's extra of that name asks for, pinned
    local package
    case "$1" in
    s3 | gs | azure | ssh) package=dvc ;;
    onnx) package=onnx ;;
    parquet) package=pyarrow ;;
    hub) package=huggingface-hub ;;
    conda) package=py-rattler ;;
    *) fail "input extras: there is no extra of that name; choose from s3, gs, azure, ssh, onnx, parquet, hub, conda" ;;
    esac
    if [ "$package" = dvc ]; then
        echo "dvc[$1]==$(pinned dvc)"
    else
        echo "$package==$(pinned "$package")"
    fi
}

case "${RUNNER_OS:-Linux}" in
Linux | macOS) ;;
*) fail "reprocheck runs under Linux and macOS; choose another runs-on for this job" ;;
esac

python_version="${INPUT_PYTHON_VERSION:->=3.11,<3.14}"
case "$python_version" in
*[!0-9.,\<\>=]*) fail "input python-version: write a version such as 3.12" ;;
esac

wanted=()
extras="${INPUT_EXTRAS:-}"
for name in ${extras//,/ }; do
    requirement="$(extra "$name")" || { echo "$requirement"; exit 1; }
    wanted+=("$requirement")
done

# One environment for each of our commits that a job uses; a checksum suffices to tell them apart.
cd "$here"
told="$(
    {
        find reprocheck capture schemas examples pyproject.toml requirements*.lock -type f \
            ! -name '*.pyc' -exec cksum {} + | LC_ALL=C sort
        echo "$python_version ${wanted[*]-}"
    } | cksum
)"
tool="$RUNNER_TEMP/reprocheck-tool/${told%% *}"
python="$tool/venv/bin/python"

if [ ! -e "$tool/.complete" ]; then
    echo "::group::Install reprocheck"
    rm -rf "$tool"
    mkdir -p "$tool"
    # Not in the workspace: a uv.toml, pyproject.toml or .python-version there is the project's.
    cd "$tool"
    export UV_NO_PROGRESS=1
    # The job's choices for its own packages; its index and its cache serve us, too.
    unset UV_PYTHON UV_SYSTEM_PYTHON UV_CONSTRAINT UV_OVERRIDE UV_EXCLUDE_NEWER VIRTUAL_ENV
    uv venv --quiet --no-project --python "$python_version" "$tool/venv" ||
        fail "uv found no Python $python_version and could not install one; set one up before this step"
    install() { uv pip install --quiet --python "$python" "$@"; }
    # hatchling, too, by its hash: building from the action's files then fetches nothing more.
    install --require-hashes --constraints "$here/requirements-extras.lock" \
        -r "$here/requirements.lock" -r "$here/requirements-build.lock" ${wanted[@]+"${wanted[@]}"} ||
        fail "uv could not install the packages of requirements.lock; its message is above"
    # No cache: it may hold wheels of other files at this path. (--refresh is refused offline.)
    install --no-cache --no-deps --no-build-isolation "$here/capture" "$here" ||
        fail "uv could not build reprocheck; its message is above"
    touch "$tool/.complete"
    echo "::endgroup::"
fi
echo "python=$python" >>"$GITHUB_OUTPUT"
