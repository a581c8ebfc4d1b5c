"""The city's pages, over a month of several wards that came through the real protocol."""

from __future__ import annotations

import csv
import io
import re
from html import unescape

import pytest
from support.seeded_city import NEVER, WARDS, seeded_city

from sync.receiver.words import FACE_WORDS

REAL = [ward.site for ward in WARDS if not ward.simulated]


@pytest.fixture(scope="module")
def city(tmp_path_factory):
    with seeded_city(tmp_path_factory.mktemp("city")) as it:
        yield it


def page(city, path="/", language="vi"):
    answer = city.get(f"{path}{'&' if '?' in path else '?'}lang={language}")
    assert answer.status == 200, answer.body
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    return re.sub(r"\s+", " ", unescape(answer.body.decode()))


def words(html):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html)).strip()


def row(html, site):
    """The words of one site's line in the table of sites."""
    [found] = re.findall(rf'<tr role="row">(?:(?!</tr>).)*?href="/sites/{site}[^"]*">.*?</tr>', html)
    return words(found)


def part(html, heading):
    """What stands in the section of this id."""
    return re.search(rf'<section[^>]*aria-labelledby="{heading}".*?</section>', html).group()


def test_a_rate_stands_with_its_n_and_how_long_devices_worked(city):
    assert "72 % (n = 628, thiết bị hoạt động 99 %)" in row(page(city), "phuong-tran-bien")
    assert "72 % (n = 628, devices worked 99 %)" in row(page(city, language="en"), "phuong-tran-bien")
    assert "<strong>85 %</strong>" in part(page(city), "whole")


def test_numbers_are_written_the_languages_way(city):
    assert "n = 2.723" in row(page(city), "phuong-tam-hiep")
    assert "n = 2,723" in row(page(city, language="en"), "phuong-tam-hiep")


def test_without_data_there_is_no_rate(city):
    for site in ("xa-phu-ly", NEVER):
        assert "Chưa có dữ liệu (n = 0" in row(page(city), site)
    assert "(n = 0, thiết bị hoạt động 99 %)" in row(page(city), "xa-phu-ly")  # silence, and it is no device's fault
    assert "(n = 0, chưa rõ thiết bị hoạt động bao lâu)" in row(page(city), NEVER)
    assert "0 %" not in words(page(city)).replace("100 %", "")


def test_what_needs_a_person_comes_first_with_its_reason(city):
    html = page(city)
    needs = words(part(html, "needs"))
    assert "phuong-long-binh : Mất liên lạc với trung tâm từ 08:42." in needs
    assert (
        "phuong-tran-bien : Quầy 1 (panel-1) hỏng hoặc không sẵn sàng 2 giờ 10 phút trong giờ mở cửa hôm nay." in needs
    )
    assert f"{NEVER} : Nút hub chưa gửi dữ liệu lần nào." in needs
    assert needs.count(" : ") == 3
    assert html.index('id="needs"') < html.index('id="sites"')


def test_by_name_first_and_by_rate_on_request(city):
    def listed(html):
        return re.findall(r'<th role="rowheader" scope="row"><a href="/sites/([\w-]+)', part(html, "sites"))

    assert listed(page(city)) == sorted(site for site in (*REAL, "phuong-mo-phong", NEVER))
    ranked = page(city, "/?sort=rate")
    assert listed(ranked)[:2] == ["phuong-trang-dai", "phuong-tam-hiep"]
    assert "Chưa đủ 30 lượt để xếp hạng" in ranked
    apart = ranked[ranked.index("Chưa đủ 30 lượt để xếp hạng") :]
    assert row(apart, "xa-dai-phuoc").startswith("xa-dai-phuoc 100 %")  # the best rate of all, of four ratings
    assert row(ranked, "phuong-tam-hiep").startswith("2 ")
    assert row(ranked, "xa-thanh-son").startswith("2 ")
    assert row(ranked, "phuong-bien-hung").startswith("4 ")


def test_simulated_figures_are_a_page_apart_that_says_so(city):
    simulated = page(city, "/?simulated=true")
    assert "MÔ PHỎNG Dữ liệu mô phỏng, không phải ý kiến của người dân." in words(simulated)
    assert '<body class="simulated">' in simulated
    assert "(n = 634" in row(simulated, "phuong-mo-phong")
    assert not any(f"/sites/{site}" in simulated for site in REAL)
    real = page(city)
    assert "không phải ý kiến của người dân" not in real
    assert "(n = 0" in row(real, "phuong-mo-phong")


def test_late_days_and_unknown_hours_are_said_of_the_site(city):
    html = page(city)
    assert "3 ngày bổ sung muộn" in row(html, "phuong-trang-dai")
    assert "1 % giờ mở cửa không rõ" in row(html, "phuong-tam-hiep")
    assert "ngày" not in row(html, "phuong-bien-hung")  # today is provisional everywhere: that is said once


def test_a_site_has_its_counters_nodes_devices_and_days(city):
    html = page(city, "/sites/phuong-tran-bien")
    assert "66 % (n = 200, thiết bị hoạt động 99 %)" in words(part(html, "counters"))
    devices = words(part(html, "devices"))
    assert "hub Bộ điều khiển Đang liên lạc, nhận lần cuối lúc 10:20. Đã chốt đến 10:00." in devices
    assert "panel-1 Quầy 1 Thiết bị hỏng hoặc không sẵn sàng 2 giờ 14 phút trong giờ mở cửa." in devices
    assert "panel-2 Quầy 2 Thiết bị hoạt động." in devices
    assert "Không tính: bấm quá sớm sau lượt trước 5" in words(part(html, "whole"))
    assert "Đã sửa lại, không tính vào n 21" in words(part(html, "whole"))


