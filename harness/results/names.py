"""File names out of anything: cell ids and evidence names come from people and guests, files live on any system."""

from __future__ import annotations

import hashlib
import re

_LONGEST = 60
_EXTENSION = re.compile(r"\.[a-z][a-z0-9]{0,7}$")
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9]|conin\$|conout\$)(\.|$)")


def file_name(text: str) -> str:
    """Turn any text into one file name that every file system takes.

    Two different texts never share a name, also where case is ignored: whatever had to change earns the text's hash.
    The last extension is kept.
    """
    plain = re.sub(r"[^a-z0-9._-]+", "-", text.lower()).strip("-. ")
    if plain and plain == text and len(plain) <= _LONGEST and not _RESERVED.match(plain):
        return plain
    # surrogatepass: a name out of a guest may hold anything
    mark = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    extension = _EXTENSION.search(text.lower())
    ending = extension.group() if extension else ""
    stem = plain.removesuffix(ending)[:_LONGEST].strip("-. ").replace(".", "-")
    # the mark also takes a reserved name its meaning: "nul-1a2b3c4d.txt"
    return f"{stem or 'x'}-{mark}{ending}"
