"""Files that are whole or not there, and several files that are one result."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Write = Callable[[Path], None]
TEMPORARY = ".writing-"
_here = threading.Lock()


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a path to write to; what is written there becomes ``path`` at once, or nothing does.

    Examples
    --------
    >>> import tempfile
    >>> from custvalue._files import whole_file
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with whole_file(Path(folder) / "a.txt") as half:
    ...         _ = half.write_text("all of it")
    ...     [file.name for file in Path(folder).iterdir()]
    ['a.txt']
    """
    place = Path(tempfile.mkdtemp(prefix=TEMPORARY, dir=path.parent))
    try:
        with _names(path):
            yield place / path.name
            os.replace(place / path.name, path)
    finally:
        shutil.rmtree(place, ignore_errors=True)


@dataclass(frozen=True)
class Family:
    """Several files that are one result, such as a page, its tables and its ledger.

    Parameters
    ----------
    names : frozenset of str
        Every name that a file of such a result can have.
    manifest : str
        The JSON file among them that lists the others with their SHA-256, under ``"files"``.
    last : str
        The file that people open: gone while the others change, and put in place last.

    Notes
    -----
    The files are written to a temporary folder within the folder (so on the same disk) and moved
    one by one when all of them are whole; a write that fails or is killed before that changes
    nothing. One that is killed while the files are moved leaves a folder without ``last``, and a
    manifest that knows the old files and the new ones, so that the next write puts it right.
    Writers to one folder wait for each other (across processes where the system has ``flock``).
    """

    names: frozenset[str]
    manifest: str
    last: str

    def check(self, folder: Path) -> None:
        """Refuse a folder in which a file that is not the library's own bears one of the names.

        A file is the library's own if the manifest lists it and nobody has changed it since.

        Raises
        ------
        FileExistsError
            Naming the files.
        """
        known = self._known(folder)
        foreign = [
            name
            for name in sorted(self.names)
            if os.path.lexists(folder / name) and not self._own(folder / name, known)
        ]
        if foreign:
            raise FileExistsError(
                f"{folder} has {', '.join(foreign)}, which custvalue did not write or somebody has "
                "changed since. Name another folder, or say force=True (--force) to replace "
                f"or remove {'it' if len(foreign) == 1 else 'them'}; files of other names stay."
            )

    def write(
        self, folder: Path, files: Mapping[str, Write], facts: Mapping[str, Any], *, force: bool
    ) -> list[Path]:
        """Write all files or none; what an earlier result left under other names goes.

        Parameters
        ----------
        folder : Path
            Made where it does not exist.
        files : mapping of str to callable
            Each is called with the path to write to; the manifest is not among them.
        facts : mapping
            What the manifest says beside the list of files.
        force : bool
            Replace files that are not the library's own, too. Links are replaced, not followed.

        Returns
        -------
        list of Path
            In the order of ``files``, the manifest at the end.

        Raises
        ------
        FileExistsError
            See ``check``.
        OSError
            Naming the file that could not be written.
        """
        new = not folder.exists()
        folder.mkdir(parents=True, exist_ok=True)
        with _only_writer(folder):
            if not force:
                self.check(folder)
            for name in self.names:
                if (folder / name).is_dir() and not (folder / name).is_symlink():
                    raise IsADirectoryError(
                        errno.EISDIR, "a folder has the name of a file", str(folder / name)
                    )
            for left in folder.glob(TEMPORARY + "*"):  # of a writer that was killed
                shutil.rmtree(left, ignore_errors=True)
            place = Path(tempfile.mkdtemp(prefix=TEMPORARY, dir=folder))
            try:
                self._fill(place, folder, files, facts)
                self._move(place, folder, files)
            finally:
                shutil.rmtree(place, ignore_errors=True)
                if new and not any(folder.iterdir()):
                    folder.rmdir()
        return [folder / name for name in (*files, self.manifest)]

    def _fill(
        self, place: Path, folder: Path, files: Mapping[str, Write], facts: Mapping[str, Any]
    ) -> None:
        made = {}
        for name, write in files.items():
            with _names(folder / name):
                write(place / name)
                made[name] = _digest(place / name)
        known = self._known(folder)
        between = {name: [*known.get(name, []), digest] for name, digest in made.items()}
        with _names(folder / self.manifest):
            _write_json(place / "between", {**facts, "files": {**known, **between}})
            _write_json(place / self.manifest, {**facts, "files": made})

    def _move(self, place: Path, folder: Path, files: Mapping[str, Write]) -> None:
        with _names(folder / self.manifest):
            os.replace(place / "between", folder / self.manifest)
        for name in [self.last, *sorted(self.names - {*files, self.last, self.manifest})]:
            with _names(folder / name):
                (folder / name).unlink(missing_ok=True)
        for name in [*(n for n in files if n != self.last), self.manifest, self.last]:
            with _names(folder / name):
                os.replace(place / name, folder / name)

    def _known(self, folder: Path) -> dict[str, list[str]]:
        """SHA-256 of what the manifest lists, by name; during a write there are two of a name."""
        try:
            listed = json.loads((folder / self.manifest).read_text(encoding="utf-8"))["files"]
            return {
                str(name): [digest] if isinstance(digest, str) else [str(d) for d in digest]
                for name, digest in listed.items()
            }
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return {}  # no manifest of ours

    def _own(self, path: Path, known: Mapping[str, list[str]]) -> bool:
        if path.is_symlink() or not path.is_file():
            return False
        if path.name == self.manifest:
            return bool(known)
        return path.name in known and _digest(path) in known[path.name]


@contextmanager
def _only_writer(folder: Path) -> Iterator[None]:
    """Wait until nobody else writes to ``folder``; a writer that is killed holds nothing."""
    try:
        import fcntl
    except ModuleNotFoundError:  # Windows: this process alone
        with _here:
            yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # a file system without locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@contextmanager
def _names(path: Path) -> Iterator[None]:
    """Let an error of the system name the file that people know."""
    try:
        yield
    except OSError as error:
        why = error.strerror or str(error)
        raise OSError(error.errno or errno.EIO, why, str(path)) from error


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_json(path: Path, plain: Mapping[str, Any]) -> None:
    text = json.dumps(plain, ensure_ascii=False, indent=2)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")
