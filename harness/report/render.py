"""From the page's values to one HTML text: templates a team may override, inside a frame that it may not."""

from __future__ import annotations

import base64
import hashlib
from importlib import resources
from pathlib import Path

import jinja2
from markupsafe import Markup

from harness.errors import AuthoringError
from harness.report.compiled import compiled
from harness.report.view import Islands, PageView
from harness.results import text
from harness.results.text import clipped, visible

_MADE_BY = (__file__, text.__file__)  # what the compiled templates hang on, beside their source
_LONGEST = 20_000  # characters of any one value, whatever the page wants to show of it


def render(view: PageView, islands: Islands, overrides: Path | None = None) -> str:
    """Render the page; a file in ``overrides`` takes the place of the default template of the same name.

    An override may extend the default as ``default/<name>``. Raises AuthoringError in one line when it does not work.
    """
    environment = _environment(overrides)
    try:
        body = environment.get_template("page.html").render(page=view)
        look = "\n".join(environment.get_template(name).render() for name in ("style.css", "theme.css"))
    except jinja2.TemplateSyntaxError as error:
        raise AuthoringError(f"{error.filename or error.name}: line {error.lineno}: {error.message}") from error
    except (jinja2.TemplateError, UnicodeDecodeError) as error:
        raise AuthoringError(f"{overrides or 'templates'}: a template does not work: {error}") from error
    if "</style" in look.lower():
        raise AuthoringError(f"{overrides}: a style sheet holds </style; it would end the style early")
    return _framed(view, islands, body, look)


def _framed(view: PageView, islands: Islands, body: str, look: str) -> str:
    """Put the body into the frame, which owns what no theme may change: the policy, the lab's banner, the script."""
    frame = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_shown,
        loader=jinja2.PackageLoader("harness.report", "frame"),
        bytecode_cache=compiled(*_MADE_BY),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    script = _script()
    banner_look = frame.get_template("banner.css").render(on_paper=_css_text(view.banner)) if view.banner else ""
    return frame.get_template("frame.html").render(
        view=view,
        # base64 alone
        grid=Markup(islands.grid),  # noqa: S704
        stories=Markup(islands.stories),  # noqa: S704
        files=[(address, Markup(content)) for address, content in islands.files],  # noqa: S704
        # what an attribute of ours says never reaches a sheet or script: both are files of this package or of the team
        banner_look=Markup(banner_look),  # noqa: S704
        look=Markup(look),  # noqa: S704
        body=Markup(body),  # noqa: S704
        script=Markup(script),  # noqa: S704
        styles=[_digest(sheet) for sheet in filter(None, (banner_look, look))],
        script_digest=_digest(script),
    )


def _environment(overrides: Path | None) -> jinja2.Environment:
    default = jinja2.PackageLoader("harness.report")
    loaders: list[jinja2.BaseLoader] = [default, jinja2.PrefixLoader({"default": default})]
    if overrides is not None:
        loaders.insert(0, jinja2.FileSystemLoader(overrides))
    return jinja2.Environment(
        autoescape=jinja2.select_autoescape(("html",)),
        undefined=jinja2.StrictUndefined,
        finalize=_shown,
        loader=jinja2.ChoiceLoader(loaders),
        bytecode_cache=compiled(*_MADE_BY),
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _shown(value: object) -> object:
    # every value passes here on its way to the page, so that no template can forget it
    return visible(clipped(value, _LONGEST)) if type(value) is str else value


def _script() -> str:
    # one script out of a few files that are read in their order; a name of theirs is no name of the page's
    files = resources.files("harness.report").joinpath("frame", "script").iterdir()
    parts = [file.read_text("utf-8") for file in sorted(files, key=lambda file: file.name) if file.name.endswith(".js")]
    return '"use strict";\n(() => {\n' + "".join(parts) + "})();"


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _css_text(text: str) -> Markup:
    escaped = "".join(
        char if char.isascii() and (char.isalnum() or char in " .,:;") else f"\\{ord(char):06x}"
        for char in visible(text)
    )
    return Markup(escaped)  # noqa: S704 - letters, digits and code points only
