"""The code of this process: the commit, and what was changed on top of it."""

import hashlib
import os
import re
import shlex
import subprocess
import sys
from typing import Dict, List, NamedTuple, Optional, Tuple

from reprocheck_capture.failures import guarded, lacks
from reprocheck_capture.hiding import is_secret_file, without_login

TIMEOUT_S = 30
TRUST = "git config --global --add safe.directory "
LARGEST_PATCH = 10000000
LARGEST_FILE, LARGEST_FILES, MOST_FILES = 1000000, 5000000, 200
SOURCES = (
    *(".py", ".pyx", ".pxd", ".pyi", ".ipynb", ".sh", ".r", ".jl", ".sql", ".proto", ".jinja"),
    *(".yaml", ".yml", ".toml", ".cfg", ".ini", ".json", ".gin", ".conf", ".dvc"),
    *(".c", ".cc", ".cpp", ".cu", ".cuh", ".h", ".hpp", ".rs", ".go", ".f90"),
)
NAMED = ("Dockerfile", "Makefile", "MLproject", "Snakefile", "dvc.lock", "requirements.txt")
_NOT_OURS = (
    "mlruns/",
    "mlartifacts/",
    "wandb/",
    "outputs/",
    "multirun/",
    ".venv/",
    "venv/",
    "node_modules/",
)
_DIFF = (
    *("diff", "--binary", "--full-index", "--no-color", "--no-ext-diff", "--no-textconv"),
    *("--no-renames", "--ignore-submodules=none", "--src-prefix=a/", "--dst-prefix=b/"),
)


class Changes(NamedTuple):
    """What git says of a tree."""

    tracked: Tuple[str, ...] = ()
    untracked: Tuple[str, ...] = ()
    inner: Tuple[str, ...] = ()  # submodules with changes of their own, which no patch holds


class Code(NamedTuple):
    """The state of a repository, as far as it is known."""

    root: str = ""
    commit: str = ""
    branch: str = ""
    remote: str = ""
    dirty: bool = False
    patch: bytes = b""
    whole: bool = True  # False: the patch lacks something
    base: str = ""  # a pushed commit below an unpushed one
    upstream: bytes = b""  # all changes since then
    untracked: Optional[Dict[str, bytes]] = None  # small sources
    listed: Tuple[str, ...] = ()  # sources that are not kept

    def document(self) -> Dict[str, object]:
        """The record's `code`."""
        kept = self.untracked or {}
        return {
            "commit": self.commit or None,
            "repository": self.remote or None,
            "branch": self.branch or None,
            "tree": "unknown" if not self.commit else "dirty" if self.dirty else "clean",
            "patch": _patch(self.patch, None) if self.patch and self.whole else None,
            "upstream": _patch(self.upstream, self.base) if self.base else None,
            "untracked": [
                *(
                    {"path": path, "sha256": sha256(kept[path]), "artifact": _artifact(path)}
                    for path in sorted(kept)
                ),
                *({"path": path, "sha256": None, "artifact": None} for path in self.listed),
            ],
        }


def _patch(content: bytes, base: Optional[str]) -> Dict[str, object]:
    return {"sha256": sha256(content), "size": len(content), "base": base}


def _artifact(path: str) -> str:
    return "reprocheck/untracked/" + path


