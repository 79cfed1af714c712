"""A decision in brief as what Teams, Slack and a program of one's own expect; texts are literal, never markup."""

from __future__ import annotations

from typing import Any

from harness.notices.brief import Brief

_COLOURS = {"ship": "good", "hold": "attention"}


def shaped(kind: str, told: Brief) -> dict[str, Any]:
    """Give the message for a kind of webhook: teams, slack or json."""
    return {"teams": _teams, "slack": _slack, "json": _json}[kind](told)


def _teams(told: Brief) -> dict[str, Any]:
    # a RichTextBlock shows text as it is, where a TextBlock would take Markdown out of a guest for its own
    body = [_text(told.title, size="large", weight="bolder", color=_COLOURS[told.word])]
    body += [_text(told.lab, weight="bolder", color="warning")] if told.lab else []
    body += [_text(line) for line in (told.sentence, *(f"• {reason}" for reason in told.reasons), *told.waivers)]
    body += [_text(f"{name}: {value}", isSubtle=True, size="small") for name, value in told.facts]
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
    }
    if told.link:
        card["actions"] = [{"type": "Action.OpenUrl", "title": "Report", "url": told.link}]
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _text(text: str, **look: object) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **look}]}


def _slack(told: Brief) -> dict[str, Any]:
    lines = [line for line in (told.lab, told.sentence) if line]
    blocks: list[dict[str, Any]] = [{"type": "header", "text": _plain(told.title)}]
    blocks += [{"type": "section", "text": _plain(line)} for line in lines]
    if told.reasons:
        blocks.append({"type": "section", "text": _plain("\n".join(f"• {reason}" for reason in told.reasons))})
    if told.waivers:
        blocks.append({"type": "section", "text": _plain("\n".join(told.waivers))})
    facts = [_plain(f"{name}: {value}") for name, value in told.facts]
    blocks += [{"type": "context", "elements": facts}] if facts else []
    if told.link:
        button = {"type": "button", "text": _plain("Report"), "url": told.link}
        blocks.append({"type": "actions", "elements": [button]})
    # what is shown where blocks are not, a notification for one, is markup: only these three act in it
    plain = f"{told.title}: {told.sentence}".replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return {"text": plain, "blocks": blocks}


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text[:2_900], "emoji": False}  # Slack refuses 3,000 as a whole


def _json(told: Brief) -> dict[str, Any]:
    return {
        "event": "gate",
        "decision": told.word,
        "title": told.title,
        "sentence": told.sentence,
        "lab": told.lab,
        "reasons": list(told.reasons),
        "waivers": list(told.waivers),
        "facts": dict(told.facts),
        "link": told.link,
    }
