"""Search: how texts are folded, and the grams by which they are found in any language.

A term is found anywhere inside a text, whatever its case and accents. Words are no help: Japanese has no
spaces between them, and a locale's idea of a letter differs from server to server. So a text is indexed by
its grams, the pairs of characters that stand side by side in it, and each character beyond ASCII alone.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from itertools import pairwise

TERMS_MAX = 10
"""The longest terms are looked for; the grams of more would not narrow it down."""

_GRAM_SHIFT = 21
"""A code point has 21 bits, so two of them make one 64-bit number, and no two grams share it."""
_ASCII_MAX = 0x7F
_DROPPED = frozenset(
    code
    for first, last in (
        (0x0300, 0x036F),  # accents on Latin, Greek and Cyrillic
        (0x0591, 0x05BD),  # Hebrew points
        (0x05BF, 0x05BF),
        (0x05C1, 0x05C2),
        (0x0640, 0x0640),  # Arabic: the stretcher, vowels, hamza and madda above or below
        (0x064B, 0x065F),
        (0x0670, 0x0670),
        (0x00AD, 0x00AD),  # soft hyphen
        (0x200B, 0x200F),  # what has no width, and directions
        (0x202A, 0x202E),
        (0x2060, 0x2064),
        (0x2066, 0x2069),
        (0xFE00, 0xFE0F),  # variants of the character before
        (0xFEFF, 0xFEFF),
    )
    for code in range(first, last + 1)
)
_ALIKE = str.maketrans({"ø": "o", "đ": "d", "ł": "l", "æ": "ae", "œ": "oe", "\u0131": "i"})
"""Letters that people without them write otherwise, and Unicode does not take apart; last the dotless i."""


def folded(text: str) -> str:
    """``text`` as it is compared: without case, width, accents and what cannot be seen."""
    apart = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text).casefold())
    kept = "".join(each for each in apart if ord(each) not in _DROPPED)
    return " ".join(unicodedata.normalize("NFC", kept).translate(_ALIKE).split())


def terms_of(query: str) -> list[str]:
    """The folded terms of a query, each once; a text must hold all of them."""
    terms = sorted(set(folded(query).split()), key=lambda term: (-len(term), term))
    return terms[:TERMS_MAX]


def grams_of(text: str) -> list[int]:
    """The grams of a folded text, each once, in order."""
    return sorted({gram for word in text.split(" ") for gram in _grams_of_word(word)})


def _grams_of_word(word: str) -> Iterable[int]:
    codes = [ord(each) for each in word]
    for first, second in pairwise(codes):
        yield (first + 1) << _GRAM_SHIFT | second
    for code in codes:
        if code > _ASCII_MAX:
            yield code
