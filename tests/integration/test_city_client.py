"""The city client against real sockets: every way a call can fail is a value, and only the city's own word is believed."""

import socket
import ssl
import subprocess
import threading

import pytest
from support.cities import TOKEN, bucket, client_of, http_answer, running_city, scripted_city

from sync.answers import Answered, Failure
from sync.city_client import CityClient

HEAD = "00ff00ff"


@pytest.fixture
def send():
    """Send one bucket to an address; the client is closed afterwards."""
    clients = []

    def call(url, *buckets, **options):
        client = client_of(url, **options)
        clients.append(client)
        return client.send(HEAD, buckets or [bucket(3, revision=7)])

    yield call
    for client in clients:
        client.close()


def test_the_city_answers(tmp_path, send):
    with running_city(tmp_path) as city:
        got = send(city.url, bucket(3), {"nonsense": 1, "revision": 1})
        assert isinstance(got, Answered)
        assert [result.outcome for result in got.answer.results] == ["accepted", "rejected"]
        assert got.city_time is not None
        assert city.ratings()["n"] == 3


def test_what_is_sent_is_gzip_json_with_a_credential_and_no_word_of_the_environment(send, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nobody listens there
    with scripted_city(lambda request, _: request.accept_all()) as city:
        assert isinstance(send(city.url), Answered)
    [request] = city.requests
    head = request.head.decode().lower()
    assert head.startswith("post /v1/nodes/hub/buckets http/1.1")
    for line in (f"authorization: bearer {TOKEN}", "content-encoding: gzip", "content-type: application/json"):
        assert line in head
    assert (request.batch["schema"], request.batch["site"], request.batch["chain_head"]) == (1, "ward-1", HEAD)


def test_nobody_there_is_unreachable(send):
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    got = send(f"http://127.0.0.1:{port}")
    assert isinstance(got, Failure)
    assert (got.kind, got.text) == ("unreachable", "Mất kết nối máy chủ thành phố")


def test_a_name_that_does_not_resolve_is_unreachable(send):
    got = send("https://city.invalid")
    assert isinstance(got, Failure)
    assert got.kind in ("unreachable", "timeout")


def test_a_connection_that_breaks_is_unreachable(send):
    with scripted_city(lambda *_: None) as city:
        assert send(city.url).kind == "unreachable"


def test_an_answer_that_breaks_off_is_not_believed(send):
    with scripted_city(lambda request, _: request.accept_all()[:-20]) as city:
        assert isinstance(send(city.url), Failure)


def test_a_city_that_does_not_answer_is_a_timeout(send):
    released = threading.Event()

    def wait(*_):
        released.wait(20)

    with scripted_city(wait) as city:
        got = send(city.url, read_timeout_s=0.1)
        released.set()
    assert got.kind == "timeout"


def test_an_answer_that_drips_is_a_timeout_not_a_hung_thread(send):
    left = threading.Event()

    def drip(_request, connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while not left.wait(0.02):
            connection.sendall(b" ")

    with scripted_city(drip) as city:
        got = send(city.url, read_timeout_s=0.2)
        left.set()
    assert got.kind == "timeout"


def test_an_answer_without_end_does_not_fill_the_memory(send):
    def pour(_request, connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b" " * 65536)

    with scripted_city(pour) as city:
        assert send(city.url).kind == "not_an_answer"


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, "unauthorised"), (403, "unauthorised"), (413, "too_large"), (500, "server_error"), (429, "server_error"), (422, "refused")],
)  # fmt: skip
def test_each_refusal_has_its_kind_and_retry_after(send, status, kind):
    with scripted_city(lambda *_: http_answer(status, b"no", {"Retry-After": "17"})) as city:
        got = send(city.url)
    assert (got.kind, got.retry_after_s, got.status) == (kind, 17.0, status)


def test_a_captive_portals_200_is_no_answer(send):
    portal = http_answer(200, b"<html>login</html>", {"Content-Type": "text/html"})
    with scripted_city(lambda *_: portal) as city:
        assert send(city.url).kind == "not_an_answer"


