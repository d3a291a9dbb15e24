"""Passwords that are made once and kept in files that only their owner may read."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def secret_file(folder: Path, name: str) -> Path:
    """Return the file of the secret `name`, made with a random password when there is none."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = folder / name
    if not file.exists():
        unfinished = file.with_suffix(".new")
        with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as handle:  # noqa: PTH123 - the mode must be right from the first moment
            handle.write(secrets.token_urlsafe(24))
        unfinished.rename(file)
    return file


def secret(folder: Path, name: str) -> str:
    """Return the secret `name`, made when there is none."""
    return secret_file(folder, name).read_text(encoding="ascii")
