"""What the day counts of text templates say, and whether blocked accounts sent the same."""

from __future__ import annotations

from functools import partial

from fraud.features.registry import WINDOWS, Direction, Relation, Signal, Unit

_signal = partial(Signal, family="messages", relation=Relation.MESSAGES)

MINIMUM_TEXTS = 10
"""Texts a share rests on at least: ours, as for destinations."""


def _texts(days: int) -> Signal:
    return _signal(
        name=f"texts_count_{days}d",
        unit=Unit.COUNT,
        window_days=days,
        sql=f"SUM(text_count_{days}d)",
        count_sql=f"SUM(text_count_{days}d)",
        minimum_count=1,
        meaning="{value} texts sent",
        source="product design, message templates: smishing, SMS pumping",
        direction=Direction.HIGHER,
    )


def _of_window(days: int) -> tuple[Signal, ...]:
    texts = f"SUM(text_count_{days}d)"
    of_texts = partial(
        _signal,
        window_days=days,
        count_sql=texts,
        minimum_count=MINIMUM_TEXTS,
        counted=f"texts_count_{days}d",
    )
    return (
        of_texts(
            name=f"top_template_share_{days}d",
            unit=Unit.SHARE,
            sql=f"MAX(text_count_{days}d) / {texts}",
            meaning="{value} of {n} texts say the same",
            source="product design, message templates: near-duplicate texts",
            direction=Direction.HIGHER,
        ),
        of_texts(
            name=f"link_text_share_{days}d",
            unit=Unit.SHARE,
            sql=f"SUM(link_count_{days}d) / {texts}",
            meaning="{value} of {n} texts carry a link",
            source="product design, message templates: smishing",
            direction=Direction.HIGHER,
        ),
        _signal(
            name=f"listed_link_texts_count_{days}d",
            unit=Unit.COUNT,
            window_days=days,
            sql=f"SUM(listed_link_count_{days}d)",
            count_sql=f"COUNT(listed_link_count_{days}d)",
            minimum_count=1,
            meaning="{value} texts carry a link to a listed domain",
            source="product design, message templates: smishing",
            direction=Direction.HIGHER,
        ),
        of_texts(
            name=f"template_counterparts_max_count_{days}d",
            unit=Unit.COUNT,
            sql=f"MAX(counterpart_count_{days}d)",
            meaning="one text sent to {value} numbers",
            source="product design, message templates: SMS pumping",
            direction=Direction.HIGHER,
        ),
    )


_shared = partial(
    Signal,
    family="messages",
    relation=Relation.SENT_TEMPLATES,
    window_days=30,
    direction=Direction.HIGHER,
    count_sql="SUM(text_count_30d)",
    source="product design, message templates: near-duplicate texts shared with blocked accounts",
)

SIGNALS: tuple[Signal, ...] = (
    *(_texts(days) for days in WINDOWS),
    *(signal for days in (7, 30) for signal in _of_window(days)),
    _shared(
        name="blocked_templates_count_30d",
        unit=Unit.COUNT,
        sql="COUNT(*) FILTER (WHERE tie > 0)",
        minimum_count=1,
        meaning="{value} of its texts, numbers and names apart, were also sent by blocked accounts",
    ),
    _shared(
        name="blocked_template_text_share_30d",
        unit=Unit.SHARE,
        sql="ROUND(SUM(text_count_30d * tie) / SUM(text_count_30d), 9)",
        minimum_count=MINIMUM_TEXTS,
        meaning="{value} of {n} texts say what blocked accounts sent, common texts discounted",
        counted="texts_count_30d",
    ),
)
