"""What to do by segment, stage and grade of silence: by trade, or in the reader's own words."""

from __future__ import annotations

import csv
import io
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from custvalue._words import HOUSE
from custvalue.exceptions import ContractProblem, DataContractError, first_ids
from custvalue.lifecycle import playbook
from custvalue.report._advice import TODO
from custvalue.report._text import contents, in_utf8

KINDS = ("segments", "stages", "silence")


@dataclass(frozen=True)
class Playbook:
    """What to do, and to say, by segment, stage and grade of silence.

    Parameters
    ----------
    trade : str
        Whose texts they are where the reader gave none.
    segments, silence : mapping of str to str
        Advice by name; ``"other"`` is for segments that have none.
    stages : mapping of str to (str, str)
        Message and next step.
    """

    trade: str
    segments: Mapping[str, str]
    stages: Mapping[str, tuple[str, str]]
    silence: Mapping[str, str]

    def segment(self, name: str) -> str:
        """Say what to do with a segment."""
        return self.segments.get(name, self.segments["other"])

    def grade(self, name: str) -> str:
        """Say what to do at a grade of silence."""
        return self.silence.get(name, self.segments["other"])

    def stage(self, name: str) -> tuple[str, str]:
        """Say the message and the next step of a stage."""
        return self.stages.get(name, ("", self.segments["other"]))


def _of_the_source() -> dict[str, tuple[str, str]]:
    rows = playbook().to_dict("records")
    return {row["stage"]: (row["value_message"], row["next_step"]) for row in rows}


