"""Whether a link has the shape of a share link: what can be said of it with no network."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_SHARED: tuple[tuple[str, str], ...] = (
    ("Google Drive", r"(drive|docs)\.google\.com/(file/d/[\w-]{10,}|drive/(u/\d+/)?folders/[\w-]{10,})"),
    ("Google Drive", r"drive\.google\.com/(open|uc)\?(.*&)?id=[\w-]{10,}"),
    ("OneDrive", r"1drv\.ms/[\w!/.-]{6,}"),
    ("OneDrive", r"onedrive\.live\.com/.*\?.*(resid|id|redeem)="),
    ("SharePoint", r"[\w-]+\.sharepoint\.com/:[a-z]:/.+"),
    ("Dropbox", r"(www\.)?dropbox\.com/(s|sh|scl/f[io])/\w+"),
    ("Box", r"([\w-]+\.)*box\.com/s/\w+"),
)
"""Service, and what its share links look like from the host on."""

_OWN_VIEW = re.compile(r"/(my-drive|shared-with-me|recent|home)\b|/_layouts/15/onedrive\.aspx", re.IGNORECASE)
"""The owner's own page of files: it opens for the owner alone."""

SERVICES = tuple(dict.fromkeys(service for service, _ in _SHARED))
"""Names of the services whose share links are known."""


def share_host(link: str) -> str | None:
    """The service that a share link belongs to; None if it has the shape of none."""
    parts = urlsplit(link.strip())
    if parts.scheme != "https":
        return None
    rest = parts.netloc.lower() + parts.path + (f"?{parts.query}" if parts.query else "")
    return next((service for service, shape in _SHARED if re.match(shape, rest)), None)


def link_problem(link: str) -> str:
    """What is wrong with the shape of a share link, in one sentence; empty if nothing is.

    Whether it opens for others cannot be seen from its shape: a person must look.
    """
    link = link.strip()
    if not link:
        return "There is no link."
    if not re.match(r"https://\S+$", link):
        return f"A share link begins with https:// and has no spaces. Received: {link}"
    if _OWN_VIEW.search(link):
        return f"This is the owner's own page of files, which opens for nobody else; share the file. Received: {link}"
    if share_host(link) is None:
        return f"This is no share link of {', '.join(SERVICES[:-1])} or {SERVICES[-1]}. Received: {link}"
    return ""
