"""docs/OPERATING.md as an operator follows it who pastes every block, in the order of the page.

A block is marked by what it needs: `sh` runs on every store, `sh sqlite`, `sh postgresql` and `sh cluster` on that one, `sh postgresql-tls`
where the program can speak it. What needs systemd as the first process or the internet (`sh systemd`, `sh internet`) is not run here:
its syntax and its units are checked, and like everything on the page, that it names what there is.
"""

import functools
import json
import re
import shutil
import subprocess

import pytest
from conftest import REPOSITORY, binary
from machine import Machine
from postgres import Postgres, speaks_tls

PAGE = (REPOSITORY / "docs" / "OPERATING.md").read_text()
BLOCKS = [(kind.strip(), text) for kind, text in re.findall(r"^```([^\n]+)\n(.*?)^```$", PAGE, re.S | re.M)]
PROSE = re.sub(r"^```.*?^```$", "", PAGE, flags=re.S | re.M)
RUNS = {"sqlite": {"sh", "sh sqlite"}, "postgresql": {"sh", "sh postgresql", "sh postgresql-tls", "sh cluster"}}
CHECKED = {"sh systemd", "sh internet"}
MARK = "@@ block "


def test_each_block_is_run_or_checked():
    assert {kind for kind, _ in BLOCKS} <= CHECKED.union(*RUNS.values())
    assert len(BLOCKS) > 20


@pytest.fixture
def machine(request):
    """With a PostgreSQL of its own where that is the store."""
    postgres = Postgres() if request.param == "postgresql" else None
    made = Machine(postgres)
    yield made
    made.remove()
    if postgres:
        postgres.stop()


@pytest.mark.parametrize("machine, store", [("sqlite", "sqlite"), ("postgresql", "postgresql")], indirect=["machine"])
def test_every_command_runs(machine, store):
    kinds = RUNS[store] if speaks_tls(binary()) else RUNS[store] - {"sh postgresql-tls"}
    chosen = [text for kind, text in BLOCKS if kind in kinds]
    # One shell for all: what a block sets, the next ones have.
    done = machine.run("".join(f"echo '{MARK}{number}'\n{text}" for number, text in enumerate(chosen)), 400)
    if done.returncode != 0:
        reached = re.findall(rf"^{MARK}(\d+)$", done.stdout, re.M)
        said = done.stdout[-3000:] + "\n-- the log:\n" + machine.journal(15)
        pytest.fail(f"this block ended with {done.returncode}:\n{chosen[int(reached[-1])] if reached else ''}\n-- it said:\n{said}", pytrace=False)
    assert f"{MARK}{len(chosen) - 1}" in done.stdout
    # What was found out on the way, besides that nothing failed.
    assert re.search(r'"name":"Harbour Charging"', done.stdout)
    assert re.search(r'"connection_url":"wss://localhost:\d+/ocpp/\w+"', done.stdout)
    assert re.search(r"^connected: 1 of 1 stations", done.stdout, re.M)
    assert len(list((machine.root / "var/backups/evenwatt").glob("*.backup"))) == 1
    assert (machine.home / "cluster.secret").exists() == (store == "postgresql")


@pytest.mark.parametrize("kind, text", [block for block in BLOCKS if block[0] in CHECKED])
def test_what_is_not_run_is_sound(kind, text, tmp_path):
    parsed = subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True)
    assert parsed.returncode == 0 and not parsed.stderr, parsed.stderr
    units = re.findall(r"tee (/etc/systemd/system/\S+) [^\n]*<<'END'\n(.*?)^END$", text, re.S | re.M)
    scripts = re.findall(r"<<'END'\n(#!/bin/sh\n.*?)^END$", text, re.S | re.M)
    for script in scripts:
        assert subprocess.run(["sh", "-n"], input=script, text=True).returncode == 0
    if not units or not shutil.which("systemd-analyze"):
        return
    for path, unit in units:
        if path.endswith(".conf"):  # a drop-in: with the unit that it is for
            name = path.split("/")[-2].removesuffix(".d")
            unit = (REPOSITORY / "packaging" / "systemd" / name).read_text() + unit
        else:
            name = path.split("/")[-1]
        # What a unit starts has to be on this machine, and a user that it names.
        unit = re.sub(r"/usr/s?bin/evenwatt(-admin)?", "/bin/true", re.sub(r"^(User|Group)=.*", r"\1=daemon", unit, flags=re.M))
        (tmp_path / name).write_text(unit)
    verified = subprocess.run(["systemd-analyze", "verify", "--man=no", *map(str, tmp_path.iterdir())], capture_output=True, text=True)
    assert verified.returncode == 0 and not verified.stderr, verified.stderr


