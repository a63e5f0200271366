"""Write BoneQuantCore/LibraryFiles.cmake, the list of library files that Slicer packages: run with --write after
adding, moving or removing a file in BoneQuantCore/bonequant. Without --write it says whether the list is up to date.
"""

from __future__ import annotations

import sys
from pathlib import Path

CORE = Path(__file__).resolve().parents[1] / "BoneQuantCore"
LIST = CORE / "LibraryFiles.cmake"
HEADER = "# Written by tools/list_library_files.py --write. A test compares it with the tree.\n"


def library_files(core: Path = CORE) -> tuple[list[str], list[str]]:
    """Python files and other files of the library, relative to its module's folder, sorted."""
    names = sorted(path.relative_to(core).as_posix() for path in (core / "bonequant").rglob("*") if path.is_file())
    names = [name for name in names if not any(part.startswith((".", "__pycache__")) for part in name.split("/"))]
    return [name for name in names if name.endswith(".py")], [name for name in names if not name.endswith(".py")]


def as_cmake(scripts: list[str], resources: list[str]) -> str:
    """The text of the list file."""
    lines = []
    for name, files in (("LIBRARY_SCRIPTS", scripts), ("LIBRARY_RESOURCES", resources)):
        lines += ["", f"set({name}", *(f"  {file}" for file in files), "  )"]
    return HEADER + "\n".join(lines) + "\n"


def main(arguments: list[str]) -> int:
    text = as_cmake(*library_files())
    if "--write" in arguments:
        LIST.write_text(text, encoding="utf-8")
        return 0
    if not LIST.is_file() or LIST.read_text(encoding="utf-8") != text:
        sys.stderr.write(f"{LIST.name} is out of date: run python tools/list_library_files.py --write\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
