"""What the user has written down: keys, theme and speed, in `~/.config/gradstep/config.toml`.

The places are those of the XDG specification, on every system, as other terminal programs have them: one path to tell
people, and none to look up. GRADSTEP_CONFIG names another file; empty or /dev/null, nothing is read or remembered.

    theme = "light"
    speed = 4                       # steps a second while it plays
    [keys]
    "ctrl+b" = "break if nan(value)"
    "j" = "next"
    "x" = ""                        # does nothing
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tracer.errors import GradstepError
from tui.key_names import key_named
from tui.orders import read
from tui.theme import NAMES

CONFIG = "GRADSTEP_CONFIG"
"""The variable that names another file of settings."""
KNOWN = ("theme", "speed", "keys")
LARGEST_FILE = 1_000_000
"""A larger file is none that somebody wrote."""
NEEDED = frozenset({"ctrl+c", "ctrl+q"})
"""The keys by which one always gets out."""


class SettingsError(GradstepError):
    """A line of the settings that means nothing."""


@dataclass(frozen=True)
class Settings:
    """What the file says. keys: the order of each key, by Textual's name of the key; wrong: what could not be read."""

    theme: str | None = None
    speed: float | None = None
    keys: Mapping[str, str] = field(default_factory=dict)
    wrong: tuple[str, ...] = ()

    @property
    def complaint(self) -> str:
        """One line about what is wrong, empty if nothing is."""
        more = f" (and {len(self.wrong) - 1} more)" if len(self.wrong) > 1 else ""
        return self.wrong[0] + more if self.wrong else ""


def config_file(environment: Mapping[str, str]) -> Path | None:
    """The file of settings; None where there shall be none.

    >>> str(config_file({"HOME": "/home/ada"}))
    '/home/ada/.config/gradstep/config.toml'
    """
    named = environment.get(CONFIG)
    if named is not None:
        return Path(named).expanduser() if named not in ("", os.devnull) else None
    return _folder(environment, "XDG_CONFIG_HOME", ".config", "config.toml")


def state_file(environment: Mapping[str, str], name: str = "state.json") -> Path | None:
    """The file of what is remembered, or another beside it; None where nothing shall be."""
    if environment.get(CONFIG) in ("", os.devnull):
        return None
    return _folder(environment, "XDG_STATE_HOME", ".local/state", name)


def _folder(
    environment: Mapping[str, str], variable: str, otherwise: str, name: str
) -> Path | None:
    root = environment.get(variable, "")
    home = environment.get("HOME") or environment.get("USERPROFILE", "")
    if Path(root).is_absolute():
        return Path(root) / "gradstep" / name
    return Path(home) / otherwise / "gradstep" / name if home else None


def read_settings(file: Path | None, *, named: bool = False) -> Settings:
    """The settings of a file. What is wrong in it is told in `wrong`, and the rest holds; without a file, none.

    named: whether the user has named it, so that it is wrong if it is not there.
    """
    if file is None:
        return Settings()
    try:
        if file.stat().st_size > LARGEST_FILE:
            return Settings(wrong=(f"{file.name} is too large to be settings",))
        found = tomllib.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return Settings(wrong=(f"there is no {file}, which {CONFIG} names",) * named)
    except OSError as error:
        return Settings(wrong=(f"cannot read {file}: {error.strerror or error}",))
    except UnicodeDecodeError:
        return Settings(wrong=(f"{file.name} is not text in UTF-8",))
    except RecursionError:
        return Settings(wrong=(f"{file.name} nests too deep",))
    except ValueError as error:  # beside errors of TOML, a number of thousands of digits
        return Settings(wrong=(f"{file.name}: {error}",))
    return settings_of(found, file.name)


def settings_of(found: Mapping[str, Any], name: str = "config.toml") -> Settings:
    """The settings that a table says.

    >>> settings_of({"theme": "pink"}).complaint
    'config.toml: there is no theme pink: dark, light, blue-orange, blue-orange-light, ansi'
    """
    wrong: list[str] = [
        f"there is no setting {word}: {_close(word, KNOWN)}" for word in found if word not in KNOWN
    ]
    settings = Settings()
    if "theme" in found:
        theme = str(found["theme"])
        if theme in NAMES:
            settings = replace(settings, theme=theme)
        else:
            wrong.append(f"there is no theme {theme}: {', '.join(NAMES)}")
    if "speed" in found:
        speed = found["speed"]
        if isinstance(speed, int | float) and not isinstance(speed, bool) and 0 < speed <= 1000:
            settings = replace(settings, speed=float(speed))
        else:
            wrong.append(f"speed is a number of steps a second, not {speed!r}: speed = 4")
    table = found.get("keys", {})
    if isinstance(table, Mapping):
        settings = replace(settings, keys=_keys(table, wrong))
    else:
        wrong.append('keys is a table: [keys], then lines like "ctrl+b" = "next 10"')
    return replace(settings, wrong=tuple(f"{name}: {each}" for each in wrong))


def _keys(table: Mapping[str, Any], wrong: list[str]) -> dict[str, str]:
    keys: dict[str, str] = {}
    for written, line in table.items():
        try:
            key = key_named(written)
            if key in keys:
                raise SettingsError(f"two orders for the key {written}: {keys[key]} and {line}")
            if key in NEEDED:
                raise SettingsError(f"{key} always quits: choose another key")
            if not isinstance(line, str):
                raise SettingsError(f'the key {written} needs an order, such as "next 10"')
            read(line)
            keys[key] = line.strip()
        except GradstepError as error:
            said = str(error).splitlines()[0]
            wrong.append(said if written in said else f"key {written}: {said}")
    return keys


def _close(word: str, words: Sequence[str]) -> str:
    close = difflib.get_close_matches(word, words, n=1)
    return f"did you mean {close[0]}?" if close else f"try {', '.join(words)}"
