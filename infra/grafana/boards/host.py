"""The machine, by `node_exporter <https://github.com/prometheus/node_exporter>`_, and what it costs to watch."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard

from infra.grafana.board import HOST, Section, board
from infra.grafana.panels import ANSWERS, DISKS, Column, Limits, Query, bars, lines, number, rows

WHERE = "{{instance}}"
WIRES = '{device!~"lo|veth.*|docker.*|br-.*"}'


def host() -> Dashboard:
    """Processor, memory, disk, network, and the parts of the monitoring itself."""
    return board(
        HOST,
        "Host",
        "The machine: processor, memory, disk, network; and what it costs to watch it.",
        [_now(), _processor_and_memory(), _disk_and_network(), _watching()],
    )


def _now() -> Section:
    return Section(
        "Now",
        [
            number(
                "Processor",
                Query('1 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[5m]))', WHERE),
                unit="percentunit",
                about="Share of all cores that was busy in the last five minutes.",
                limits=Limits(yellow=0.85, red=0.97),
                span=6,
                decimals=0,
            ),
            number(
                "Memory",
                Query("1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes", WHERE),
                unit="percentunit",
                about="Share that is in use and cannot be given up at once.",
                limits=Limits(yellow=0.85, red=0.95),
                span=6,
                decimals=0,
            ),
            number(
                "Killed for memory",
                Query("increase(node_vmstat_oom_kill[$__range])", WHERE),
                unit="none",
                about="Processes that the kernel ended within the chosen time because memory was out.",
                limits=Limits(red=1),
                span=6,
                decimals=0,
            ),
            number(
                "Up since",
                Query("time() - node_boot_time_seconds", WHERE),
                unit="s",
                about="Time since the machine was started.",
                span=6,
            ),
        ],
    )


def _processor_and_memory() -> Section:
    return Section(
        "Processor and memory",
        [
            lines(
                "What is the processor busy with?",
                Query(
                    'avg by (mode) (rate(node_cpu_seconds_total{mode!="idle"}[$__rate_interval]))',
                    "{{mode}}",
                ),
                unit="percentunit",
                about="iowait is waiting for disks; steal is what a hypervisor took away.",
                stacked=True,
                maximum=1,
            ),
            lines(
                "How many processes wait?",
                [
                    Query("node_procs_running", "run or wait for a core"),
                    Query("node_procs_blocked", "wait for a disk"),
                ],
                unit="none",
                about="At the moment of each look. More that run than there are cores: they share them.",
            ),
            lines(
                "How much memory is left?",
                [
                    Query("node_memory_MemTotal_bytes - node_memory_MemAvailable_bytes", "in use"),
                    Query("node_memory_MemAvailable_bytes", "available"),
                ],
                unit="bytes",
                about="Available is free, or holds copies of files that can be dropped.",
                stacked=True,
            ),
            lines(
                "Load for each core",
                Query('node_load5 / on (instance) count by (instance) (node_cpu_seconds_total{mode="idle"})', WHERE),
                unit="none",
                about="Processes that run or wait, mean of five minutes. More than one for each core: they wait.",
                limits=Limits(yellow=2),
            ),
        ],
    )


def _disk_and_network() -> Section:
    return Section(
        "Disk and network",
        [
            bars(
                "How full are the disks?",
                Query(
                    f"topk(15, 1 - max by (instance, mountpoint) (node_filesystem_avail_bytes{DISKS} "
                    f"/ node_filesystem_size_bytes{DISKS}))",
                    "{{mountpoint}}",
                ),
                unit="percentunit",
                about="Share in use; the fifteen fullest.",
                limits=Limits(yellow=0.8, red=0.9),
                maximum=1,
                span=12,
            ),
            lines(
                "What will be free in a day?",
                Query(
                    f"clamp_min(bottomk(5, predict_linear(node_filesystem_avail_bytes{DISKS}[6h], 86400)), 0)",
                    "{{mountpoint}}",
                ),
                unit="bytes",
                about="If the last six hours go on. Zero: the disk is full within a day.",
            ),
            lines(
                "Bytes to and from disks a second",
                [
                    Query("sum by (instance) (rate(node_disk_read_bytes_total[$__rate_interval]))", "read"),
                    Query("sum by (instance) (rate(node_disk_written_bytes_total[$__rate_interval]))", "written"),
                ],
                unit="Bps",
                about="All disks together. `How busy are the disks?` tells whether they can do more.",
                span=8,
            ),
            lines(
                "How busy are the disks?",
                Query("topk(8, rate(node_disk_io_time_seconds_total[$__rate_interval]))", "{{device}}"),
                unit="percentunit",
                about="Share of the time in which each disk had something to do.",
                limits=Limits(yellow=0.9),
                maximum=1,
                span=8,
            ),
            lines(
                "Bytes over the network a second",
                [
                    Query(f"sum(rate(node_network_receive_bytes_total{WIRES}[$__rate_interval]))", "received"),
                    Query(f"sum(rate(node_network_transmit_bytes_total{WIRES}[$__rate_interval]))", "sent"),
                ],
                unit="Bps",
                about="Without loopback, over which the parts of one machine talk.",
                span=8,
            ),
        ],
    )


def _watching() -> Section:
    return Section(
        "What watching costs",
        [
            lines(
                "Which scrapes are slow?",
                Query("topk(10, max by (job) (scrape_duration_seconds))", "{{job}}"),
                unit="s",
                about="How long each part takes to answer Prometheus.",
                limits=Limits(yellow=5, red=10),
            ),
            rows(
                "Does our exporter collect all?",
                {
                    "max by (collector) (shoplake_exporter_up)": Column("Collected", words=ANSWERS),
                    "max by (collector) (shoplake_exporter_collect_seconds)": Column("Took", unit="s"),
                    "max by (collector) (shoplake_exporter_tables_left_out)": Column("Tables left out", unit="none"),
                },
                labels={"collector": "Collector"},
                about="What each collector of `lake exporter` took at its last look. One that failed leaves its "
                "figures out, so that no old one is taken for new. Tables are left out where there are "
                "more than it shows.",
                sort_by="Took",
            ),
            lines(
                "Memory of what watches",
                Query(
                    'process_resident_memory_bytes{job=~"prometheus|alertmanager|node|mysql|lake|postgres"}',
                    "{{job}} {{instance}}",
                ),
                unit="bytes",
                about="Resident memory of Prometheus, Alertmanager and the exporters.",
                stacked=True,
            ),
            lines(
                "How many series are there?",
                Query("prometheus_tsdb_head_series", "{{instance}}"),
                unit="short",
                about="Series that Prometheus holds in memory. A steep rise is a label with too many values.",
            ),
        ],
    )
