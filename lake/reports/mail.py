"""Sending a report by mail, through the mail server of the alerts."""

from __future__ import annotations

import smtplib
import ssl
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime

from lake.errors import ServiceError
from lake.reports.definition import Report
from lake.reports.shown import Proof
from lake.reports.subscriptions import Due
from lake.settings import settings

REPLY_SECONDS = 30

FORMS = {"pdf": ("application", "pdf"), "html": ("text", "html")}
"""What is attached. Pages hold their charts as SVG, which mail programs do not show within a message."""


def message(due: Due, report: Report, proof: Proof, files: dict[str, bytes]) -> EmailMessage:
    """A report as a mail. The same receipt and the same period give the same message, its id too.

    Args:
        files: the report in each of `FORMS`.
    """
    sender = settings().alert_email_from or due.address
    told = EmailMessage()
    told["Subject"] = f"{report.title}, {due.period}"
    told["From"], told["To"] = sender, due.address
    told["Date"] = format_datetime(proof.source_instant)
    told["Message-ID"] = f"<{due.report}.{due.period}.{proof.run_id}@{Address(addr_spec=sender).domain}>"
    told["List-Unsubscribe"] = f"<mailto:{sender}?subject=unsubscribe%20{due.report}>"
    told["Auto-Submitted"] = "auto-generated"
    period = report.period_over(proof.as_of)
    lines = [
        report.description,
        "",
        *([f"The figures are of {period.told}."] if period else []),
        f"Data as of {proof.source_instant:%Y-%m-%d %H:%M} UTC.",
        *proof.notes,
        "",
        f"Every figure can be computed again: receipt {proof.run_id}, lake main@{proof.lake_commit}.",
        f"You get this every {due.every}; answer with “unsubscribe” to end it.",
    ]
    told.set_content("\n".join(lines) + "\n")
    for kind, data in files.items():
        main, sub = FORMS[kind]
        told.add_attachment(data, maintype=main, subtype=sub, filename=f"{due.report}-{due.period}.{kind}")
    return told


def send(told: EmailMessage) -> None:
    """Hand a message to the mail server.

    Raises:
        ServiceError: there is none, it does not answer, or it refuses the message.
    """
    config = settings()
    host, _, port = config.alert_smtp.rpartition(":")
    if not host:
        raise ServiceError("a report is to be sent, and no mail server is named", "set LAKE_ALERT_SMTP=host:port")
    try:
        with smtplib.SMTP(host, int(port), timeout=REPLY_SECONDS) as server:
            if config.alert_smtp_tls:
                server.starttls(context=ssl.create_default_context())
            if config.alert_smtp_user and config.alert_smtp_password:
                server.login(config.alert_smtp_user, config.alert_smtp_password.get_secret_value())
            server.send_message(told)
    except (OSError, smtplib.SMTPException) as error:
        raise ServiceError(
            f"the mail server at {config.alert_smtp} did not take “{told['Subject']}” for {told['To']}: {error}",
            "it is tried again every hour; correct LAKE_ALERT_SMTP and what belongs to it, or the subscription",
        ) from error