def sha256(content: bytes) -> str:
    """The digest in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


@guarded("code", Code)
def code(folder: str = "", made: str = "") -> Code:
    """The state of the repository of a folder, else of the script's or the working directory's.

    `made` is a new file that the run itself writes.
    """
    root = _root(folder)
    if not root:
        lacks("code", "neither the script nor the working directory is in a git repository")
        return Code()
    header, changes = status(root)
    commit = header.get("branch.oid", "")
    if not commit.isalnum():  # "(initial)"
        lacks("code", "the repository has no commit")
        return Code(root=root)
    branch = header.get("branch.head", "")
    product = os.path.realpath(made) if made else ""
    new = [p for p in changes.untracked if os.path.realpath(os.path.join(root, p)) != product]
    kept, listed = _sources(root, tuple(new))
    secret = [path for path in changes.tracked if is_secret_file(path)]
    patch, whole = _changed(root, "HEAD", changes, secret)
    base = _pushed(root)
    upstream, known = _changed(root, base, changes, secret, always=True) if base else (b"", True)
    added = b"".join(_as_patch(path, kept[path]) for path in sorted(kept))
    return Code(
        root=root,
        commit=commit,
        branch="" if branch.startswith("(") else branch,
        remote=_remote(root),
        dirty=bool(changes.tracked or kept or listed),
        patch=patch + added,
        whole=whole,
        base=base if known else "",
        upstream=upstream + added,
        untracked=kept,
        listed=tuple(listed),
    )


def git(folder: str, *args: str) -> bytes:
    """What a git command prints. Raises `OSError` and `subprocess.SubprocessError`."""
    env = {name: text for name, text in os.environ.items() if name not in ("GIT_EXTERNAL_DIFF",)}
    env.update(GIT_OPTIONAL_LOCKS="0", GIT_TERMINAL_PROMPT="0", LC_ALL="C")
    return subprocess.run(
        ["git", "-c", "core.fsmonitor=false", *args],
        cwd=folder,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        timeout=TIMEOUT_S,
        check=True,
    ).stdout


def _root(given: str) -> str:
    script = getattr(sys.modules.get("__main__"), "__file__", None) or ""
    installed = "site-packages" in script or "dist-packages" in script  # such as a kernel's
    folders = [os.path.dirname(os.path.abspath(script))] if script and not installed else []
    for folder in (*([given] if given else folders), os.getcwd()):
        try:
            found = os.fsdecode(git(folder, "rev-parse", "--show-toplevel")).rstrip("\n")
        except (OSError, subprocess.CalledProcessError) as error:
            _refused(error)
            continue
        if found:
            return found
    return ""


def _refused(error: Exception) -> None:
    """Says why git does not tell of a repository, where there may well be one."""
    told = os.fsdecode(getattr(error, "stderr", None) or b"")
    owned = re.search(r"dubious ownership in repository at '(.+?)'", told)
    if owned:
        mend = TRUST + shlex.quote(owned[1])
        lacks("code", "another user owns the repository, and git reads it only after " + mend)
    elif isinstance(error, FileNotFoundError):
        lacks("code", "git is not installed")


def status(root: str) -> Tuple[Dict[str, str], Changes]:
    """The branch's headers, and the changed and the unknown paths."""
    told = git(
        root,
        *("status", "--porcelain=v2", "--branch", "-z", "--untracked-files=all"),
        *("--no-renames", "--ignore-submodules=none"),
    )
    header: Dict[str, str] = {}
    tracked: List[str] = []
    untracked: List[str] = []
    inner: List[str] = []
    for entry in map(os.fsdecode, told.split(b"\0")):
        kind, _, rest = entry.partition(" ")
        if kind == "#":
            name, _, value = rest.partition(" ")
            header[name] = value
        elif kind == "1":
            fields = rest.split(" ", 7)
            tracked.append(fields[-1])
            inner += [fields[-1]] if re.match("S.M", fields[1]) else []
        elif kind == "u":
            tracked.append(rest.split(" ", 9)[-1])
        elif kind == "?":
            untracked.append(rest)
    return header, Changes(tuple(tracked), tuple(untracked), tuple(inner))


