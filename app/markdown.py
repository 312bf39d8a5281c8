"""Markdown to HTML that is safe to show even if the author is hostile."""

from collections.abc import Sequence
from typing import Any

import nh3
from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.token import Token

_TAGS = {
    *("h1", "h2", "h3", "h4", "h5", "h6", "p", "br", "hr", "blockquote", "pre", "code"),
    *("ul", "ol", "li", "strong", "em", "s", "a", "img"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}
_ATTRIBUTES = {"a": {"href", "title"}, "img": {"src", "alt", "title"}, "ol": {"start"}}
_SCHEMES = {"http", "https", "mailto"}


def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


def _words_of_picture(_: Any, tokens: Sequence[Token], index: int, *__: Any) -> str:
    return escapeHtml(tokens[index].content)


def _description_parser() -> MarkdownIt:
    found = _parser()
    # A picture's server would learn who reads; headings would stand above those of the page.
    found.add_render_rule("image", _words_of_picture)
    found.add_render_rule("heading_open", lambda *_: "<p><strong>")
    found.add_render_rule("heading_close", lambda *_: "</strong></p>\n")
    return found


_PARSER, _DESCRIPTIONS = _parser(), _description_parser()


def render_markdown(text: str) -> str:
    """HTML of the tags above only; raw HTML in `text` is shown as text."""
    return nh3.clean(
        _PARSER.render(text),
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes=_SCHEMES,
        link_rel="noopener nofollow",
        strip_comments=True,
    )


def render_description(text: str) -> str:
    """The same for texts of an API document: no headings, and pictures as their words.

    Links to places in the portal lead nowhere: their author meant another site.
    """
    if not text:
        return ""
    return nh3.clean(
        _DESCRIPTIONS.render(text),
        tags=_TAGS - {"img"},
        attributes={"a": {"href", "title"}, "ol": {"start"}},
        attribute_filter=_outside,
        url_schemes=_SCHEMES,
        link_rel="noopener noreferrer nofollow",
        strip_comments=True,
    )


def _outside(_tag: str, attribute: str, value: str) -> str | None:
    if attribute == "href" and not value.lower().startswith(("https://", "http://", "mailto:")):
        return None
    return value
