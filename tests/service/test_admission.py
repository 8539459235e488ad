"""Keys and rates: who may ask, and how often."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agegender.errors import InputError, SettingError
from agegender.service import admission
from agegender.service.admission import ApiKeys, RateLimit, read_api_keys
from agegender.service.problems import Problem

KEY, OTHER = "0123456789abcdef", "fedcba9876543210"
PNG = {"Content-Type": "image/png"}


def test_only_a_key_opens_the_service(run: Callable, crops: list[bytes]) -> None:
    running = run(api_keys=ApiKeys([KEY, OTHER]))
    running.wait_ready()
    for headers in ({}, {"X-API-Key": KEY[:-1]}, {"X-API-Key": ""}, {"Authorization": f"Basic {KEY}"}):
        refused = running.ask(path="/v1/faces?crops=perhaps", body=crops[0] * 9000, headers=PNG | headers)
        assert (refused.status, refused.json["code"]) == (401, "unauthorized")
        assert refused.headers["www-authenticate"] == "Bearer"
        assert refused.headers["content-type"] == "application/problem+json"
    for headers in ({"X-API-Key": KEY}, {"Authorization": f"Bearer {OTHER}"}):
        assert running.ask(body=crops[0], headers=PNG | headers).status == 200
        assert running.ask("GET", "/metrics", headers=headers).status == 200
    assert running.ask("GET", "/metrics").status == 401
    assert running.ask("GET", "/healthz").status == running.ask("GET", "/readyz").status == 200
    described = running.ask("GET", "/openapi.json").json["paths"]["/v1/faces"]["post"]
    assert "401" in described["responses"]
    assert len(described["security"]) == 2


def test_a_client_may_not_ask_more_often_than_allowed(run: Callable, crops: list[bytes]) -> None:
    running = run(requests_a_minute=2)
    running.wait_ready()
    assert [running.ask(body=crops[0], headers=PNG).status for _ in range(3)] == [200, 200, 429]
    refused = running.ask(body=crops[0], headers=PNG)
    assert refused.json["code"] == "too_many_requests"
    assert 1 <= int(refused.headers["retry-after"]) <= 30
    assert running.ask("GET", "/healthz").status == 200


def test_a_rate_comes_back_with_time_and_is_each_clients_own(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    rate = RateLimit(60, clock=lambda: now)
    for _ in range(60):
        rate.take("a")
    with pytest.raises(Problem, match="Try again in 1 s"):
        rate.take("a")
    rate.take("b")
    now = 2.0
    rate.take("a")
    rate.take("a")
    with pytest.raises(Problem):
        rate.take("a")
    monkeypatch.setattr(admission, "MOST_CLIENTS", 3)
    for name in "cdefg":
        rate.take(name)
    assert list(rate._buckets) == ["e", "f", "g"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("# none\n\n", "no API key"),
        (f"{KEY}\nshort\n", "line 2: a key has 16 or more .* Received: 5 characters"),
        ("with space in the key\n", "without spaces"),
        ("schlüssel-schlüssel\n", "ASCII"),
    ],
)
def test_a_file_of_keys_is_checked(tmp_path: Path, content: str, says: str) -> None:
    path = tmp_path / "keys"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(SettingError, match=says):
        read_api_keys(path)


def test_a_file_of_keys_is_read(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text(f"# clients\n{KEY}\n  {OTHER}  \n", encoding="utf-8")
    keys: Any = read_api_keys(path)
    assert [keys.known(key) for key in (KEY, OTHER, "# clients", "")] == [True, True, False, False]
    assert KEY not in repr(vars(keys))
    with pytest.raises(InputError, match="cannot be read"):
        read_api_keys(tmp_path / "none")
    path.write_bytes(b"\xff\xfe\xff")
    with pytest.raises(InputError, match="cannot be read"):
        read_api_keys(path)