@functools.cache
def help_of(*path):
    return subprocess.run([binary(), *path, "--help"], capture_output=True, text=True, check=True).stdout


def commands_of(*path):
    listed = help_of(*path).partition("Commands:\n")[2].partition("\n\n")[0]
    return set(re.findall(r"^  ([a-z-]+)", listed, re.M))


def called(text):
    """What follows the program's name where it is called, up to the end of that command."""
    call = r"(?:evenwatt-admin|(?:^|sudo |\$\(|-- )(?:env \S+ |--preserve-env=\S+ )?evenwatt|run --rm evenwatt) ([a-z-][^|;&`)\n]*)"
    return re.findall(call, text, re.M)


INLINE = re.findall(r"`([^`\n]+)`", PROSE)
CALLS = sorted({call.strip() for _, text in BLOCKS for call in called(text)} | {call.strip() for text in INLINE for call in called(text)})


@pytest.mark.parametrize("call", CALLS)
def test_the_program_knows_the_command(call):
    words, path = re.findall(r"[^\s\"']+", call), []
    while words and words[0] in commands_of(*path):
        path.append(words.pop(0))
    assert not commands_of(*path) or not words or words[0].startswith("-"), f"there is no command {call}"
    for option in (word.partition("=")[0] for word in words if word.startswith("--")):
        assert re.search(rf"(?<![\w-]){option}(?![\w-])", help_of(*path)), f"{' '.join(path)} has no {option}"


def test_what_the_page_calls_is_found():
    """The search above finds the calls of the page, so that one with another name does not go unseen."""
    assert {"doctor", "api-key list", "operator reset you@example.com"} <= set(CALLS)
    assert any(call.startswith("restore --replace") for call in CALLS) and any(call.startswith("simulate") for call in CALLS)


@functools.cache
def options():
    """Every option of the program, as section.option."""
    found, section = set(), ""
    for line in (REPOSITORY / "src" / "app" / "default.toml").read_text().splitlines():
        if header := re.match(r"\[(\w+)\]", line):
            section = header.group(1)
        elif option := re.match(r"(\w+) = ", line):
            found.add(f"{section}.{option.group(1)}")
    return found


def test_options_exist():
    sections = {name.partition(".")[0] for name in options()}
    named = {name for text in INLINE for name in re.findall(r"^(\w+\.\w+)$", text) if name.partition(".")[0] in sections}
    named |= {"store.url" for _ in re.findall(r"\bDATABASE_URL=", PAGE)}
    for section, option in re.findall(r"\bEVENWATT_([A-Z]+)_([A-Z_]+)\b", PAGE):
        name = f"{section.lower()}.{option.lower()}"
        named.add(name if name in options() else name.removesuffix("_file"))
    named -= {"store.url"} | {"api.key"}  # DATABASE_URL is the short name of one; the other is the reader's own variable
    assert len(named) > 10 and named <= options(), named - options()


def test_alerts_paths_and_files_exist():
    alerts = (REPOSITORY / "packaging" / "monitoring" / "alerts.yml").read_text()
    assert set(re.findall(r"`(Evenwatt[A-Z]\w+)`", PAGE)) <= set(re.findall(r"alert: (\w+)", alerts))
    paths = json.loads(subprocess.run([binary(), "openapi"], check=True, capture_output=True).stdout)["paths"]
    named = [text for text in INLINE if re.match(r"(GET|POST|PUT|PATCH|DELETE) /v1\.1", text)]
    for method, path in (text.split(" ") for text in named):
        assert method.lower() in paths.get(path.partition("?")[0], {}), f"{method} {path}"
    for path in re.findall(r"/usr/share/doc/evenwatt/(\S+?\.\w+)", PAGE):
        build = (REPOSITORY / "packaging" / "debian" / "build-deb").read_text()
        assert f'$documents/{path}"' in build or f"$documents/{path}.gz" in build, path


def test_links_lead_somewhere():
    def anchors(text):
        headings = re.findall(r"^#+ (.*)$", re.sub(r"^```.*?^```$", "", text, flags=re.S | re.M), re.M)
        return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}

    for target in re.findall(r"\]\(([^)]+)\)", PAGE):
        file, _, anchor = target.partition("#")
        text = (REPOSITORY / "docs" / file).read_text() if file else PAGE
        assert not anchor or anchor in anchors(text), target
