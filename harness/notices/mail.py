"""A decision as one HTML page that mail programs show: a table with inline styles, no script and no picture."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from harness.notices.brief import Brief

_COLOURS = {"ship": "#0b6b2e", "hold": "#a3130f"}
# a path or a line without a blank is broken: mail programs on phones do not scroll sideways
_SHEET = (
    "max-width:680px;margin:auto;border-collapse:collapse;background:#ffffff;"
    "table-layout:fixed;word-break:break-word;overflow-wrap:anywhere"
)
_FONT = "font-family:Segoe UI,Helvetica,Arial,sans-serif;font-size:15px;line-height:1.45;color:#1b1b1b"


def mail(told: Brief) -> str:
    """Write the page; every word of it is shown as it is."""
    rows = [
        f'<h1 style="margin:0;font-size:22px;color:#ffffff">{escape(told.title)}</h1>',
        *([f"<p><strong>{escape(told.lab)}</strong></p>"] if told.lab else []),
        f"<p>{escape(told.sentence)}</p>",
        *_list("Reasons", told.reasons),
        *_list("Waivers", told.waivers),
        *([_facts(told)] if told.facts else []),
        *([f'<p><a href="{escape(told.link)}">Report</a></p>'] if told.link else []),
    ]
    head, *rest = rows
    colour = _COLOURS[told.word]
    body = "\n".join(rest)
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{escape(told.title)}</title></head>
<body style="margin:0;padding:16px;background:#f3f3f3">
<table role="presentation" width="100%" style="{_SHEET}">
<tr><td style="padding:16px;background:{colour};{_FONT}">{head}</td></tr>
<tr><td style="padding:16px;{_FONT}">
{body}
</td></tr></table>
</body></html>
"""


def _list(title: str, items: Iterable[str]) -> list[str]:
    listed = "".join(f"<li>{escape(item)}</li>" for item in items)
    return [f'<h2 style="font-size:17px">{title}</h2>', f"<ul>{listed}</ul>"] if listed else []


def _facts(told: Brief) -> str:
    rows = "".join(
        f'<tr><th scope="row" align="left" style="padding-right:12px">{escape(name)}</th><td>{escape(value)}</td></tr>'
        for name, value in told.facts
    )
    return f'<table style="{_FONT}">{rows}</table>'