def _changed(
    root: str, base: str, changes: Changes, secret: List[str], always: bool = False
) -> Tuple[bytes, bool]:
    """The changes of known files against a commit, and whether they are all."""
    if not changes.tracked and not always:
        return b"", True
    without = [":(top,exclude,literal)" + path for path in secret]
    patch = git(root, *_DIFF, base, "--", *([":/", *without] if without else []))
    if changes.inner:
        lacks("patch", "it lacks changes inside of submodules: " + ", ".join(changes.inner[:5]))
    if secret:
        lacks("patch", "changes of " + ", ".join(secret[:5]) + " are left out: they look secret")
    if len(patch) > LARGEST_PATCH:
        lacks("patch", "it has {} MB".format(len(patch) // 10**6))
        return b"", False
    return patch, not secret and not changes.inner


def _pushed(root: str) -> str:
    """The nearest commit that a remote branch has; "" where HEAD itself was pushed, or none was."""
    try:
        if git(root, "for-each-ref", "--count=1", "--contains", "HEAD", "refs/remotes").strip():
            return ""
        if not git(root, "for-each-ref", "--count=1", "refs/remotes").strip():
            return ""
        own = git(root, "rev-list", "--first-parent", "HEAD", "--not", "--remotes").split()
        oldest = own[-1].decode()
        return git(root, "rev-parse", "--verify", "--quiet", oldest + "^").decode().strip()
    except (subprocess.SubprocessError, IndexError):
        return ""  # a first commit has no parent


def _remote(root: str) -> str:
    """The address of origin, else of the only remote."""
    try:
        told = git(root, "config", "-z", "--get-regexp", r"^remote\..*\.url$")
    except subprocess.CalledProcessError:
        return ""
    pairs = [os.fsdecode(entry).partition("\n") for entry in told.split(b"\0") if entry]
    urls = {name[len("remote.") : -len(".url")]: url for name, _, url in pairs}
    found = urls.get("origin") or (next(iter(urls.values())) if len(urls) == 1 else "")
    return without_login(found)


# --- files that git does not know ---------------------------------------------------------


def _sources(root: str, paths: Tuple[str, ...]) -> Tuple[Dict[str, bytes], List[str]]:
    """The content of small sources, and the names of those that are not kept."""
    kept: Dict[str, bytes] = {}
    listed: List[str] = []
    total = 0
    for path in sorted(filter(_is_source, paths)):
        place = os.path.join(root, path)
        size = os.path.getsize(place) if os.path.isfile(place) else 0
        room = len(kept) < MOST_FILES and size <= LARGEST_FILE and total + size <= LARGEST_FILES
        if is_secret_file(path) or os.path.islink(place) or not room or not _is_storable(path):
            listed.append(path)
            continue
        with open(place, "rb") as file:
            kept[path] = file.read()
        total += size
    if listed:
        told = ", ".join(listed[:5])
        lacks("untracked", "too large, too many, odd or secret by their names: " + told)
    return kept, listed[:MOST_FILES]


def _is_source(path: str) -> bool:
    if path.startswith(_NOT_OURS) or "/__pycache__/" in path:
        return False
    return path.lower().endswith(SOURCES) or os.path.basename(path) in NAMED


def _is_storable(path: str) -> bool:
    """Whether a store of artifacts, also one behind an address, takes the name."""
    return path.isprintable() and not set('"\\%#?:*|<>').intersection(path)


def _is_plain(path: str) -> bool:
    """Whether git writes the name into a patch as it is."""
    return path.isascii() and path.isprintable() and not set('"\\ ').intersection(path)


def _as_patch(path: str, content: bytes) -> bytes:
    """A new file as git's patches have it; nothing for a binary one, and one whose name git would
    quote: these are kept as files."""
    if b"\0" in content or not _is_plain(path):
        return b""
    blob = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()  # noqa: S324  (git's)
    head = "diff --git a/{0} b/{0}\nnew file mode 100644\nindex {1}..{2}\n".format(
        path, "0" * 40, blob
    ).encode()
    if not content:
        return head
    lines = content.split(b"\n")
    ends = lines[-1] == b""
    lines = lines[:-1] if ends else lines
    count = b"" if len(lines) == 1 else b",%d" % len(lines)
    head += "--- /dev/null\n+++ b/{}\n".format(path).encode() + b"@@ -0,0 +1" + count + b" @@\n"
    body = b"".join(b"+" + line + b"\n" for line in lines)
    return head + body + (b"" if ends else b"\\ No newline at end of file\n")
