"""What a word of the command line may be; what is none of it is refused in a sentence."""

from __future__ import annotations

import argparse
import sys


def positive(text: str) -> int:
    """A whole number from 1."""
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 1")
    return int(text)


def count(text: str) -> float:
    """A number from 0."""
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a number from 0")
    return number


def step_numbers(text: str) -> tuple[int, ...]:
    """Numbers of steps, such as 1,10,100."""
    words = [word.strip() for word in text.split(",") if word.strip()]
    try:
        return tuple(positive(word) for word in words)
    except argparse.ArgumentTypeError as error:
        raise argparse.ArgumentTypeError(f"{error}: optimiser steps, such as 1,10,100") from None


def whole(text: str) -> int:
    """A whole number."""
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text} is not a number of steps: after how many, such as 12?"
        ) from None


def seconds(text: str) -> float:
    """A time above 0."""
    try:
        time = float(text)
    except ValueError:
        time = 0.0
    if not 0 < time < 3600:
        raise argparse.ArgumentTypeError(f"{text} is no number of seconds")
    return time


def elements(text: str) -> int:
    """How many elements, or all."""
    return sys.maxsize if text == "all" else positive(text)


def seed(text: str) -> int:
    """A random seed."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text} is not a random seed: a whole number from 0")
    return int(text)


def json_file(text: str) -> str:
    """The file of a report: its ending is .json, so that no derivation after the option is written over."""
    if text != "-" and not text.endswith(".json"):
        raise argparse.ArgumentTypeError(
            f"{text} does not end in .json: --json=report.json, or --json at the end"
        )
    return text


def from_file(text: str) -> tuple[str, str]:
    """Orders in a file."""
    return "file", text


def from_line(text: str) -> tuple[str, str]:
    """One order."""
    return "order", text
