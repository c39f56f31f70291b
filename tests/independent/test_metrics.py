"""What Prometheus reads: every family is described, is there from the start, and follows what happens."""

import asyncio
import re
import subprocess
import time

import conftest
from test_balancing import OLD, Depot

SAMPLE = re.compile(r"(\w+)(?:\{(.*)\})? (\S+)$")


def scraped(server):
    """The samples by name and labels, and the type of each family."""
    text = server.client().get(f"{server.url}/metrics").text
    samples, types, described = {}, {}, set()
    for line in filter(None, text.splitlines()):
        if line.startswith("# TYPE "):
            name, kind = line.split()[2:]
            types[name] = kind
        elif line.startswith("# HELP "):
            described.add(line.split()[2])
        else:
            name, labels, value = SAMPLE.match(line).groups()
            samples[name, labels or ""] = float(value)
    assert described >= types.keys(), f"without a line of help: {types.keys() - described}"
    return samples, types


def test_everything_is_there_from_the_start_and_described(own_server):
    scraped(own_server)  # so that there was a request
    samples, types = scraped(own_server)
    version = subprocess.run([conftest.binary(), "--version"], capture_output=True, text=True).stdout.split()[1]
    assert samples["evenwatt_build_info", f'version="{version}"'] == 1
    for name in ("ocpp_connections", "balancing_trees", "balancing_groups_over_limit", "webhook_deliveries_waiting"):
        assert samples[f"evenwatt_{name}", ""] == 0
    assert samples["evenwatt_store_lock_held", ""] == 1
    assert samples["evenwatt_balancing_cycles_total", 'outcome="failed"'] == 0
    assert samples["evenwatt_webhook_deliveries_total", 'outcome="failed"'] == 0
    assert samples["process_resident_memory_bytes", ""] > 10_000_000
    assert 0 <= time.time() - samples["process_start_time_seconds", ""] < 60
    assert 5 < samples["process_open_fds", ""] < samples["process_max_fds", ""]
    assert types["evenwatt_http_request_seconds"] == types["evenwatt_store_group_size"] == "histogram"
    assert "summary" not in types.values()
    counters = {name for name, kind in types.items() if kind == "counter"}
    assert all(name.endswith("_total") for name in counters), counters


def test_balancing_is_counted_and_timed(own_server):
    async def story():
        depot = Depot(own_server, OLD[:2])
        await depot.connect_all()
        await depot.links[0].station.plug_in()
        await depot.settles(7)
        deadline = time.monotonic() + 40
        while True:
            samples, types = await asyncio.to_thread(scraped, own_server)
            if samples["evenwatt_balancing_trees", ""] == 1:  # looked at every 15 seconds
                break
            assert time.monotonic() < deadline
            await asyncio.sleep(0.5)
        assert samples["evenwatt_ocpp_connections", ""] == 2
        cycles = samples["evenwatt_balancing_cycles_total", 'outcome="done"']
        assert cycles > 2 and samples["evenwatt_balancing_cycle_seconds_count", ""] == cycles
        assert samples["evenwatt_balancing_cycle_seconds_bucket", 'le="+Inf"'] == cycles
        assert samples["evenwatt_balancing_commands_total", 'outcome="accepted"'] >= 4, "a fallback and a limit each"
        limits = samples["evenwatt_ocpp_call_seconds_count", 'action="SetChargingProfile"']
        assert limits == samples["evenwatt_ocpp_call_seconds_bucket", 'action="SetChargingProfile",le="+Inf"'] >= 4
        await depot.close()

    asyncio.run(asyncio.wait_for(story(), 120))
