"""The real nginx with the files that ship in config/system/nginx, below a folder of the test's own.

Nothing of the shipped files is rewritten but what names the machine: Debian's paths lead below the folder, `listen` to free ports
on loopback, and the upstream to the test's node. A test that cannot wait may shorten a time by `changes`; each text that is to
be replaced must be there.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from support.nodes import Node, running_node
from support.workers import until

PROGRAM = Path("/usr/sbin/nginx")
DEBIAN = Path("/etc/nginx")
CONFIG = Path(__file__).parents[2] / "config"
SHIPPED = CONFIG / "system" / "nginx"
NAME = "node.hall"  # of the node in the hall, in its certificate and in [api] names
PULL_TOKEN = "token-of-the-one-who-pulls"
#: All addresses of this computer, each of which a test may take for another machine.
MACHINES = "allow 127.0.0.0/8;\n"
OLD_HTTP2 = 'the "listen ... http2" directive is deprecated'  # from 1.25.1 on; 1.22 knows no other


@dataclass(frozen=True)
class Answer:
    """What came back through nginx. `headers` as they came: a name that stands twice is there twice."""

    status: int
    version: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def all(self, name: str) -> list[str]:
        """Every value of a header."""
        return [value for found, value in self.headers if found.lower() == name.lower()]

    def one(self, name: str) -> str:
        """The value of a header that must be there once."""
        [value] = self.all(name)
        return value


@dataclass(frozen=True)
class Nginx:
    """An nginx that runs, and its clients' view of it."""

    folder: Path
    port: int
    http_port: int

    @property
    def url(self) -> str:
        return f"https://{NAME}:{self.port}"

    @property
    def certificate(self) -> Path:
        return self.folder / "certificate.pem"

    def command(self, path: str, *options: str, source: str = "127.0.0.1") -> list[str]:
        """The curl that asks for `path` (or a whole address) from an address of this computer."""
        address = path if path.startswith("http") else f"{self.url}{path}"
        names = [word for port in (self.port, self.http_port) for word in ("--resolve", f"{NAME}:{port}:127.0.0.1")]
        return ["curl", "-sS", "--path-as-is", "--max-time", "60", "--cacert", str(self.certificate), *names,
                "--interface", source, *options, address]  # fmt: skip

    def ask(self, path: str, *options: str, source: str = "127.0.0.1") -> Answer:
        """One request by curl, with HTTP/2 where nginx offers it."""
        done = subprocess.run(
            self.command(path, "-i", *options, source=source), capture_output=True, check=False, timeout=90
        )
        assert done.returncode == 0, f"curl {path}: exit {done.returncode}, {done.stderr.decode()}"
        return parsed(done.stdout)

    @property
    def error_log(self) -> str:
        return (self.folder / "log" / "error.log").read_text()


def parsed(text: bytes) -> Answer:
    """curl's `-i` output; an interim answer (100 Continue) before the real one is left out."""
    while True:
        head, _, text = text.partition(b"\r\n\r\n")
        status_line, *lines = head.decode().split("\r\n")
        version, status, *_ = status_line.split(" ")
        if not status.startswith("1"):
            break
    headers = tuple((name, value.strip()) for name, _, value in (line.partition(":") for line in lines))
    return Answer(int(status), version, headers, text)


