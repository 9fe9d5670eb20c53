"""Receivers that write down what they are told, by whom and when: a web server and a mail server on this machine."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller

from tests.integration.alerts.conftest import free_port

RECEIVERS = ("page", "database", "data", "platform")
HEARTBEAT = "heartbeat"
WEBHOOK, MAIL, SLACK = "webhook", "mail", "slack"
FIRING, RESOLVED = "firing", "resolved"


@dataclass(frozen=True)
class Told:
    """A message of Alertmanager's to a webhook.

    Attributes:
        at: when it was taken, Unix time.
        group: which alerts are told together, as Alertmanager names it.
        alerts: all that stand in it, firing and resolved.
    """

    at: float
    receiver: str
    group: str
    alerts: tuple[dict[str, Any], ...]

    def of(self, labels: Mapping[str, str], status: str) -> dict[str, Any] | None:
        """The alert in it that has these labels and this status."""
        return next((each for each in self.alerts if each["status"] == status and _has(each, labels)), None)

    @property
    def firing(self) -> frozenset[str]:
        """What fires, by Alertmanager's own name for each alert."""
        return frozenset(each["fingerprint"] for each in self.alerts if each["status"] == FIRING)


@dataclass(frozen=True)
class Mail:
    """A mail of Alertmanager's."""

    at: float
    receiver: str
    subject: str
    text: str


@dataclass
class Recorder:
    """What was told so far.

    Attributes:
        url: of the web server.
        smtp: host and port of the mail server.
        refusing: paths whose messages are not taken.
        refused: when one was not taken, and at which path.
    """

    url: str = ""
    smtp: str = ""
    told: list[Told] = field(default_factory=list)
    mails: list[Mail] = field(default_factory=list)
    slack: list[float] = field(default_factory=list)
    refusing: set[str] = field(default_factory=set)
    refused: list[tuple[float, str]] = field(default_factory=list)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _is_given_up: bool = False

    @property
    def settings(self) -> dict[str, str]:
        """What `lake up` has to know for each receiver to hear by a webhook and by mail, and one by Slack as well."""
        return {
            "LAKE_ALERT_WEBHOOK_URL": " ".join(f"{name}={self.url}/{name}" for name in RECEIVERS),
            "LAKE_ALERT_EMAIL_TO": ",".join(f"{name}={name}@example.com" for name in RECEIVERS),
            "LAKE_ALERT_SMTP": self.smtp,
            "LAKE_ALERT_SMTP_TLS": "false",
            "LAKE_ALERT_SLACK_URL": f"platform={self.url}/{SLACK}",
            "LAKE_ALERT_HEARTBEAT_URL": f"{self.url}/{HEARTBEAT}",
        }

    def messages(self, labels: Mapping[str, str], status: str, since: float) -> list[Told]:
        """The messages since an instant, by webhook, in which an alert stands."""
        return [told for told in list(self.told) if told.at >= since and told.of(labels, status)]

    def wait(self, found: Callable[[], Any], seconds: float) -> Any:
        """Wait until something is found in what was told; it, or what was found last."""
        with self._changed:
            return self._changed.wait_for(lambda: found() or self._is_given_up, seconds) and found()

    def give_up(self) -> None:
        """Let nobody wait any more."""
        with self._changed:
            self._is_given_up = True
            self._changed.notify_all()

    def take(self, path: str, body: Any) -> bool:
        """Take what was posted to a path; whether it was taken."""
        now, name = time.time(), path.strip("/")
        with self._changed:
            if name in self.refusing:
                self.refused.append((now, name))
                return False
            if name == SLACK:
                self.slack.append(now)
            else:
                self.told.append(Told(now, name, body["groupKey"], tuple(body["alerts"])))
            self._changed.notify_all()
        return True

    def take_mail(self, recipients: list[str], content: bytes) -> None:
        """Take a mail."""
        message = message_from_bytes(content, policy=policy.default)
        body = message.get_body(("plain",))
        assert body is not None, "mails are plain text"
        text = body.get_content()
        with self._changed:
            self.mails += [Mail(time.time(), to.partition("@")[0], message["Subject"], text) for to in recipients]
            self._changed.notify_all()


def is_repeated(told: Told, earlier: list[Told]) -> bool:
    """Whether a message says nothing that the one before it, of the same group to the same receiver, did not say."""
    before = [each for each in earlier if (each.receiver, each.group) == (told.receiver, told.group)]
    return bool(before) and bool(told.firing) and before[-1].firing == told.firing


@contextmanager
def recording() -> Iterator[Recorder]:
    """Receivers for the length of the block."""
    recorder = Recorder()

    class Web(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken = recorder.take(self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200 if taken else 503)
            self.end_headers()
            self.wfile.write(b"ok" if taken else b"not now")  # Slack's word for it

        def log_message(self, *_: Any) -> None:
            """Nothing of it is of interest."""

    class Post:
        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
            recorder.take_mail(envelope.rcpt_tos, envelope.content)
            return "250 taken"

    web = ThreadingHTTPServer(("127.0.0.1", 0), Web)
    threading.Thread(target=web.serve_forever, daemon=True).start()
    post = Controller(Post(), hostname="127.0.0.1", port=free_port())
    post.start()
    recorder.url, recorder.smtp = f"http://127.0.0.1:{web.server_port}", f"127.0.0.1:{post.port}"
    try:
        yield recorder
    finally:
        post.stop()
        web.shutdown()
        web.server_close()


def _has(alert: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    return all(alert["labels"].get(name) == value for name, value in labels.items())
