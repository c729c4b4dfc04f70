"""What customers think, as a section of the report and as a page of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import custvalue
from custvalue._csv import Formulas
from custvalue._sklearn import check_is_fitted
from custvalue._words import Language, check_language
from custvalue.plotting import ImportancePerformanceDisplay, ValueMapDisplay
from custvalue.report._blocks import Block, Column, figure, section, table
from custvalue.report._folder import family_of, write_folder
from custvalue.report._pictures import draw
from custvalue.report._render import render
from custvalue.report._sections import frame_words
from custvalue.report._words import Words
from custvalue.survey import PerceivedValue

if TYPE_CHECKING:
    import pandas as pd

SIZE = (5.6, 4.2)


FILES = family_of("survey.html", ("value", "weights", "gaps", "propositions", "waves"))


@dataclass(frozen=True)
class SurveyReport:
    """A page about perceived value, and the tables that it shows.

    Parameters
    ----------
    tables : dict of str to DataFrame
        By name: ``value``, ``weights``, where brands can be compared ``gaps`` and
        ``propositions`` of the focal brand, with several waves ``waves``.
    html : str
        The page: one file that needs nothing else.
    language : {"en", "zh"}
    summary : tuple of str
        The main findings, a sentence each.

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue.report import make_survey_report
    >>> from custvalue.survey import PerceivedValue
    >>> ratings = pd.DataFrame({"brand": ["us", "A"] * 20, "taste": [5, 3, 4, 4] * 10,
    ...                         "price": [2, 4, 3, 4] * 10})
    >>> value = PerceivedValue(benefits=["taste"], sacrifices=["price"], scale=(1, 5),
    ...                        quality_weight=0.6, n_draws=50).fit(ratings)
    >>> sorted(make_survey_report(value, focal="us").tables)
    ['gaps', 'propositions', 'value', 'weights']
    """

    tables: dict[str, pd.DataFrame] = field(repr=False)
    html: str = field(repr=False)
    language: Language
    summary: tuple[str, ...]

    def write(
        self,
        folder: str | Path,
        *,
        tables: Literal["csv", "parquet"] = "csv",
        formulas: Formulas = "escape",
        force: bool = False,
    ) -> list[Path]:
        """Write ``survey.html``, the tables and ``ledger.json`` to ``folder``; return the paths.

        As `Report.write`: all files or none, and no file that is not a survey's without ``force``.
        """
        return write_folder(
            FILES, folder, self.html, self.tables, {"tables": list(self.tables)},
            tables=tables, formulas=formulas, force=force,
        )  # fmt: skip


def make_survey_report(
    ratings: PerceivedValue,
    *,
    focal: str | None = None,
    against: str | None = None,
    language: Language = "en",
    title: str | None = None,
    source: str = "ratings",
) -> SurveyReport:
    """Page about perceived value: the map, what it is made of, what to claim and what to mend.

    Parameters
    ----------
    ratings : PerceivedValue
        Fitted.
    focal : str, optional
        The brand that is "we"; without it brands are shown and none is compared.
    against : str, optional
        Whom to compare with; default: the mean of all others.
    language : {"en", "zh"}, default="en"
    title : str, optional
        Of the page.
    source : str, default="ratings"
        What the page calls the ratings.

    Returns
    -------
    SurveyReport

    Raises
    ------
    ValueError
        If a brand is unknown.

    Examples
    --------
    >>> import pandas as pd
    >>> from custvalue.report import make_survey_report
    >>> from custvalue.survey import PerceivedValue
    >>> ratings = pd.DataFrame({"brand": ["us", "A"] * 20, "taste": [5, 3, 4, 4] * 10,
    ...                         "price": [2, 4, 3, 4] * 10})
    >>> value = PerceivedValue(benefits=["taste"], sacrifices=["price"], scale=(1, 5),
    ...                        quality_weight=0.6, n_draws=50).fit(ratings)
    >>> make_survey_report(value, focal="us").summary[0]
    'Highest net value: us, 28 (27 to 28).'
    """
    w = Words(check_language(language))
    check_is_fitted(ratings, "value_map_")
    tables = survey_tables(ratings, focal, against)
    points = findings(tables, w, focal, against)
    summary = tuple(point["text"] for point in points)
    page = {
        "title": title or w("Perceived value: {source}", source=source),
        "facts": [
            {"label": w("Respondents at most"), "text": w.cell(tables["value"]["n"].max(), "int")},
            {"label": w("Brands"), "text": w.cell(len(ratings.brands_), "int")},
            {
                "label": w("Weight of benefits"),
                "text": w.cell(ratings.quality_weight_, "share"),
            },
        ],
        "sections": survey_sections(ratings, tables, points, w, focal, against),
        "footer": w(
            "Made by custvalue {version}. The tables beside this page hold all numbers.",
            version=custvalue.__version__,
        ),
    }
    return SurveyReport(tables, render(page, frame_words(w)), language, summary)


def sections_of(ratings: PerceivedValue, focal: str | None, w: Words) -> list[Block]:
    """Sections about perceived value, for the report of a log."""
    check_is_fitted(ratings, "value_map_")
    tables = survey_tables(ratings, focal, None)
    return survey_sections(ratings, tables, findings(tables, w, focal, None), w, focal, None)


def survey_tables(
    ratings: PerceivedValue, focal: str | None, against: str | None
) -> dict[str, pd.DataFrame]:
    """Tables of the page, in English; the map where the scale and the brands allow one."""
    mapped = len(ratings.brands_) > 1 and ratings.value_map_.scale[0] > 0
    value = ratings.value_map_table if mapped else ratings.value_table
    made = {"value": value(language="en"), "weights": ratings.weight_table(language="en")}
    if focal is not None:
        ratings.value_map_.place_of(focal, "focal")
        if len(ratings.brands_) > 1:
            made["gaps"] = ratings.gap_table(focal, against, language="en")
            made["propositions"] = ratings.proposition_table(focal, against, language="en")
    if len(ratings.value_map_.waves) > 1:
        made["waves"] = ratings.wave_table(language="en")
    return made


def findings(
    tables: dict[str, pd.DataFrame], w: Words, focal: str | None, against: str | None
) -> list[dict[str, str]]:
    """Say the main findings in a sentence each, with the section that shows it."""
    value = tables["value"]
    if "wave" in value:
        value = value[value["wave"] == value["wave"].iloc[-1]]
    order = value.sort_values("net_value", ascending=False, ignore_index=True)
    best, ours = order.iloc[0], order[order["brand"] == focal]
    said = [
        w("Highest net value: {brand}, {value} ({low} to {high}).", brand=best["brand"],
          **_net_value(best))
    ]  # fmt: skip
    if len(ours) and best["brand"] != focal:
        said.append(
            w(
                "{brand} comes {rank} of {n} by net value, {value} ({low} to {high}).",
                brand=focal,
                rank=_place(int(ours.index[0]) + 1, w),
                n=len(order),
                **_net_value(ours.iloc[0]),
            )
        )
    if "advantage" in value and len(ours):
        row = ours.iloc[0]
        low, high = row["advantage_low"], row["advantage_high"]
        if low > 0:
            text = "{brand} gives more than fair value for its price."
        elif high < 0:
            text = "{brand} gives less than fair value for its price."
        else:
            text = "{brand} cannot be told from fair value for its price."
        said.append(w(text, brand=focal))
    found = [{"section": "perceived-value", "text": text} for text in said]
    if "propositions" in tables:
        points = tables["propositions"]
        important, other = points[points["important"]], _beside(against, w)
        for kind, text in (
            ("point of difference", "To claim, important and better than {other}: {list}."),
            ("point of contention", "To mend first, important and worse than {other}: {list}."),
        ):
            names = important["attribute"][important["kind"] == kind]
            if len(names):
                text = w(text, other=other, list=w(", ").join(names))
            elif kind == "point of difference":
                text = w(
                    "Nothing that weighs much sets {brand} apart from {other}.",
                    brand=focal,
                    other=other,
                )
            else:
                continue
            found.append({"section": "compared", "text": text})
    return found


def _beside(against: str | None, w: Words) -> str:
    """Name of the other brand within a sentence: Latin letters stand apart from Chinese ones."""
    if against is None:
        return w("the others")
    return f" {against}" if w.language == "zh" and against[:1].isascii() else against


def _net_value(row: pd.Series) -> dict[str, str]:
    ends = {"value": "net_value", "low": "net_value_low", "high": "net_value_high"}
    return {name: _points(row[column]) for name, column in ends.items()}


def _place(rank: int, w: Words) -> str:
    """Write a rank: 1st, 2nd, 3rd, 4th in English."""
    if w.language != "en":
        return str(rank)
    ending = "th" if rank % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(rank % 10)
    return f"{rank}{ending or 'th'}"


def survey_sections(
    ratings: PerceivedValue,
    tables: dict[str, pd.DataFrame],
    points: list[dict[str, str]],
    w: Words,
    focal: str | None,
    against: str | None,
) -> list[Block]:
    """Sections of the page: brands, then the focal one against another."""
    made = [_brands(ratings, tables, points, w, focal)]
    if "gaps" in tables and focal is not None:
        made.append(_compared(ratings, tables, w, focal, against))
    return made


def _brands(
    ratings: PerceivedValue,
    tables: dict[str, pd.DataFrame],
    points: list[dict[str, str]],
    w: Words,
    focal: str | None,
) -> Block:
    language = w.language
    blocks: list[Block] = [
        {
            "type": "points",
            "title": w("In short"),
            "points": points,
        }
    ]
    figures = []
    if "advantage" in tables["value"]:
        svg = draw(
            "value_map",
            w("Value map"),
            lambda ax: ValueMapDisplay.from_estimator(ratings, language=language, ax=ax),
            size=SIZE,
        )
        caption = w(
            "How to read: right of and below the line a brand gives more than fair value; a bar "
            "that crosses the line says that the two cannot be told apart."
        )
        figures.append(figure({"map": svg}, "map", caption))
    if focal is not None:
        svg = draw(
            "importance",
            w("Importance and performance"),
            lambda ax: ImportancePerformanceDisplay.from_estimator(
                ratings, focal, language=language, ax=ax
            ),
            size=SIZE,
        )
        caption = w(
            "How to read: up is what weighs most in value, right is what {brand} is rated best "
            "for.",
            brand=focal,
        )
        figures.append(figure({"ip": svg}, "ip", caption))
    if figures:
        blocks.append({"type": "figures", "figures": figures})
    wave: list[Column] = [("wave", w("Wave"), "text")] if "wave" in tables["value"] else []
    who: list[Column] = [("brand", w("Brand"), "text"), *wave]
    brands = _rows(tables["value"].sort_values("net_value", ascending=False))
    if "advantage" in tables["value"]:
        fair: list[Column] = [
            *who,
            ("relative_quality", w("Relative quality"), "number"),
            ("relative_price", w("Relative price"), "number"),
            ("fair_relative_price", w("Fair relative price"), "number"),
            ("advantage", w("Advantage"), "number"),
            ("advantage_low", w("from"), "number"),
            ("advantage_high", w("to"), "number"),
        ]
        caption = w("Quality against price: what is fair, and what is more or less")
        rows = sorted(brands, key=lambda row: -row["advantage"])
        blocks.append(table("map-table", caption, fair, rows, w))
    columns: list[Column] = [
        *who,
        ("benefit_index", w("Benefit"), "number"),
        ("burden_index", w("Burden"), "number"),
        ("net_value", w("Net value"), "number"),
        ("net_value_low", w("from"), "number"),
        ("net_value_high", w("to"), "number"),
        ("highest_share", w("Rated highest by"), "bar"),
        ("n", w("Respondents"), "int"),
    ]
    caption = w("Brands by what they give and take: benefits, burdens and net value")
    blocks.append(table("value-table", caption, columns, brands, w))
    weights: list[Column] = [
        ("attribute", w("Attribute"), "text"),
        ("side", w("Side"), "text"),
        ("importance", w("Weight in value"), "bar"),
        ("weight", w("Weight on its side"), "share"),
        ("low", w("from"), "share"),
        ("high", w("to"), "share"),
    ]
    caption = w("What value is made of")
    rows = _said(ratings.weight_table, tables["weights"], language, ("side",))
    blocks.append(table("weight-table", caption, weights, rows, w))
    if "waves" in tables:
        change: list[Column] = [
            ("brand", w("Brand"), "text"),
            ("wave", w("Wave"), "text"),
            ("net_value", w("Net value"), "number"),
            ("change", w("Change"), "number"),
            ("change_low", w("from"), "number"),
            ("change_high", w("to"), "number"),
            ("n_both", w("Answered both"), "int"),
        ]
        rows = _rows(tables["waves"])
        blocks.append(table("wave-table", w("Net value from wave to wave"), change, rows, w))
    notes = [
        w(
            "Indexes run from 0 to 100. Net value is benefit times {q} less burden times {rest}.",
            q=f"{ratings.quality_weight_:.2f}",
            rest=f"{1 - ratings.quality_weight_:.2f}",
        ),
        w(
            "Ranges hold {level} of {draws} draws of respondents; those of differences within "
            "respondents are Student's.",
            level=w.cell(ratings.level, "share"),
            draws=w.cell(ratings.n_draws, "int"),
        ),
    ]
    if ratings.value_map_.r2 is not None:
        notes.append(
            w(
                "The attributes explain {r2} of the differences in {outcome}. That describes; it "
                "does not promise what a change would bring.",
                r2=w.cell(ratings.value_map_.r2, "share"),
                outcome=ratings.outcome,
            )
        )
        counts = ratings.value_map_.learned_from
        if counts["missing"] or counts["single"]:
            notes.append(
                w(
                    "Weights come from {rows} rows; {missing} lack an answer, and {single} "
                    "respondents rated one brand only and cannot be compared within.",
                    **{name: w.cell(n, "int") for name, n in counts.items()},
                )
            )
    blocks.append({"type": "notes", "notes": notes})
    return section(
        "perceived-value",
        w("Perceived value"),
        w("Perceived value: what customers get for what they give"),
        w("Each brand as its raters see it: benefits against sacrifices, and what price is fair."),
        blocks,
    )


def _compared(
    ratings: PerceivedValue,
    tables: dict[str, pd.DataFrame],
    w: Words,
    focal: str,
    against: str | None,
) -> Block:
    other = against or w("the others")
    language = w.language
    gaps: list[Column] = [
        ("attribute", w("Attribute"), "text"),
        ("side", w("Side"), "text"),
        ("weight", w("Weight in value"), "bar"),
        ("focal", focal, "number"),
        ("against", other, "number"),
        ("contribution", w("Adds to value"), "number"),
        ("low", w("from"), "number"),
        ("high", w("to"), "number"),
        ("improve", w("One point more adds"), "number"),
    ]
    claims: list[Column] = [
        ("attribute", w("Attribute"), "text"),
        ("kind", w("What it is"), "text"),
        ("weight", w("Weight in value"), "bar"),
        ("difference", w("Difference"), "number"),
        ("low", w("from"), "number"),
        ("high", w("to"), "number"),
        ("pairs", w("Rated both"), "int"),
    ]

    def gap_table(language: Language) -> pd.DataFrame:
        return ratings.gap_table(focal, against, language=language)

    def propositions(language: Language) -> pd.DataFrame:
        return ratings.proposition_table(focal, against, language=language)

    blocks = [
        table(
            "gap-table",
            w("Where the difference in net value comes from; the rows add up to the total"),
            gaps,
            _said(gap_table, tables["gaps"], language, ("attribute", "side")),
            w,
        ),
        table(
            "proposition-table",
            w("Points of difference, parity and contention, within the same respondents"),
            claims,
            _said(propositions, tables["propositions"], language, ("kind",)),
            w,
        ),
    ]
    return section(
        "compared",
        w("Compared"),
        w("{brand} against {other}", brand=focal, other=_beside(against, w)),
        w(
            "A point of difference is rated higher than the other's beyond chance; one that weighs "
            "much in value is what to claim."
        ),
        blocks,
    )


def _said(
    make: Callable[..., pd.DataFrame],
    english: pd.DataFrame,
    language: Language,
    words: tuple[str, ...],
) -> list[dict[str, Any]]:
    """Rows of a table under its English headings, with ``words`` in the language."""
    named = make(language=language)
    named.columns = english.columns
    return _rows(english.assign(**{name: named[name] for name in words}))


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(k): v for k, v in row.items()} for row in frame.to_dict("records")]


def _points(value: float) -> str:
    return f"{value:.0f}".replace("-", "−")