def make_certificate(folder: Path) -> None:
    """A certificate for NAME that only this test believes."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME},IP:127.0.0.1",
         "-keyout", folder / "key.pem", "-out", folder / "certificate.pem"],
        check=True, capture_output=True,
    )  # fmt: skip


def install(folder: Path, node_port: int, port: int, http_port: int, changes: Mapping[str, str]) -> Path:
    """Debian's nginx.conf and the shipped files below `folder`, moved there; the path of the former."""
    shutil.copytree(SHIPPED, folder)
    for name in ("log", "lib/nucuoi-acme"):
        (folder / name).mkdir(parents=True)
    make_certificate(folder)
    shutil.copy(DEBIAN / "mime.types", folder)
    (folder / "nginx.conf").write_text(_debians_own(folder))
    (folder / "conf.d").mkdir()
    (folder / "conf.d" / "places.conf").write_text(
        "".join(
            f"{kind}_temp_path {folder}/lib/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
    )
    (folder / "sites-enabled").mkdir()
    (folder / "sites-enabled" / "nucuoi").symlink_to(folder / "sites-available" / "nucuoi")
    six = "[::1]:{}" if _has_ipv6() else None
    moved = {
        "listen 80 ": f"listen 127.0.0.1:{http_port} ",
        "listen 443 ": f"listen 127.0.0.1:{port} ",
        "listen [::]:80 ": f"listen {six.format(http_port)} " if six else "# ",
        "listen [::]:443 ": f"listen {six.format(port)} " if six else "# ",
        "server 127.0.0.1:8080;": f"server 127.0.0.1:{node_port};",
        "/etc/ssl/nucuoi/": f"{folder}/",
        "/etc/nginx/": f"{folder}/",
        "/var/lib/nginx/": f"{folder}/lib/",
        "/var/log/nginx/": f"{folder}/log/",
    }
    missing = set(moved) | set(changes)
    for path in [folder / "sites-available" / "nucuoi", *folder.glob("nucuoi*/*.conf")]:
        text = path.read_text()
        for old, new in {**changes, **moved}.items():
            if old in text:
                missing.discard(old)
                text = text.replace(old, new)
        path.write_text(text)
    assert not missing, f"not in the shipped files: {missing}"
    return folder / "nginx.conf"


@contextmanager
def running_nginx(
    folder: Path, node_port: int, changes: Mapping[str, str] | None = None, *, machines: str = MACHINES
) -> Iterator[Nginx]:
    """nginx in front of the node until the block ends. What it says on stderr is a failure.

    `machines`: what an operator writes into the lists of desks and touch screens; empty: they stay as they ship.
    """
    port, http_port = _free_ports(2)
    settings = install(folder, node_port, port, http_port, changes or {})
    for name in ("desks.conf", "touch-screens.conf"):
        with (folder / "nucuoi-local" / name).open("a") as allowed:
            allowed.write(machines)
    options = [str(PROGRAM), "-p", str(folder), "-c", str(settings), "-e", str(folder / "log" / "error.log")]
    tested = subprocess.run([*options, "-t", "-q"], capture_output=True, text=True, check=False)
    assert (tested.returncode, said(tested.stderr + (folder / "log" / "error.log").read_text())) == (0, ""), tested
    with (folder / "stderr").open("wb") as stderr:
        process = subprocess.Popen([*options, "-g", "daemon off;"], stderr=stderr, start_new_session=True)
    try:
        until(lambda: process.poll() is not None or _answers(port), "nginx listens")
        assert process.poll() is None, (folder / "stderr").read_text()
        yield Nginx(folder, port, http_port)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
    assert said((folder / "stderr").read_text()) == ""


@contextmanager
def hall(
    folder: Path, changes: Mapping[str, str] | None = None, *, machines: str = MACHINES
) -> Iterator[tuple[Node, Nginx]]:
    """A simulated centre that knows itself as NAME and its pull token, and nginx in front of it (see `running_nginx`)."""
    with (
        running_node(folder / "node", *node_options(folder), environment={"NUCUOI_PULL_TOKEN": PULL_TOKEN}) as node,
        running_nginx(folder / "nginx", port_of(node), changes, machines=machines) as nginx,
    ):
        yield node, nginx


def node_options(folder: Path) -> list[str]:
    """The command line of a node that knows itself as NAME."""
    site = folder / "site.toml"
    here = 'host = "127.0.0.1"'
    text = (CONFIG / "default.toml").read_text(encoding="utf-8")
    assert here in text
    site.write_text(text.replace(here, f'{here}\nnames = ["{NAME}"]'), encoding="utf-8")
    return ["--config", str(site), "--receiver-port", "0"]


def port_of(node: Node) -> int:
    """Where a node listens."""
    return int(node.url.rpartition(":")[2])


def said(words: str) -> str:
    """What nginx complained about, but for the one warning that a configuration for 1.22 cannot spare 1.26."""
    return "".join(line for line in words.splitlines(keepends=True) if OLD_HTTP2 not in line)


def _debians_own(folder: Path) -> str:
    text = (DEBIAN / "nginx.conf").read_text()
    text = re.sub(r"^user .*;$", "user root;" if os.geteuid() == 0 else "", text, flags=re.MULTILINE)
    for old, new in {"/run/": "/", "/var/log/nginx/": "/log/", "/etc/nginx/": "/"}.items():
        text = text.replace(old, f"{folder}{new}")
    return text


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def _free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()