PLAYS: dict[str, dict[str, dict[str, Any]]] = {
    "shop": {
        "segments": TODO,
        "stages": {
            "potential": (
                "Who we are and what we stand for.",
                "Become known to them; ask for a first contact.",
            ),
            "target": (
                "One good reason to buy.",
                "Invite them to a first order.",
            ),
            "new": (
                "A good first experience.",
                "See that the first order went well, and give a reason for the second.",
            ),
            "still on trial": (
                "What the first order left open.",
                "Ask once what kept them from a next order.",
            ),
            "established": (
                "What else there is for them.",
                "Show what goes with what they buy; ask what they miss.",
            ),
            "core": (
                "How much they matter.",
                "Serve them first: early access, quick answers, no needless discounts.",
            ),
            "strategic": (
                "What we can do together.",
                "Plan with them what comes next.",
            ),
            "problem": (
                "We noticed that you stayed away.",
                "Ask why the orders stopped, the most valuable first, and mend what can be mended.",
            ),
            "exited": (
                "The door stays open.",
                "Stay in touch at little cost; offer a new start now and then.",
            ),
        },
        "silence": {
            "active": "No contact needed: they order by themselves.",
            "watch": "Wait for the next order; contact where it does not come.",
            "silent": "One good reason to come back now; keep a control group.",
            "deeply silent": "Only what costs little; expect few of them back.",
        },
    },
    "grocery": {
        "segments": {
            "champions": (
                "Keep what they buy on the shelf; thank them with points rather than price cuts."
            ),
            "loyal customers": "Recipes and own brands beside what they buy.",
            "potential loyalists": "An offer on next week's basket.",
            "new customers": "Welcome them with a coupon for the second visit within two weeks.",
            "need attention": "A coupon for what they used to buy.",
            "about to sleep": "A coupon for what they used to buy.",
            "at risk": "A coupon for their usual basket; ask what was missing.",
            "cannot lose": "A coupon for their usual basket; ask what was missing.",
            "lost": "Leaflet or app message only; test first.",
        },
        "stages": {
            "new": (
                "A good first visit.",
                "Bring the second visit within two weeks.",
            ),
            "established": (
                "The whole basket.",
                "Widen the basket: departments they do not buy from yet.",
            ),
            "core": (
                "Fresh goods, full shelves, and thanks.",
                "Reward the habit; ask them before the range changes.",
            ),
            "problem": (
                "Your basket is waiting.",
                "Ask what sent them elsewhere (range, price, way), and offer the usual basket.",
            ),
            "exited": (
                "Still near you.",
                "Only offers that cost little: they may have moved away.",
            ),
        },
        "silence": {
            "active": "No contact needed: they come by themselves.",
            "watch": "A reminder with this week's offers where the usual visit does not come.",
            "silent": "A coupon for the usual basket; keep a control group.",
            "deeply silent": "Leaflet or app message only; expect few of them back.",
        },
    },
    "donations": {
        "segments": {
            "champions": (
                "Thank them in person, say what their gifts did, and offer a regular gift."
            ),
            "loyal customers": "Say what their gifts did; offer a regular gift.",
            "potential loyalists": "Thank them soon, and name the next need.",
            "new customers": "Thank them within two days; show what the first gift does.",
            "need attention": "Tell what has happened since their last gift.",
            "about to sleep": "Tell what has happened since their last gift.",
            "at risk": "Write by hand: thank them, and ask what they would like to support.",
            "cannot lose": "Call: thank them, and ask what they would like to support.",
            "lost": "The yearly letter only; test first.",
            "other": "Test one appeal on a part, keep a control group.",
        },
        "stages": {
            "new": (
                "What the first gift does.",
                "Thank them at once, and ask again within the year.",
            ),
            "established": (
                "What gifts have done so far.",
                "Report, then offer a regular or a larger gift.",
            ),
            "core": (
                "They carry the work.",
                "Invite them to see the work; ask for their view.",
            ),
            "problem": (
                "We have not heard from you.",
                "Ask whether something disappointed them, the largest givers first.",
            ),
            "exited": (
                "Thank you for what you gave.",
                "The yearly letter, and no pressure.",
            ),
        },
        "silence": {
            "active": "Thank them; they give by themselves.",
            "watch": "Report on the work before the next appeal.",
            "silent": "Say what has been missed since their last gift; keep a control group.",
            "deeply silent": "The yearly letter only; expect few gifts.",
        },
    },
    "subscription": {
        "segments": {
            "champions": "Ask for referrals; offer the yearly plan.",
            "loyal customers": "Show what they do not use yet; offer the larger plan.",
            "potential loyalists": "Help them to use it every week.",
            "new customers": "Help them start: first success within the first days.",
            "need attention": "Ask what is missing; offer a pause instead of an end.",
            "about to sleep": "Ask what is missing; offer a pause instead of an end.",
            "at risk": "Check whether the payment failed; then ask why they stopped.",
            "cannot lose": "Check whether the payment failed; then call.",
            "lost": "Say what is new once or twice a year; test first.",
        },
        "stages": {
            "new": (
                "The first success.",
                "Help them start, and see that the second payment comes.",
            ),
            "established": (
                "More use for the same price.",
                "Show what they do not use yet; offer the yearly plan.",
            ),
            "core": (
                "They belong to us.",
                "Ask for their view before changes; offer the larger plan.",
            ),
            "problem": (
                "Something went wrong.",
                "Look for failed payments first; then ask why they stopped.",
            ),
            "exited": (
                "What is new since you left.",
                "Ask once why they left; come back with what is new.",
            ),
        },
        "silence": {
            "active": "No contact needed: they renew by themselves.",
            "watch": "Look whether the renewal failed.",
            "silent": "Ask what is missing and offer a restart; keep a control group.",
            "deeply silent": "Say what is new at little cost; expect few of them back.",
        },
    },
    "b2b": {
        "segments": {
            "champions": "Meet them regularly; plan the next year together.",
            "loyal customers": "Show which further needs you can meet; ask for a reference.",
            "potential loyalists": "Follow up on the last delivery and quote for the next.",
            "new customers": "Deliver without a fault; visit soon after.",
            "need attention": "Call the buyer: is there a tender, a complaint, a rival?",
            "about to sleep": "Call the buyer: is there a tender, a complaint, a rival?",
            "at risk": "Visit: settle what stands between you.",
            "cannot lose": "Visit with a decision maker: settle what stands between you.",
            "lost": "Keep on the mailing list; call once a year.",
        },
        "stages": _of_the_source(),
        "silence": {
            "active": "Regular contact as agreed.",
            "watch": "Call before the usual order is due.",
            "silent": "Visit or call the buyer; keep a control group.",
            "deeply silent": "Call once; learn who supplies them now.",
        },
    },
}

TRADES = tuple(PLAYS)


def playbook_of(given: Any, trade: str | None = None) -> Playbook:
    """Take a trade's playbook, with the reader's own texts in place of those that he gives.

    Parameters
    ----------
    given : str, Path, mapping, Playbook or None
        Name of a trade, a file (JSON, TOML or CSV), or names and their advice. ``"trade"`` in a
        file or mapping names the trade that says the rest.
    trade : str, optional
        The trade that says the rest; default: the file's own, else ``"shop"``.

    Raises
    ------
    DataContractError
        With every key that is not known, and the legal ones; or if the file cannot be read.
    ValueError
        If a name is neither a trade nor a file.
    """
    if isinstance(given, Playbook):
        return given
    if given is None or (isinstance(given, str) and given in TRADES):
        return _of_trade(given or trade or "shop")
    if isinstance(given, (str, Path)):
        path = Path(given)
        if not path.is_file():
            raise ValueError(
                f"playbook={str(given)!r} is neither a trade ({', '.join(TRADES)}) nor a file."
            )
        return _with_own(_read(path), path.name, trade)
    if isinstance(given, Mapping):
        return _with_own(dict(given), "the playbook", trade)
    raise TypeError(
        f"playbook must be a trade's name, a file or a mapping, not {type(given).__name__}."
    )


