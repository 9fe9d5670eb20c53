"""# mailing: reports that arrive by themselves

Every hour it looks at `lake/reports/subscriptions.yml` (`LAKE_REPORT_SUBSCRIPTIONS`): who gets which report, each day,
week or month. What is due and was not sent yet is sent, as PDF and HTML, from the newest receipt. It waits for no
publish: on a day on which nothing changed, the report comes all the same and says as of when its data are.

**Sent once.** That a mail was sent is kept under `s3://reports/sent/`. When the mail server is away, the next hour
tries again, and nobody gets a report twice.

**When the task fails.** The log names the mail server, the report and the address.

| reason | what to do |
|---|---|
| no mail server is named, or it refuses | `LAKE_ALERT_SMTP`, `LAKE_ALERT_SMTP_USER` and the like, then `lake up` |
| a subscription is malformed, or names a report that there is not | the log names it and the shape that is expected |
| nothing was published yet | `lake run` |
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.sdk import dag, task
from common import DAG, HOURLY, SHORT, TAGS, TRINO


@dag(
    **DAG,
    schedule=HOURLY,
    start_date=datetime(2025, 1, 1),
    dagrun_timeout=timedelta(minutes=30),
    tags=[*TAGS, "reports"],
    doc_md=__doc__,
)
def mailing() -> None:
    """One task: what it does is in `lake.reports`."""

    @task(**SHORT, **TRINO)
    def send() -> list[str]:
        """Send what is due; of each, report and period."""
        from lake.ledger import receipts
        from lake.reports.sending import send_due
        from lake.reports.subscriptions import load
        from lake.settings import settings

        if not (subscriptions := load(settings().report_subscriptions)):
            return []
        sent = send_due(subscriptions, receipts.latest(), datetime.now(UTC))
        return [f"{one.report} {one.period}" for one in sent]

    send()


mailing()
