"""Markdown of people nobody vouches for."""

import re
from collections.abc import Callable

import pytest

from app.markdown import render_description, render_markdown

HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "![x](data:image/svg+xml;base64,PHN2Zz4=)",
    "[x](vbscript:x)",
    '<a href="https://a.example" style="position:fixed" onclick="x()">a</a>',
    '[x](https://a.example "\\" onmouseover=alert(1) x=\\"")',
    '<https://a.example/"onmouseover=alert(1)>',
    "`<script>`\n\n```html\n<script>alert(1)</script>\n```",
    "<iframe src=//a.example></iframe><style>*{display:none}</style><!-- x -->",
    "[x]: javascript:alert(1)\n\n[x]",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<svg><script>alert(1)</script></svg><math><mtext></mtext></math>",
)
_TAG = re.compile(r"<(/?)([a-z0-9]+)([^>]*)>")
_SAFE = {"h1", "p", "a", "img", "code", "pre", "em", "strong"}
_ATTRIBUTE = re.compile(r' (href|src|title|alt|rel)="([^"<>]*)"')


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("render", [render_markdown, render_description])
def test_hostile_text_becomes_nothing_but_safe_tags(
    render: Callable[[str], str], text: str
) -> None:
    html = render(text)
    for _, tag, attributes in _TAG.findall(html):
        assert tag in _SAFE
        assert _ATTRIBUTE.sub("", attributes).strip() in ("", "/")
        for name, value in _ATTRIBUTE.findall(attributes):
            assert name not in ("href", "src") or value.startswith(("https://", "mailto:"))


def test_link_is_no_recommendation_and_gives_nothing_away() -> None:
    assert render_markdown("[x](https://a.example)") == (
        '<p><a href="https://a.example" rel="noopener nofollow">x</a></p>\n'
    )


def test_tables_lists_and_code_are_shown() -> None:
    text = "# T\n\n1. a\n\n| h |\n|---|\n| `c` |\n\n~~s~~ **b**"
    assert render_markdown(text) == (
        "<h1>T</h1>\n<ol>\n<li>a</li>\n</ol>\n<table>\n<thead>\n<tr>\n<th>h</th>\n</tr>\n</thead>\n"
        "<tbody>\n<tr>\n<td><code>c</code></td>\n</tr>\n</tbody>\n</table>\n"
        "<p><s>s</s> <strong>b</strong></p>\n"
    )


def test_a_description_fetches_nothing_and_leads_out_of_the_portal_or_nowhere() -> None:
    text = "# Use\n\n![the <plan>](https://a.example/p.png) [a](/sign-out) [b](https://b.example)"
    assert render_description(text) == (
        "<p><strong>Use</strong></p>\n<p>the &lt;plan&gt; "
        '<a rel="noopener noreferrer nofollow">a</a> '
        '<a href="https://b.example" rel="noopener noreferrer nofollow">b</a></p>\n'
    )
