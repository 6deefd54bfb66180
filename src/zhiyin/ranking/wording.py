"""A reason as a sentence, in English and in Chinese."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Literal, TypeAlias

from zhiyin.ranking.explain import Reason

Language: TypeAlias = Literal["en", "zh"]

LONGEST_TITLE = 60

VERBS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "view": ("viewed {}", "浏览过{}"),
        "purchase": ("bought {}", "购买过{}"),
        "buy": ("bought {}", "购买过{}"),
        "cart": ("put {} in the cart", "加购过{}"),
        "like": ("liked {}", "喜欢{}"),
        "rating": ("rated {}", "评价过{}"),
        "play": ("played {}", "播放过{}"),
        "click": ("clicked {}", "点击过{}"),
        "wish": ("saved {}", "收藏过{}"),
    }
)
OTHERWISE = ("chose {}", "选择过{}")

ITSELF: Mapping[Language, str] = MappingProxyType({"en": "it", "zh": "它"})
"""What an item is called in its own reason, where rules let it come again."""

PLAIN: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "history": ("fits what you chose", "符合你的喜好"),
        "popular": ("popular now", "近期热门"),
        "new": ("new, and like what you chose", "新品，与你选择过的相似"),
        "content": ("like what you chose", "与你选择过的相似"),
        "fallback": ("popular with everybody", "大家都喜欢"),
    }
)
"""What is said where no event is named."""


def done(event_type: str, title: str, language: Language = "en") -> str:
    """What was done with an item: "bought i00017"; a kind that has no verb of its own is a choice."""
    verb = VERBS.get(event_type.lower(), OTHERWISE)[language == "zh"]
    return verb.format(title if len(title) <= LONGEST_TITLE else title[: LONGEST_TITLE - 1] + "…")


def sentence(reason: Reason, titles: Sequence[str], language: Language = "en") -> str:
    """The reason for the person who reads the list: "because you bought i00017 and viewed i00042".

    Parameters
    ----------
    titles
        Of the item of each event of the reason.
    """
    acts = [done(one.event_type, title, language) for one, title in zip(reason.because, titles, strict=True)]
    if not acts:
        return PLAIN[reason.kind][language == "zh"]
    if language == "zh":
        return f"因为你{'、'.join(acts)}"
    return f"because you {', '.join(acts[:-1])} and {acts[-1]}" if len(acts) > 1 else f"because you {acts[0]}"