@pytest.mark.parametrize(
    ("site", "query", "sentence"),
    [
        ("phuong-long-binh", "", "Mất liên lạc với trung tâm từ 08:42, không biết thiết bị ra sao."),
        ("phuong-long-binh", "?from=2026-11-20&to=2026-11-20", "Thiết bị hoạt động."),
        ("phuong-tran-bien", "?period=today", "hỏng hoặc không sẵn sàng 2 giờ 10 phút trong giờ mở cửa"),
        ("xa-phu-ly", "?period=today", "Thiết bị hoạt động, chưa có ai đánh giá."),
        ("xa-phu-ly", "?from=2026-11-22&to=2026-11-22", "Chưa có tin về thiết bị nào trong kỳ này."),
        (NEVER, "", "Chưa gửi dữ liệu lần nào."),
    ],
)
def test_each_kind_of_silence_has_its_own_sentence(city, site, query, sentence):
    assert sentence in words(part(page(city, f"/sites/{site}{query}"), "devices"))


def test_days_are_provisional_final_late_or_closed(city):
    html = page(city, "/sites/phuong-trang-dai")
    found = dict(
        re.findall(
            r'<tr data-day="([\d-]+)".*?<td[^>]*>(?:(?!</tr>).)*?>?(tạm tính|đã chốt|bổ sung muộn|không mở cửa)<', html
        )
    )
    assert found["2026-11-24"] == "tạm tính"
    assert found["2026-11-23"] == "đã chốt"
    assert [found[f"2026-11-{day}"] for day in (16, 17, 18)] == ["bổ sung muộn"] * 3
    assert found["2026-11-22"] == "không mở cửa"
    assert len(found) == 30


def test_a_scale_of_three_levels_shows_its_three_faces(city):
    html = part(page(city, "/sites/phuong-ho-nai"), "whole")
    assert html.count('<svg class="face') == 3
    assert "Rất hài lòng" not in words(html)


@pytest.mark.parametrize("path", ["/", "/?sort=rate", "/sites/phuong-tran-bien", "/sites/phuong-trang-dai?period=7d"])
def test_no_vietnamese_is_left_in_english(city, path):
    html = re.sub(r'<a [^>]*lang="vi">.*?</a>', "", page(city, path, "en"))
    assert '<html lang="en">' in html
    assert not re.findall(r"[ăâđêôơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữự]", html.lower().replace("nụ cười", ""))


def test_the_language_is_remembered(city):
    cookie = city.get("/?lang=en").headers["set-cookie"].split(";")[0]
    assert '<html lang="en">' in city.request("GET", "/", headers={"Cookie": cookie}).body.decode()
    assert '<html lang="vi">' in city.get("/").body.decode()


def test_five_faces_have_five_words(city):
    html = part(page(city), "whole")
    assert len(FACE_WORDS) == 5
    assert html.count('<svg class="face') == 5


@pytest.mark.parametrize("path", ["/", "/sites/phuong-trang-dai"])
def test_a_page_needs_nothing_from_elsewhere_and_has_nothing_inline(city, path):
    answer = city.get(path)
    html = answer.body.decode()
    assert "http://" not in html
    assert "https://" not in html
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", html)
    assert answer.headers["content-security-policy"] == "default-src 'self'; frame-ancestors 'none'"
    for address in re.findall(r'(?:href|src)="(/static/[^"]+)"', html):
        assert city.get(address).status == 200


def test_what_was_asked_for_stays_in_the_links(city):
    html = page(city, "/?period=7d&simulated=true")
    assert "/sites/phuong-mo-phong?period=7d&simulated=true" in html
    assert "/v1/scoreboard.csv?period=7d&simulated=true" in html
    form = re.search(r"<form.*?</form>", html).group()
    assert '<input type="hidden" name="simulated" value="true">' in form
    assert 'name="from" value="18/11/2026"' in form


def test_page_json_and_csv_agree(city):
    query = "period=30d"
    answer = {line["site"]: line for line in city.get(f"/v1/scoreboard?{query}").json["sites"]}
    text = city.get(f"/v1/scoreboard.csv?{query}").body.decode("utf-8-sig")
    rows = {line["site"]: line for line in csv.DictReader(io.StringIO(text, newline=""))}
    assert rows.keys() == answer.keys()
    html = page(city, "/?period=30d")
    for site, line in answer.items():
        assert int(rows[site]["n"]) == line["ratings"]["n"]
        assert f"n = {line['ratings']['n']:,}".replace(",", ".") in row(html, site)
    late = answer["phuong-trang-dai"]["days"]
    assert (late["late"], late["provisional"]) == (3, 1)
    assert rows["phuong-trang-dai"]["days_final"] == str(late["final"])


def test_the_days_add_up_to_the_period(city):
    days = city.get("/v1/sites/phuong-tam-hiep/days?period=30d").json["days"]
    [line] = city.get("/v1/scoreboard?period=30d&site=phuong-tam-hiep").json["sites"]
    assert sum(day["ratings"]["n"] for day in days) == line["ratings"]["n"]
    assert sum(day["availability"]["available_s"] for day in days) == line["availability"]["available_s"]
    assert line["days"]["final"] == sum(day["status"] == "final" for day in days)