def test_a_redirect_is_no_answer_and_the_credential_does_not_follow_it(send):
    with scripted_city(lambda request, _: request.accept_all()) as elsewhere:
        redirect = http_answer(307, b"", {"Location": f"{elsewhere.url}/v1/nodes/hub/buckets"})
        with scripted_city(lambda *_: redirect) as city:
            assert send(city.url).kind == "not_an_answer"
    assert elsewhere.requests == []


def test_the_answer_to_another_batch_is_no_answer(send):
    with scripted_city(lambda request, _: request.accept_all()) as city:
        send(city.url)
    old = city.requests[0].accept_all()
    with scripted_city(lambda *_: old) as replaying:
        assert send(replaying.url).kind == "not_an_answer"


@pytest.mark.parametrize(
    "url", ["http://city.example", "ftp://127.0.0.1", "https://user:pass@city.example", "city.example", ""]
)
def test_a_credential_is_never_sent_where_others_could_read_it(url):
    with pytest.raises(ValueError, match="the city's address"):
        client_of(url)


@pytest.mark.parametrize("token", ["", "two words", "a\nb", "mật"])
def test_a_token_that_fits_no_header_is_refused(token):
    with pytest.raises(ValueError, match="city_token"):
        CityClient("https://city.example", token, site="s", node="n", connect_timeout_s=1, read_timeout_s=1)


# TLS, with certificates of our own making


def openssl(folder, *arguments):
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


CONFIG = """
[ca]
default_ca = d
[d]
database = index.txt
new_certs_dir = .
serial = serial
default_md = sha256
policy = p
x509_extensions = v
[p]
commonName = supplied
[v]
subjectAltName = {name}
basicConstraints = critical,CA:TRUE
"""


def certificate(folder, *, start="20200101000000Z", end="20400101000000Z", name="IP:127.0.0.1"):
    """A self-signed certificate, and the server's context with it."""
    folder.mkdir()
    (folder / "index.txt").touch()
    (folder / "serial").write_text("01")
    (folder / "c.cnf").write_text(CONFIG.format(name=name))
    openssl(folder, "req", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "r.csr", "-subj", "/CN=city")
    openssl(
        folder, "ca", "-batch", "-config", "c.cnf", "-selfsign", "-keyfile", "key.pem", "-in", "r.csr",
        "-startdate", start, "-enddate", end, "-out", "cert.pem", "-notext",
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context, str(folder / "cert.pem")


def test_the_citys_own_authority_is_believed(tmp_path, send):
    context, ca_file = certificate(tmp_path / "good")
    with scripted_city(lambda request, _: request.accept_all(), tls=context) as city:
        assert isinstance(send(city.url, ca_file=ca_file), Answered)


def test_a_strangers_certificate_is_a_tls_failure_and_no_credential_is_sent(tmp_path, send):
    context, _ = certificate(tmp_path / "strange")
    with scripted_city(lambda request, _: request.accept_all(), tls=context) as city:
        got = send(city.url)
    assert (got.kind, city.requests) == ("tls", [])


def test_a_certificate_of_another_name_is_a_tls_failure(tmp_path, send):
    context, ca_file = certificate(tmp_path / "other", name="DNS:elsewhere.example")
    with scripted_city(lambda request, _: request.accept_all(), tls=context) as city:
        assert send(city.url, ca_file=ca_file).kind == "tls"


def test_a_certificate_of_the_future_says_that_the_clock_is_wrong(tmp_path, send):
    context, ca_file = certificate(tmp_path / "young", start="20390101000000Z")
    with scripted_city(lambda request, _: request.accept_all(), tls=context) as city:
        got = send(city.url, ca_file=ca_file)
    assert got.kind == "tls_clock"
    assert "đồng hồ" in got.text


def test_a_server_that_speaks_no_tls_is_a_tls_failure(send):
    with scripted_city(lambda *_: None) as city:
        assert send(city.url.replace("http:", "https:")).kind in ("tls", "unreachable", "timeout")


def test_a_missing_authority_file_is_a_failure_in_words_and_no_crash(tmp_path, send):
    got = send("https://127.0.0.1:9", ca_file=str(tmp_path / "none.pem"))
    assert isinstance(got, Failure)
    assert "none.pem" in got.detail
