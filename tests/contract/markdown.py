"""
The markdown of a card, rendered as the most generous client would.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from markdown_it import MarkdownIt

from tests.contract.looking import Look

__all__ = ["markdown"]

_GENEROUS: Final = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
# What the templates of cards use; whatever else comes out was put there by somebody else.
_OURS: Final = frozenset(
    {"inline", "text", "text_special", "softbreak", "paragraph", "strong", "em"}
    | {"bullet_list", "list_item", "table", "thead", "tbody", "tr", "th", "td", "link"}
)
# A rule that was merged into a card stands under a heading of this size; there is no larger one.
_MERGED: Final = "h3"
_BARE: Final = re.compile(r"\b(?:https?://|www\.)[^\s)>\]]+", re.IGNORECASE)


def markdown(look: Look, text: str, links: Iterable[str], at: str) -> None:
    """
    Want blocks that our templates write, and no address that is not in the links.

    GitHub's markdown makes a link of a bare address too, so those count.
    """
    known = set(links)
    for token in _tokens(_GENEROUS.parse(text)):
        name = token.type.removesuffix("_open").removesuffix("_close")
        if "html" in name:
            look.wrong("CARD-07", "raw HTML", at)
        elif name == "image":
            look.wrong("CARD-08", "an image", at)
        elif name not in _OURS and not (name == "heading" and token.tag == _MERGED):
            look.wrong("CARD-08", f"a {name} that no template writes", at)
        elif token.type == "link_open" and token.attrGet("href") not in known:
            look.wrong("CARD-17", "an address that is not in the links", at)
        if token.type == "text":
            for bare in _BARE.findall(token.content):
                if bare.rstrip(".,;:") not in known:
                    look.wrong("CARD-17", "a bare address that is not in the links", at)


def _tokens(some: Iterable[Any]) -> Iterator[Any]:
    for one in some:
        yield one
        yield from _tokens(one.children or ())