def _of_trade(name: str) -> Playbook:
    if name not in PLAYS:
        raise ValueError(f"trade {name!r} is not known; there are {', '.join(TRADES)}.")
    own = PLAYS[name]
    return Playbook(name, *({**PLAYS["shop"][kind], **own[kind]} for kind in KINDS))


def _with_own(texts: dict[str, Any], source: str, trade: str | None) -> Playbook:
    """Put the reader's texts in place of a trade's."""
    named = texts.pop("trade", None)
    base = _of_trade(str(trade or named or "shop"))
    known: dict[str, dict[str, Any]] = {
        "segments": dict(base.segments),
        "stages": dict(base.stages),
        "silence": dict(base.silence),
    }
    where = {name: kind for kind in KINDS for name in known[kind]}
    flat: list[tuple[str, Any, str | None]] = []
    for key, text in texts.items():
        if key in KINDS and isinstance(text, Mapping):
            flat += [(str(name), one, key) for name, one in text.items()]
        else:
            flat.append((str(key), text, None))
    unknown, empty, twice, seen = [], [], [], set()
    for key, text, kind in flat:
        name = _known_name(key, where)
        if name is None or (kind is not None and where[name] != kind):
            unknown.append(repr(key))
            continue
        if name in seen:
            twice.append(repr(key))
        seen.add(name)
        plain = _plain(text, known[where[name]][name])
        if plain is None:
            empty.append(repr(key))
        else:
            known[where[name]][name] = plain
    problems = []
    if unknown:
        legal = "; ".join(f"{kind}: {', '.join(known[kind])}" for kind in KINDS)
        problems.append(
            ContractProblem(
                "unknown-key",
                f"{source} has names that no segment, stage or grade of silence has",
                f"Legal are {legal}.",
                len(unknown),
                first_ids(unknown),
            )
        )
    if twice:
        text = f"{source} says something twice"
        cure = "Keep one text a name."
        problems.append(ContractProblem("repeated-key", text, cure, len(twice), first_ids(twice)))
    if empty:
        problems.append(
            ContractProblem(
                "no-advice",
                f"{source} has names without a text",
                "Write a text; of a stage also {message = ..., step = ...}.",
                len(empty),
                first_ids(empty),
            )
        )
    if problems:
        raise DataContractError(problems)
    return Playbook(base.trade, *(known[kind] for kind in KINDS))


def _known_name(key: str, where: Mapping[str, str]) -> str | None:
    """Name that a key means, in either language."""
    plain = " ".join(key.split()).casefold()
    for name in where:
        if plain in (name, HOUSE.name(name, "zh")):
            return name
    return None


def _plain(text: Any, was: Any) -> Any:
    """Own text of a segment or grade; of a stage its message and step. None where it is none."""
    stage = isinstance(was, tuple)
    if stage and isinstance(text, Mapping):
        if not text or not set(text) <= {"message", "step"}:
            return None
        said = [
            _line(text.get(part, old)) for part, old in zip(("message", "step"), was, strict=True)
        ]
        return None if None in said else tuple(said)
    line = _line(text)
    if line is None or not stage:
        return line
    return was[0], line


def _line(text: Any) -> str | None:
    return " ".join(text.split()) or None if isinstance(text, str) else None


def _read(path: Path) -> dict[str, Any]:
    """Names and texts of a file."""
    raw = in_utf8(contents(path)[0][1], path.name, None).decode("utf-8")
    suffix = path.suffix.lower()
    try:
        if suffix == ".toml":
            return tomllib.loads(raw)
        if suffix == ".json":
            found = json.loads(raw, object_pairs_hook=_once)
            if not isinstance(found, dict):
                raise ValueError("it must be one object of names and texts")
            return found
        if suffix == ".csv":
            return _of_csv(raw)
    except ValueError as error:  # json's and toml's errors are ValueErrors
        raise _unreadable(path, str(error)) from None
    raise _unreadable(path, "its name must end with .json, .toml or .csv")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Object of pairs, refusing a name that stands twice: the first text would be lost."""
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        twice = sorted({name for name in names if names.count(name) > 1})
        raise ValueError(f"it says {', '.join(map(repr, twice))} twice")
    return made


def _of_csv(raw: str) -> dict[str, Any]:
    rows = csv.DictReader(io.StringIO(raw, newline=""))
    have = rows.fieldnames or []
    if not {"name", "advice"} <= set(have):
        raise ValueError(
            f"its columns are {', '.join(map(repr, have))}; it needs 'name' and 'advice', and may "
            "have 'message' (of a stage)"
        )
    pairs: list[tuple[str, Any]] = []
    for row in rows:
        said = (row.get("message") or "").strip()
        advice = row["advice"] or ""
        pairs.append((row["name"] or "", {"message": said, "step": advice} if said else advice))
    return _once(pairs)


def _unreadable(path: Path, why: str) -> DataContractError:
    text = f"{path.name} cannot be read: {why}"
    return DataContractError(ContractProblem("unreadable-file", text, "Mend the file."))
