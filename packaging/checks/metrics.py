#!/usr/bin/env python3
"""Checks that alert rules and dashboard fit the server: each metric that they name is in /metrics with the labels that they select by,
and each query of the dashboard has a result in a Prometheus that scrapes the server.

Usage: metrics.py METRICS_URL PROMETHEUS_URL MONITORING_FOLDER
"""

import json
import pathlib
import re
import sys
import time
import urllib.parse
import urllib.request

import yaml


def get(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read().decode()


def served(url):
    """The metrics of the server: name to its labels."""
    found = {}
    for line in get(url).splitlines():
        match = re.match(r"(\w+)(?:\{(.*)\})? ", line)
        if match and not line.startswith("#"):
            labels = re.findall(r'(\w+)="', match[2] or "")
            found.setdefault(match[1], set()).update(labels)
    return found


def queries_of(panels):
    for panel in panels:
        yield from ((panel["title"], target["expr"]) for target in panel.get("targets", []))
        yield from queries_of(panel.get("panels", []))


def faults_of(where, query, metrics):
    named = re.findall(r"\b((?:evenwatt|process)_\w+)(?:\{([^{}]*(?:\{[^{}]*\}[^{}]*)*)\})?", query)
    for name, selectors in named:
        if name.startswith("evenwatt_cluster_"):  # at a node of a cluster alone: cluster.py looks for them there
            continue
        if name not in metrics:
            yield f"{where}: there is no metric {name}"
            continue
        for label in re.findall(r'(\w+)\s*(?:=~|!~|!=|=)\s*"', selectors):
            if label not in metrics[name] | {"job", "instance"}:
                yield f"{where}: {name} has no label {label}"


def main(metrics_url, prometheus, folder):
    folder = pathlib.Path(folder)
    metrics, faults = served(metrics_url), []
    rules = [rule for group in yaml.safe_load((folder / "alerts.yml").read_text())["groups"] for rule in group["rules"]]
    for rule in rules:
        faults += faults_of(rule["alert"], rule["expr"], metrics)
    dashboard = json.loads((folder / "dashboard.json").read_text())
    variables = [(f"variable {one['name']}", one["query"]["query"]) for one in dashboard["templating"]["list"] if one["type"] == "query"]
    queries = list(queries_of(dashboard["panels"]))
    for where, query in queries + variables:
        faults += faults_of(where, query, metrics)

    waiting = dict(enumerate(queries))
    for _ in range(0 if faults else 40):
        for number, (_, query) in list(waiting.items()):
            query = query.replace("$job", "evenwatt").replace("$instance", ".*").replace("$__rate_interval", "30s")
            answer = json.loads(get(f"{prometheus}/api/v1/query?" + urllib.parse.urlencode({"query": query})))
            if answer["data"]["result"]:
                del waiting[number]
        if not waiting:
            break
        time.sleep(0.5)
    if not faults:
        faults += [f"{where}: no result for {query}" for where, query in waiting.values()]
    loaded = json.loads(get(f"{prometheus}/api/v1/rules"))["data"]["groups"]
    broken = [rule["name"] for group in loaded for rule in group["rules"] if rule["health"] == "err"]
    faults += [f"Prometheus cannot evaluate {name}" for name in broken]
    if sum(len(group["rules"]) for group in loaded) != len(rules):
        faults.append("Prometheus has not loaded all rules")
    used = {name for _, query in queries + variables + [("", rule["expr"]) for rule in rules] for name in re.findall(r"\b(?:evenwatt|process)_\w+", query)}
    print(f"    {len(rules)} rules and {len(queries)} queries name {len(used)} metrics, of {len(metrics)} that are served")
    for fault in faults:
        print(f"    FAULT: {fault}")
    sys.exit(bool(faults))


main(*sys.argv[1:])
