"""Selection files, read and written."""

from __future__ import annotations

from pathlib import Path

from mkdyn.errors import ConfigError


def read_text(file: Path) -> str:
    """Return a text file's text.

    Raises:
        ConfigError: There is none, or it can't be read.
    """
    try:
        return file.read_text(encoding="utf-8-sig")  # some editors on Windows begin a file with a mark
    except FileNotFoundError as error:
        raise ConfigError(
            f"{file}: there is no such file.",
            what_to_do="Give the path of a selection; mkdyn fields export writes one.",
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file}: it is no text in UTF-8.", what_to_do="Save it as UTF-8.") from error
    except OSError as error:
        raise ConfigError(
            f"{file}: it can't be read ({error.strerror}).", what_to_do="Give the path of a selection."
        ) from error


def write(file: Path, text: str, *, force: bool) -> None:
    """Write a text file.

    Args:
        file: Where.
        text: What.
        force: Whether to replace a file that is there.

    Raises:
        ConfigError: It is there already, or can't be written.
    """
    try:
        with file.open("w" if force else "x", encoding="utf-8", newline="\n") as handle:
            handle.write(text)
    except FileExistsError as error:
        raise ConfigError(f"{file} is there already.", what_to_do="Add --force to replace it.") from error
    except OSError as error:
        raise ConfigError(
            f"{file}: it can't be written ({error.strerror}).", what_to_do="Give another path."
        ) from error
